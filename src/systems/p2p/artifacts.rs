//! Further files of a report, made from the trace alone: the operation log as the logging server
//! has it, and all transfers.

use std::fmt::Write as _;

use super::vocabulary::{Fetched, Logged};
use crate::trace::Trace;
use crate::vocabulary::Event as _;

/// A text as a cell of a table. Only names in damaged traces have commas.
fn cell(text: &str) -> String {
    text.replace([',', '"', '\n'], "_")
}

/// The operation log: user, operation, date and time, file.
pub fn operation_log(trace: &Trace) -> Vec<u8> {
    let mut text = "sequence,user,operation,date,file\n".to_owned();
    for event in trace.events.iter().filter(|event| event.name == Logged::NAME) {
        let Some(Logged { sequence, operation, date, user, file }) = Logged::read(&event.fields)
        else {
            continue;
        };
        let row = [&*user, &*operation, &date.0, &*file].map(cell).join(",");
        let _ = writeln!(text, "{sequence},{row}");
    }
    text.into_bytes()
}

/// All transfers with their outcomes.
pub fn transfers(trace: &Trace) -> Vec<u8> {
    let mut text = "time_us,peer,from,file,name,outcome,bytes,digest\n".to_owned();
    for event in trace.events.iter().filter(|event| event.name == Fetched::NAME) {
        let Some(end) = Fetched::read(&event.fields) else { continue };
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{:016x}",
            event.time_us,
            trace.name(event.node),
            end.from.map_or("none", |from| trace.name(from)),
            cell(&end.file),
            cell(&end.name),
            end.outcome.word(),
            end.bytes,
            end.digest.0
        );
    }
    text.into_bytes()
}
