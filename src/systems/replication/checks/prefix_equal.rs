//! What replicas take from the leader of an epoch is what that leader has: equal numbers, equal
//! hashes.

use std::collections::BTreeMap;

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "prefix_equal",
    summary: "Of all that is stored under one epoch, records with the same number have the same \
        hash.",
    source: "the defining property of log replication: equal hashes mean equal prefixes",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let mut stored = BTreeMap::new();
        for record in replication.records() {
            let (Kind::Stored { epoch, seq, hash, .. } | Kind::Copied { epoch, seq, hash }) =
                record.kind
            else {
                continue;
            };
            let first = *stored.entry((epoch, seq)).or_insert((record.node, hash));
            if first.1 != hash {
                findings.report(record.time_us, &[first.0, record.node], || {
                    let (one, other) = (replication.name(first.0), replication.name(record.node));
                    format!(
                        "under epoch {epoch}, record {seq} of {one} has hash #{:016x} and that \
                        of {other} #{hash:016x}",
                        first.1
                    )
                });
            }
        }
    })
}
