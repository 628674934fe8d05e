//! What a listener counts is what happened: at the end of a session, played and lost frames make up
//! the session.

use std::collections::BTreeMap;

use super::{Kind, judge_audio};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_accounting",
    summary: "At the end of a session a listener has counted what it played and concealed, and \
        played and lost frames are all of its frames.",
    source: "RFC 3550 A.3: packets expected and lost",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_audio(case, CHECKER.name, |audio, findings| {
        // Played, lost, concealed.
        let mut seen: BTreeMap<_, [u64; 3]> = BTreeMap::new();
        for record in &audio.records {
            let key = |session: u64| (record.node, record.incarnation, session);
            match record.kind {
                Kind::Play { session, .. } => seen.entry(key(session)).or_default()[0] += 1,
                Kind::Conceal { session, lost } => {
                    let counts = seen.entry(key(session)).or_default();
                    counts[1] += u64::from(lost);
                    counts[2] += 1;
                }
                Kind::End { session, frames, first, counts } => {
                    let right = seen.get(&key(session)).copied().unwrap_or_default();
                    let name = audio.name(record.node);
                    for (what, (counted, right)) in
                        ["played", "lost", "concealed"].iter().zip(counts.iter().zip(right))
                    {
                        if *counted != right {
                            findings.report(record.time_us, &[record.node], || {
                                format!(
                                    "{name} counts {counted} frames as {what} in session \
                                    {session}, but there were {right}"
                                )
                            });
                        }
                    }
                    if right[0] + right[1] + first != frames {
                        findings.report(record.time_us, &[record.node], || {
                            format!(
                                "{name} ended session {session} of {frames} frames after {} played \
                                    and {} lost, from frame {first} on",
                                right[0], right[1]
                            )
                        });
                    }
                }
                _ => {}
            }
        }
    })
}
