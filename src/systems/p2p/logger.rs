//! The logging server: a file of lines, each there once.
//!
//! Lines come with sequence numbers. The next one is stored; one that is there already is confirmed
//! again; one behind a gap has to wait until the directory, which is told how far the file reaches,
//! sends what is missing.

use super::message::{LogLine, P2pMessage};
use super::node::Ctx;
use super::records::{record, recover};
use super::vocabulary::{DateText, FoundLine, LogFound, Logged, LoggerMetrics, word};
use crate::node::{NodeId, Probe};
use crate::vocabulary::Metrics as _;

/// The file.
const LOG: &str = "operations";

/// The logging server's node.
#[derive(Default)]
pub struct Logger {
    /// The sequence number of the last line. Invariant: as many lines are in the file.
    last: u64,
}

impl Logger {
    pub fn boot(&mut self, ctx: &mut Ctx<'_>) {
        let records = recover(ctx, LOG);
        self.last = records.len() as u64;
        ctx.emit(LogFound { lines: self.last });
        for (position, strings) in (1..).zip(&records) {
            let [sequence, user, operation, date, file] = strings.as_slice() else { continue };
            let sequence = sequence.parse().unwrap_or(0);
            assert_eq!(sequence, position, "line {position} of the operation log is another one");
            ctx.emit(FoundLine {
                sequence,
                operation: word(operation),
                date: DateText(date.clone()),
                user: word(user),
                file: word(file),
            });
        }
    }

    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, message: P2pMessage) {
        let P2pMessage::Report { lines } = message else { return };
        let mut bytes = vec![];
        for line in lines.iter() {
            // A report that is repeated, or that another has overtaken, holds lines that are there;
            // after a report that was lost, the next one may begin behind a gap.
            if line.sequence == self.last + 1 {
                self.last = line.sequence;
                bytes.extend(stored(line));
                ctx.emit(Logged {
                    sequence: line.sequence,
                    operation: line.operation.clone(),
                    date: DateText(line.date.clone()),
                    user: word(&line.user),
                    file: word(&line.file),
                });
            }
        }
        if !bytes.is_empty() {
            ctx.append(LOG, bytes);
        }
        ctx.send(from, P2pMessage::ReportAck { upto: self.last });
    }

    pub fn probe(&self, probe: &mut Probe<'_>) {
        LoggerMetrics { logged: self.last }.show(probe);
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
