//! Under `slew` and `hold` a clock never runs backwards, whoever is told to correct it by how much, and whatever hands do to the hardware.
//!
//! Before the first round of a process nobody uses its clock: the first correction may be a step either way.

use std::collections::BTreeMap;

use super::super::findings::Findings;
use super::super::{Case, Checker, Params, Verdict};
use super::{Life, Tick, ticks, us, verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "clock_never_backwards",
    summary: "Under `slew` and `hold` no clock shows less than before, from its first round on.",
    source: "Cristian 1989 §4; the assignment",
    params: &[],
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut last: BTreeMap<Life, i128> = BTreeMap::new();
    let mut judged = 0;
    for tick in ticks(trace) {
        let (time_us, life, shown) = match tick {
            Tick::Round(round) if round.discipline == "slew" || round.discipline == "hold" => {
                judged += 1;
                // What the clock showed before its first round does not count.
                let before = if last.contains_key(&round.life) { round.before } else { round.after };
                last.entry(round.life).or_insert(round.after);
                (round.time_us, round.life, [before, round.after])
            }
            Tick::Round(_) => continue,
            Tick::Reading(reading) => (reading.time_us, reading.life, [reading.clock; 2]),
        };
        let Some(last) = last.get_mut(&life) else { continue };
        for now in shown {
            if now < *last {
                findings.report(time_us, &[life.0], || format!("the clock of {} went back by {}", trace.name(life.0), us(*last - now)));
            }
            *last = now;
        }
    }
    verdict(findings, judged, "round of a clock that must not go back")
}
