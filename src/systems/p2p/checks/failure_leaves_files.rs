//! What lies under a final name is a whole file or what lay there before: a transfer that fails
//! changes nothing, nor does a crash in its middle.
//!
//! The files of a peer are followed from its events. After a transfer without success, and after
//! each start, the peer shows what is really there. What is found after a crash may also be a file
//! whose transfer had just ended, untold: then it is one that was sent to this peer as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::{count, judge};
use crate::checkers::Damage;
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::{Event, NodeId};

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

/// Events that say nothing of how far a start has come; a node can be paused before it has begun.
const OF_THE_TESTBED: &[&str] = &["start", "crash", "pause", "resume", "command", "disk_damage"];

/// Length and digest.
type Content = (u64, u64);

#[derive(Default)]
struct Folder<'a> {
    files: BTreeMap<&'a str, Content>,
    /// Whole files that were sent to this peer.
    sent: BTreeSet<Content>,
    /// While a start is told of: files that were not shown yet.
    missing: Option<BTreeSet<&'a str>>,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |_, findings| {
        let damage = Damage::new(case.trace);
        let mut folders: BTreeMap<NodeId, Folder<'_>> = BTreeMap::new();
        for event in &case.trace.events {
            if event.node.index() >= case.trace.nodes.len()
                || damage.between(event.node, 0, event.index)
            {
                continue;
            }
            if event.name == "serve"
                && let (Some(to), Some(content)) = (event.fields.node("to"), content(event))
            {
                folders.entry(to).or_default().sent.insert(content);
            }
            follow(case, findings, folders.entry(event.node).or_default(), event);
        }
    })
}

fn follow<'a>(case: &Case<'_>, findings: &mut Findings, folder: &mut Folder<'a>, event: &'a Event) {
    let path = event.fields.text("path").unwrap_or("");
    let found = event.name == "file" && event.fields.text("how") == Some("found");
    let name = case.trace.name(event.node);
    if !found && !OF_THE_TESTBED.contains(&&*event.name) {
        // The first thing that the node tells after the files that it found: all have been shown.
        for lost in folder.missing.take().unwrap_or_default() {
            findings.report(event.time_us, &[event.node], || {
                format!("{lost} is gone from {name} after its start")
            });
        }
    }
    match (&*event.name, content(event)) {
        ("start", _) => folder.missing = Some(folder.files.keys().copied().collect()),
        // A start that a crash has cut short has told nothing.
        ("crash", _) => folder.missing = None,
        ("file", Some(content)) if found => {
            if let Some(missing) = &mut folder.missing {
                missing.remove(path);
            }
            let before = folder.files.insert(path, content);
            if before != Some(content) && !folder.sent.contains(&content) {
                findings.report(event.time_us, &[event.node], || {
                    differs(name, path, before, content, "after a crash")
                });
            }
        }
        ("file", Some(content)) => {
            folder.files.insert(path, content);
        }
        ("kept", Some(content)) => {
            let present = event.fields.int("present") == Some(1);
            let before = folder.files.get(path).copied();
            if present && before != Some(content) || !present && before.is_some() {
                findings.report(event.time_us, &[event.node], || {
                    differs(name, path, before, content, "after a transfer that failed")
                });
            }
        }
        _ => {}
    }
}

fn content(event: &Event) -> Option<Content> {
    Some((count(event, "bytes")?, event.fields.hash("digest")?))
}

fn differs(name: &str, path: &str, before: Option<Content>, now: Content, when: &str) -> String {
    let before =
        before.map_or("nothing".to_owned(), |(bytes, _)| format!("a file of {bytes} bytes"));
    format!("{name} has {} bytes as {path} {when}, where it had {before}", now.0)
}
