//! Equal replicas: at the same zxid all servers have the same tree.
//!
//! The digest is over all znodes and sessions, and not over the transactions: a server that applies
//! the right transactions wrongly is seen.

use std::collections::BTreeMap;

use super::{Kind, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "replicas_equal",
    summary: "Servers that have applied the same transactions have the same tree.",
    source: "Zab: agreement; ZooKeeper's digest of the data tree",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut trees = BTreeMap::new();
        for record in &zk.records {
            let (zxid, key) = match record.kind {
                Kind::Apply { zxid, chain, tree, .. } | Kind::Snapshot { zxid, chain, tree } => {
                    (zxid, (chain, tree))
                }
                _ => continue,
            };
            let (chain, tree) = key;
            let (first, other) = *trees.entry((zxid, chain)).or_insert((tree, record.node));
            if first != tree {
                findings.report(record.time_us, &[other, record.node], || {
                    format!(
                        "{} and {} have different trees at {}",
                        zk.name(other),
                        zk.name(record.node),
                        show(zxid)
                    )
                });
            }
        }
    })
}
