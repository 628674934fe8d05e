//! Entries are applied one after the other: no gap, no step back, and no snapshot that takes the
//! state back.

use super::judge_raft;
use super::{Kind, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "applied_without_gaps",
    summary: "From its snapshot on, a node applies each index once and in order, until it \
        restarts.",
    source: "Raft §5.3, §7; dissertation §5.1",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        // What each node has applied since it started; `None` before its `recover`, when nothing is
        // known.
        let mut applied: Vec<Option<u64>> = raft.per_node();
        for record in
            raft.select(kinds::RECOVER | kinds::START | kinds::APPLY | kinds::SNAPSHOT_INSTALL)
        {
            let node = record.node;
            let last = &mut applied[node.index()];
            match (&record.kind, *last) {
                (Kind::Start, _) => *last = None,
                (Kind::Recover { snapshot_index, .. }, _) => *last = Some(*snapshot_index),
                (Kind::Apply { index, .. }, before) => {
                    if let Some(before) = before.filter(|before| *index != before + 1) {
                        findings.report(record.time_us, &[node], || {
                            format!(
                                "{} applied index {index} after index {before}",
                                raft.name(node)
                            )
                        });
                    }
                    *last = Some(*index);
                }
                (Kind::SnapshotInstall { index, .. }, before) => {
                    if let Some(before) = before.filter(|before| index < before) {
                        findings.report(record.time_us, &[node], || {
                            format!(
                                "{} installed a snapshot of index {index} when it had applied \
                                up to {before}",
                                raft.name(node)
                            )
                        });
                    }
                    *last = Some(*index);
                }
                _ => {}
            }
        }
    })
}
