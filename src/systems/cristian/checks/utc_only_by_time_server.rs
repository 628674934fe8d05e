//! Only the time server may ask the UTC source.

use super::{events, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "utc_only_by_time_server",
    summary: "Nobody but the time server asks the UTC source.",
    source: "the assignment",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    for event in events(trace, "utc_asked") {
        let Some(by) = event.fields.node("by") else { continue };
        judged += 1;
        let role = trace.nodes.get(by.index()).map_or("?", |info| info.role.as_ref());
        if role != "time_server" {
            findings.report(event.time_us, &[by], || {
                format!("{}, a {role}, asked the UTC source", trace.name(by))
            });
        }
    }
    verdict(findings, judged, "question to a UTC source")
}
