//! Replicas apply the same records in the same order, and have the same forms after each.

use std::collections::BTreeMap;

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "applied_in_order",
    summary: "Each replica applies the records without gaps, and the same number is the same \
        record with the same forms after it everywhere.",
    source: "the assignment: followers apply in the same order; state machine replication",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let mut last = vec![0_u64; replication.nodes()];
        let mut known = BTreeMap::new();
        for record in replication.records() {
            let own = &mut last[record.node.index()];
            match record.kind {
                Kind::Recovered { .. } => *own = 0,
                Kind::Applied { seq, hash, forms, .. } => {
                    if seq != own.saturating_add(1) {
                        findings.report(record.time_us, &[record.node], || {
                            format!(
                                "{} applied record {seq} after record {own}",
                                replication.name(record.node)
                            )
                        });
                    }
                    *own = seq;
                    let first = *known.entry(seq).or_insert((record.node, hash, forms));
                    if (first.1, first.2) != (hash, forms) {
                        let what = if first.1 == hash { "other forms after" } else { "another" };
                        findings.report(record.time_us, &[first.0, record.node], || {
                            let (one, other) =
                                (replication.name(first.0), replication.name(record.node));
                            format!("{other} has {what} record {seq} than {one}")
                        });
                    }
                }
                _ => {}
            }
        }
    })
}
