//! Each upload is played once: a retry, or another leader, does not make a second session of it.
//!
//! An uploader whose confirmation was lost cannot know that its song is stored, and offers it again
//! under the same number. And a leader that takes over in the middle of a song goes on in the same
//! session: to listeners a new session is another song, which begins when the one before it is
//! over.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, judge_audio};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_one_session",
    summary: "Each upload makes one session, however often it was retried and whoever leads.",
    source: "the assignment: the server stores the file under the sender's address",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_audio(case, CHECKER.name, |audio, findings| {
        let mut seen = BTreeSet::new();
        let mut first: BTreeMap<u64, u64> = BTreeMap::new();
        let mut uploaders = BTreeMap::new();
        for record in &audio.records {
            let session = match record.kind {
                Kind::Source { upload, .. } => {
                    uploaders.insert(upload, record.node);
                    continue;
                }
                Kind::Stored { session, .. } | Kind::Play { session, .. } => session,
                _ => continue,
            };
            if !seen.insert(session) {
                continue;
            }
            let Some(upload) = audio.sessions.get(&session) else { continue };
            let before = *first.entry(*upload).or_insert(session);
            if before != session {
                let owner = uploaders.get(upload).map_or("?", |node| audio.name(*node));
                findings.report(record.time_us, &[record.node], || {
                    format!(
                        "the song of {owner} is session {session}, and was session {before} already"
                    )
                });
            }
        }
    })
}
