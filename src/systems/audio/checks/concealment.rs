//! How much is made up: the part of what listeners hear that is no frame of the song, and how long
//! at a stretch.
//!
//! What is right depends on the scenario, which gives the bounds: none where delays stay below the
//! target depth, some where a leader crashes.

use std::collections::BTreeMap;

use super::{Kind, judge_audio};
use crate::checkers::findings::{number, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_concealment",
    summary: "Of what a listener hears, only a stated part is made up, and for a stated time at a \
        stretch.",
    source: "WebRTC statistics: concealedSamples; failover: detect + elect + resume − buffered",
    params: &[
        ParamInfo {
            name: "max",
            duration: false,
            default: 1.0,
            range: (0.0, 1.0),
            doc: "frame times that are concealed, as a part of all",
        },
        ParamInfo {
            name: "gap",
            duration: true,
            default: 1e12,
            range: (0.0, 1e12),
            doc: "longest time between two frames that are heard",
        },
    ],
    liveness: false,
    check,
};

#[derive(Default)]
struct Tally {
    played: u64,
    concealed: u64,
    last_us: Option<u64>,
    incarnation: u32,
    gap: (u64, u64),
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (max, gap) = (number(params, "max"), whole(params, "gap"));
    judge_audio(case, CHECKER.name, |audio, findings| {
        let mut tallies: BTreeMap<_, Tally> = BTreeMap::new();
        for record in &audio.records {
            match record.kind {
                Kind::Play { session, .. } => {
                    let tally = tallies.entry((record.node, session)).or_default();
                    tally.played += 1;
                    if let Some(last) =
                        tally.last_us.filter(|_| tally.incarnation == record.incarnation)
                    {
                        tally.gap = tally.gap.max((record.time_us.saturating_sub(last), last));
                    }
                    (tally.last_us, tally.incarnation) = (Some(record.time_us), record.incarnation);
                }
                Kind::Conceal { session, .. } => {
                    tallies.entry((record.node, session)).or_default().concealed += 1
                }
                _ => {}
            }
        }
        for ((node, session), tally) in tallies {
            let (name, all) = (audio.name(node), tally.played + tally.concealed);
            if tally.concealed as f64 > max * all as f64 {
                findings.report(case.trace.end_us, &[node], || {
                    format!(
                        "{name} had to conceal {} of {all} frame times of session {session}, more \
                            than {} %",
                        tally.concealed,
                        max * 100.0
                    )
                });
            }
            if tally.gap.0 > gap {
                let (long, from) = tally.gap;
                findings.report(from.saturating_add(long), &[node], || {
                    format!(
                        "{name} heard no frame of session {session} for {} from {}, more than {}",
                        seconds(long),
                        seconds(from),
                        seconds(gap)
                    )
                });
            }
        }
    })
}
