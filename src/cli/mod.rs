//! The command line: commands and flags ([`args`]; parsing does no IO), and one file for what each
//! command does.

mod args;
mod ask;
mod check;
mod conform;
mod console;
pub mod doctor;
pub mod explain;
#[cfg(feature = "grading")]
mod grade;
pub mod list;
pub mod new;
mod plot;
mod replay;
mod run;
mod scenarios;
#[cfg(feature = "grading")]
mod submission;
mod sweep;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use args::EnterSandboxArgs;
pub use args::{Cli, Verb};
use clap::Parser;
pub use console::Console;

use crate::error::{EXIT_TESTBED, EXIT_USAGE, Error};
use crate::systems::{self, System};

/// The errors that made a command refuse to run, in the order of the files they are in.
#[derive(Debug)]
pub struct Refused(Vec<Error>);

impl From<Vec<Error>> for Refused {
    fn from(errors: Vec<Error>) -> Self {
        Refused(errors)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused(vec![error])
    }
}

/// The status that shells report for an interrupted program.
const EXIT_INTERRUPTED: i32 = 130;

/// The whole program: the command line of seedbed, with these systems besides its own.
///
/// A crate with a system of its own has this as its `main`:
///
/// ```no_run
/// # static MINE: seedbed::systems::System =
/// #     seedbed::systems::System::new("mine", "", |_| unreachable!(), |_, _| unreachable!());
/// fn main() -> std::process::ExitCode {
///     seedbed::main_with(&[&MINE])
/// }
/// ```
///
/// # Panics
///
/// When a system has the name of another, or when it is called twice.
pub fn main_with(systems: &[&'static System]) -> ExitCode {
    systems::register(systems);
    // On a usage error clap prints its message and exits with code 2.
    let cli = Cli::parse();
    // A process that confines itself must be single-threaded, and the handler has its own thread.
    if matches!(cli.verb, Verb::EnterSandbox(_)) {
        return ExitCode::from(execute(&cli));
    }
    // An interrupted run leaves no partial report. If the handler cannot be set, an interrupt has
    // its default effect.
    let _ = ctrlc::set_handler(|| {
        crate::report::remove_unfinished();
        if let Some(words) = crate::report::words_of_interrupted() {
            eprintln!("{words}");
        }
        std::process::exit(EXIT_INTERRUPTED);
    });
    ExitCode::from(execute(&cli))
}

/// Execute a command line. Returns the exit code.
pub fn execute(cli: &Cli) -> u8 {
    let mut console = Console::stdout();
    let done = match &cli.verb {
        Verb::Run(args) => run::run(args, &mut console),
        Verb::Replay(args) => replay::replay(args, &mut console),
        Verb::Sweep(args) => sweep::sweep(args, &mut console),
        Verb::Check(args) => check::check(args, &mut console),
        Verb::Plot(args) => plot::plot(args, &mut console),
        Verb::List(args) => ask::list(args, &mut console),
        Verb::Explain(args) => ask::explain(args, &mut console),
        Verb::New(args) => ask::new(args, &mut console),
        Verb::Conform(args) => conform::conform(args, &mut console),
        #[cfg(feature = "grading")]
        Verb::Grade(args) => grade::grade(args, &mut console),
        Verb::Doctor(args) => doctor::doctor(args, &mut console),
        Verb::EnterSandbox(args) => return enter(args),
    };
    let done = done.and_then(|code| console.finish().map(|()| code).map_err(Refused::from));
    match done {
        Ok(code) => code,
        Err(Refused(errors)) => {
            let mut stderr = std::io::stderr();
            let text = explain(&errors, stderr.is_terminal());
            // If stderr is closed as well, the exit code has to suffice.
            let _ = writeln!(stderr, "{text}");
            EXIT_USAGE
        }
    }
}

fn enter(args: &EnterSandboxArgs) -> u8 {
    u8::try_from(crate::program::sandbox::enter(&args.entry, &args.command)).unwrap_or(EXIT_TESTBED)
}

/// At most this many broken files are reported, each with all its errors; a person fixes one after
/// another.
const ERRORS_SHOWN_MAX: usize = 5;

fn explain(errors: &[Error], colour: bool) -> String {
    let mut texts: Vec<String> =
        errors.iter().take(ERRORS_SHOWN_MAX).map(|error| error.render(colour)).collect();
    if errors.len() > ERRORS_SHOWN_MAX {
        texts.push(format!(
            "note: {} more files have errors; nothing was run",
            errors.len() - ERRORS_SHOWN_MAX
        ));
    }
    texts.join("\n\n")
}
