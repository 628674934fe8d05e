//! One leader an epoch, over the whole run and across restarts.
//!
//! Two leaders at the same *time* are legal: the older one may not have heard of the newer epoch
//! yet.

use std::collections::BTreeMap;

use super::{Told, judge_zk};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::ZabEstablished;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "zab_one_leader_per_epoch",
    summary: "At most one leader is established in an epoch, over the whole run.",
    source: "Zab: leadership; zookeeper-specifications, Leadership1 and Leadership2",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut leaders = BTreeMap::new();
        for (record, told) in zk.told() {
            let Told::ZabEstablished(ZabEstablished { epoch, .. }) = *told else { continue };
            if let Some(first) = leaders.insert(epoch, record.node) {
                findings.report(record.time_us, &[first, record.node], || {
                    match first == record.node {
                        true => {
                            format!("{} was established twice in epoch {epoch}", zk.name(first))
                        }
                        false => format!(
                            "{} and {} were both established in epoch {epoch}",
                            zk.name(first),
                            zk.name(record.node)
                        ),
                    }
                });
            }
        }
    })
}
