//! Commit on a majority: when a leader commits an entry, a majority of the configuration in force
//! stores it durably.
//!
//! In force is the latest configuration in the leader's log, committed or not. A joint one needs
//! both majorities; learners do not count. A voter whose disk the nemesis has damaged stored the
//! entry when it said so, and gets the benefit of the doubt.

use super::judge_raft;
use super::{Held, Kind, Logs, Membership, RaftTrace, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "commit_on_majority",
    summary: "An entry that a leader commits is stored durably by a majority of the configuration \
        in force.",
    source: "Raft §5.3, §6; dissertation §3.5, §4.3",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut logs = Logs::new(raft.nodes());
        let mut membership = Membership::new(raft);
        for record in raft.select(kinds::LOG | kinds::MEMBERSHIP | kinds::COMMIT) {
            logs.replay(record);
            membership.replay(record);
            let Kind::Commit { index, leader: true, .. } = record.kind else { continue };
            let (Some(config), Some(entry)) =
                (membership.in_force(raft, record.node), logs.of(record.node).entry(index))
            else {
                continue;
            };
            let stores = |node: NodeId| match logs.of(node).at(index) {
                Held::Entry(held) => held.chain == entry.chain,
                Held::Covered => true,
                Held::Absent => false,
            };
            let stored =
                |node: NodeId| stores(node) || raft.damage().between(node, 0, record.order);
            if !config.majority(stores) && !config.majority(stored) {
                findings.report(record.time_us, &[record.node], || {
                    let voters: Vec<&[NodeId]> = config.sets().collect();
                    let holders: Vec<NodeId> =
                        distinct(&voters).into_iter().filter(|node| stores(*node)).collect();
                    let (leader, term, holders) =
                        (raft.name(record.node), entry.term, raft.names(&holders));
                    format!(
                        "{leader} committed entry {index} of term {term}, which is stored by \
                        {holders} of {}",
                        sets(raft, &voters)
                    )
                });
            }
        }
    })
}

fn distinct(sets: &[&[NodeId]]) -> Vec<NodeId> {
    let mut nodes = sets.concat();
    nodes.sort();
    nodes.dedup();
    nodes
}

fn sets(raft: &RaftTrace, sets: &[&[NodeId]]) -> String {
    let sets: Vec<String> = sets.iter().map(|set| format!("({})", raft.names(set))).collect();
    sets.join(" and ")
}
