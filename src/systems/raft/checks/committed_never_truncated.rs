//! What is committed is never removed from a log.
//!
//! Judged against the node's own commit index, and against what others have committed. For the
//! latter the remover's term counts: a node that has not yet reached the term of the commit may
//! follow a leader who rightly lacks the entry.

use super::judge_raft;
use super::{IndexMap, Kind, Logs, Terms, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "committed_never_truncated",
    summary: "No node removes or replaces an entry of its log that is committed.",
    source: "Raft §5.4; follows from leader completeness and state machine safety",
    params: &[],
    liveness: false,
    check,
};

/// The first commit of an index.
struct Commit {
    chain: u64,
    /// The current term of the node that committed.
    term: u64,
    node: NodeId,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut logs = Logs::new(raft.nodes());
        let mut terms = Terms::new(raft);
        let mut own: Vec<u64> = raft.per_node();
        let mut commits: IndexMap<Commit> = IndexMap::default();
        let mut covered = 0;
        for record in raft.select(kinds::LOG | kinds::TERMS | kinds::COMMIT) {
            terms.replay(record);
            let (node, log) = (record.node, logs.of(record.node));
            let own = &mut own[node.index()];
            match record.kind {
                Kind::Recover { snapshot_index, .. } => *own = snapshot_index,
                Kind::SnapshotTake { index, .. } | Kind::SnapshotInstall { index, .. } => {
                    *own = (*own).max(index)
                }
                Kind::Commit { index, term, .. } => {
                    *own = (*own).max(index);
                    if index > covered {
                        for (at, entry) in
                            log.known_from(covered + 1).take_while(|(at, _)| *at <= index)
                        {
                            commits.insert(at, Commit { chain: entry.chain, term, node });
                        }
                        covered = covered.max(index.min(log.last()));
                    }
                }
                Kind::Truncate { from } if from <= *own => {
                    findings.report(record.time_us, &[node], || {
                        format!(
                            "{} removed its entries from {from} on, although it had committed \
                            up to {own}",
                            raft.name(node)
                        )
                    });
                }
                Kind::Append { index, term, chain, .. } if index <= *own => {
                    if let Some(old) = log.entry(index).filter(|old| old.chain != chain) {
                        findings.report(record.time_us, &[node], || {
                            let (name, old) = (raft.name(node), old.term);
                            format!(
                                "{name} replaced entry {index} of term {old} by one of term \
                                    {term}, although it had committed up to {own}"
                            )
                        });
                    }
                }
                // Where the first entry that goes is not committed, none after it is.
                Kind::Truncate { from } => {
                    if let (Some(entry), Some(commit)) = (log.entry(from), commits.get(from))
                        && entry.chain == commit.chain
                        && terms.of(node) >= commit.term
                    {
                        findings.report(record.time_us, &[node, commit.node], || {
                            let (name, committer, term) =
                                (raft.name(node), raft.name(commit.node), commit.term);
                            format!(
                                "{name} removed its entries from {from} on, although {committer} \
                                    had committed that entry in term {term}"
                            )
                        });
                    }
                }
                _ => {}
            }
            logs.replay(record);
        }
    })
}
