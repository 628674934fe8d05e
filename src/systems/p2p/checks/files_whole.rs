//! A file that arrives is the file that was sent: as long, and with the same digest.
//!
//! Length and digest of what was sent are the sharing peer's, taken when it opened the file; those
//! of what arrived are over the bytes that are under the final name. They must agree with a
//! transfer from that peer, and a user is told of success only where a file has arrived.

use std::collections::{BTreeMap, BTreeSet};

use super::{count, events, judge};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::p2p::Service;
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_files_whole",
    summary: "A fetched file has the length and the digest that it had where it was fetched, and \
        status 0 means that it is there.",
    source: "the assignment's `get_file`",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |p2p, findings| {
        let mut sent = BTreeSet::new();
        let mut arrived: BTreeMap<(NodeId, &str), Vec<u64>> = BTreeMap::new();
        for event in events(case, &["serve", "file"]) {
            let (bytes, digest) = (count(event, "bytes"), event.fields.hash("digest"));
            if event.name == "serve" {
                if event.fields.int("status") == Some(0) {
                    sent.insert((event.fields.node("to"), bytes, digest));
                }
                continue;
            }
            if event.fields.text("how") != Some("fetched") {
                continue;
            }
            let path = event.fields.text("path").unwrap_or("");
            arrived.entry((event.node, path)).or_default().push(event.index);
            if !sent.contains(&(Some(event.node), bytes, digest)) {
                findings.report(event.time_us, &[event.node], || {
                    let name = case.trace.name(event.node);
                    format!(
                        "{name} has {} bytes as {path}, and nobody has sent such a file to it",
                        bytes.unwrap_or(0)
                    )
                });
            }
        }
        for call in p2p
            .calls
            .iter()
            .filter(|call| call.service == Service::GetFile && call.status == Some(0))
        {
            let (Some(peer), Some(completed)) = (call.peer, call.completed) else { continue };
            let path = format!("share/{}", call.arguments.get(2).copied().unwrap_or(""));
            let there = arrived
                .get(&(peer, path.as_str()))
                .into_iter()
                .flatten()
                .any(|order| (call.invoked..=completed).contains(order));
            if !there {
                findings.report(call.ended_us.unwrap_or(call.invoked_us), &[peer], || {
                    format!("{}: no file has arrived as {path} meanwhile", call.shown())
                });
            }
        }
    })
}
