//! What a node has told others it still knows after a restart: its term, its vote, its log.
//!
//! Observations leave a node together with its messages, once its saves are durable. So whatever
//! was observed before a crash must be on the disk after it, unless the nemesis damaged the disk.
//! One thing can be missing rightly: entries that a newer leader, who lacks them, was having
//! removed when the crash came; the removal may have reached the disk before anybody heard of it.

use super::judge_raft;
use super::{Entry, Held, Kind, Log, Logs, RaftEvent, RaftTrace, kinds};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "persist_before_reply",
    summary: "The term, vote, entries and snapshot that a node has shown are still there when it \
        restarts.",
    source: "Raft fig. 2; dissertation §3.8; RaftFsync.tla",
    params: &[],
    liveness: false,
    check,
};

/// What a node has shown since its disk was last sound.
#[derive(Clone, Copy, Default)]
struct Promise {
    term: u64,
    vote: Option<(u64, NodeId)>,
    snapshot_index: u64,
    commit_index: u64,
    booted: u64,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut logs = Logs::new(raft.nodes());
        let mut promises: Vec<Promise> = raft.per_node();
        for record in raft.select(kinds::LOG | kinds::TERMS | kinds::COMMIT) {
            let promise = &mut promises[record.node.index()];
            match record.kind {
                Kind::Recover { term, voted_for, snapshot_index, .. } => {
                    if !raft.damage().between(record.node, promise.booted, record.order) {
                        judge_recovery(raft, findings, promise, logs.of(record.node), record);
                    }
                    let vote = voted_for.map(|candidate| (term, candidate));
                    *promise = Promise {
                        term,
                        vote,
                        snapshot_index,
                        commit_index: snapshot_index,
                        booted: record.order,
                    };
                }
                Kind::Term { term } | Kind::Leader { term, .. } => {
                    promise.term = promise.term.max(term)
                }
                Kind::Vote { term, candidate } => {
                    promise.term = promise.term.max(term);
                    promise.vote = Some((term, candidate));
                }
                Kind::SnapshotTake { index, .. } => {
                    promise.snapshot_index = promise.snapshot_index.max(index)
                }
                Kind::SnapshotInstall { index, .. } => {
                    promise.snapshot_index = promise.snapshot_index.max(index);
                    promise.commit_index = promise.commit_index.max(index);
                }
                Kind::Commit { index, .. } => {
                    promise.commit_index = promise.commit_index.max(index)
                }
                _ => {}
            }
            logs.replay(record);
        }
    })
}

fn judge_recovery(
    raft: &RaftTrace,
    findings: &mut Findings,
    promise: &Promise,
    log: &Log,
    record: &RaftEvent,
) {
    let Kind::Recover { term, voted_for, snapshot_index, last_index, last_term } = record.kind
    else {
        return;
    };
    let name = raft.name(record.node);
    if term < promise.term {
        let shown = promise.term;
        findings.report(record.time_us, &[record.node], || {
            format!("{name} was in term {shown} and restarted in term {term}")
        });
    }
    if let Some((_, candidate)) =
        promise.vote.filter(|(voted, candidate)| *voted == term && voted_for != Some(*candidate))
    {
        findings.report(record.time_us, &[record.node, candidate], || {
            let now = voted_for.map_or("nobody", |node| raft.name(node));
            format!(
                "{name} voted for {} in term {term}, and for {now} by what it found when it \
                restarted",
                raft.name(candidate)
            )
        });
    }
    if snapshot_index < promise.snapshot_index {
        let shown = promise.snapshot_index;
        findings.report(record.time_us, &[record.node], || {
            format!(
                "{name} had a snapshot of index {shown} and restarted with one of index \
                {snapshot_index}"
            )
        });
    }
    let Some((index, entry)) = first_missing(log, snapshot_index, last_index, last_term) else {
        return;
    };
    if index > promise.commit_index && was_contested(raft, record, index, &entry) {
        return;
    }
    findings.report(record.time_us, &[record.node], || {
        let (of, last) = (entry.term, last_index.max(snapshot_index));
        format!(
            "{name} had stored entry {index} of term {of}, which is gone after its restart: its \
                log ends at {last} with term {last_term}"
        )
    });
}

/// The first observed entry that a recovered log cannot hold.
fn first_missing(
    log: &Log,
    snapshot_index: u64,
    last_index: u64,
    last_term: u64,
) -> Option<(u64, Entry)> {
    let kept = last_index.max(snapshot_index);
    if let Held::Entry(entry) = log.at(kept)
        && kept > snapshot_index
        && entry.term != last_term
    {
        // Terms rise along a log: what the recovered log shares with the observed one can only end
        // before this entry. Where exactly is not known, so the last one stands for all.
        return Some((kept, entry));
    }
    log.known_from(kept + 1).next().map(|(index, entry)| (index, *entry))
}

/// Whether another node had become leader of a higher term without the entry, and could have had it
/// removed.
fn was_contested(raft: &RaftTrace, record: &RaftEvent, index: u64, entry: &Entry) -> bool {
    raft.timeline().elections.iter().any(|election| {
        let lacks = match election.log.at(index) {
            Held::Entry(other) => other.chain != entry.chain,
            // What is not known cannot speak for the mistake.
            Held::Covered | Held::Absent => true,
        };
        election.order < record.order
            && election.node != record.node
            && election.term > entry.term
            && lacks
    })
}
