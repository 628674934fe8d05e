//! Liveness for clients: what they ask for after everything has healed is answered in time.
//!
//! Not for scenarios that pin clients to a node (which need not lead) or that leave leaders without an entry of their own term: there a
//! correct system leaves operations without an answer.

use super::availability::answered;
use super::findings::{Findings, seconds, whole};
use super::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "all_operations_answered",
    summary: "Operations that are invoked after healing are answered in time.",
    source: "dissertation §3.9, §6; liveness after healing",
    params: &[
        ParamInfo {
            name: "settle",
            duration: true,
            default: 3_000_000.0,
            range: (0.0, 1e12),
            doc: "time after healing in which nothing is asked yet",
        },
        ParamInfo {
            name: "within",
            duration: true,
            default: 3_000_000.0,
            range: (0.0, 1e12),
            doc: "how long an answer may take; what is invoked later than this before the end is not judged",
        },
    ],
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let within = whole(params, "within");
    let from = case.trace.duration_us.saturating_add(whole(params, "settle"));
    let Some(to) = case.trace.end_us.checked_sub(within) else { return Verdict::Valid };
    let mut findings = Findings::new(CHECKER.name);
    for operation in case.history().operations.iter().filter(|operation| (from..=to).contains(&operation.invoked_us)) {
        let deadline = operation.invoked_us.saturating_add(within);
        if answered(operation) && operation.completed_us().is_some_and(|time| time <= deadline) {
            continue;
        }
        let nodes: Vec<_> = case.trace.node(operation.process).into_iter().collect();
        findings.report(deadline, &nodes, || {
            let (process, f, value) = (operation.process, operation.f, operation.argument);
            format!("{process} asked for {f} {value} at {} and had no answer after {}", seconds(operation.invoked_us), seconds(within))
        });
    }
    findings.verdict()
}
