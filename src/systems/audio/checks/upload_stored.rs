//! A confirmation comes after the song is stored: some streamer has applied the end of the upload,
//! so a majority has it.
//!
//! A leader that confirms what it has only received may take the song with it when it crashes.
//! Whether it does is a matter of luck; that it confirmed too early is not.

use std::collections::BTreeSet;

use super::{Kind, judge_audio};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_upload_stored",
    summary: "An upload is confirmed only after the replicated log has stored it.",
    source: "Raft §8: the leader answers after it has applied the entry",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_audio(case, CHECKER.name, |audio, findings| {
        let mut stored = BTreeSet::new();
        for record in &audio.records {
            match record.kind {
                Kind::Stored { upload, .. } => {
                    stored.insert(upload);
                }
                Kind::Confirmed { upload, .. } if !stored.contains(&upload) => {
                    let name = audio.name(record.node);
                    findings.report(record.time_us, &[record.node], || {
                        format!(
                            "the upload of {name} was confirmed before any streamer had stored it"
                        )
                    });
                }
                _ => {}
            }
        }
    })
}
