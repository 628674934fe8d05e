//! Liveness of the library: users get books, again and again. That none is left is an answer too,
//! but a library that says nothing else is closed.

use crate::checkers::findings::{Findings, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::history::Outcome;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "books_keep_coming",
    summary: "From one moment at which a user gets a book to the next it is never too long: \
        sessions follow each other.",
    source: "the assignment: a session that has ended is followed by the next",
    params: &[
        ParamInfo {
            name: "gap",
            duration: true,
            default: 1e12,
            range: (0.0, 1e12),
            doc: "longest time without a book, at most, from the first request to the end",
        },
        ParamInfo {
            name: "healed",
            duration: false,
            default: 0.0,
            range: (0.0, 1.0),
            doc: "1: only after everything has healed; 0: always",
        },
    ],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (gap_max, healed) = (whole(params, "gap"), whole(params, "healed") == 1);
    let operations = &case.history().operations;
    let Some(first) = operations.iter().map(|operation| operation.invoked_us).min() else {
        return Verdict::Unknown("no user asked for anything".to_owned());
    };
    let mut findings = Findings::new(CHECKER.name);
    let books = operations
        .iter()
        .filter(|operation| operation.outcome == Outcome::Ok && operation.f == "book");
    let told =
        books.filter_map(|operation| operation.completion).filter(|op| op.value.contains("book="));
    let mut times: Vec<u64> = told.map(|op| op.time_us).collect();
    // Users ask no more a while before the end; but whoever has no answer waits until then.
    let last = operations
        .iter()
        .map(|operation| operation.completed_us().unwrap_or(case.trace.end_us))
        .max()
        .unwrap_or(case.trace.end_us);
    times.push(last);
    times.sort_unstable();
    let mut before = if healed { first.max(case.trace.duration_us) } else { first };
    for time in times {
        let gap = time.saturating_sub(before);
        if gap > gap_max {
            findings.report(time, &[], || {
                format!(
                    "no user got a book from {} to {}, for {}",
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
