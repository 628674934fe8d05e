//! A request takes effect at most once, however often it is sent and to whom.

use std::collections::BTreeMap;

use super::{books, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "request_once",
    summary: "No request gets two books, however often it is sent.",
    source: "exactly-once semantics: Raft dissertation §6.3",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    let mut given: BTreeMap<(NodeId, i64), (i64, i64)> = BTreeMap::new();
    for line in books(trace) {
        judged += 1;
        let first = *given.entry((line.client, line.serial)).or_insert((line.session, line.book));
        if first != (line.session, line.book) {
            findings.report(line.time_us, &[line.node], || {
                let (name, serial) = (trace.name(line.client), line.serial);
                let ((s1, b1), (s2, b2)) = (first, (line.session, line.book));
                format!(
                    "request {serial} of {name} got book {b1} of session {s1} and book {b2} of \
                    session {s2}"
                )
            });
        }
    }
    verdict(findings, judged, "book that was handed out")
}
