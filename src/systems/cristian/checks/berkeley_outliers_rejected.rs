//! Berkeley's mean is that of the largest group of clocks which agree to within gamma: one clock
//! that is an hour off moves nobody.

use super::{events, us, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "berkeley_outliers_rejected",
    summary: "The mean is that of a largest group of clocks within gamma of each other.",
    source: "Gusella and Zatti 1989 §3 (fault-tolerant average)",
    params: &[],
    liveness: false,
    check,
};

/// Rounding of several numbers to microseconds.
const ROUNDING_US: i128 = 3;

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    for event in events(trace, "berkeley") {
        let int = |name: &str| event.fields.int(name).map(i128::from);
        let (Some(round), Some(mean), Some(gamma)) =
            (int("round"), int("mean_us"), int("gamma_us"))
        else {
            continue;
        };
        let clocks = offsets(event.fields.text("clocks").unwrap_or(""));
        let taken = offsets(event.fields.text("taken").unwrap_or(""));
        let (Some(low), Some(high)) = (taken.first(), taken.last()) else { continue };
        judged += 1;
        let largest = (0..clocks.len())
            .map(|from| {
                clocks[from..].partition_point(|clock| *clock <= clocks[from] + gamma - ROUNDING_US)
            })
            .max();
        let average = taken.iter().sum::<i128>() / taken.len() as i128;
        let mut report =
            |message: &dyn Fn() -> String| findings.report(event.time_us, &[event.node], message);
        if high - low > gamma + ROUNDING_US {
            report(&|| {
                format!(
                    "round {round} averages clocks that are {} apart, more than {}",
                    us(high - low),
                    us(gamma)
                )
            });
        } else if largest.is_some_and(|largest| largest > taken.len()) {
            report(&|| {
                format!(
                    "round {round} averages {} clocks although {} agree",
                    taken.len(),
                    largest.unwrap_or(0)
                )
            });
        } else if (average - mean).abs() > ROUNDING_US {
            report(&|| {
                format!("round {round} takes {} for the mean, which is {}", us(mean), us(average))
            });
        }
    }
    verdict(findings, judged, "mean of Berkeley's algorithm")
}

/// The numbers of `s1=12,s2=-30`, in order of size.
fn offsets(text: &str) -> Vec<i128> {
    let numbers = text.split(',').filter_map(|each| each.split_once('=')?.1.parse::<i64>().ok());
    let mut offsets: Vec<i128> = numbers.map(i128::from).collect();
    offsets.sort_unstable();
    offsets
}
