//! Equal replicas: at the same zxid all servers have the same tree.
//!
//! The digest is over all znodes and sessions, and not over the transactions: a server that applies
//! the right transactions wrongly is seen.

use std::collections::BTreeMap;

use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{ZabApply, ZabSnapshot};
use crate::vocabulary::Digest64;

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
        for (record, told) in zk.told() {
            let (zxid, key) = match *told {
                Told::ZabApply(ZabApply {
                    zxid,
                    chain: Digest64(chain),
                    tree: Digest64(tree),
                    ..
                })
                | Told::ZabSnapshot(ZabSnapshot {
                    zxid,
                    chain: Digest64(chain),
                    tree: Digest64(tree),
                    ..
                }) => (zxid, (chain, tree)),
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
