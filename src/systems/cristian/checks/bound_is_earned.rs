//! A bound is what the measurement gives, neither less (then it holds only by luck) nor more (then
//! it says nothing).

use super::{GRAIN_US, rounds, us, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "bound_is_earned",
    summary: "The error bound of a round is half its round trip less the least delay, and what \
        drift and the source add; no less and no more.",
    source: "Cristian 1989 §3",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    for round in rounds(trace) {
        judged += 1;
        let node = round.life.0;
        let least = round.delay() / 2 - round.min_delay - GRAIN_US;
        let most = least
            + 2 * GRAIN_US
            + round.drift(2 * (round.t1 - round.t0))
            + round.drift(2 * round.age);
        if !(least..=most).contains(&round.own_error) {
            findings.report(round.time_us, &[node], || {
                let (name, number, delay) = (trace.name(node), round.round, us(round.delay()));
                let (own, least, most) = (us(round.own_error), us(least), us(most));
                format!(
                    "{name} claims {own} for round {number}; a delay of {delay} gives {least} \
                    to {most}"
                )
            });
        }
        let (Some(bound), Some(root)) = (round.bound, round.root) else { continue };
        if bound < round.own_error + root - GRAIN_US {
            findings.report(round.time_us, &[node], || {
                let (name, number) = (trace.name(node), round.round);
                let sum = us(round.own_error + root);
                format!(
                    "{name} claims {} after round {number}, less than the measurement and its \
                    source together: {sum}",
                    us(bound)
                )
            });
        }
    }
    verdict(findings, judged, "round")
}
