//! No lamp hears of itself.

use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "hears_others",
    summary: "No lamp hears of itself.",
    source: "the test of extensions",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let mut findings = Findings::new(CHECKER.name);
    for message in case.trace.messages.iter().filter(|message| message.src == message.dest) {
        let name = case.trace.name(message.src);
        findings.report(message.sent_us, &[message.src], || format!("{name} hears of itself"));
    }
    findings.verdict()
}
