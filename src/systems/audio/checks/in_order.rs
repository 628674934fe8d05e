//! Frames are heard in their order, and none twice.
//!
//! A device that restarts begins anew: it does not know what it has played. Frames that were left
//! out are the business of other checks.

use std::collections::BTreeMap;

use super::{Kind, judge_audio};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_in_order",
    summary: "Each listener plays the frames of a session in order, and none twice.",
    source: "RFC 3550 §5.1: the sequence number restores the order of packets",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_audio(case, CHECKER.name, |audio, findings| {
        let mut last = BTreeMap::new();
        for record in &audio.records {
            let Kind::Play { session, frame, .. } = record.kind else { continue };
            let before = last.insert((record.node, record.incarnation), (session, frame));
            if let Some((of, before)) = before.filter(|before| *before >= (session, frame)) {
                let name = audio.name(record.node);
                findings.report(record.time_us, &[record.node], || {
                    match (of == session, before == frame) {
                        (true, true) => {
                            format!("{name} played frame {frame} of session {session} twice")
                        }
                        (true, false) => format!(
                            "{name} played frame {frame} of session {session} after frame {before}"
                        ),
                        (false, _) => format!(
                            "{name} played frame {frame} of session {session} after \
                        session {of} had begun"
                        ),
                    }
                });
            }
        }
    })
}
