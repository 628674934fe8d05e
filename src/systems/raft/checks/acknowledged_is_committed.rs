//! What is acknowledged is committed: before a leader answers a write, an entry with that client
//! and serial number was committed and applied.
//!
//! The answer may name another index than the one where the command took effect: a retried command
//! is answered from its session.
//!
//! A node may apply a command, put it into a snapshot, and crash while it writes that: the snapshot
//! can be on the disk although nobody has heard of either. So what such a snapshot covers counts as
//! applied.

use super::judge_raft;
use super::{IndexMap, Kind, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "acknowledged_is_committed",
    summary: "A write is answered only after an entry with its client and serial number was \
        committed and applied.",
    source: "Raft §5.3, §8; dissertation §3.5, §6.3",
    params: &[],
    liveness: false,
    check,
};

const KINDS: u32 = kinds::APPLY
    | kinds::COMMIT
    | kinds::REPLY
    | kinds::RECOVER
    | kinds::SNAPSHOT_TAKE
    | kinds::SNAPSHOT_INSTALL;

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        // For each client and serial number the least index at which any node has applied the
        // command.
        let mut applied: Vec<IndexMap<u64>> = raft.per_node();
        let mut committed = 0;
        // The last snapshot that each node has shown, and up to where one that nobody had shown was
        // found on a disk.
        let mut shown: Vec<u64> = raft.per_node();
        let mut unseen_to = 0;
        for record in raft.select(KINDS) {
            let shown = &mut shown[record.node.index()];
            match record.kind {
                Kind::Apply { index, command: Some((client, serial)), .. } => {
                    let least = applied[client.index()].get_mut(serial);
                    match least {
                        Some(least) => *least = index.min(*least),
                        None => applied[client.index()].insert(serial, index),
                    }
                }
                Kind::Commit { index, .. } => committed = index.max(committed),
                Kind::SnapshotTake { index, .. } | Kind::SnapshotInstall { index, .. } => {
                    committed = index.max(committed);
                    *shown = index.max(*shown);
                }
                Kind::Recover { snapshot_index, .. } => {
                    committed = snapshot_index.max(committed);
                    if snapshot_index > *shown {
                        unseen_to = snapshot_index.max(unseen_to);
                    }
                }
                Kind::Reply { client, serial, index } => {
                    let at = applied[client.index()].get(serial).copied();
                    if at.map_or(index <= unseen_to, |at| at <= committed) {
                        continue;
                    }
                    findings.report(record.time_us, &[record.node, client], || {
                        let (node, client) = (raft.name(record.node), raft.name(client));
                        let why = match at {
                            Some(at) => format!(
                                "it was applied at index {at} when nothing above \
                                {committed} was committed"
                            ),
                            None => "no node had applied it".to_owned(),
                        };
                        format!(
                            "{node} acknowledged command {serial} of {client} at index \
                            {index}, but {why}"
                        )
                    });
                }
                _ => {}
            }
        }
    })
}
