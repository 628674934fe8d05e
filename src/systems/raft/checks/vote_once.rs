//! One vote a term: a node votes for at most one candidate in a term, even where it restarts in
//! between.
//!
//! Voting again for the same candidate is legal, since requests are repeated. A node whose disk the
//! nemesis damaged has forgotten its vote without fault.

use std::collections::BTreeMap;

use super::judge_raft;
use super::{Kind, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "vote_once",
    summary: "A node votes for at most one candidate in a term, also across restarts.",
    source: "Raft §5.2; dissertation §3.4; raft.tla HandleRequestVoteRequest",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut votes: Vec<BTreeMap<u64, NodeId>> = raft.per_node();
        let mut booted: Vec<u64> = raft.per_node();
        for record in raft.select(kinds::VOTE | kinds::RECOVER) {
            let node = record.node;
            let (term, candidate) = match record.kind {
                Kind::Vote { term, candidate } => (term, candidate),
                Kind::Recover { term, voted_for, .. } => {
                    let last_boot = std::mem::replace(&mut booted[node.index()], record.order);
                    if raft.damage().between(node, last_boot, record.order) {
                        votes[node.index()].clear();
                    }
                    // A vote may have reached the disk without being observed, when the crash came
                    // during its sync.
                    if let Some(candidate) = voted_for {
                        votes[node.index()].entry(term).or_insert(candidate);
                    }
                    continue;
                }
                _ => continue,
            };
            let first = *votes[node.index()].entry(term).or_insert(candidate);
            if first != candidate {
                findings.report(record.time_us, &[node, first, candidate], || {
                    let (node, first, candidate) =
                        (raft.name(node), raft.name(first), raft.name(candidate));
                    format!("{node} voted for {first} and for {candidate} in term {term}")
                });
            }
        }
    })
}
