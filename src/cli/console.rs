//! The standard output.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::error::{Error, io_reason};

/// Lines for the standard output. When the reader has gone (`| head`) the rest is dropped in
/// silence, and the verb goes on: its files and its exit code may still be wanted. Any other
/// failure is kept for [`Console::finish`].
pub struct Console {
    out: Box<dyn Write>,
    failed: Option<io::Error>,
}

impl Console {
    /// The program's standard output.
    pub fn stdout() -> Console {
        Console::to(Box::new(io::BufWriter::new(io::stdout())))
    }

    /// Any other place.
    pub fn to(out: Box<dyn Write>) -> Console {
        Console { out, failed: None }
    }

    /// Write a line.
    pub fn line(&mut self, line: impl Display) {
        if self.failed.is_none() {
            self.failed = writeln!(self.out, "{line}").err();
        }
    }

    /// Show what was written so far: before something that takes long.
    pub fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.flush().err();
        }
    }

    /// Write out what is left, and tell what went wrong.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.flush();
        match self.failed.take() {
            Some(cause) if cause.kind() != ErrorKind::BrokenPipe => {
                let message = format!("cannot write to the standard output: {}", io_reason(&cause));
                Err(Error::new(
                    message,
                    "send it elsewhere, as in: seedbed … > FILE; nothing is wrong with what was \
                        written to other files",
                ))
            }
            _ => Ok(()),
        }
    }
}
