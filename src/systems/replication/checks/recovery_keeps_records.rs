//! What was durable is there after a restart. A crash may leave more than was told of (a save that
//! was not yet synced), never less, unless a later leader was having the end of the log removed.

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "recovery_keeps_records",
    summary: "A restarted replica has all records that it had stored; only the torn tail, of which \
        nobody was told, is gone.",
    source: "durability; KIP-101",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let mut logs = replication.logs();
        for record in replication.records() {
            if let Kind::Recovered { seq, .. } = record.kind {
                let (last, _) = logs.head(record.node);
                let lost =
                    logs.of(record.node).get(usize::try_from(seq).unwrap_or(usize::MAX)).copied();
                let removed =
                    lost.is_some_and(|hash| replication.may_be_removed(record, seq + 1, hash));
                if seq < last && !removed && !replication.damaged(record.node, record.order) {
                    findings.report(record.time_us, &[record.node], || {
                        format!(
                            "{} had stored records up to {last} and has {seq} after its restart",
                            replication.name(record.node)
                        )
                    });
                }
            }
            // A folder that was deleted to make room for a copy: what it held was promised all the
            // same.
            if !matches!(record.kind, Kind::Emptied) {
                logs.replay(record);
            }
        }
    })
}
