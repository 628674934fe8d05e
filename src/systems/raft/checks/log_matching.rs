//! Log matching: two logs that hold an entry with the same index and term are equal up to it.
//!
//! Each entry carries a hash over itself and all before it, so the property is that an index and a
//! term have one such hash.

use super::judge_raft;
use super::{Held, IndexMap, Kind, Logs, RaftEvent, RaftTrace, kinds};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "log_matching",
    summary: "Logs that hold an entry of the same index and term are equal in everything up to it.",
    source: "Raft §5.3; dissertation fig. 3.2",
    params: &[],
    liveness: false,
    check,
};

/// The log up to an index, as the first node that had it showed it.
#[derive(Clone, Copy)]
struct Seen {
    term: u64,
    chain: u64,
    node: NodeId,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut logs = Logs::new(raft.nodes());
        // Few terms ever append at the same index.
        let mut seen: IndexMap<Vec<Seen>> = IndexMap::default();
        for record in raft.select(kinds::LOG) {
            match record.kind {
                Kind::Append { index, term, chain, .. } => {
                    matches(raft, findings, &mut seen, record, (index, term, chain));
                    tail_fits(raft, findings, &logs, record, (index, term, chain));
                }
                Kind::SnapshotTake { index, term, chain, .. }
                | Kind::SnapshotInstall { index, term, chain, .. } => {
                    matches(raft, findings, &mut seen, record, (index, term, chain));
                }
                _ => {}
            }
            logs.replay(record);
        }
    })
}

fn matches(
    raft: &RaftTrace,
    findings: &mut Findings,
    seen: &mut IndexMap<Vec<Seen>>,
    record: &RaftEvent,
    (index, term, chain): (u64, u64, u64),
) {
    let new = Seen { term, chain, node: record.node };
    let Some(others) = seen.get_mut(index) else {
        seen.insert(index, vec![new]);
        return;
    };
    match others.iter().find(|other| other.term == term) {
        None => others.push(new),
        Some(other) if other.chain == chain => {}
        Some(other) => findings.report(record.time_us, &[other.node, record.node], || {
            let (first, second) = (raft.name(other.node), raft.name(record.node));
            format!(
                "{first} and {second} both hold an entry {index} of term {term}, but their \
                logs up to it differ"
            )
        }),
    }
}

/// An entry put in the place of another, with what came after the other kept: the rest hangs on a
/// log that is no more.
fn tail_fits(
    raft: &RaftTrace,
    findings: &mut Findings,
    logs: &Logs,
    record: &RaftEvent,
    (index, term, chain): (u64, u64, u64),
) {
    let log = logs.of(record.node);
    if let (Held::Entry(old), last) = (log.at(index), log.last())
        && old.chain != chain
        && last > index
    {
        findings.report(record.time_us, &[record.node], || {
            let (name, old) = (raft.name(record.node), old.term);
            format!(
                "{name} replaced entry {index} of term {old} by one of term {term} and kept \
                the entries up to {last} that followed the old one"
            )
        });
    }
}
