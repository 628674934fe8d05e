//! Dates: each operation carries one in the assignment's form, which the date service has told to
//! the peer that asked.

use std::collections::{BTreeMap, BTreeSet};

use super::{events, judge};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_dates",
    summary: "Each operation carries date and time, as dd/mm/yyyy hh:mm:ss, as the date service \
        has told them to that peer.",
    source: "the assignment's date service",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |_, findings| {
        let mut told: BTreeMap<NodeId, BTreeSet<&str>> = BTreeMap::new();
        for event in events(case, &["dated", "executed"]) {
            let date = event.fields.text("date").unwrap_or("");
            if event.name == "dated" {
                if let Some(to) = event.fields.node("to") {
                    told.entry(to).or_default().insert(date);
                }
                continue;
            }
            let Some(origin) = event.fields.node("origin") else { continue };
            let shown = date.replace('_', " ");
            let name = case.trace.name(origin);
            if !is_date(date) {
                findings.report(event.time_us, &[origin], || {
                    format!("an operation of {name} carries `{shown}`, which is no date and time")
                });
            } else if !told.get(&origin).is_some_and(|dates| dates.contains(date)) {
                findings.report(event.time_us, &[origin], || {
                    format!(
                        "an operation of {name} carries {shown}, which the date service has \
                        not told to it"
                    )
                });
            }
        }
    })
}

/// `dd/mm/yyyy_hh:mm:ss`: the blank is not part of a field of the trace.
fn is_date(text: &str) -> bool {
    const FORM: &str = "00/00/0000_00:00:00";
    let fits =
        |(form, byte): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    text.len() == FORM.len() && FORM.bytes().zip(text.bytes()).all(fits)
}
