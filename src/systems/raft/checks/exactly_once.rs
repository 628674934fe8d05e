//! Exactly once: a command changes the state at one index only, however often its client sent it.
//!
//! Every node applies that index, and applies it again after a restart; what must not be is an
//! effect at a second index.

use super::judge_raft;
use super::{IndexMap, Kind, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "exactly_once",
    summary: "A client's command takes effect at one index only, however often it was sent.",
    source: "Raft §8; dissertation §6.3",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut effects: Vec<IndexMap<(NodeId, u64)>> = raft.per_node();
        for record in raft.select(kinds::APPLY) {
            let Kind::Apply { index, command: Some((client, serial)), effect: true, .. } =
                record.kind
            else {
                continue;
            };
            let Some((first, at)) =
                effects[client.index()].get_or_put(serial, (record.node, index))
            else {
                continue;
            };
            if *at != index {
                findings.report(record.time_us, &[record.node, *first, client], || {
                    let (client, one, other) =
                        (raft.name(client), raft.name(*first), raft.name(record.node));
                    format!(
                        "command {serial} of {client} took effect at index {at} on {one} and \
                        at index {index} on {other}"
                    )
                });
            }
        }
    })
}
