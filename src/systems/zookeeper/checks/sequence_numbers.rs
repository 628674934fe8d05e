//! The numbers of sequential znodes of a parent only rise, whatever was removed in between. Gaps
//! are legal.
//!
//! A name is taken for a sequential one if it ends in an underscore and ten digits.

use std::collections::BTreeMap;

use super::{judge_zk, parent, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::ZnodeChange;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "sequence_numbers",
    summary: "Sequential znodes below one parent get ever larger numbers, in the order of their \
        zxids.",
    source: "ZooKeeper: sequence nodes",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for (zxid, txn) in zk.committed() {
            for change in txn.changes.iter().filter(|change| change.what == ZnodeChange::Create) {
                last.remove(&*change.path);
                let Some(number) = number(&change.path) else { continue };
                if let Some(before) =
                    last.insert(parent(&change.path), number).filter(|before| number <= *before)
                {
                    findings.report(txn.time_us, &[], || {
                        format!(
                            "{} was made at {} although {before} had been given before",
                            change.path,
                            show(*zxid)
                        )
                    });
                }
            }
        }
    })
}

fn number(path: &str) -> Option<u64> {
    let (_, digits) = path.rsplit_once('_')?;
    (digits.len() == 10).then(|| digits.parse().ok())?
}
