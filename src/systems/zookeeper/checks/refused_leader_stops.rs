//! A leader whose mean the time series has refused has been replaced, and stops: otherwise there
//! are two aggregators, and only the store keeps them apart.
//!
//! A refusal may be lost, and what was sent before it may come later: so it takes a while.

use std::collections::BTreeMap;

use super::{Told, judge_zk, show};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::systems::zookeeper::vocabulary::StoreRefuse;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "refused_leader_stops",
    summary: "A leader whose mean was refused sends no more, but for a while.",
    source: "fencing tokens; the recipes' notes on SUSPENDED and LOST",
    params: &[ParamInfo {
        name: "slack",
        duration: true,
        default: 10_000_000.0,
        range: (0.0, 1e12),
        doc: "how long after the first refusal means of that leader may still come",
    }],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let slack = whole(params, "slack");
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut refused: BTreeMap<u64, u64> = BTreeMap::new();
        for (record, told) in zk.told() {
            let Told::StoreRefuse(StoreRefuse { epoch, .. }) = *told else { continue };
            let since = *refused.entry(epoch).or_insert(record.time_us);
            let late = record.time_us.saturating_sub(since);
            if late > slack {
                findings.report(record.time_us, &[zk.sender(epoch).unwrap_or(record.node)], || {
                    let (name, epoch) = (zk.name(record.node), show(epoch));
                    format!(
                        "{name} refused a mean of leader {epoch}, {} after it had refused one \
                        for the first time",
                        seconds(late)
                    )
                });
            }
        }
    })
}
