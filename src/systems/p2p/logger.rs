//! The logging server: a file of lines, each there once.
//!
//! Lines come with sequence numbers. The next one is stored, one that is there already is confirmed
//! again, and one behind a gap has to wait until the directory, told how far the file reaches,
//! sends what is missing.

use super::events;
use super::message::{LogLine, P2pMessage};
use super::node::Step;
use super::records::{record, recover};
use crate::node::{NodeId, Probe};

/// The file.
const LOG: &str = "operations";

/// The state of the server.
#[derive(Default)]
pub struct Logger {
    /// The sequence number of the last line.
    last: u64,
}

impl Logger {
    pub fn boot(&mut self, ctx: &mut Step<'_>) {
        let records = recover(ctx, LOG);
        self.last = records.len() as u64;
        events::log_found(ctx, self.last);
        for strings in &records {
            let [sequence, user, operation, date, file] = strings.as_slice() else { continue };
            events::log_line(
                ctx,
                "log_line",
                sequence.parse().unwrap_or(0),
                operation,
                date,
                user,
                file,
            );
        }
    }

    pub fn on_message(&mut self, ctx: &mut Step<'_>, from: NodeId, message: P2pMessage) {
        let P2pMessage::Report { lines } = message else { return };
        let mut bytes = vec![];
        for line in lines.iter() {
            if line.sequence == self.last + 1 {
                self.last = line.sequence;
                bytes.extend(stored(line));
                events::log_line(
                    ctx,
                    "logged",
                    line.sequence,
                    &line.operation,
                    &line.date,
                    &line.user,
                    &line.file,
                );
            }
        }
        if !bytes.is_empty() {
            ctx.append(LOG, bytes);
        }
        ctx.send(from, P2pMessage::ReportAck { upto: self.last });
    }

    pub fn probe(&self, probe: &mut Probe<'_>) {
        probe.int("logged", self.last as i64);
    }
}

fn stored(line: &LogLine) -> Vec<u8> {
    record([
        line.sequence.to_string().as_str(),
        &line.user,
        &line.operation,
        &line.date,
        &line.file,
    ])
}
