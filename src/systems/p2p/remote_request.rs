//! A request of a peer: first it asks the date service for date and time, and with them the
//! directory.
//!
//! Each of the two has its own time limit, `workload.timeout`. Within it, a try that is refused,
//! broken off or slower than `workload.retry_after` is followed by another on a new connection. All
//! tries have the same number, so that the directory executes one of them. A peer that was never
//! connected to the directory knows that nothing was asked; one that was, and has no answer, cannot
//! know whether its request was executed.

use std::time::Duration;

use super::date::date_text;
use super::defects::{Defect, Planted};
use super::framing::{Strings, encode};
use super::journal::RequestId;
use super::node::{Ctx, P2pTimer};
use super::service::{Operation, Reply};
use super::{date_service, directory};
use crate::node::{NodeId, StreamEvent, StreamId};

/// The pause after a try that failed before its time.
const PAUSE: Duration = Duration::from_millis(50);

/// Which nodes a peer asks, and how long it waits.
#[derive(Clone, Debug)]
pub struct Services {
    /// The directory.
    pub directory: NodeId,
    /// The date service.
    pub date_service: NodeId,
    /// The time limit for each of the two, all tries included.
    pub timeout: Duration,
    /// The time limit for one try.
    pub retry_after: Duration,
    /// The size of a connection's send buffer, bytes.
    pub send_buffer: usize,
    /// What is planted into the peer.
    pub planted: Planted,
}

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestProgress {
    /// It goes on.
    Pending,
    /// Date and time are known: [`RemoteRequest::ask_directory`] is next.
    Dated,
    /// The directory has answered.
    Answered(Reply),
    /// The date service has not answered.
    NoDate,
    /// The directory was never reached.
    NotReached,
    /// The directory was reached and has not answered.
    NoAnswer,
}

/// A request under way, with its tries.
#[derive(Debug)]
pub struct RemoteRequest {
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

impl RemoteRequest {
    /// Ask for the date.
    pub fn start(
        ctx: &mut Ctx<'_>,
        services: &Services,
        id: RequestId,
        operation: Operation,
    ) -> RemoteRequest {
        let mut request = RemoteRequest {
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
        request.try_again(ctx, services);
        request
    }

    /// Ask the directory, now that the date is known.
    pub fn ask_directory(&mut self, ctx: &mut Ctx<'_>, services: &Services) {
        ctx.set_timer(P2pTimer::Deadline, services.timeout);
        self.try_again(ctx, services);
    }

    /// Open a new connection to the node that is asked at present.
    pub fn try_again(&mut self, ctx: &mut Ctx<'_>, services: &Services) {
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

    /// The time limit is met.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>, services: &Services) -> RequestProgress {
        if let Some(stream) = self.stream.take() {
            ctx.reset(stream);
        }
        if self.date.is_none() && services.planted.plants(Defect::OwnClock) {
            self.date = Some(date_text(ctx.wall()));
            return RequestProgress::Dated;
        }
        ctx.cancel_timer(P2pTimer::Attempt);
        match (&self.date, self.sent) {
            (None, _) => RequestProgress::NoDate,
            (Some(_), false) => RequestProgress::NotReached,
            (Some(_), true) => RequestProgress::NoAnswer,
        }
    }

    /// Something happened on a stream. What comes on the stream of an earlier try is left alone.
    pub fn on_stream(&mut self, ctx: &mut Ctx<'_>, event: &StreamEvent) -> RequestProgress {
        match event {
            StreamEvent::Connected(stream) if self.stream == Some(*stream) => {
                let bytes = self.request();
                ctx.write(*stream, bytes);
            }
            StreamEvent::Data(stream, bytes) if self.stream == Some(*stream) => {
                self.strings.push(bytes);
                let progress =
                    if self.date.is_none() { self.read_date() } else { self.read_reply() };
                if progress != Some(RequestProgress::Pending) {
                    self.stream = None;
                    ctx.close(*stream);
                    ctx.cancel_timer(P2pTimer::Attempt);
                    ctx.cancel_timer(P2pTimer::Deadline);
                }
                match progress {
                    Some(progress) => return progress,
                    // Nonsense is as good as no answer.
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
        RequestProgress::Pending
    }

    /// This try has failed; the next one follows soon.
    fn pause(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
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

    fn read_date(&mut self) -> Option<RequestProgress> {
        match self.strings.string().ok()? {
            None => Some(RequestProgress::Pending),
            Some(date) => {
                self.date = Some(date);
                Some(RequestProgress::Dated)
            }
        }
    }

    /// `None`: what has come is not a reply.
    fn read_reply(&mut self) -> Option<RequestProgress> {
        let service = self.operation.service;
        if self.status.is_none() {
            let Some(byte) = self.strings.byte() else { return Some(RequestProgress::Pending) };
            self.status = Some(byte.checked_sub(b'0').filter(|status| *status <= service.fail())?);
        }
        let status = self.status.expect("it was read above");
        if status == 0 && service.width() > 0 {
            while self.count.is_none_or(|count| self.items.len() < count * service.width()) {
                let Some(string) = self.strings.string().ok()? else {
                    return Some(RequestProgress::Pending);
                };
                match self.count {
                    None => self.count = Some(string.parse().ok()?),
                    Some(_) => self.items.push(string),
                }
            }
        }
        Some(RequestProgress::Answered(Reply { status, items: std::mem::take(&mut self.items) }))
    }
}
