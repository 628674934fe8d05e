//! A slewed clock runs at most so much faster or slower than its oscillator. It may also stand
//! still: where it is further ahead than slewing makes sense, or a hand has set it back.

use std::collections::BTreeMap;

use super::{GRAIN_US, Life, Tick, ticks, us, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "slew_rate_limited",
    summary: "Between two rounds a slewed clock gains or loses on its oscillator at most what its \
        rate allows.",
    source: "Cristian 1989 §4 (amortization); adjtime(2)",
    params: &[],
    liveness: false,
    check,
};

/// What a slewed clock showed.
#[derive(Clone, Copy)]
struct Shown {
    clock: i128,
    mono: i128,
    by_hand: i128,
    stands: bool,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut last: BTreeMap<Life, Shown> = BTreeMap::new();
    let mut judged = 0;
    for tick in ticks(trace) {
        match tick {
            Tick::Round(round) if round.discipline == "slew" => {
                let (clock, mono, by_hand) = (round.after, round.mono(), round.by_hand);
                last.insert(
                    round.life,
                    Shown { clock, mono, by_hand, stands: round.mode == "stands" },
                );
            }
            Tick::Round(_) => {}
            Tick::Reading(reading) => {
                let Some(before) = last.get_mut(&reading.life) else { continue };
                let elapsed = reading.mono - before.mono;
                let gained = reading.clock - before.clock - elapsed;
                let most = elapsed.max(0) * reading.slew_ppm / 1_000_000 + GRAIN_US;
                let stood = before.stands && gained <= most;
                if before.by_hand == reading.by_hand && !stood {
                    judged += 1;
                    if gained.abs() > most {
                        let node = reading.life.0;
                        findings.report(reading.time_us, &[node], || {
                            let name = trace.name(node);
                            format!(
                                "the clock of {name} gained {} in {}; its rate allows {}",
                                us(gained),
                                us(elapsed),
                                us(most)
                            )
                        });
                    }
                }
                let stands = reading.mode == "stands";
                *before = Shown {
                    clock: reading.clock,
                    mono: reading.mono,
                    by_hand: reading.by_hand,
                    stands,
                };
            }
        }
    }
    verdict(findings, judged, "slewed clock")
}
