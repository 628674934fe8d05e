//! `seedbed conform`: whether a program speaks the child protocol, line by line.

use super::args::ConformArgs;
use super::{Console, Refused};
#[cfg(unix)]
use crate::error::{EXIT_INVALID, EXIT_VALID, Error};

#[cfg(unix)]
pub(super) fn conform(args: &ConformArgs, console: &mut Console) -> Result<u8, Refused> {
    let (mut passed, mut failed) = (0, 0);
    let is_good = crate::program::conform::judge(&args.command, &mut |judged| {
        if !args.quiet && (judged.failure.is_some() || !args.failures) {
            console.line(format_args!("\n{}: {}", judged.name, judged.summary));
            judged.lines.iter().for_each(|line| console.line(format_args!("  {line}")));
        }
        match &judged.failure {
            None => passed += 1,
            Some(_) => failed += 1,
        }
        match &judged.failure {
            None => console.line(format_args!("PASS {}", judged.name)),
            Some(why) => {
                console.line(format_args!("FAIL {}: {}\n     {why}", judged.name, judged.summary))
            }
        }
        console.flush();
    });
    let hint = "give the command of a conformance node after `--`, as in: seedbed conform -- \
        python3 conformance.py";
    let is_good = is_good.map_err(|why| Error::new(why, hint))?;
    let rest = if passed == 0 {
        "; without an answer to the first turn, no other rule is tested"
    } else {
        ""
    };
    console.line(format_args!(
        "\n{passed} rules hold, {failed} do not{rest}; sdk/PROTOCOL.md says what a conformance \
        node does"
    ));
    Ok(if is_good { EXIT_VALID } else { EXIT_INVALID })
}

#[cfg(not(unix))]
pub(super) fn conform(_args: &ConformArgs, _console: &mut Console) -> Result<u8, Refused> {
    Err(crate::error::Error::new(
        "running programs as nodes needs a Unix system",
        "use Linux, macOS or a BSD",
    )
    .into())
}
