//! What a machine has told is on its disk: after a crash it comes back with all of it.

use std::collections::BTreeMap;

use super::verdict;
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "journal_survives_crash",
    summary: "A machine that starts again has every statement, grant and record that it had told \
        of before.",
    source: "durability; the assignment: nothing that was answered is lost",
    params: &[],
    liveness: false,
    check,
};

/// What a machine has told of.
#[derive(Clone, Copy, Default)]
struct Told {
    /// The highest position of a statement, or the number of records.
    lines: i64,
    grants: i64,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut told: BTreeMap<NodeId, Told> = BTreeMap::new();
    let mut judged = 0;
    for event in trace.events.iter().filter(|event| event.node.index() < trace.nodes.len()) {
        let told = told.entry(event.node).or_default();
        match event.name.as_ref() {
            "enqueue" | "apply" => {
                told.lines = told.lines.max(event.fields.int("position").unwrap_or(0))
            }
            "recorded" => told.lines += 1,
            "grant" => told.grants = told.grants.max(event.fields.int("position").unwrap_or(0)),
            "recover" => {
                let (Some(applied), Some(granted)) =
                    (event.fields.int("applied"), event.fields.int("granted"))
                else {
                    continue;
                };
                judged += 1;
                for (what, has, had) in
                    [("lines", applied, told.lines), ("grants", granted, told.grants)]
                {
                    if has < had {
                        let name = trace.name(event.node);
                        findings.report(event.time_us, &[event.node], || {
                            format!("{name} came back with {has} {what} after {had}")
                        });
                    }
                }
            }
            _ => {}
        }
    }
    verdict(findings, judged, "machine with a disk")
}
