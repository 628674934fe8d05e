//! The tree is a tree: every znode has a parent, which is not an ephemeral one.

use super::replay::Tree;
use super::{judge_zk, parent, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::ZnodeChange;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "no_orphans",
    summary: "Every znode is made below one that is there and not ephemeral, and none is removed \
        that has children.",
    source: "ZooKeeper: the data model",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut tree = Tree::default();
        for (zxid, txn) in zk.committed() {
            for change in &txn.changes {
                let above = parent(&change.path);
                let wrong = match (change.what, tree.znodes.get(above)) {
                    (ZnodeChange::Create, None) if above != "/" => {
                        Some(format!("{} was made at {} below nothing", change.path, show(*zxid)))
                    }
                    (ZnodeChange::Create, Some(znode)) if znode.owner != 0 => Some(format!(
                        "{} was made at {} below an ephemeral znode",
                        change.path,
                        show(*zxid)
                    )),
                    (ZnodeChange::Delete, _) => {
                        tree.children(&change.path).next().map(|(child, _)| {
                            format!(
                                "{} was removed at {} although it had the child {child}",
                                change.path,
                                show(*zxid)
                            )
                        })
                    }
                    _ => None,
                };
                if let Some(wrong) = wrong {
                    findings.report(txn.time_us, &[], || wrong);
                }
                tree.change(*zxid, change);
            }
        }
    })
}
