//! A file that arrives is the file that was sent: as long, and with the same digest.
//!
//! Length and digest of what was sent are the sharing peer's, taken when it opened the file; those
//! of what arrived are over the bytes that are under the final name. They must agree with a
//! transfer from that peer, and a user is told of success only where a file has arrived.

use std::collections::{BTreeMap, BTreeSet};

use super::{Moment, judge};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::p2p::vocabulary::{FileAt, FileOrigin, Served, Service, Told};
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
        for Moment { index, time_us, node, told } in &p2p.moments {
            match told {
                Told::Served(Served { to, status: 0, bytes, digest, .. }) => {
                    sent.insert((*to, *bytes, *digest));
                }
                Told::FileAt(FileAt { how: FileOrigin::Fetched, bytes, digest, path }) => {
                    arrived.entry((*node, path)).or_default().push(*index);
                    if !sent.contains(&(*node, *bytes, *digest)) {
                        findings.report(*time_us, &[*node], || {
                            let name = case.trace.name(*node);
                            format!(
                                "{name} has {bytes} bytes as {path}, and nobody has sent such a \
                                file to it"
                            )
                        });
                    }
                }
                _ => {}
            }
        }
        for call in p2p
            .calls
            .iter()
            .filter(|call| call.service == Service::GetFile && call.status == Some(0))
        {
            let (Some(peer), Some(completed)) = (call.peer, call.completed) else { continue };
            let path = format!("share/{}", call.word(2));
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
