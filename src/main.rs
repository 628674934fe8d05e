//! The command line program.

use std::process::ExitCode;

use clap::Parser;
use seedbed::cli::{Cli, Verb, execute};

/// The status that shells report for an interrupted program.
const EXIT_INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    // On a usage error clap prints its message and exits with code 2.
    let cli = Cli::parse();
    // A process that confines itself must be single-threaded, and the handler has its own thread.
    if matches!(cli.verb, Verb::EnterSandbox(_)) {
        return ExitCode::from(execute(&cli));
    }
    // An interrupted run leaves no partial report. If the handler cannot be set, an interrupt has
    // its default effect.
    let _ = ctrlc::set_handler(|| {
        seedbed::report::remove_unfinished();
        if let Some(words) = seedbed::report::words_of_interrupted() {
            eprintln!("{words}");
        }
        std::process::exit(EXIT_INTERRUPTED);
    });
    ExitCode::from(execute(&cli))
}
