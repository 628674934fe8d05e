//! At most one leader an epoch. Two leaders at the same *time* are legal: the older one may not
//! have heard of the newer epoch yet.

use std::collections::BTreeMap;

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "one_leader_per_epoch",
    summary: "At most one replica leads in an epoch.",
    source: "dslabs lab 2, views",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let mut leaders = BTreeMap::new();
        for record in replication.records() {
            let Kind::Leads { epoch, .. } = record.kind else { continue };
            let first = *leaders.entry(epoch).or_insert(record.node);
            if first != record.node {
                findings.report(record.time_us, &[first, record.node], || {
                    format!(
                        "{} and {} both lead in epoch {epoch}",
                        replication.name(first),
                        replication.name(record.node)
                    )
                });
            }
        }
    })
}
