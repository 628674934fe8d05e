//! What was confirmed is the whole file, and nothing but the file.
//!
//! A streamer confirms with size and digest of what it has stored. Both are compared with what the
//! uploader has, which the trace tells whatever the two said to each other.

use super::{Kind, judge_audio};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_upload_complete",
    summary: "An upload that is confirmed has the size and the digest of the uploader's file.",
    source: "the assignment: blocks of 1,024 bytes until the end of the file",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_audio(case, CHECKER.name, |audio, findings| {
        for record in &audio.records {
            let Kind::Confirmed { upload, size, digest } = record.kind else { continue };
            let Some(song) = audio.songs.get(&upload) else { continue };
            let name = audio.name(record.node);
            if size != song.size {
                let right = song.size;
                findings.report(record.time_us, &[record.node], || {
                    format!(
                        "the upload of {name} was confirmed with {size} bytes, but its file \
                        has {right}"
                    )
                });
            } else if digest != song.digest {
                findings.report(record.time_us, &[record.node], || {
                    format!(
                        "the upload of {name} was confirmed with its {size} bytes, but other \
                        ones than its file has"
                    )
                });
            }
        }
    })
}
