//! Elected by a majority: whoever becomes leader of a term has the votes of a majority in that
//! term.
//!
//! Two majorities share a voter, which is why a term has one leader (Raft §5.2). A leader without
//! its votes is wrong before a second one shows it, and one whose voters show no votes has nothing
//! to be elected by: programs that are judged by what they observe cannot win by keeping silent.

use std::collections::{BTreeMap, BTreeSet};

use super::judge_raft;
use super::{Kind, Membership, RaftTrace, Role, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::{NodeId, Trace};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "elected_by_majority",
    summary: "A node becomes leader of a term only with the votes of a majority in that term, its \
        own included.",
    source: "Raft §5.2; dissertation §3.4, §4.3",
    params: &[],
    liveness: false,
    check,
};

const KINDS: u32 = kinds::VOTE | kinds::LEADER | kinds::MEMBERSHIP;

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let members_change = raft.select(kinds::CONFIG_APPEND).next().is_some();
        let servers = servers(case.trace, raft);
        let mut membership = Membership::new(raft);
        let mut votes: BTreeMap<(u64, NodeId), BTreeSet<NodeId>> = BTreeMap::new();
        for record in raft.select(KINDS) {
            membership.replay(record);
            match record.kind {
                Kind::Vote { term, candidate } => {
                    votes.entry((term, candidate)).or_default().insert(record.node);
                }
                // A vote may have reached the disk without being observed, when the crash came
                // during its sync; asked again, its server gives it again.
                Kind::Recover { term, voted_for: Some(candidate), .. } => {
                    votes.entry((term, candidate)).or_default().insert(record.node);
                }
                Kind::Leader { term, .. } => {
                    let voters = votes.get(&(term, record.node));
                    let voted = |node: NodeId| voters.is_some_and(|voters| voters.contains(&node));
                    let wins = if members_change {
                        // Where the trace does not tell who belongs to the cluster, nobody can
                        // count.
                        membership
                            .in_force(raft, record.node)
                            .is_none_or(|config| config.majority(voted))
                    } else {
                        2 * servers.iter().filter(|node| voted(**node)).count() > servers.len()
                    };
                    if !wins {
                        let voters: Vec<NodeId> = voters.into_iter().flatten().copied().collect();
                        findings.report(record.time_us, &[record.node], || {
                            let (leader, from) = (raft.name(record.node), raft.names(&voters));
                            format!(
                                "{leader} became leader of term {term} with the votes of \
                                {from}, which are not a majority"
                            )
                        });
                    }
                }
                _ => {}
            }
        }
    })
}

/// The servers that have a vote where no configuration was ever changed: all, silent ones included,
/// but those that began as learners.
fn servers(trace: &Trace, raft: &RaftTrace) -> Vec<NodeId> {
    let mut first_roles: BTreeMap<NodeId, Role> = BTreeMap::new();
    for record in raft.select(kinds::ROLE) {
        if let Kind::Role(role) = record.kind {
            first_roles.entry(record.node).or_insert(role);
        }
    }
    trace.with_role("peer").filter(|node| first_roles.get(node) != Some(&Role::Learner)).collect()
}
