//! Answered is applied: before a client hears that its update is done, some server has applied an
//! entry with that client's name.
//!
//! This joins what clients saw to what servers show. It counts: by the time of a client's n-th
//! answered update, servers have applied n commands of this client, told apart by their serial
//! numbers. So it needs no word of the server about its answers, and a server that shows nothing of
//! what it applies does not pass.

use std::collections::{BTreeMap, BTreeSet};

use super::judge_raft;
use super::{Kind, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::history::Outcome;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "answered_is_applied",
    summary: "When a client is told that its update is done, a server has applied a command of \
        this client for each of its answered updates.",
    source: "Raft §5.3, §8; dissertation §3.5, §6.3",
    params: &[],
    liveness: false,
    check,
};

const KINDS: u32 = kinds::APPLY | kinds::RECOVER | kinds::SNAPSHOT_TAKE | kinds::SNAPSHOT_INSTALL;

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let updates = case
            .history()
            .operations
            .iter()
            .filter(|operation| operation.f != "read" && operation.outcome == Outcome::Ok);
        let mut answers: Vec<_> =
            updates.filter_map(|operation| Some((operation.completion?, operation))).collect();
        answers.sort_by_key(|(completion, _)| completion.index);
        let mut records = raft.select(KINDS).peekable();
        let mut applied: Vec<BTreeSet<u64>> = raft.per_node();
        let mut shown: Vec<u64> = raft.per_node();
        let mut answered: BTreeMap<&str, usize> = BTreeMap::new();
        for (completion, operation) in answers {
            while let Some(record) = records.next_if(|record| record.order < completion.index) {
                let shown = &mut shown[record.node.index()];
                match record.kind {
                    Kind::Apply { command: Some((client, serial)), .. } => {
                        applied[client.index()].insert(serial);
                    }
                    Kind::SnapshotTake { index, .. } | Kind::SnapshotInstall { index, .. } => {
                        *shown = index.max(*shown)
                    }
                    // A node may apply a command, put it into a snapshot, and crash while it writes
                    // that: nobody has heard of either, but the command is done. From then on,
                    // counting proves nothing.
                    Kind::Recover { snapshot_index, .. } if snapshot_index > *shown => return,
                    _ => {}
                }
            }
            let Some(client) = case.trace.node(operation.process) else { continue };
            let answers = answered.entry(operation.process).or_default();
            *answers += 1;
            let commands = applied[client.index()].len();
            if commands < *answers {
                findings.report(completion.time_us, &[client], || {
                    let (client, f, value) = (operation.process, operation.f, operation.argument);
                    format!(
                        "{client} was told that {f} {value} is done, its update number \
                        {answers}, when servers had applied {commands} of its commands"
                    )
                });
            }
        }
    })
}
