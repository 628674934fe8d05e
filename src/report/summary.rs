//! A run in one line, and its failures in a few more.

use super::statistics::{OperationCounts, count_operations};
use crate::checkers::{Overall, Verdict};
use crate::run::{Judgement, Run, verdict_over};
use crate::trace::Trace;

/// A run in one line, followed by a line for each check that did not hold. No newline at the end.
pub fn summary(run: &Run) -> String {
    summary_of(&run.trace, &run.judgements, run.aborted.as_deref(), &run.digest.to_string())
}

/// The same for a trace that was judged separately from its run.
pub fn summary_of(
    trace: &Trace,
    judgements: &[Judgement],
    aborted: Option<&str>,
    digest: &str,
) -> String {
    let OperationCounts { invoked, ok, fail, info, open } = count_operations(trace);
    let verdict = verdict_over(judgements, aborted).word();
    let mut text = format!(
        "{} seed {}: {verdict}, {invoked} operations ({ok} ok, {fail} fail, {}), digest {digest}",
        trace.scenario,
        trace.seed,
        unknown(info, open)
    );
    if let Some(reason) = aborted {
        text.push_str(&format!("\n  the run was aborted: {reason}"));
    }
    for judgement in
        judgements.iter().filter(|judgement| Overall::from(&judgement.verdict) != Overall::Valid)
    {
        text.push_str("\n  ");
        text.push_str(&explanation(judgement));
    }
    text
}

fn unknown(info: u64, open: u64) -> String {
    if open == 0 { format!("{info} info") } else { format!("{info} info, {open} open") }
}

/// Why a check did not hold: the first violation, and the number of further ones.
fn explanation(judgement: &Judgement) -> String {
    match &judgement.verdict {
        Verdict::Valid => format!("{}: valid", judgement.check),
        Verdict::Unknown(reason) => format!("{}: unknown: {reason}", judgement.check),
        Verdict::Invalid(violations) => match violations.as_slice() {
            [] => format!("{}: invalid", judgement.check),
            [first, others @ ..] => {
                let more = if others.is_empty() {
                    String::new()
                } else {
                    format!(" (and {} more)", others.len())
                };
                format!(
                    "{}: invalid at {}: {}{more}",
                    judgement.check,
                    seconds(first.time_us),
                    first.message
                )
            }
        },
    }
}

/// Virtual time for a person: `12.345678 s`.
pub fn seconds(time_us: u64) -> String {
    format!("{}.{:06} s", time_us / 1_000_000, time_us % 1_000_000)
}
