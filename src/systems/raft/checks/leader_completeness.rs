//! Leader completeness: an entry committed in a term is in the logs of the leaders of all higher
//! terms.
//!
//! The term that counts is the current one of the leader that *committed* the entry, not the one
//! that created it. An entry of term 2 may be committed by a leader of term 5, and a leader of term
//! 4 may rightly be without it.

use super::judge_raft;
use super::{Election, Held, RaftTrace};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "leader_completeness",
    summary: "Every leader holds all entries that were committed in lower terms.",
    source: "Raft §5.4; dissertation fig. 3.2",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        // Elections before the commit count too: a majority that promised the higher term no longer
        // helps to commit in the lower one, so what was committed there was held by a voter of that
        // election.
        for election in &raft.timeline().elections {
            judge_election(raft, findings, election);
        }
    })
}

fn judge_election(raft: &RaftTrace, findings: &mut Findings, election: &Election) {
    let committed =
        || raft.timeline().committed.iter().filter(|(_, committed)| committed.term < election.term);
    // Equal hashes of the log up to the last such entry make all before it equal.
    let Some((index, latest)) = committed().last() else { return };
    if matches!(election.log.at(index), Held::Entry(entry) if entry.chain == latest.entry.chain) {
        return;
    }
    for (index, committed) in committed() {
        let lacks = match election.log.at(index) {
            Held::Covered => continue,
            Held::Entry(entry)
                if (entry.term, entry.digest) == (committed.entry.term, committed.entry.digest) =>
            {
                continue;
            }
            Held::Entry(entry) => format!("has one of term {} there", entry.term),
            Held::Absent => format!("has a log that ends at {}", election.log.last()),
        };
        let time_us = election.time_us.max(committed.time_us);
        findings.report(time_us, &[election.node, committed.node], || {
            let (leader, committer) = (raft.name(election.node), raft.name(committed.node));
            let (term, of, within) = (election.term, committed.entry.term, committed.term);
            format!(
                "{leader}, leader of term {term}, lacks entry {index} of term {of} that \
                    {committer} committed in term {within}: it {lacks}"
            )
        });
        return;
    }
}
