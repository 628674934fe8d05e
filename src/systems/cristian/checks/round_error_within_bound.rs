//! The contract of the algorithm, against true time: an answer that was under way for D, with at
//! least `min` on each way, gives the hour to within `D/2 - min`, besides what its source may be
//! wrong by itself and what the clocks have drifted by since.
//!
//! The bound may be met exactly, where all of the delay lies on one way. That is no violation.

use super::{GRAIN_US, rounds, us, utc_error, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "round_error_within_bound",
    summary: "The hour that a round finds differs from true time by at most half the round trip \
        less the least delay, besides drift.",
    source: "Cristian 1989 §3; RFC 5905 §8",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    let of_utc = utc_error(trace);
    for round in rounds(trace) {
        let Some(root) = round.root else { continue };
        judged += 1;
        let measured = (round.delay() / 2 - round.min_delay).max(0);
        let drift = round.drift(2 * (round.t1 - round.t0)) + round.drift(2 * round.age);
        let bound = measured + root + drift + of_utc + GRAIN_US;
        let error = round.estimate_error();
        if error.abs() > bound {
            let node = round.life.0;
            findings.report(round.time_us, &[node], || {
                let (name, number, delay) = (trace.name(node), round.round, us(round.delay()));
                format!(
                    "{name} was wrong by {} after round {number}; a delay of {delay} allows {}",
                    us(error),
                    us(bound)
                )
            });
        }
    }
    verdict(findings, judged, "round that knows of true time")
}
