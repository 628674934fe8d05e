//! Under `slew` and `hold` a clock never runs backwards, whoever is told to correct it by how much,
//! and whatever hands do to the hardware.
//!
//! Before the first round of a process nobody uses its clock: the first correction may be a step
//! either way.

use std::collections::BTreeMap;

use super::{Corrected, Life, Reading, us, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "clock_never_backwards",
    summary: "Under `slew` and `hold` no clock shows less than before, from its first round on.",
    source: "Cristian 1989 §4; the assignment",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut last: BTreeMap<Life, i128> = BTreeMap::new();
    let mut judged = 0;
    for event in trace.events.iter().filter(|event| event.node.index() < trace.nodes.len()) {
        let (time_us, life) = (event.time_us, (event.node, event.incarnation));
        let shown = match event.name.as_ref() {
            "round" => {
                let Some(round) = Corrected::decode(event)
                    .filter(|round| matches!(round.discipline, "slew" | "hold"))
                else {
                    continue;
                };
                judged += 1;
                // What the clock showed before its first round does not count.
                let before = if last.contains_key(&life) { round.before } else { round.after };
                last.entry(life).or_insert(round.after);
                [before, round.after]
            }
            "reading" => match Reading::decode(event) {
                Some(reading) => [reading.clock; 2],
                None => continue,
            },
            _ => continue,
        };
        let Some(last) = last.get_mut(&life) else { continue };
        for now in shown {
            if now < *last {
                findings.report(time_us, &[life.0], || {
                    format!("the clock of {} went back by {}", trace.name(life.0), us(*last - now))
                });
            }
            *last = now;
        }
    }
    verdict(findings, judged, "round of a clock that must not go back")
}
