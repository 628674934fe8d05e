//! Standard output.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::error::{Error, io_reason};

/// Lines for standard output. When the reader has gone (`| head`) the rest is silently dropped and
/// the command goes on: its files and its exit code may still be wanted. Any other failure is kept
/// for [`Console::finish`].
pub struct Console {
    out: Box<dyn Write>,
    failed: Option<io::Error>,
}

impl Console {
    /// The program's standard output.
    pub fn stdout() -> Console {
        Console::to(Box::new(io::BufWriter::new(io::stdout())))
    }

    /// Any other writer.
    pub fn to(out: Box<dyn Write>) -> Console {
        Console { out, failed: None }
    }

    /// Write a line.
    pub fn line(&mut self, line: impl Display) {
        if self.failed.is_none() {
            self.failed = writeln!(self.out, "{line}").err();
        }
    }

    /// Flush what has been written so far, before something that takes long.
    pub fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.flush().err();
        }
    }

    /// Write what is left, and return the first failure.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.flush();
        match self.failed.take() {
            Some(cause) if cause.kind() != ErrorKind::BrokenPipe => {
                let message = format!("cannot write to standard output: {}", io_reason(&cause));
                Err(Error::new(
                    message,
                    "redirect it, as in: seedbed … > FILE; the other files were written correctly",
                ))
            }
            _ => Ok(()),
        }
    }
}
