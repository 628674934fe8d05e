//! One leader at last: long after everything has healed, one server shows that it leads, and no
//! other.
//!
//! Two leaders at the same time are legal for as long as the older one has not heard of the newer
//! term. Once messages come through, it hears of it with the next one, and steps down (Raft §5.1).
//! What counts is the metric `role`, which is also what faults go by that hit the leader.

use std::collections::BTreeMap;

use super::raft_trace;
use super::{kinds, last_config};
use crate::checkers::findings::{Findings, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::{NodeId, Value};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "one_leader_at_last",
    summary: "Long after everything has healed, a member of the cluster shows that it leads, and \
        no two do so all the time.",
    source: "Raft §5.1, §5.2",
    params: &[ParamInfo {
        name: "within",
        duration: true,
        default: 3_000_000.0,
        range: (0.0, 1e12),
        doc: "how long an old leader may take to step down, counted back from the end of the run",
    }],
    liveness: true,
    check,
};

/// How a server has shown its role in the time that is judged.
#[derive(Clone, Copy, Default)]
struct Shown {
    /// It led at some moment of that time.
    ever: bool,
    /// It led all that time.
    always: bool,
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let within = whole(params, "within");
    let end = case.trace.end_us;
    let begin = end.saturating_sub(within);
    if begin < case.trace.duration_us || end == 0 {
        return Verdict::Unknown(format!(
            "everything had healed for less than {} when the run ended",
            seconds(within)
        ));
    }
    let raft = raft_trace(case);
    let mut findings = Findings::new(CHECKER.name);
    let mut servers: BTreeMap<NodeId, Shown> =
        case.trace.with_role("peer").map(|node| (node, Shown::default())).collect();
    let roles = case.trace.metrics.iter().filter(|metric| metric.name == "role");
    let mut changes: Vec<(u64, NodeId, bool)> =
        roles.map(|metric| (metric.time_us, metric.node, leads(&metric.value))).collect();
    // A crash ends what a server shows, also where it shows nothing when it is back.
    changes.extend(raft.select(kinds::CRASH).map(|crash| (crash.time_us, crash.node, false)));
    changes.sort_by_key(|(time_us, _, _)| *time_us);
    let (before, after) =
        changes.split_at(changes.partition_point(|(time_us, _, _)| *time_us <= begin));
    for (_, node, leads) in before {
        servers.entry(*node).and_modify(|shown| *shown = Shown { ever: *leads, always: *leads });
    }
    for (_, node, leads) in after {
        servers.entry(*node).and_modify(|shown| {
            *shown = Shown { ever: shown.ever || *leads, always: shown.always && *leads }
        });
    }
    // Who was removed works for itself.
    let members = last_config(&raft).filter(|_| raft.select(kinds::CONFIG_APPEND).next().is_some());
    servers.retain(|node, _| members.is_none_or(|config| config.has(*node)));
    let leaders: Vec<NodeId> =
        servers.iter().filter(|(_, shown)| shown.always).map(|(node, _)| *node).collect();
    if leaders.len() > 1 {
        let names: Vec<&str> = leaders.iter().map(|node| case.trace.name(*node)).collect();
        let names = names.join(" and ");
        findings.report(end, &leaders, || {
            format!("{names} all show that they lead, from {} to {}", seconds(begin), seconds(end))
        });
    }
    if !servers.values().any(|shown| shown.ever) {
        findings.report(end, &[], || {
            format!(
                "no server shows that it leads from {} to {}: the metric `role` is never `leader`",
                seconds(begin),
                seconds(end)
            )
        });
    }
    findings.verdict()
}

fn leads(role: &Value) -> bool {
    matches!(role, Value::Text(role) if role == "leader")
}
