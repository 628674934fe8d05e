//! A request of a peer: first to the date service for date and time, then with them to the
//! directory.
//!
//! Each has its own limit of time, `workload.timeout`; within it, a try that is refused, broken off
//! or slower than `workload.retry_after` is followed by another on a new connection. All tries have
//! the same number, so that the directory executes one of them. A peer that was never connected to
//! the directory knows that nothing was asked; one that was, and heard nothing, knows nothing.

use std::time::Duration;

use super::date::date_text;
use super::framing::{Strings, encode};
use super::journal::RequestId;
use super::node::{P2pTimer, Step};
use super::service::{Operation, Reply};
use super::{date_service, directory};
use crate::node::{NodeId, StreamEvent, StreamId};

/// The pause after a try that ended at once.
const PAUSE: Duration = Duration::from_millis(50);

/// Whom a peer asks, and how long it waits.
#[derive(Clone, Debug)]
pub struct Services {
    /// The directory.
    pub directory: NodeId,
    /// The date service.
    pub date_service: NodeId,
    /// For each of the two, all tries included.
    pub timeout: Duration,
    /// For one try.
    pub retry_after: Duration,
    /// The size of a connection's send buffer, bytes.
    pub send_buffer: usize,
    /// With a mistake: the own clock will do where the date service does not answer.
    pub own_clock: bool,
}

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    Pending,
    /// Date and time are known: [`Asking::ask_directory`] is next.
    Dated,
    /// The directory has answered.
    Answered(Reply),
    /// The date service has not.
    NoDate,
    /// The directory was never reached.
    NotReached,
    /// The directory was reached and has not answered.
    NoAnswer,
}

/// A request under way.
#[derive(Debug)]
pub struct Asking {
    pub operation: Operation,
    id: RequestId,
    date: Option<String>,
    /// Whether any try has sent the request to the directory.
    sent: bool,
    stream: Option<StreamId>,
    /// What this try has brought so far.
    strings: Strings,
    status: Option<u8>,
    count: Option<usize>,
    items: Vec<String>,
}

impl Asking {
    /// Ask for the date.
    pub fn start(
        ctx: &mut Step<'_>,
        services: &Services,
        id: RequestId,
        operation: Operation,
    ) -> Asking {
        let mut asking = Asking {
            operation,
            id,
            date: None,
            sent: false,
            stream: None,
            strings: Strings::default(),
            status: None,
            count: None,
            items: vec![],
        };
        ctx.set_timer(P2pTimer::Deadline, services.timeout);
        asking.try_again(ctx, services);
        asking
    }

    /// Ask the directory, now that the date is known.
    pub fn ask_directory(&mut self, ctx: &mut Step<'_>, services: &Services) {
        ctx.set_timer(P2pTimer::Deadline, services.timeout);
        self.try_again(ctx, services);
    }

    /// A new connection to whoever is asked at present.
    pub fn try_again(&mut self, ctx: &mut Step<'_>, services: &Services) {
        if let Some(stream) = self.stream.take() {
            ctx.reset(stream);
        }
        (self.strings, self.status, self.count, self.items) =
            (Strings::default(), None, None, vec![]);
        self.stream = Some(match self.date {
            None => ctx.connect(services.date_service, date_service::PORT),
            Some(_) => ctx.connect(services.directory, directory::PORT),
        });
        ctx.set_timer(P2pTimer::Attempt, services.retry_after);
    }

    /// The time is over.
    pub fn on_deadline(&mut self, ctx: &mut Step<'_>, services: &Services) -> Progress {
        if let Some(stream) = self.stream.take() {
            ctx.reset(stream);
        }
        if self.date.is_none() && services.own_clock {
            self.date = Some(date_text(ctx.wall()));
            return Progress::Dated;
        }
        ctx.cancel_timer(P2pTimer::Attempt);
        match (&self.date, self.sent) {
            (None, _) => Progress::NoDate,
            (Some(_), false) => Progress::NotReached,
            (Some(_), true) => Progress::NoAnswer,
        }
    }

    /// Something happened on a stream; of other streams than that of this try nothing is expected.
    pub fn on_stream(&mut self, ctx: &mut Step<'_>, event: &StreamEvent) -> Progress {
        match event {
            StreamEvent::Connected(stream) if self.stream == Some(*stream) => {
                let bytes = self.request();
                ctx.write(*stream, bytes);
            }
            StreamEvent::Data(stream, bytes) if self.stream == Some(*stream) => {
                self.strings.push(bytes);
                let progress =
                    if self.date.is_none() { self.read_date() } else { self.read_reply() };
                if progress != Some(Progress::Pending) {
                    self.stream = None;
                    ctx.close(*stream);
                    ctx.cancel_timer(P2pTimer::Attempt);
                    ctx.cancel_timer(P2pTimer::Deadline);
                }
                match progress {
                    Some(progress) => return progress,
                    // Nonsense: as good as no answer.
                    None => self.pause(ctx, *stream),
                }
            }
            StreamEvent::PeerClosed(stream) if self.stream == Some(*stream) => {
                ctx.close(*stream);
                self.pause(ctx, *stream);
            }
            StreamEvent::Refused(stream)
            | StreamEvent::Reset(stream)
            | StreamEvent::TimedOut(stream) => self.pause(ctx, *stream),
            _ => {}
        }
        Progress::Pending
    }

    /// This try has failed; the next one follows soon.
    fn pause(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        if self.stream == Some(stream) {
            self.stream = None;
            ctx.set_timer(P2pTimer::Attempt, PAUSE);
        }
    }

    fn request(&mut self) -> Vec<u8> {
        let Some(date) = &self.date else { return encode([date_service::REQUEST]) };
        self.sent = true;
        let id = self.id.wire();
        let head = [self.operation.service.wire(), date.as_str(), id.as_str()];
        encode(head.into_iter().chain(self.operation.strings.iter().map(String::as_str)))
    }

    fn read_date(&mut self) -> Option<Progress> {
        match self.strings.string().ok()? {
            None => Some(Progress::Pending),
            Some(date) => {
                self.date = Some(date);
                Some(Progress::Dated)
            }
        }
    }

    /// `None`: what has come is no reply.
    fn read_reply(&mut self) -> Option<Progress> {
        let service = self.operation.service;
        if self.status.is_none() {
            let Some(byte) = self.strings.byte() else { return Some(Progress::Pending) };
            self.status = Some(byte.checked_sub(b'0').filter(|status| *status <= service.fail())?);
        }
        let status = self.status.expect("it was read above");
        if status == 0 && service.width() > 0 {
            while self.count.is_none_or(|count| self.items.len() < count * service.width()) {
                let Some(string) = self.strings.string().ok()? else {
                    return Some(Progress::Pending);
                };
                match self.count {
                    None => self.count = Some(string.parse().ok()?),
                    Some(_) => self.items.push(string),
                }
            }
        }
        Some(Progress::Answered(Reply { status, items: std::mem::take(&mut self.items) }))
    }
}
