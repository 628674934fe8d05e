//! The command line program.

use std::process::ExitCode;

use clap::Parser;
use seedbed::cli::{Cli, execute};

fn main() -> ExitCode {
    // What clap refuses ends here, with its message and exit code 2.
    ExitCode::from(execute(&Cli::parse()))
}
