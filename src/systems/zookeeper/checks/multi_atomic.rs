//! All or nothing: znodes named `left` and `right` below one parent are only ever changed by one
//! `multi` together, and so are always equal.

use super::replay::Tree;
use super::{judge_zk, parent, show};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "multi_atomic",
    summary: "Two znodes that are only changed together, in a multi, are equal after every \
        transaction.",
    source: "ZooKeeper: multi",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut tree = Tree::default();
        for (zxid, txn) in zk.committed() {
            tree.apply(*zxid, txn);
            let Some(change) = txn
                .changes
                .iter()
                .find(|change| change.path.ends_with("/left") || change.path.ends_with("/right"))
            else {
                continue;
            };
            let above = parent(&change.path);
            let data = |name: &str| {
                tree.znodes.get(format!("{above}/{name}").as_str()).map(|znode| znode.data)
            };
            let (left, right) = (data("left"), data("right"));
            if left != right {
                findings.report(txn.time_us, &[], || {
                    let show_data =
                        |data: Option<&str>| data.map_or("nothing".to_owned(), str::to_owned);
                    format!(
                        "at {} the left of {above} holds {} and the right {}",
                        show(*zxid),
                        show_data(left),
                        show_data(right)
                    )
                });
            }
        }
    })
}
