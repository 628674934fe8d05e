//! A book is handed out at most once a session, over all servers: in their databases, in what they
//! say, and in what users were told.

use std::collections::BTreeMap;

use super::{books, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::history::Outcome;
use crate::trace::{NodeId, Op};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "book_once_a_session",
    summary: "No book is handed out to two requests of one session, whichever servers were asked.",
    source: "the assignment; at most one holder of a copy",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    let mut holders: BTreeMap<(i64, i64), (NodeId, i64)> = BTreeMap::new();
    for line in books(trace) {
        judged += 1;
        let holder =
            *holders.entry((line.session, line.book)).or_insert((line.client, line.serial));
        if holder != (line.client, line.serial) {
            findings.report(line.time_us, &[line.node], || {
                let (one, other) = (trace.name(holder.0), trace.name(line.client));
                format!(
                    "book {} of session {} went to {one} and to {other}",
                    line.book, line.session
                )
            });
        }
    }
    let mut told: BTreeMap<&str, &str> = BTreeMap::new();
    for operation in &case.history().operations {
        let Some(op) = operation.completion.filter(|_| operation.outcome == Outcome::Ok) else {
            continue;
        };
        if operation.f == "book" && names_a_book(op) {
            judged += 1;
            if let Some(first) = told.insert(&op.value, operation.process) {
                findings.report(op.time_us, &[], || {
                    format!("{first} and {} were both told {}", operation.process, op.value)
                });
            }
        }
    }
    verdict(findings, judged, "book that was handed out")
}

fn names_a_book(op: &Op) -> bool {
    op.value.contains("book=")
}
