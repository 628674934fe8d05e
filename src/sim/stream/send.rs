//! The sending half of an end: the buffer, what of it is on its way, and what must be sent again.

use std::collections::VecDeque;

use super::segment::Kind;
use crate::scenario::StreamSpec;

/// At most this many segments are on their way, however small they are. There is no congestion control: the
/// receiver's window and this number are the only limits, and the queue of a link with a bandwidth
/// loses what is too much for it.
const SEGMENTS_IN_FLIGHT: usize = 128;

/// This many acknowledgements of the same position mean that the segment there is lost (RFC 5681,
/// 3.2).
const DUPLICATE_ACKS: u32 = 3;

/// Invariant: `acked <= sent <= length + 1`, where the position `length` is the FIN's and is sent
/// only after [`Sender::close`].
#[derive(Clone, Debug)]
pub(super) struct Sender {
    segment: u64,
    window: u64,
    /// The bytes from `acked` on.
    buffer: VecDeque<u8>,
    /// How many bytes have ever been written.
    length: u64,
    acked: u64,
    sent: u64,
    /// The receiver has room up to here. It never takes room back, so the largest value it ever
    /// told is the one that counts, in whatever order its acknowledgements arrive.
    edge: u64,
    /// Where each segment on its way ends, in order.
    in_flight: VecDeque<u64>,
    closing: bool,
    /// The buffer has exceeded the window and has not fallen to its half since.
    full: bool,
    duplicates: u32,
    recovery: Option<Recovery>,
}

/// Segments are lost, and all up to `until` may have to be sent again (RFC 6582, NewReno).
#[derive(Clone, Copy, Debug)]
struct Recovery {
    until: u64,
    /// Up to here it was done.
    next: u64,
    /// Segments that each further acknowledgement lets out: one where duplicate acknowledgements
    /// speak for a hole among arrived segments, two after a time-out, when everything may be lost,
    /// so that their number grows as in a slow start.
    burst: u32,
}

/// What an acknowledgement has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Acked {
    /// Something new was acknowledged.
    pub(super) progress: bool,
    /// A buffer that was full has room again.
    pub(super) writable: bool,
    /// The receiver has room again for bytes that waited for nothing else.
    pub(super) unblocked: bool,
}

impl Sender {
    pub(super) fn new(spec: &StreamSpec) -> Self {
        Sender {
            segment: u64::from(spec.segment.max(1)),
            window: u64::from(spec.window.max(1)),
            buffer: VecDeque::new(),
            length: 0,
            acked: 0,
            sent: 0,
            edge: 0,
            in_flight: VecDeque::new(),
            closing: false,
            full: false,
            duplicates: 0,
            recovery: None,
        }
    }

    /// Take bytes into the buffer, which refuses none; after [`Sender::close`] they are thrown
    /// away.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.closing {
            return;
        }
        self.buffer.extend(bytes);
        self.length += bytes.len() as u64;
        self.full |= self.buffer.len() as u64 > self.window;
    }

    /// A FIN follows the last byte.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Whether something was sent and not acknowledged.
    pub(super) fn outstanding(&self) -> bool {
        self.acked < self.sent
    }

    /// Whether bytes wait for nothing but room at the receiver, whose word that there is room again
    /// could be lost.
    pub(super) fn blocked(&self) -> bool {
        !self.outstanding() && self.sent < self.length
    }

    /// Whether everything is acknowledged, the FIN included.
    pub(super) fn finished(&self) -> bool {
        self.acked > self.length
    }

    /// Whether the FIN is the only thing whose acknowledgement is missing.
    pub(super) fn only_fin_is_missing(&self) -> bool {
        self.acked == self.length && self.sent > self.length
    }

    /// Send what the receiver has room for.
    pub(super) fn transmit(&mut self, out: &mut Vec<Kind>) {
        while self.sent < self.length && self.in_flight.len() < SEGMENTS_IN_FLIGHT {
            let wanted = (self.length - self.sent).min(self.segment);
            let size = wanted.min(self.edge.saturating_sub(self.sent));
            // A small rest of a window is not worth a segment while others are on their way, whose
            // acknowledgements will widen it: the silly window syndrome (RFC 9293, 3.8.6.2.1).
            if size == 0 || (size < wanted && self.outstanding()) {
                break;
            }
            out.push(Kind::Data { seq: self.sent, bytes: self.copy(self.sent, size) });
            self.sent += size;
            self.in_flight.push_back(self.sent);
        }
        if self.closing && self.sent == self.length {
            out.push(Kind::Fin { seq: self.length });
            self.sent += 1;
            self.in_flight.push_back(self.sent);
        }
    }

    /// The peer has everything before `ack`, and room for `window` bytes from there. `bare`: the
    /// segment brought nothing else.
    pub(super) fn on_ack(
        &mut self,
        ack: u64,
        window: u32,
        bare: bool,
        out: &mut Vec<Kind>,
    ) -> Acked {
        if ack > self.length + u64::from(self.closing) {
            return Acked::default();
        }
        let edge = self.edge.max(ack + u64::from(window));
        let wider = edge > self.edge;
        let unblocked = wider && self.blocked();
        self.edge = edge;
        if ack > self.acked {
            return self.advance(ack, out);
        }
        if ack == self.acked && bare && !wider && self.outstanding() {
            self.duplicates += 1;
            if self.duplicates == DUPLICATE_ACKS && self.recovery.is_none() {
                self.recover(1, out);
            }
        }
        Acked { unblocked, ..Acked::default() }
    }

    fn advance(&mut self, ack: u64, out: &mut Vec<Kind>) -> Acked {
        let bytes = ack.min(self.length) - self.acked.min(self.length);
        self.buffer.drain(..usize::try_from(bytes).expect("no more than the buffer holds"));
        self.acked = ack;
        // The byte of a window probe can be acknowledged although it never counted as sent.
        self.sent = self.sent.max(ack);
        while self.in_flight.front().is_some_and(|end| *end <= ack) {
            self.in_flight.pop_front();
        }
        self.duplicates = 0;
        match self.recovery {
            Some(recovery) if ack < recovery.until => self.resend(recovery, out),
            _ => self.recovery = None,
        }
        let writable = self.full && self.buffer.len() as u64 <= self.window / 2;
        self.full &= !writable;
        Acked { progress: true, writable, unblocked: false }
    }

    /// No answer for the whole time-out: send the first segment again, or, where nothing is on its
    /// way, ask with one byte whether the receiver has room by now.
    pub(super) fn on_timeout(&mut self, out: &mut Vec<Kind>) {
        if self.outstanding() {
            self.recover(2, out);
        } else if self.blocked() {
            out.push(Kind::Data { seq: self.sent, bytes: self.copy(self.sent, 1) });
        }
    }

    fn recover(&mut self, burst: u32, out: &mut Vec<Kind>) {
        self.duplicates = 0;
        self.resend(Recovery { until: self.sent, next: self.acked, burst: 1 }, out);
        if let Some(recovery) = &mut self.recovery {
            recovery.burst = burst;
        }
    }

    /// Send up to `burst` segments again, from where the last time ended or the peer's first gap
    /// is.
    fn resend(&mut self, mut recovery: Recovery, out: &mut Vec<Kind>) {
        for _ in 0..recovery.burst {
            let from = recovery.next.max(self.acked);
            if from >= recovery.until {
                break;
            }
            let size = (recovery.until.min(self.length).saturating_sub(from)).min(self.segment);
            if size == 0 {
                out.push(Kind::Fin { seq: self.length });
            } else {
                out.push(Kind::Data { seq: from, bytes: self.copy(from, size) });
            }
            recovery.next = from + size.max(1);
        }
        self.recovery = Some(recovery);
    }

    /// `size` bytes of the buffer from position `from`.
    fn copy(&self, from: u64, size: u64) -> Vec<u8> {
        let start = usize::try_from(from - self.acked).expect("a position within the buffer");
        let end = start + usize::try_from(size).expect("no more than a segment");
        let (front, back) = self.buffer.as_slices();
        let split = front.len();
        let mut bytes = Vec::with_capacity(end - start);
        bytes.extend_from_slice(&front[start.min(split)..end.min(split)]);
        bytes.extend_from_slice(&back[start.saturating_sub(split)..end.saturating_sub(split)]);
        bytes
    }
}
