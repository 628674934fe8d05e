//! The command line: verbs and flags ([`args`]; parsing does no IO), and what each verb does, one file for each.

mod args;
mod check;
mod console;
pub mod explain;
pub mod list;
pub mod new;
mod plot;
mod replay;
mod run;
mod scenarios;
mod sweep;

use std::io::{IsTerminal, Write};

pub use args::{Cli, Verb};
pub use console::Console;

use crate::error::{EXIT_USAGE, Error};

/// The mistakes for which a verb did nothing, in the order of the files that they are in.
#[derive(Debug)]
pub struct Refused(Vec<Error>);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused(vec![error])
    }
}

/// Do what a command line asks for. Returns the exit code.
pub fn execute(cli: &Cli) -> u8 {
    let mut console = Console::stdout();
    let done = match &cli.verb {
        Verb::Run(args) => run::run(args, &mut console),
        Verb::Replay(args) => replay::replay(args, &mut console),
        Verb::Sweep(args) => sweep::sweep(args, &mut console),
        Verb::Check(args) => check::check(args, &mut console),
        Verb::Plot(args) => plot::plot(args, &mut console),
    };
    let done = done.and_then(|code| console.finish().map(|()| code).map_err(Refused::from));
    match done {
        Ok(code) => code,
        Err(Refused(errors)) => {
            let mut stderr = std::io::stderr();
            let colour = stderr.is_terminal();
            for error in errors {
                // Where nobody reads the errors either, the exit code has to do.
                let _ = writeln!(stderr, "{}", error.render(colour));
            }
            EXIT_USAGE
        }
    }
}
