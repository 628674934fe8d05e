//! Liveness for clients: operations invoked after everything has healed are answered in time.
//!
//! On a lossy network a client can be unlucky and lose every message of one operation. So only
//! several operations in a row count, whose fates are independent: a service that does not answer
//! leaves a client without an answer again and again.
//!
//! It does not apply to scenarios that pin clients to a node (which need not lead) or that leave
//! leaders without an entry of their own term: there a correct system leaves operations unanswered.

use std::collections::BTreeMap;

use super::availability::answered;
use super::findings::{Findings, seconds, whole};
use super::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "all_operations_answered",
    summary: "After healing no client is left without a timely answer twice in a row.",
    source: "dissertation §3.9, §6; liveness after healing",
    params: &[
        ParamInfo {
            name: "settle",
            duration: true,
            default: 3_000_000.0,
            range: (0.0, 1e12),
            doc: "time after healing in which operations are not judged yet",
        },
        ParamInfo {
            name: "within",
            duration: true,
            default: 3_000_000.0,
            range: (0.0, 1e12),
            doc: "how long an answer may take; operations invoked later than this before the end \
                are not judged",
        },
        ParamInfo {
            name: "in_a_row",
            duration: false,
            default: 2.0,
            range: (1.0, 1e6),
            doc: "how many consecutive operations of one client must be without an answer",
        },
    ],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (within, in_a_row) = (whole(params, "within"), whole(params, "in_a_row"));
    let from = case.trace.duration_us.saturating_add(whole(params, "settle"));
    let Some(to) = case.trace.end_us.checked_sub(within) else { return Verdict::Valid };
    let mut findings = Findings::new(CHECKER.name);
    // How many of a process' last operations had no answer, including those before healing. A
    // process that never got an answer counts as waiting all the time.
    let mut without: BTreeMap<&str, u64> = BTreeMap::new();
    for operation in &case.history().operations {
        let deadline = operation.invoked_us.saturating_add(within);
        let row = without.entry(operation.process).or_insert(u64::MAX - 1);
        if answered(operation) && operation.completed_us().is_some_and(|time| time <= deadline) {
            *row = 0;
            continue;
        }
        *row = row.saturating_add(1);
        if *row < in_a_row || !(from..=to).contains(&operation.invoked_us) {
            continue;
        }
        let nodes: Vec<_> = case.trace.node(operation.process).into_iter().collect();
        findings.report(deadline, &nodes, || {
            let (process, f, value) = (operation.process, operation.f, operation.argument);
            format!(
                "{process} invoked {f} {value} at {} and had no answer after {}",
                seconds(operation.invoked_us),
                seconds(within)
            )
        });
    }
    findings.verdict()
}
