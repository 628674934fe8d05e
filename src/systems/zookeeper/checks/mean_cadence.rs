//! A mean a period: and when the leader dies, the next one within the time-out of its session and
//! two periods.
//!
//! Judged from healing on, or from the beginning where the scenario's faults are of a kind that
//! must not interrupt for longer.

use super::{Told, ZkTrace, judge_zk};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::systems::zookeeper::vocabulary::InstanceConfig;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "mean_cadence",
    summary: "From some time on, a new mean arrives within the session's time-out, a tick and two \
        periods.",
    source: "the assignment: another instance takes over",
    params: &[FROM, SLACK, LIMIT],
    liveness: true,
    check,
};

/// When judging begins.
pub(super) const FROM: ParamInfo = ParamInfo {
    name: "from",
    duration: true,
    default: 1e12,
    range: (0.0, 1e12),
    doc: "when judging begins; at the latest at healing",
};
/// What is added to the limit.
pub(super) const SLACK: ParamInfo = ParamInfo {
    name: "slack",
    duration: true,
    default: 1_500_000.0,
    range: (0.0, 1e12),
    doc: "what an election of the ensemble, connections and the web tier may take besides",
};
/// The limit itself.
pub(super) const LIMIT: ParamInfo = ParamInfo {
    name: "limit",
    duration: true,
    default: 0.0,
    range: (0.0, 1e12),
    doc: "the limit, where programs play the instances and do not tell their time-out and period; \
        0: by what instances tell",
};

/// How long nothing may come: the time-out of a session, a tick, two periods, and the slack; or
/// what the scenario says.
pub(super) fn limit(zk: &ZkTrace, params: &Params) -> u64 {
    let given = whole(params, LIMIT.name);
    if given > 0 {
        return given;
    }
    let slack = whole(params, SLACK.name);
    let limits = zk.told().filter_map(|(_, told)| match *told {
        Told::InstanceConfig(InstanceConfig { period_us, timeout_us, tick_us, .. }) => Some(
            timeout_us
                .saturating_add(tick_us)
                .saturating_add(period_us.saturating_mul(2))
                .saturating_add(slack),
        ),
        _ => None,
    });
    limits.max().unwrap_or(slack)
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let from = whole(params, "from").min(case.trace.duration_us);
    let mut short = false;
    let verdict = judge_zk(case, CHECKER.name, |zk, findings| {
        let limit = limit(zk, params);
        short = case.trace.end_us.saturating_sub(from) < limit;
        let mut last = from;
        let stored = zk
            .told()
            .filter(|(_, told)| matches!(told, Told::StoreMean(_)))
            .map(|(record, _)| record.time_us);
        for time in stored.filter(|time| *time >= from).chain([case.trace.end_us]) {
            let gap = time.saturating_sub(last);
            if gap > limit {
                findings.report(time, &[], || {
                    format!(
                        "no mean was stored from {} to {}, for {}; {} is the limit",
                        seconds(last),
                        seconds(time),
                        seconds(gap),
                        seconds(limit)
                    )
                });
            }
            last = time;
        }
    });
    match verdict {
        Verdict::Valid if short => {
            Verdict::Unknown("the run ends before a mean has to arrive".to_owned())
        }
        verdict => verdict,
    }
}
