//! A lease is exclusive: while a leader serves reads under its lease, no other node commits in a
//! higher term.
//!
//! A read that was decided under the lease leaves the node only when earlier saves are durable, and
//! its event bears that later time. So commits of the last `slack` before it do not count, and
//! neither does a read during a fault that slows the node's disk.

use super::judge_raft;
use super::{Kind, Terms, kinds};
use crate::checkers::findings::whole;
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "lease_exclusive",
    summary: "No read is served under a lease after another node has committed in a higher term.",
    source: "dissertation §6.4.1",
    params: &[ParamInfo {
        name: "slack",
        duration: true,
        default: 10_000.0,
        range: (0.0, 10_000_000.0),
        doc: "how long a read may have waited for the disk after it was decided",
    }],
    liveness: false,
    check,
};

/// The first commit by a leader in a term.
struct FirstCommit {
    term: u64,
    time_us: u64,
    node: NodeId,
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let slack = whole(params, "slack");
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut terms = Terms::new(raft);
        let mut commits: Vec<FirstCommit> = Vec::new();
        for record in raft.select(kinds::TERMS | kinds::COMMIT | kinds::LEASE_READ) {
            terms.replay(record);
            match record.kind {
                Kind::Commit { term, leader: true, .. }
                    if commits.last().is_none_or(|last| last.term < term) =>
                {
                    commits.push(FirstCommit { term, time_us: record.time_us, node: record.node });
                }
                Kind::LeaseRead => {
                    let term = terms.of(record.node);
                    let newer = commits
                        .iter()
                        .find(|commit| commit.term > term && commit.node != record.node);
                    let Some(newer) =
                        newer.filter(|newer| newer.time_us.saturating_add(slack) < record.time_us)
                    else {
                        continue;
                    };
                    if slowed(case, raft.name(record.node), newer.time_us, record.time_us) {
                        continue;
                    }
                    findings.report(record.time_us, &[record.node, newer.node], || {
                        let (reader, committer) = (raft.name(record.node), raft.name(newer.node));
                        let ago = record.time_us - newer.time_us;
                        let newer = newer.term;
                        format!(
                            "{reader} served a read under its lease of term {term}, {ago} µs \
                            after {committer} had committed in term {newer}"
                        )
                    });
                }
                _ => {}
            }
        }
    })
}

/// Whether a fault slowed this node's disk at some moment of a time.
fn slowed(case: &Case<'_>, node: &str, from_us: u64, to_us: u64) -> bool {
    case.trace.faults().iter().any(|fault| {
        let slows = ["disk_slow", "disk_stall"]
            .iter()
            .any(|slow| fault.fault == *slow || fault.targets.contains(slow));
        let hit = fault
            .targets
            .split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
            .any(|word| word == node);
        slows && hit && fault.begin_us <= to_us && fault.end_us >= from_us
    })
}
