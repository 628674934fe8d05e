//! Fencing: the store accepts means of one leader after the other, never one of an older leader
//! after one of a newer.
//!
//! Two instances may take themselves for the leader at the same time, when one of them was cut off
//! or paused; what counts is that only one is believed.

use std::collections::BTreeMap;

use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{Mean, StoreMean};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "fencing",
    summary: "The epochs of the means that the store accepts never decrease, and each belongs to \
        one instance.",
    source: "fencing tokens; the recipes' notes on SUSPENDED and LOST",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut newest = 0;
        let mut instances = BTreeMap::new();
        for (record, told) in zk.told() {
            match *told {
                Told::Mean(Mean { epoch, .. }) => {
                    let first = *instances.entry(epoch).or_insert(record.node);
                    if first != record.node {
                        findings.report(record.time_us, &[first, record.node], || {
                            format!(
                                "{} and {} both sent means as leader of {}",
                                zk.name(first),
                                zk.name(record.node),
                                show(epoch)
                            )
                        });
                    }
                }
                Told::StoreMean(StoreMean { epoch, number, .. }) => {
                    if epoch < newest {
                        findings.report(record.time_us, &[record.node], || {
                            let (old, new) = (show(epoch), show(newest));
                            format!(
                                "{} accepted mean {number} of leader {old} after one of leader \
                                {new}",
                                zk.name(record.node)
                            )
                        });
                    }
                    newest = epoch.max(newest);
                }
                _ => {}
            }
        }
    })
}
