//! `check`: judge a stored trace again.

use super::args::CheckArgs;
use super::{Console, Refused};
use crate::report::{Stored, summary_of};
use crate::run::{judge_trace, verdict_over};

pub(super) fn check(args: &CheckArgs, console: &mut Console) -> Result<u8, Refused> {
    let stored = Stored::open(&args.folder)?;
    let trace = stored.trace()?;
    let aborted = stored.results.aborted.as_deref();
    let judgements = judge_trace(&stored.scenario, &trace, aborted);
    let verdict = verdict_over(&judgements, aborted);
    console.line(summary_of(&trace, &judgements, aborted, &stored.results.digest));
    if verdict.word() != stored.results.verdict {
        console.line(format_args!("  the report says {}", stored.results.verdict));
    }
    Ok(verdict.exit_code())
}
