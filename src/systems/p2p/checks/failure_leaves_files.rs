//! What lies under a final name is a whole file or what lay there before: neither a transfer that
//! fails nor a crash in its middle changes it.
//!
//! The files of a peer are followed from its events. After a transfer without success, and after
//! each start, the peer tells what is really there. What is found after a crash may also be a file
//! whose transfer had just ended without being told: then it was sent to this peer as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::judge;
use crate::checkers::Damage;
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::p2p::vocabulary::{FileAt, FileOrigin, Kept, Served, Told};
use crate::trace::{Event, NodeId, Word};
use crate::vocabulary::Digest64;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_failure_leaves_files",
    summary: "A transfer that fails, or a crash, leaves what lay under the final name before; \
        nothing short ever lies there.",
    source: "the assignment's `get_file`",
    params: &[],
    liveness: false,
    check,
};

/// Events that do not tell how far a start has come; a node can be paused before it has begun.
const OF_THE_TESTBED: &[&str] = &["start", "crash", "pause", "resume", "command", "disk_damage"];

/// Length and digest.
type Content = (u64, Digest64);

#[derive(Default)]
struct Folder {
    files: BTreeMap<Word, Content>,
    /// Whole files that were sent to this peer.
    sent: BTreeSet<Content>,
    /// During a start: files of which the peer has not told yet.
    missing: Option<BTreeSet<Word>>,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |_, findings| {
        let damage = Damage::new(case.trace);
        let mut folders: BTreeMap<NodeId, Folder> = BTreeMap::new();
        for event in &case.trace.events {
            if event.node.index() >= case.trace.nodes.len()
                || damage.between(event.node, 0, event.index)
            {
                continue;
            }
            let told = Told::read(&event.name, &event.fields);
            if let Some(Told::Served(Served { to, bytes, digest, .. })) = told {
                folders.entry(to).or_default().sent.insert((bytes, digest));
            }
            follow(case, findings, folders.entry(event.node).or_default(), event, told);
        }
    })
}

fn follow(
    case: &Case<'_>,
    findings: &mut Findings,
    folder: &mut Folder,
    event: &Event,
    told: Option<Told>,
) {
    let name = case.trace.name(event.node);
    let found = matches!(told, Some(Told::FileAt(FileAt { how: FileOrigin::Found, .. })));
    if !found && !OF_THE_TESTBED.contains(&&*event.name) {
        // The first thing that the node tells after the files that it found: all have been told.
        for lost in folder.missing.take().unwrap_or_default() {
            findings.report(event.time_us, &[event.node], || {
                format!("{lost} is gone from {name} after its start")
            });
        }
    }
    match told {
        Some(Told::FileAt(FileAt { bytes, digest, path, .. })) => {
            let content = (bytes, digest);
            if let Some(missing) = folder.missing.as_mut().filter(|_| found) {
                missing.remove(&path);
            }
            let before = folder.files.insert(path.clone(), content);
            if found && before != Some(content) && !folder.sent.contains(&content) {
                findings.report(event.time_us, &[event.node], || {
                    differs(name, &path, before, content, "after a crash")
                });
            }
        }
        Some(Told::Kept(Kept { present, bytes, digest, path })) => {
            let content = (bytes, digest);
            let before = folder.files.get(&path).copied();
            if before != present.then_some(content) {
                findings.report(event.time_us, &[event.node], || {
                    differs(name, &path, before, content, "after a transfer that failed")
                });
            }
        }
        _ if event.name == "start" => folder.missing = Some(folder.files.keys().cloned().collect()),
        // A start that a crash has cut short has told nothing.
        _ if event.name == "crash" => folder.missing = None,
        _ => {}
    }
}

fn differs(name: &str, path: &str, before: Option<Content>, now: Content, when: &str) -> String {
    let before =
        before.map_or("nothing".to_owned(), |(bytes, _)| format!("a file of {bytes} bytes"));
    format!("{name} has {} bytes as {path} {when}, where it had {before}", now.0)
}
