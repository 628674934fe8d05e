//! Sending a session: which frames' media time has come, by the leader's own clock.

use std::sync::Arc;
use std::time::Duration;

use super::checksum::Checksum;
use super::defects::{Defect, Planted};
use super::message::{Format, Frame, Payload};
use super::sequence::sequence_of;
use super::settings::AudioSettings;
use super::song::Cut;
use super::station::Position;
use crate::node::LocalTime;

/// A session while its leader sends it.
#[derive(Debug)]
pub struct Transmission {
    /// The session.
    pub session: u32,
    /// The leader's term.
    pub term: u64,
    cut: Arc<Cut>,
    first_sequence: u16,
    /// The next frame to be sent.
    pub next: u32,
    /// When the frame `anchor_frame` is due. All others follow from it.
    anchor: LocalTime,
    anchor_frame: u32,
    /// All frames before this one have certainly left this machine. Invariant: left <= proposed_at
    /// <= next.
    pub left: u32,
    /// Where it was when it proposed a position last.
    proposed_at: u32,
    /// Whether that proposal has no outcome yet. One is on its way at a time: a leader without a
    /// majority does not fill its log.
    outstanding: bool,
}

/// A leader whose process stood still for longer goes on from there, instead of sending all that it
/// has missed at once.
const STANDSTILL: Duration = Duration::from_millis(250);

impl Transmission {
    /// Begin with `from`: so many frames are due at once, the others follow one by one.
    pub fn new(
        at: Position,
        cut: Arc<Cut>,
        first_sequence: u16,
        burst: u32,
        now: LocalTime,
    ) -> Transmission {
        Transmission {
            session: at.session,
            term: at.term,
            cut,
            first_sequence,
            next: at.frame,
            anchor: now,
            anchor_frame: at.frame.saturating_add(burst),
            left: at.frame,
            proposed_at: at.frame,
            outstanding: false,
        }
    }

    /// The place of the next frame.
    pub fn position(&self) -> Position {
        Position { session: self.session, frame: self.next, term: self.term }
    }

    /// Whether all frames were sent.
    pub fn is_over(&self) -> bool {
        self.next >= self.cut.len()
    }

    /// When the next frame is due.
    pub fn due(&self) -> LocalTime {
        let ahead = self.next.saturating_sub(self.anchor_frame);
        self.anchor + self.cut.frame_time() * ahead
    }

    /// The next frame, if its time has come.
    pub fn take_due(&mut self, now: LocalTime, planted: Planted) -> Option<u32> {
        if self.is_over() || (self.due() > now && !planted.plants(Defect::NoPacing)) {
            return None;
        }
        if now.saturating_since(self.due()) > STANDSTILL && self.next >= self.anchor_frame {
            (self.anchor, self.anchor_frame) = (now, self.next);
        }
        self.next += 1;
        Some(self.next - 1)
    }

    /// The position to replicate, if it is time: `every` so many frames, and until the end is known
    /// to all.
    ///
    /// What leaves a node waits for the disk, and a crash may take it back, while the entry that
    /// speaks of it was just written. So a position says what had been sent when the one *before*
    /// was proposed: that one has an outcome, so what was sent with it has left too.
    pub fn take_proposal(&mut self, every: u32) -> Option<Position> {
        if self.outstanding
            || (self.next < self.proposed_at.saturating_add(every) && !self.is_over())
        {
            return None;
        }
        (self.outstanding, self.proposed_at) = (true, self.next);
        Some(Position { session: self.session, frame: self.left, term: self.term })
    }

    /// The last proposal has an outcome; `applied`: a majority has it.
    pub fn proposal_ended(&mut self, applied: bool) {
        self.outstanding = false;
        if applied {
            self.left = self.proposed_at;
        }
    }

    /// Whether all frames have left.
    pub fn all_left(&self) -> bool {
        self.left >= self.cut.len()
    }

    /// A frame for the wire.
    pub fn frame(&self, frame: u32, settings: &AudioSettings) -> Frame {
        let mut made =
            make((self.session, self.term), &self.cut, self.first_sequence, frame, settings);
        made.paced = frame >= self.anchor_frame;
        made
    }
}

/// A frame for the wire, as an answer to somebody who lacks it.
pub fn make(
    (session, term): (u32, u64),
    cut: &Cut,
    first_sequence: u16,
    frame: u32,
    settings: &AudioSettings,
) -> Frame {
    let mut payload = Payload::new(cut.song.pcm.clone(), cut.range(frame));
    let whole = cut.frame_samples as usize * cut.song.block();
    if payload.bytes().len() < whole && settings.planted.plants(Defect::PaddedLastFrame) {
        let mut padded = payload.bytes().to_vec();
        padded.resize(whole, 0);
        payload = Payload::new(padded.into(), 0..whole);
    }
    // What is known of a frame is its XXH3; any other checksum is made when it is needed.
    let known = cut.info(frame).filter(|_| {
        settings.checksum == Checksum::Xxh3 && payload.bytes().len() == cut.range(frame).len()
    });
    let digest = known.map_or_else(|| settings.checksum.of(payload.bytes()), |info| info.digest);
    Frame {
        session,
        term,
        sequence: sequence_of(frame, first_sequence),
        first_sequence,
        frames: cut.len(),
        timestamp: frame.wrapping_mul(cut.frame_samples),
        format: Format {
            rate: cut.song.rate,
            channels: cut.song.channels,
            frame_samples: cut.frame_samples,
        },
        paced: false,
        digest,
        payload,
    }
}
