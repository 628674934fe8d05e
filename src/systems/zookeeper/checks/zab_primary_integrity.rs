//! Primary integrity: a new leader has everything that any server has applied before.

use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{ZabApply, ZabEstablished};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "zab_primary_integrity",
    summary: "The history of a newly established leader holds every transaction that any server \
        has applied by then.",
    source: "Junqueira and others 2011, primary integrity; Zab.tla",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut applied = std::collections::BTreeMap::new();
        for (record, told) in zk.told() {
            match *told {
                Told::ZabApply(ZabApply { zxid, .. }) => {
                    applied.entry(zxid).or_insert(record.node);
                }
                Told::ZabEstablished(ZabEstablished { epoch, last, .. }) => {
                    let history = zk.history(last);
                    if let Some((zxid, node)) =
                        applied.iter().find(|(zxid, _)| !history.contains(zxid))
                    {
                        findings.report(record.time_us, &[record.node, *node], || {
                            let (leader, node) = (zk.name(record.node), zk.name(*node));
                            format!(
                                "{leader} was established in epoch {epoch} without {}, which \
                                {node} had applied",
                                show(*zxid)
                            )
                        });
                    }
                }
                _ => {}
            }
        }
    })
}
