//! The directory's reports to the logging server: sent again until they are confirmed, and never
//! waited for.
//!
//! The lines are those of the journal, so they survive a crash. After one the directory does not
//! know how far the log reaches; it begins with the first lines, and the logging server answers
//! with where it is.

use super::journal::Request;
use super::message::{LogLine, P2pMessage};
use super::node::{Ctx, P2pTimer};
use super::settings::P2pSettings;
use super::vocabulary::Reported;
use crate::node::NodeId;

/// All lines, and how far they are confirmed.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Invariant: the sequence number of a line is its position, from 1.
    lines: Vec<LogLine>,
    /// Confirmed up to this sequence number.
    confirmed: u64,
    /// Whether a report is under way.
    waiting: bool,
}

impl Outbox {
    /// The sequence number of the last line.
    pub fn last(&self) -> u64 {
        self.lines.len() as u64
    }

    /// Confirmed up to this sequence number.
    pub fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// Add a line.
    pub fn push(&mut self, line: LogLine) {
        assert_eq!(line.sequence, self.last() + 1, "sequence numbers have no gaps");
        self.lines.push(line);
    }

    /// Send what is not confirmed, unless a report is under way.
    pub fn report(&mut self, ctx: &mut Ctx<'_>, settings: &P2pSettings, logger: Option<NodeId>) {
        if !self.waiting {
            self.send(ctx, settings, logger);
        }
    }

    /// No answer has come.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, settings: &P2pSettings, logger: Option<NodeId>) {
        self.send(ctx, settings, logger);
    }

    fn send(&mut self, ctx: &mut Ctx<'_>, settings: &P2pSettings, logger: Option<NodeId>) {
        let Some(lines) =
            self.lines.get(self.confirmed as usize..).filter(|lines| !lines.is_empty())
        else {
            self.waiting = false;
            return ctx.cancel_timer(P2pTimer::Report);
        };
        let lines = &lines[..lines.len().min(settings.report_lines)];
        if let Some(logger) = logger {
            ctx.send(logger, P2pMessage::Report { lines: lines.into() });
        }
        self.waiting = true;
        ctx.set_timer(P2pTimer::Report, settings.report_interval);
    }

    /// The logging server has all lines up to this one. Answers may come out of order: an earlier
    /// one takes nothing back.
    pub fn on_ack(
        &mut self,
        ctx: &mut Ctx<'_>,
        settings: &P2pSettings,
        logger: Option<NodeId>,
        upto: u64,
    ) {
        if upto > self.confirmed {
            self.confirmed = upto;
            ctx.emit(Reported { upto });
            self.send(ctx, settings, logger);
        }
    }
}

/// The line of the operation log for a request.
pub fn line(sequence: u64, request: &Request) -> LogLine {
    let operation = &request.operation;
    LogLine {
        sequence,
        user: operation.user().to_owned(),
        operation: operation.service.word().into(),
        date: request.date.clone(),
        file: operation.file().to_owned(),
    }
}
