//! The command line program.

use std::process::ExitCode;

use clap::Parser;
use seedbed::cli::{Cli, execute};

/// What a shell shows for a program that was interrupted.
const EXIT_INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    // Whoever interrupts a run finds no part of a report. Where no handler can be set, an interrupt does what it does anyway.
    let _ = ctrlc::set_handler(|| {
        seedbed::report::remove_unfinished();
        std::process::exit(EXIT_INTERRUPTED);
    });
    // What clap refuses ends here, with its message and exit code 2.
    ExitCode::from(execute(&Cli::parse()))
}
