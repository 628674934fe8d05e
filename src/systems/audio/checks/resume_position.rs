//! A new leader resumes at the replicated position: it takes nothing back that was replicated, and
//! leaves nothing out.
//!
//! The bound below is exact because positions carry terms: what an earlier leader has had
//! committed, every later one has applied before it begins. Frames that were sent after the last
//! position are sent again; listeners drop them. A frame that nobody ever sent is a gap that no
//! listener can close.

use std::collections::BTreeMap;

use super::record::Place;
use super::{Kind, judge_audio};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_resume_position",
    summary: "A new leader resumes at the replicated position: neither before it, nor behind \
        frames that were never sent.",
    source: "Raft §5.4: the log of a new leader holds all committed entries",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_audio(case, CHECKER.name, |audio, findings| {
        // The furthest place by term, for positions and for frames that were sent.
        let mut replicated: BTreeMap<u64, Place> = BTreeMap::new();
        let mut sent: BTreeMap<u64, BTreeMap<u64, u64>> = BTreeMap::new();
        for record in &audio.records {
            match record.kind {
                Kind::Position(place) => {
                    let furthest = replicated.entry(place.term).or_insert(place);
                    *furthest = (*furthest).max(place);
                }
                Kind::Send(place) => {
                    let frame = sent
                        .entry(place.session)
                        .or_default()
                        .entry(place.term)
                        .or_insert(place.frame);
                    *frame = (*frame).max(place.frame);
                }
                Kind::TakeOver(place) => {
                    let Place { session, frame, term } = place;
                    let name = audio.name(record.node);
                    let known = replicated.range(..term).map(|(_, place)| *place).max();
                    if let Some(known) =
                        known.filter(|known| (known.session, known.frame) > (session, frame))
                    {
                        findings.report(record.time_us, &[record.node], || {
                            let Place { session: of, frame: at, .. } = known;
                            format!(
                                "{name} begins at frame {frame} of session {session} in term \
                                {term}, but frame {at} of session {of} was replicated before"
                            )
                        });
                    }
                    let before = sent
                        .get(&session)
                        .and_then(|sent| sent.range(..term).map(|(_, frame)| *frame).max());
                    let next = before.map_or(0, |frame| frame + 1);
                    // A session that the same leader has begun before goes on where it was.
                    let own = sent.get(&session).is_some_and(|sent| sent.contains_key(&term));
                    if frame > next && !own {
                        findings.report(record.time_us, &[record.node], || {
                            format!(
                                "{name} begins at frame {frame} of session {session} in term \
                                {term}, but frames {next} to {} were never sent",
                                frame - 1
                            )
                        });
                    }
                }
                _ => {}
            }
        }
    })
}
