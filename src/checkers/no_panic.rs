//! No panic: no node stops because of a broken assertion of its own, and no program in its place by
//! an exception or a breach of the protocol.

use super::findings::Findings;
use super::raft::{Kind, kinds};
use super::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "no_panic",
    summary: "No handler of a node panics, and no program in its place ends by itself.",
    source: "the testbed",
    params: &[],
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let mut findings = Findings::new(CHECKER.name);
    let raft = case.raft();
    for record in raft.select(kinds::CRASH) {
        let Kind::Crash { panic: true, position } = record.kind else { continue };
        findings.report(record.time_us, &[record.node], || {
            let message = case
                .trace
                .events
                .get(position)
                .and_then(|event| event.fields.text("message"))
                .unwrap_or("no message");
            let reason = case
                .trace
                .events
                .get(position)
                .and_then(|event| event.fields.text("reason"))
                .unwrap_or("panic");
            match reason {
                "panic" => format!("{} panicked: {message}", raft.name(record.node)),
                _ => format!("{} ended by itself ({reason}): {message}", raft.name(record.node)),
            }
        });
    }
    findings.verdict()
}
