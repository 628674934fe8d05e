//! Every frame that is heard is a frame of the song, at its place, sample by sample.
//!
//! The uploader tells the digest of each frame of its song. What a listener makes up in a gap is no
//! frame and is not judged here.

use super::{Kind, judge_audio};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_byte_exact",
    summary: "Every frame that a listener plays is byte-identical to the frame of the song.",
    source: "the assignment: all devices hear the same song",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_audio(case, CHECKER.name, |audio, findings| {
        for record in &audio.records {
            let Kind::Play { session, frame, digest } = record.kind else { continue };
            // A song of which nothing was told is no measure.
            let Some(song) = audio.song(session).filter(|song| !song.digests.is_empty()) else {
                continue;
            };
            let name = audio.name(record.node);
            match song.digests.get(&frame) {
                Some(right) if *right == digest => {}
                Some(_) => findings.report(record.time_us, &[record.node], || {
                    format!(
                        "{name} played frame {frame} of session {session} with other samples \
                        than the song has there"
                    )
                }),
                None if frame >= song.frames => {
                    findings.report(record.time_us, &[record.node], || {
                        format!(
                            "{name} played frame {frame} of session {session}, but the song has {} \
                        frames",
                            song.frames
                        )
                    })
                }
                None => {}
            }
        }
    })
}
