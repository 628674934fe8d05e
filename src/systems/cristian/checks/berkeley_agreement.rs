//! Berkeley's clocks agree: after a round two of them differ by at most what their polls leave
//! open. Right they need not be.

use std::collections::BTreeMap;

use super::{GRAIN_US, Round, rounds, us, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "berkeley_agreement",
    summary: "Two clocks of the same round of Berkeley's algorithm agree to within the errors of \
        their polls, besides drift.",
    source: "Gusella and Zatti 1989 §3",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    let mut by_round: BTreeMap<i64, Vec<Round<'_>>> = BTreeMap::new();
    for round in rounds(trace).filter(|round| round.algorithm == "berkeley") {
        judged += 1;
        let others = by_round.entry(round.round).or_default();
        for other in others.iter() {
            let apart = (round.estimate_error() - other.estimate_error()).abs();
            let between = i128::from(round.time_us.abs_diff(other.time_us));
            let allowed =
                round.own_error + other.own_error + round.drift(2 * between) + 2 * GRAIN_US;
            if apart > allowed {
                let nodes = [other.life.0, round.life.0];
                findings.report(round.time_us, &nodes, || {
                    let [a, b] = nodes.map(|node| trace.name(node));
                    format!(
                        "{a} and {b} differ by {} after round {}; their polls allow {}",
                        us(apart),
                        round.round,
                        us(allowed)
                    )
                });
            }
        }
        others.push(round);
    }
    verdict(findings, judged, "round of Berkeley's algorithm")
}
