//! A mean that is sent again, because its answer was lost or because a replica was slow, is stored
//! once.

use std::collections::BTreeSet;

use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::StoreMean;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "mean_stored_once",
    summary: "No mean is stored twice, however often it was sent.",
    source: "idempotency keys; at-most-once effects",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut stored = BTreeSet::new();
        for (record, told) in zk.told() {
            let Told::StoreMean(StoreMean { epoch, number, .. }) = *told else { continue };
            if !stored.insert((epoch, number)) {
                findings.report(record.time_us, &[record.node], || {
                    format!(
                        "{} stored mean {number} of leader {} twice",
                        zk.name(record.node),
                        show(epoch)
                    )
                });
            }
        }
    })
}
