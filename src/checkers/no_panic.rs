//! No panic: no node stops because of its own broken assertion, and no program because of an
//! exception or a protocol violation.

use super::findings::Findings;
use super::{Case, Checker, Params, Verdict};
use crate::trace::Event;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "no_panic",
    summary: "No node's handler panics, and no program exits.",
    source: "the testbed",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut crashes: Vec<&Event> = trace
        .events
        .iter()
        .filter(|event| event.name == "crash" && event.node.index() < trace.nodes.len())
        .filter(|event| is_own_fault(event.fields.text("reason"), event.fields.text("message")))
        .collect();
    crashes.sort_by_key(|event| event.index);
    let mut findings = Findings::new(CHECKER.name);
    for event in crashes {
        findings.report(event.time_us, &[event.node], || {
            let message = event.fields.text("message").unwrap_or("no message");
            let name = trace.name(event.node);
            match event.fields.text("reason").unwrap_or("panic") {
                "panic" => format!("{name} panicked: {message}"),
                reason => format!("{name} exited ({reason}): {message}"),
            }
        });
    }
    findings.verdict()
}

/// Whether a node crashed through its own fault: a panic, or any failure of a program. A built-in
/// node that exits on purpose has no message.
pub(crate) fn is_own_fault(reason: Option<&str>, message: Option<&str>) -> bool {
    match reason {
        Some("panic" | "ended" | "protocol" | "busy_loop" | "memory" | "output" | "scratch") => {
            true
        }
        Some("exit") => message.is_some_and(|message| !message.is_empty()),
        _ => false,
    }
}
