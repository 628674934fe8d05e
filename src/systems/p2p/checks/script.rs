//! Scripts: each line that says which status it should have has that one.

use super::judge;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_script",
    summary: "Each line of a script that says which status it expects gets that one.",
    source: "the scenario's own expectations",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |p2p, findings| {
        for call in p2p.calls.iter().filter(|call| call.error.starts_with("expected status")) {
            let nodes: Vec<_> = call.peer.into_iter().collect();
            findings.report(call.ended_us.unwrap_or(call.invoked_us), &nodes, || {
                format!("{}: {}", call.shown(), call.error)
            });
        }
    })
}
