//! One leader sends: a deposed one stops soon. Where streamers do not tell what they send, listeners tell whose frames come first, and that is all that
//! makes a difference to them.
//!
//! For a moment two may send, because the older one has not heard of the newer yet; a leader that wakes up from a pause sends what is due before
//! it reads its messages. Only a stretch of sending that goes on and on beside a newer leader is wrong.

use std::collections::BTreeMap;

use super::{Kind, judge_audio};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_one_source",
    summary: "A leader that was deposed does not go on sending beside the new one.",
    source: "Raft dissertation §6.2: a leader without a majority steps down",
    params: &[ParamInfo {
        name: "window",
        duration: true,
        default: 1_000_000.0,
        range: (0.0, 1e12),
        doc: "how long an old leader may go on beside a new one, at a stretch",
    }],
    check,
};

/// Frames further apart than this belong to different stretches, µs.
const APART_US: u64 = 500_000;

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let window = whole(params, "window");
    judge_audio(case, CHECKER.name, |audio, findings| {
        let tells_sending = audio.records.iter().any(|record| matches!(record.kind, Kind::Send(_)));
        let mut newest: Option<(u64, NodeId)> = None;
        // The term that each node has led last, where only that is told.
        let mut terms: BTreeMap<NodeId, u64> = BTreeMap::new();
        // The stretch of each node that sends in an older term: its begin and its last frame.
        let mut stretches: BTreeMap<NodeId, (u64, u64)> = BTreeMap::new();
        for record in &audio.records {
            let (sender, in_term) = match record.kind {
                Kind::TakeOver(place) if tells_sending => {
                    if newest.is_none_or(|(term, _)| place.term >= term) {
                        newest = Some((place.term, record.node));
                    }
                    continue;
                }
                Kind::Leads { term } if !tells_sending => {
                    terms.insert(record.node, term);
                    if newest.is_none_or(|(newest, _)| term >= newest) {
                        newest = Some((term, record.node));
                    }
                    continue;
                }
                Kind::Send(place) => (record.node, place.term),
                Kind::Frame { from, .. } if !tells_sending => (from, terms.get(&from).copied().unwrap_or(0)),
                _ => continue,
            };
            let Some((term, by)) = newest.filter(|(term, by)| in_term < *term && *by != sender) else {
                stretches.remove(&sender);
                continue;
            };
            let now = record.time_us;
            let stretch = stretches.entry(sender).or_insert((now, now));
            if now.saturating_sub(stretch.1) > APART_US {
                stretch.0 = now;
            }
            stretch.1 = now;
            if now.saturating_sub(stretch.0) > window {
                let (old, new, since) = (audio.name(sender), audio.name(by), now - stretch.0);
                findings.report(now, &[sender, by], || {
                    format!("{old} goes on sending in term {in_term} for {} beside {new}, which leads term {term}", seconds(since))
                });
                stretch.0 = now;
            }
        }
    })
}
