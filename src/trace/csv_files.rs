//! The four CSV files: the lists of a trace as text that a spreadsheet, a data frame and a person
//! read.
//!
//! What is written can be read back record by record. Where a column holds a value of any kind
//! (`fields`, `value` of a metric), its first character tells the kind; [`values`] has the grammar.
//! Whatever else the files hold is refused with its place.

mod read;
mod values;
mod write;

use std::fmt;

pub use read::read_csv;
pub use write::{Record, write_csv};

/// The file names, in the order in which they are written and read.
pub const CSV_FILES: [&str; 4] = ["history.csv", "events.csv", "messages.csv", "metrics.csv"];

const HISTORY: &[&str] = &["index", "time_us", "process", "type", "f", "value", "error"];
const EVENTS: &[&str] = &["index", "time_us", "node", "incarnation", "event", "fields"];
const MESSAGES: &[&str] =
    &["id", "sent_us", "recv_us", "src", "dest", "type", "bytes", "outcome", "detail"];
const METRICS: &[&str] = &["time_us", "node", "metric", "value"];

/// Why a stored trace could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvError {
    /// The file.
    pub file: String,
    /// Its line, from 1; `None` where the file as a whole is at fault.
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for CsvError {}
