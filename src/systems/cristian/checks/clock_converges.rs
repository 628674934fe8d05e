//! A correction corrects: what the next round still finds is explained by the bounds of both, by
//! drift, and by what of the correction was not due yet.
//!
//! Due is, for a clock that steps, all of it at once; for one that is held, as much as time has
//! passed; for one that is slewed, a part of that.

use std::collections::BTreeMap;

use super::{GRAIN_US, Life, Round, Tick, ticks, us, utc_error, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "clock_converges",
    summary: "After a correction the next round finds no more than what both bounds, drift and the \
        part that was not due yet explain.",
    source: "the assignment: a clock that is ahead is held until the rest has caught up",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut last: BTreeMap<Life, Round<'_>> = BTreeMap::new();
    let of_utc = utc_error(trace);
    let mut slew_ppm = 0;
    let mut judged = 0;
    for tick in ticks(trace) {
        let round = match tick {
            Tick::Round(round) => round,
            Tick::Reading(reading) => {
                slew_ppm = reading.slew_ppm;
                continue;
            }
        };
        judged += 1;
        let Some(before) = last.insert(round.life, round) else { continue };
        let (Some(root_before), Some(root)) = (before.root, round.root) else { continue };
        if before.by_hand != round.by_hand {
            continue;
        }
        let elapsed = round.mono() - before.mono();
        let left = still_due(&before, elapsed, slew_ppm);
        let bounds = before.own_error + root_before + round.own_error + root;
        let allowed = left + bounds.max(0) + round.drift(2 * elapsed) + 2 * of_utc + 2 * GRAIN_US;
        if round.correction.abs() > allowed {
            let node = round.life.0;
            findings.report(round.time_us, &[node], || {
                let (name, first, then) =
                    (trace.name(node), us(before.correction), us(round.correction));
                format!(
                    "{name} was to be corrected by {first}, and {} later still by {then}; {} \
                    are explained",
                    us(elapsed),
                    us(allowed)
                )
            });
        }
    }
    verdict(findings, judged, "round")
}

/// What of a round's correction need not be made after so long.
fn still_due(round: &Round<'_>, elapsed: i128, slew_ppm: i128) -> i128 {
    let not_at_once = (round.correction - (round.after - round.before)).abs();
    let made = match round.mode {
        "stands" => elapsed,
        "slews" => elapsed * slew_ppm / 1_000_000,
        _ => not_at_once,
    };
    (not_at_once - made.max(0)).max(0)
}
