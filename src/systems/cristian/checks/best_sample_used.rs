//! Of several answers that with the shortest delay counts: it leaves the least room for an error.

use super::{Round, rounds, us, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "best_sample_used",
    summary: "A round goes by the hour of the sample with the shortest delay, not by a mean.",
    source: "Cristian 1989 §5; RFC 5905 §10 (clock filter)",
    params: &[],
    liveness: false,
    check,
};

/// Rounding of two numbers to microseconds.
const ROUNDING_US: i128 = 2;

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    for round in rounds(trace) {
        let samples = samples(&round);
        let Some(least) = samples.iter().map(|(delay, _)| *delay).min() else { continue };
        judged += 1;
        let node = round.life.0;
        // Offsets are relative to the hour that the round went by. Of samples with equal delays any
        // may count.
        let used = samples
            .iter()
            .any(|(delay, offset)| *delay <= least + ROUNDING_US && offset.abs() <= ROUNDING_US);
        if !used || round.delay() > least + ROUNDING_US {
            findings.report(round.time_us, &[node], || {
                let best = samples
                    .iter()
                    .find(|(delay, _)| *delay == least)
                    .map_or(0, |(_, offset)| *offset);
                let (name, number) = (trace.name(node), round.round);
                format!(
                    "{name} did not go in round {number} by the sample with the shortest delay, \
                        {}, but {} off it",
                    us(least),
                    us(-best)
                )
            });
        }
    }
    verdict(findings, judged, "round with samples")
}

/// `delay:offset,…`
fn samples(round: &Round<'_>) -> Vec<(i128, i128)> {
    let pairs = round.samples.split(',').filter_map(|sample| sample.split_once(':'));
    pairs
        .filter_map(|(delay, offset)| {
            Some((delay.parse::<i64>().ok()?.into(), offset.parse::<i64>().ok()?.into()))
        })
        .collect()
}
