//! `replay`: rerun the scenario of a report and compare the results.

use super::args::ReplayArgs;
use super::{Console, Refused};
use crate::error::EXIT_INVALID;
use crate::report::{Stored, first_difference, summary};
use crate::run::run_scenario;

pub(super) fn replay(args: &ReplayArgs, console: &mut Console) -> Result<u8, Refused> {
    let stored = Stored::open(&args.folder)?;
    // Read the trace even if the digests will agree: a comparison with a damaged report proves
    // nothing.
    let trace = stored.trace()?;
    let run = run_scenario(&stored.scenario, stored.results.seed);
    console.line(summary(&run));
    if run.digest.to_string() == stored.results.digest {
        if run.verdict().word() == stored.results.verdict {
            return Ok(run.verdict().exit_code());
        }
        console
            .line(format_args!("  differs from the report, which says {}", stored.results.verdict));
        return Ok(EXIT_INVALID);
    }
    let version = if stored.results.version == env!("CARGO_PKG_VERSION") {
        String::new()
    } else {
        format!(
            "; the report was written by seedbed {}, this is seedbed {}",
            stored.results.version,
            env!("CARGO_PKG_VERSION")
        )
    };
    console.line(format_args!(
        "  differs from the report, whose digest is {}{version}",
        stored.results.digest
    ));
    if let Some(difference) = first_difference(&trace, &run.trace) {
        for line in difference.to_string().lines() {
            console.line(format_args!("  {line}"));
        }
    }
    Ok(EXIT_INVALID)
}
