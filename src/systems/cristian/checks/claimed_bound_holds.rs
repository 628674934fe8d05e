//! What a machine says of its clock is true: at every reading the error is at most what it claims,
//! through drift, hands on the clock, and corrections that are not made yet.

use super::{GRAIN_US, Tick, ticks, true_us, us, utc_error, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "claimed_bound_holds",
    summary: "At every reading a clock differs from true time by at most the error that its \
        machine claims.",
    source: "Cristian 1989 §4; TrueTime (Corbett et al. 2012)",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    let of_utc = utc_error(trace);
    for tick in ticks(trace) {
        let (time_us, node, clock, bound) = match tick {
            Tick::Round(round) => (round.time_us, round.life.0, round.after, round.bound),
            Tick::Reading(reading) => {
                (reading.time_us, reading.life.0, reading.clock, reading.bound)
            }
        };
        let Some(bound) = bound else { continue };
        judged += 1;
        let error = clock - true_us(time_us);
        if error.abs() > bound + of_utc + GRAIN_US {
            findings.report(time_us, &[node], || {
                format!(
                    "{} is wrong by {} and claims {} at the most",
                    trace.name(node),
                    us(error),
                    us(bound)
                )
            });
        }
    }
    verdict(findings, judged, "clock with a claim")
}
