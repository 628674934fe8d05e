//! Liveness of the clocks: once everything has healed, every server ends a round in each interval,
//! or in the next where a message was lost.

use std::collections::BTreeMap;

use super::{Corrected, events, verdict};
use crate::checkers::findings::{Findings, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "synchronisation_goes_on",
    summary: "After healing every server ends a round at least every two intervals.",
    source: "the assignment: every TM seconds",
    params: &[ParamInfo {
        name: "settle",
        duration: true,
        default: 3_000_000.0,
        range: (0.0, 1e12),
        doc: "what a round may take besides two intervals",
    }],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let Some(interval) = events(trace, "hour")
        .find_map(|event| u64::try_from(event.fields.int("interval_us")?).ok())
    else {
        return Verdict::Unknown("the trace holds no round of a coordinator".to_owned());
    };
    let limit = interval.saturating_mul(2).saturating_add(whole(params, "settle"));
    let healed = trace.duration_us;
    if trace.end_us.saturating_sub(healed) < limit {
        return Verdict::Unknown(format!(
            "the time after healing is shorter than {}",
            seconds(limit)
        ));
    }
    let mut ends: BTreeMap<NodeId, Vec<u64>> = BTreeMap::new();
    for round in events(trace, "round")
        .filter(|round| round.time_us >= healed && Corrected::decode(round).is_some())
    {
        ends.entry(round.node).or_default().push(round.time_us);
    }
    let mut judged = 0;
    for server in trace.with_role("server") {
        judged += 1;
        let mut before = healed;
        for end in ends.get(&server).into_iter().flatten().copied().chain([trace.end_us]) {
            let gap = end.saturating_sub(before);
            if gap > limit {
                findings.report(end, &[server], || {
                    format!(
                        "{} ended no round from {} on for {}",
                        trace.name(server),
                        seconds(before),
                        seconds(gap)
                    )
                });
            }
            before = before.max(end);
        }
    }
    verdict(findings, judged, "server")
}
