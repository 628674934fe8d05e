//! A mean a period: and when the leader dies, the next one within the time-out of its session and two periods.
//!
//! Judged from healing on, or from the beginning where the scenario's faults are of a kind that must not interrupt for longer.

use super::{Kind, judge_zk};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "mean_cadence",
    summary: "From some time on, a new mean arrives within the session's time-out, a tick and two periods.",
    source: "the assignment: another instance takes over",
    params: &[
        ParamInfo { name: "from", duration: true, default: 1e12, range: (0.0, 1e12), doc: "when judging begins; at the latest at healing" },
        ParamInfo {
            name: "slack",
            duration: true,
            default: 1_500_000.0,
            range: (0.0, 1e12),
            doc: "what an election of the ensemble, connections and the web tier may take besides",
        },
    ],
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (from, slack) = (whole(params, "from").min(case.trace.duration_us), whole(params, "slack"));
    let mut short = false;
    let verdict = judge_zk(case, CHECKER.name, |zk, findings| {
        let limits = zk.records.iter().filter_map(|record| match record.kind {
            Kind::Config { period_us, timeout_us, tick_us } => {
                Some(timeout_us.saturating_add(tick_us).saturating_add(period_us.saturating_mul(2)).saturating_add(slack))
            }
            _ => None,
        });
        let limit = limits.max().unwrap_or(slack);
        short = case.trace.end_us.saturating_sub(from) < limit;
        let mut last = from;
        let stored = zk.records.iter().filter(|record| matches!(record.kind, Kind::StoreMean { .. })).map(|record| record.time_us);
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
        Verdict::Valid if short => Verdict::Unknown("the run ends before a mean has to arrive".to_owned()),
        verdict => verdict,
    }
}
