//! Consecutive configurations have overlapping quorums, and of two that follow the same one only
//! one is committed.
//!
//! That two uncommitted configurations follow the same one is legal: with the barrier of 2015 the
//! older can no longer win.

use std::collections::BTreeMap;

use super::judge_raft;
use super::{Config, Kind, Leadership, Membership, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "config_quorum_overlap",
    summary: "Every quorum of a configuration meets every quorum of the next, and no two rivals \
        for the same place are both committed.",
    source: "Raft §6; dissertation §4.1; Ongaro 2015, bug in single-server membership changes",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut leadership = Leadership::new(raft);
        let mut membership = Membership::new(raft);
        // What each configuration (by index and term) follows, as its leader had it; and the first
        // committed one that follows each.
        let mut parents: BTreeMap<(u64, u64), (u64, u64)> = BTreeMap::new();
        let mut committed: BTreeMap<(u64, u64), ((u64, u64), NodeId)> = BTreeMap::new();
        for record in raft.select(kinds::LEADERSHIP | kinds::MEMBERSHIP) {
            leadership.replay(record);
            let node = record.node;
            match record.kind {
                Kind::ConfigAppend { index, term, config } if leadership.of(node) == Some(term) => {
                    let before = membership.of(node).iter().rfind(|earlier| earlier.index < index);
                    parents
                        .entry((index, term))
                        .or_insert(before.map_or((0, 0), |before| (before.index, before.term)));
                    let old = before.map(|before| raft.config(before.config)).or(raft.initial());
                    let new = raft.config(config);
                    if let Some(old) = old.filter(|old| !overlap(old, new)) {
                        findings.report(record.time_us, &[node], || {
                            let (leader, old, new) =
                                (raft.name(node), raft.names(&old.voters), raft.names(&new.voters));
                            format!(
                                "{leader} went from the voters {old} to {new} at index \
                                {index}: a majority of each can be without the other's"
                            )
                        });
                    }
                }
                Kind::ConfigCommit { index, term } => {
                    if let Some(parent) = parents.get(&(index, term)) {
                        let (first, by) =
                            *committed.entry(*parent).or_insert(((index, term), node));
                        if first != (index, term) {
                            findings.report(record.time_us, &[by, node], || {
                                let (by, node) = (raft.name(by), raft.name(node));
                                let (at, of) = first;
                                format!(
                                    "{by} committed the configuration at {at} of term {of}, and \
                                        {node} its rival at {index} of term {term}"
                                )
                            });
                        }
                    }
                }
                _ => {}
            }
            membership.replay(record);
        }
    })
}

/// Whether all quorums of two configurations meet. A joint quorum has a majority of both its sets,
/// so that one such set is enough.
fn overlap(old: &Config, new: &Config) -> bool {
    old.sets().any(|one| new.sets().any(|other| majorities_meet(one, other)))
}

/// Whether every majority of one set has a node in common with every majority of the other.
fn majorities_meet(one: &[NodeId], other: &[NodeId]) -> bool {
    let shared = one.iter().filter(|node| other.contains(node)).count();
    // Two disjoint majorities would first use the nodes that are in one set only, and divide the
    // shared ones for the rest.
    let needs = |set: &[NodeId]| (set.len() / 2 + 1).saturating_sub(set.len() - shared);
    needs(one) + needs(other) > shared
}
