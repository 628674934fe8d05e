//! The receiving half of an end: bytes put in order, kept while nobody reads, and handed over in
//! pieces.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::node::{StreamEvent, StreamId};
use crate::rng::Rng;
use crate::scenario::StreamSpec;
use crate::time::Time;

/// The last piece of a fragmented delivery is kept back no longer than this, so that it can merge
/// with what arrives next.
const HOLD_MAX: Duration = Duration::from_millis(10);

/// Invariant: `early` holds nothing below `next` and nothing from the promised end of the window
/// on. Bytes that the node has not taken are at most two windows: one that fills while nothing is
/// taken, and one whose room was promised when it seemed that they would be.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    window: u64,
    fragment: f64,
    /// How many bytes have arrived without a gap.
    next: u64,
    /// What has arrived beyond a gap, by position. No two overlap.
    early: BTreeMap<u64, Vec<u8>>,
    /// The length of the peer's stream, once its FIN has come.
    length: Option<u64>,
    /// Bytes in order that the node has not been given yet.
    held: Vec<u8>,
    /// Bytes that the node was given, but that wait in its backlog.
    queued: u64,
    /// The largest position that the peer was told it may send up to. It is never taken back.
    promised: u64,
    hold_until: Option<Time>,
    paused: bool,
    /// The node knows that the peer has closed.
    told: bool,
}

impl Receiver {
    pub(super) fn new(spec: &StreamSpec) -> Self {
        Receiver {
            window: u64::from(spec.window.max(1)),
            fragment: spec.fragment,
            next: 0,
            early: BTreeMap::new(),
            length: None,
            held: Vec::new(),
            queued: 0,
            promised: 0,
            hold_until: None,
            paused: false,
            told: false,
        }
    }

    /// What to acknowledge: the bytes without a gap, and one more for a FIN after them.
    pub(super) fn ack(&self) -> u64 {
        self.next + u64::from(self.has_all())
    }

    /// Where the room for bytes ends. What has arrived early lies inside of it.
    fn edge(&self) -> u64 {
        let taken = self.next.saturating_sub(self.held.len() as u64 + self.queued);
        self.promised.max(taken + self.window)
    }

    /// Promise the room that there is, as a number of bytes from the acknowledged ones on.
    pub(super) fn promise(&mut self) -> u32 {
        self.promised = self.edge();
        u32::try_from(self.promised - self.next)
            .expect("no more than the window, which was given in 32 bits")
    }

    /// Whether the peer may be waiting for room (of a segment, the least that is worth a message)
    /// that there is by now.
    pub(super) fn owes_room(&self, segment: u32) -> bool {
        !self.has_all()
            && self.promised.saturating_sub(self.next) < u64::from(segment)
            && self.edge() > self.promised
    }

    /// The node was given bytes, but they wait in its backlog.
    pub(super) fn on_queued(&mut self, bytes: u64) {
        self.queued += bytes;
    }

    /// The node took bytes from its backlog.
    pub(super) fn on_taken(&mut self, bytes: u64) {
        self.queued = self.queued.saturating_sub(bytes);
    }

    /// Whether the FIN and all bytes before it have arrived.
    pub(super) fn has_all(&self) -> bool {
        self.length == Some(self.next)
    }

    /// Whether the node was told that the peer has closed.
    pub(super) fn told(&self) -> bool {
        self.told
    }

    /// Whether bytes wait that the node has not taken.
    pub(super) fn unread(&self) -> bool {
        self.queued > 0 || !self.held.is_empty()
    }

    /// When the bytes that were kept back must be handed over.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.hold_until
    }

    /// The peer's stream ends at `length`.
    pub(super) fn on_fin(&mut self, length: u64) {
        self.length = Some(length);
    }

    /// Take in bytes from position `seq`: what is new and inside the window. Returns whether the
    /// node can have something of it.
    pub(super) fn on_data(&mut self, seq: u64, mut bytes: Vec<u8>) -> bool {
        bytes.truncate(usize::try_from(self.edge().saturating_sub(seq)).unwrap_or(usize::MAX));
        let end = seq + bytes.len() as u64;
        if end <= self.next {
            return false;
        }
        if seq > self.next {
            self.store(seq, &bytes);
            return false;
        }
        bytes.drain(..usize::try_from(self.next - seq).expect("less than a segment"));
        self.append(bytes);
        while let Some(first) = self.early.first_entry().filter(|first| *first.key() <= self.next) {
            let (seq, mut bytes) = first.remove_entry();
            let known =
                usize::try_from(self.next - seq).expect("less than a window").min(bytes.len());
            bytes.drain(..known);
            self.append(bytes);
        }
        true
    }

    fn append(&mut self, bytes: Vec<u8>) {
        self.next += bytes.len() as u64;
        if self.held.is_empty() {
            self.held = bytes;
        } else {
            self.held.extend_from_slice(&bytes);
        }
    }

    /// Keep bytes from beyond a gap, leaving out what is there already.
    fn store(&mut self, seq: u64, bytes: &[u8]) {
        let end = seq + bytes.len() as u64;
        let mut from = match self.early.range(..=seq).next_back() {
            Some((start, known)) => seq.max(start + known.len() as u64),
            None => seq,
        };
        while from < end {
            let next_known = self
                .early
                .range(from..)
                .next()
                .map(|(start, known)| (*start, start + known.len() as u64));
            let (until, resume) = match next_known {
                Some((start, known_end)) if start < end => (start, known_end),
                _ => (end, end),
            };
            if from < until {
                let piece =
                    |position: u64| usize::try_from(position - seq).expect("within the segment");
                self.early.insert(from, bytes[piece(from)..piece(until)].to_vec());
            }
            from = resume;
        }
    }

    /// Give the node what it may have. Each delivery is fragmented with the scenario's probability.
    pub(super) fn hand_over(
        &mut self,
        now: Time,
        id: StreamId,
        rng: &mut Rng,
        events: &mut Vec<StreamEvent>,
    ) {
        if !self.paused && !self.has_all() && !self.held.is_empty() && rng.chance(self.fragment) {
            self.hand_over_pieces(now, id, rng, events);
        } else if !self.paused {
            self.flush(id, events);
        }
    }

    /// Cut the bytes at drawn places, which makes long pieces and short ones. The last piece stays
    /// here every other time, until more arrives or a drawn moment has passed: so a piece can also
    /// begin before a segment and end inside of it.
    fn hand_over_pieces(
        &mut self,
        now: Time,
        id: StreamId,
        rng: &mut Rng,
        events: &mut Vec<StreamEvent>,
    ) {
        let mut rest = std::mem::take(&mut self.held);
        self.hold_until = None;
        loop {
            let size =
                usize::try_from(1 + rng.below(rest.len() as u64)).expect("no more than there is");
            let last = size == rest.len();
            if last && rng.chance(0.5) {
                self.held = rest;
                self.hold_until = Some(now + rng.duration(Duration::ZERO, HOLD_MAX));
                return;
            }
            let tail = rest.split_off(size);
            events.push(StreamEvent::Data(id, rest));
            if last {
                return;
            }
            rest = tail;
        }
    }

    /// Give the node everything that is there, and the end of the stream if that has come.
    pub(super) fn flush(&mut self, id: StreamId, events: &mut Vec<StreamEvent>) {
        self.hold_until = None;
        if !self.held.is_empty() {
            events.push(StreamEvent::Data(id, std::mem::take(&mut self.held)));
        }
        if self.has_all() && !self.told {
            self.told = true;
            events.push(StreamEvent::PeerClosed(id));
        }
    }

    /// The node reads no more for now; what arrives fills the window.
    pub(super) fn pause(&mut self) {
        self.paused = true;
        self.hold_until = None;
    }

    /// The node reads again.
    pub(super) fn resume(&mut self, id: StreamId, events: &mut Vec<StreamEvent>) {
        self.paused = false;
        self.flush(id, events);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(window: u32, fragment: f64) -> Receiver {
        Receiver::new(&StreamSpec { window, fragment, ..StreamSpec::default() })
    }

    fn bytes_of(events: &[StreamEvent]) -> Vec<u8> {
        let mut bytes = vec![];
        for event in events {
            if let StreamEvent::Data(_, piece) = event {
                assert!(
                    !piece.is_empty(),
                    "an empty piece looks like the end of a stream to a socket program"
                );
                bytes.extend_from_slice(piece);
            }
        }
        bytes
    }

    /// A stream is what was written, so overlapping pieces in any order give each byte once.
    #[test]
    fn pieces_in_any_order_and_overlap_give_each_byte_once() {
        let text: Vec<u8> = (0..200).collect();
        for seed in 0..500 {
            let mut rng = Rng::named(seed, "test");
            let mut receiver = receiver(1_000, 0.3);
            let mut events = vec![];
            while receiver.next < 200 {
                let from = rng.below(200) as usize;
                let to = rng.between(from as u64 + 1, 200) as usize;
                receiver.on_data(from as u64, text[from..to].to_vec());
                receiver.hand_over(Time::ZERO, StreamId(1), &mut rng, &mut events);
                let mut end = receiver.next;
                for (start, piece) in &receiver.early {
                    assert!(*start >= end, "seed {seed}: overlap in {:?}", receiver.early);
                    end = start + piece.len() as u64;
                }
            }
            receiver.flush(StreamId(1), &mut events);
            assert_eq!(bytes_of(&events), text, "seed {seed}");
        }
    }

    /// The window is a promise of memory: whatever a sender does, no more than it is kept.
    #[test]
    fn bytes_beyond_the_window_are_not_kept() {
        let mut receiver = receiver(10, 0.0);
        receiver.pause();
        receiver.on_data(2, vec![7; 30]);
        assert_eq!(receiver.early.values().map(Vec::len).sum::<usize>(), 8);
        receiver.on_data(0, vec![7; 30]);
        assert_eq!((receiver.next, receiver.held.len(), receiver.promise()), (10, 10, 0));
        assert!(!receiver.on_data(10, vec![7]), "there is no room");
    }

    /// A program must see the end of the stream after its last byte, also where it reads late.
    #[test]
    fn the_end_of_the_stream_comes_after_its_last_byte() {
        let mut receiver = receiver(100, 1.0);
        let mut events = vec![];
        receiver.pause();
        receiver.on_fin(3);
        assert_eq!(receiver.ack(), 0);
        receiver.on_data(0, b"abc".to_vec());
        receiver.hand_over(Time::ZERO, StreamId(1), &mut Rng::named(1, "test"), &mut events);
        assert_eq!((receiver.ack(), events.len()), (4, 0));
        receiver.resume(StreamId(1), &mut events);
        assert_eq!(
            events,
            [StreamEvent::Data(StreamId(1), b"abc".to_vec()), StreamEvent::PeerClosed(StreamId(1))]
        );
    }
}
