//! Availability: which fraction of the operations is answered, and how long the longest gap without
//! any answer is.
//!
//! An answer is a completion that tells the client what happened: `ok`, or the `fail` of an
//! operation whose condition did not hold (a `cas`, an insert of an existing key). Operations that
//! are still open when the run ends do not count.

use super::findings::{Findings, number, seconds, whole};
use super::{Case, Checker, ParamInfo, Params, Verdict};
use crate::history::{Operation, Outcome};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "availability",
    summary: "At least a given fraction of the operations is answered, and the service never goes \
        too long without an answer.",
    source: "dissertation §9; Jepsen's stats",
    params: &[
        ParamInfo {
            name: "min",
            duration: false,
            default: 0.0,
            range: (0.0, 1.0),
            doc: "minimum fraction of completed operations that are answered",
        },
        ParamInfo {
            name: "gap",
            duration: true,
            default: 1e12,
            range: (0.0, 1e12),
            doc: "maximum time between two answers, from the first invocation to the last \
                completion",
        },
    ],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (min, gap_max) = (number(params, "min"), whole(params, "gap"));
    let operations = &case.history().operations;
    let completed = || operations.iter().filter(|operation| operation.completion.is_some());
    if completed().count() == 0 {
        return Verdict::Unknown("no operation was completed".to_owned());
    }
    let mut findings = Findings::new(CHECKER.name);
    let (all, answers) =
        (completed().count(), completed().filter(|operation| answered(operation)).count());
    let share = answers as f64 / all as f64;
    if share < min {
        findings.report(case.trace.end_us, &[], || {
            let per_mille = answers * 1_000 / all;
            format!(
                "{answers} of {all} operations were answered, {}.{} %, less than {} %",
                per_mille / 10,
                per_mille % 10,
                min * 100.0
            )
        });
    }
    let begin = operations.iter().map(|operation| operation.invoked_us).min().unwrap_or(0);
    let mut times: Vec<u64> = completed()
        .filter(|operation| answered(operation))
        .filter_map(Operation::completed_us)
        .collect();
    times.extend(completed().filter_map(Operation::completed_us).max());
    times.sort_unstable();
    let mut before = begin;
    for time in times {
        let gap = time.saturating_sub(before);
        if gap > gap_max {
            findings.report(time, &[], || {
                format!(
                    "no operation was answered from {} to {}, for {}",
                    seconds(before),
                    seconds(time),
                    seconds(gap)
                )
            });
        }
        before = before.max(time);
    }
    findings.verdict()
}

/// Whether the client was told what happened.
pub(super) fn answered(operation: &Operation<'_>) -> bool {
    match operation.outcome {
        Outcome::Ok => true,
        Outcome::Fail => operation
            .completion
            .is_some_and(|op| matches!(&*op.error, "mismatch" | "duplicate" | "missing")),
        Outcome::Open => false,
    }
}
