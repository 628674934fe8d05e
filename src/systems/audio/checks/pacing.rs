//! Frames are sent when their media time has come, and not as fast as the network takes them.
//!
//! A burst at the beginning fills the buffers of listeners; how much more may come ahead of its
//! time is the scenario's to say. What is looked at is how much earlier than the first paced frame
//! of the same sender a frame comes, measured by its media time. Frames that were sent together
//! overtake each other, so the first is that of the least media time among the first to come. Late
//! frames are the business of other checks.

use std::collections::BTreeMap;

use super::{Kind, judge_audio};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_pacing",
    summary: "No frame comes further ahead of its media time than is stated.",
    source: "RFC 3550 §5.1: the timestamp is the instant of sampling; RFC 8085 §3.1 on pacing",
    params: &[ParamInfo {
        name: "ahead",
        duration: true,
        default: 1e12,
        range: (0.0, 1e12),
        doc: "how much earlier than the first paced frame of the same sender a frame may come, \
            against its media time",
    }],
    liveness: false,
    check,
};

/// What belongs to the first frames of a sender, µs.
const TOGETHER_US: i64 = 100_000;

/// When frames of a sender come, less their media time, µs: of its first frame, and of its first
/// paced one with that one's arrival and media time.
#[derive(Clone, Copy)]
struct Transit {
    first: i64,
    paced: Option<(i64, i64, i64)>,
}

impl Transit {
    fn base(self) -> i64 {
        self.paced.map_or(self.first, |(arrival, media, _)| arrival.saturating_sub(media))
    }
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let ahead = i64::try_from(whole(params, "ahead")).unwrap_or(i64::MAX);
    judge_audio(case, CHECKER.name, |audio, findings| {
        let frames = || {
            audio.records.iter().filter_map(|record| match record.kind {
                Kind::Frame { session, from, media_us, arrival_us, paced, .. } => Some((
                    record,
                    (record.node, record.incarnation, session, from),
                    (arrival_us, media_us),
                    paced,
                )),
                _ => None,
            })
        };
        let mut transits: BTreeMap<_, Transit> = BTreeMap::new();
        for (_, key, (arrival, media), paced) in frames() {
            let known = transits
                .entry(key)
                .or_insert(Transit { first: arrival.saturating_sub(media), paced: None });
            if paced {
                let (_, least, begun) = *known.paced.get_or_insert((arrival, media, arrival));
                if media < least && arrival.saturating_sub(begun) <= TOGETHER_US {
                    known.paced = Some((arrival, media, begun));
                }
            }
        }
        for (record, key, (arrival, media), _) in frames() {
            let Some(known) = transits.get(&key) else { continue };
            let early = known.base().saturating_sub(arrival.saturating_sub(media));
            if early > ahead {
                let ((.., session, from), name) = (key, audio.name(record.node));
                findings.report(record.time_us, &[record.node, from], || {
                    format!(
                        "a frame of session {session} came to {name} from {} {} ahead of its time, \
                            and {} are allowed",
                        audio.name(from),
                        seconds(early.unsigned_abs()),
                        seconds(ahead.unsigned_abs())
                    )
                });
            }
        }
    })
}
