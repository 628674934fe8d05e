//! The command line program.

use std::process::ExitCode;

use clap::Parser;
use seedbed::cli::{Cli, Verb, execute};

/// What a shell shows for a program that was interrupted.
const EXIT_INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    // What clap refuses ends here, with its message and exit code 2.
    let cli = Cli::parse();
    // A process that confines itself must have one thread, and the handler has its own.
    if matches!(cli.verb, Verb::EnterSandbox(_)) {
        return ExitCode::from(execute(&cli));
    }
    // Whoever interrupts a run finds no part of a report. Where no handler can be set, an interrupt
    // does what it does anyway.
    let _ = ctrlc::set_handler(|| {
        seedbed::report::remove_unfinished();
        if let Some(words) = seedbed::report::words_of_interrupted() {
            eprintln!("{words}");
        }
        std::process::exit(EXIT_INTERRUPTED);
    });
    ExitCode::from(execute(&cli))
}
