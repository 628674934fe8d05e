//! The playout of one session at a listener: a jitter buffer and a playhead.
//!
//! Frames wait in the buffer until their turn comes, so that those that were delayed more than
//! others are still in time. The deeper the buffer, the more it forgives and the later everything
//! is heard. Playing begins when the target depth is reached. When the buffer runs empty the
//! playhead waits, and playing begins again at the target depth: nothing is left out because it
//! came late as a whole.

use std::collections::BTreeMap;

use super::defects::{Defect, Planted};
use super::events::Counts;
use super::message::{Format, Payload};
use super::song::{FrameInfo, frame_time};
use crate::node::LocalTime;

/// A frame in the buffer.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its samples.
    pub payload: Payload,
    /// What is known of the samples.
    pub info: FrameInfo,
    /// Its digest is not that of its samples.
    pub damaged: bool,
}

/// What became of a frame that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It waits for its turn.
    Buffered,
    /// It has come before.
    Duplicate,
    /// Its turn is over.
    Late,
    /// It is too far ahead.
    Refused,
}

impl Arrival {
    /// The word for the trace.
    pub fn word(self) -> &'static str {
        match self {
            Arrival::Buffered => "buffered",
            Arrival::Duplicate => "duplicate",
            Arrival::Late => "late",
            Arrival::Refused => "refused",
        }
    }
}

/// What is heard in one frame time.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A frame.
    Frame(u32, Held),
    /// A gap in the place of this frame, which has not come.
    Lost(u32),
    /// Nothing: the buffer is empty, and this frame is waited for.
    Empty(u32),
    /// The session is over.
    End,
}

/// Whether sound comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not yet: the buffer fills for the first time.
    Starting,
    /// The buffer fills again after it was empty.
    Filling,
    Playing,
    Ended,
}

/// The playout of a session.
#[derive(Clone, Debug)]
pub struct Playout {
    /// The session.
    pub session: u32,
    /// Its frames in all.
    pub frames: u32,
    /// How they are to be played.
    pub format: Format,
    /// The first frame that is to be heard here; not 0 for a listener that comes late.
    pub first: u32,
    buffer: BTreeMap<u32, Held>,
    /// The next frame to be heard. Invariant: every frame in the buffer is at or after it.
    next: u32,
    /// One more than the highest frame that is known to exist.
    known: u32,
    /// The frames whose second copies would be no news, played or not.
    seen: Seen,
    state: State,
    /// Since when nothing is heard: the session's first frame, or the buffer's last.
    waits_since: LocalTime,
    target: u32,
    most: u32,
    planted: Planted,
    /// What was heard so far.
    pub counts: Counts,
}

impl Playout {
    /// A session of which the first frame has come. Those shortly before it are asked for too:
    /// perhaps they only were slower.
    pub fn new(
        (session, frames): (u32, u32),
        format: Format,
        arrived: u32,
        (target, most): (u32, u32),
        now: LocalTime,
        planted: Planted,
    ) -> Playout {
        let first = arrived.saturating_sub(target);
        Playout {
            session,
            frames,
            format,
            first,
            buffer: BTreeMap::new(),
            next: first,
            known: first,
            seen: Seen::default(),
            state: State::Starting,
            waits_since: now,
            target,
            most,
            planted,
            counts: Counts::default(),
        }
    }

    /// The session is at this frame already: sequence numbers mean frames near it.
    pub fn expect(&mut self, frame: u32) {
        self.known = self.known.max(frame);
    }

    /// Frames in the buffer.
    pub fn depth(&self) -> usize {
        self.buffer.len()
    }

    /// The highest frame that has come.
    pub fn highest(&self) -> u32 {
        self.known.saturating_sub(1)
    }

    /// Whether sound comes out, or should: the playhead is on its way.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Filling | State::Playing)
    }

    /// Whether everything was heard.
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether frames are still to come.
    pub fn expects_frames(&self) -> bool {
        self.state != State::Ended && self.known < self.frames
    }

    /// A frame has come.
    pub fn insert(&mut self, frame: u32, held: Held) -> Arrival {
        if frame >= self.frames {
            return Arrival::Refused;
        }
        self.known = self.known.max(frame + 1);
        if self.seen.contains(frame) {
            if self.planted.plants(Defect::DuplicatesCounted) {
                self.counts.played += 1;
            }
            return Arrival::Duplicate;
        }
        if frame < self.next
            && (self.state != State::Playing || !self.planted.plants(Defect::LateFramesPlayed))
        {
            self.seen.insert(frame);
            return Arrival::Late;
        }
        if frame >= self.next.saturating_add(self.most)
            && !self.planted.plants(Defect::UnboundedBuffer)
        {
            return Arrival::Refused;
        }
        self.seen.insert(frame);
        self.buffer.insert(frame, held);
        Arrival::Buffered
    }

    /// Whether playing can begin: as many frames as the target depth asks for are there, without a
    /// gap. Those that are missing were asked for; who has waited twice as long as the buffer is
    /// deep goes on without them.
    pub fn is_ready(&self, now: LocalTime) -> bool {
        let none = self.target > 1 && self.planted.plants(Defect::NoJitterBuffer);
        let depth = if none { 1 } else { self.target };
        let target = depth.min(self.frames - self.next.min(self.frames));
        let whole = (self.next..self.next.saturating_add(target))
            .all(|frame| self.buffer.contains_key(&frame));
        let patience = frame_time(self.format.frame_samples, self.format.rate) * 2 * self.target;
        !self.buffer.is_empty() && (whole || now.saturating_since(self.waits_since) >= patience)
    }

    /// Begin to play, for the first time.
    pub fn start(&mut self) {
        self.state = State::Playing;
    }

    /// A frame time has begun: what is heard in it?
    pub fn tick(&mut self, now: LocalTime) -> Heard {
        if self.state == State::Filling && self.is_ready(now) {
            self.state = State::Playing;
        }
        if self.next >= self.frames && self.buffer.is_empty() {
            self.state = State::Ended;
            return Heard::End;
        }
        let first = self.buffer.first_key_value().map(|(frame, _)| *frame);
        match first {
            _ if self.state != State::Playing => self.wait(),
            // With the right rules no frame in the buffer is behind the playhead.
            Some(frame) if frame <= self.next => {
                let held = self.buffer.remove(&frame).expect("it is the first");
                self.next = self.next.max(frame + 1);
                self.counts.played += 1;
                Heard::Frame(frame, held)
            }
            Some(_) => {
                self.next += 1;
                self.counts.lost += 1;
                self.counts.concealed += 1;
                Heard::Lost(self.next - 1)
            }
            None => {
                (self.state, self.waits_since) = (State::Filling, now);
                self.counts.underruns += 1;
                self.wait()
            }
        }
    }

    fn wait(&mut self) -> Heard {
        self.counts.concealed += 1;
        if self.next >= self.frames || !self.planted.plants(Defect::PlayheadRunsOn) {
            return Heard::Empty(self.next);
        }
        self.next += 1;
        self.counts.lost += 1;
        self.buffer.retain(|frame, _| *frame >= self.next);
        Heard::Lost(self.next - 1)
    }

    /// Frames that are missing and could still be heard, at most so many. While nothing comes,
    /// those that should have come are asked for too.
    pub fn missing(&self, most: usize, silent: bool) -> Vec<u32> {
        if self.state == State::Ended {
            return vec![];
        }
        let known = if silent { self.known.saturating_add(self.target) } else { self.known };
        let to = known.min(self.next.saturating_add(self.most)).min(self.frames);
        (self.next..to).filter(|frame| !self.buffer.contains_key(frame)).take(most).collect()
    }
}

/// A set of frames that has few gaps, kept as ranges.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// End by beginning.
    ranges: BTreeMap<u32, u32>,
}

impl Seen {
    fn contains(&self, frame: u32) -> bool {
        self.ranges.range(..=frame).next_back().is_some_and(|(_, end)| frame < *end)
    }

    fn insert(&mut self, frame: u32) {
        let mut begin = frame;
        if let Some((before, end)) =
            self.ranges.range(..=frame).next_back().map(|(begin, end)| (*begin, *end))
        {
            if frame < end {
                return;
            }
            if end == frame {
                begin = before;
            }
        }
        let end = self.ranges.remove(&(frame + 1)).unwrap_or(frame + 1);
        self.ranges.insert(begin, end);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn held() -> Held {
        Held {
            payload: Payload::new(vec![0; 4].into(), 0..4),
            info: FrameInfo { digest: 1, peak: 0 },
            damaged: false,
        }
    }

    fn playout() -> Playout {
        Playout::new(
            (1, 10),
            Format { rate: 8_000, channels: 1, frame_samples: 160 },
            0,
            (3, 6),
            LocalTime::ZERO,
            Planted::default(),
        )
    }

    fn heard(heard: &Heard) -> String {
        match heard {
            Heard::Frame(frame, _) => format!("{frame}"),
            Heard::Lost(frame) => format!("lost {frame}"),
            Heard::Empty(frame) => format!("empty {frame}"),
            Heard::End => "end".into(),
        }
    }

    /// A gap is concealed and goes on; an empty buffer pauses until three frames are there again;
    /// and what comes too late is not played.
    #[test]
    fn a_gap_is_skipped_and_an_empty_buffer_waits() {
        let mut playout = playout();
        for frame in [0, 2, 2] {
            playout.insert(frame, held());
        }
        let soon = LocalTime::from_micros(119_999);
        assert!(!playout.is_ready(soon), "two of three frames are there");
        assert!(
            playout.is_ready(soon + Duration::from_micros(1)),
            "six frame times are long enough to wait for the third"
        );
        assert_eq!(playout.missing(9, false), [1], "it is known to exist");
        playout.start();
        let first: Vec<String> = (0..4).map(|_| heard(&playout.tick(soon))).collect();
        assert_eq!(first, ["0", "lost 1", "2", "empty 3"]);
        assert_eq!(playout.insert(1, held()), Arrival::Late);
        assert_eq!(playout.insert(9, held()), Arrival::Refused, "six frames ahead at the most");
        for frame in [3, 4] {
            assert_eq!(playout.insert(frame, held()), Arrival::Buffered);
        }
        assert_eq!(playout.missing(9, false), [5, 6, 7, 8], "frame 9 has shown that they exist");
        for frame in 5..8 {
            playout.insert(frame, held());
        }
        let second: Vec<String> = (0..5).map(|_| heard(&playout.tick(soon))).collect();
        assert_eq!(second, ["3", "4", "5", "6", "7"]);
        for frame in [8, 9] {
            playout.insert(frame, held());
        }
        let third: Vec<String> = (0..3).map(|_| heard(&playout.tick(soon))).collect();
        assert_eq!(third, ["8", "9", "end"]);
        assert_eq!(playout.counts, Counts { played: 9, lost: 1, concealed: 2, underruns: 1 });
    }

    /// Ranges that meet become one.
    #[test]
    fn seen_frames_are_kept_as_ranges() {
        let mut seen = Seen::default();
        [5, 3, 4, 9, 4].into_iter().for_each(|frame| seen.insert(frame));
        assert_eq!(seen.ranges, BTreeMap::from([(3, 6), (9, 10)]));
        assert!(seen.contains(5) && !seen.contains(6) && !seen.contains(2));
    }
}
