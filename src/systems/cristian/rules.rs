//! Every decision that a planted mistake can turn: what is right, and what the mistake makes of it.
//!
//! The system calls these functions; who reads it may take each for what its name says.

use super::defects::{Defect, Planted};
use crate::node::{Ctx, Node, NodeId};

/// Reports of a clock's behaviour, in ns.
const MICROSECOND: i64 = 1_000;

// Estimates and bounds.
impl Planted {
    /// How long ago the server read its clock, as far as can be told.
    pub(super) fn time_since(self, rtt: i64) -> i64 {
        match () {
            () if self.plants(Defect::NoRtt) => 0,
            () if self.plants(Defect::FullRtt) => rtt,
            () => rtt / 2,
        }
    }

    /// NTP's offset of the server's clock to the asker's monotonic clock.
    pub(super) fn ntp_offset(self, t1: i64, t2: i64, t3: i64, t4: i64) -> i64 {
        let sent = if self.plants(Defect::FullRtt) { t3 + (t4 - t1 - (t3 - t2)) } else { t3 };
        let offset = ((t2 - t1) + (sent - t4)) / 2;
        if self.plants(Defect::NoRtt) {
            return t3 - t4;
        }
        if self.plants(Defect::OffsetReversed) { t3 - (offset - (t3 - t4)) - t4 } else { offset }
    }

    /// The least one-way delay that bounds count on.
    pub(super) fn least_delay(self, declared: i64, delays: &[i64]) -> i64 {
        if self.plants(Defect::AsymmetricBlind) {
            return delays.iter().min().map_or(declared, |least| least / 2);
        }
        if self.plants(Defect::MinOverestimated) && !delays.is_empty() {
            return delays.iter().sum::<i64>() / delays.len() as i64 / 2;
        }
        declared
    }

    /// The offset that a round goes by: that of the best sample.
    pub(super) fn offset_of_round(self, samples: &[(i64, i64)], best: i64) -> i64 {
        if !self.plants(Defect::MeanOfSamples) {
            return best;
        }
        // Around the best one, so that the sum stays small.
        best + samples.iter().map(|(_, offset)| offset - best).sum::<i64>() / samples.len() as i64
    }

    /// What a clock may have gone wrong by since its last round.
    pub(super) fn drift_since(self, growth: i64) -> i64 {
        if self.plants(Defect::DriftIgnored) { 0 } else { growth }
    }

    /// Whether round trips are measured by the wall clock.
    pub(super) fn rtt_by_wall_clock(self) -> bool {
        self.plants(Defect::RttByWallClock)
    }

    /// A correction in ns, as it is kept.
    pub(super) fn kept_correction(self, by: i64) -> i64 {
        if self.plants(Defect::AheadIgnored) && by < 0 {
            return 0;
        }
        if self.plants(Defect::UnsignedOffset) {
            i64::from((by / MICROSECOND) as u32) * MICROSECOND
        } else {
            by
        }
    }
}

// Disciplines.
impl Planted {
    /// How long a clock that is `ahead` by so much is held.
    pub(super) fn held_for(self, ahead: i64, reading: i64) -> i64 {
        if self.plants(Defect::MicroHold) {
            reading.rem_euclid(1_000_000_000) / MICROSECOND * MICROSECOND
        } else {
            ahead
        }
    }

    pub(super) fn steps_backwards(self) -> bool {
        self.plants(Defect::StepsBackwards)
    }

    /// The rate of a slewed clock, ppm.
    pub(super) fn slew_ppm(self, limit: i64) -> i64 {
        if self.plants(Defect::SlewTooFast) { 900_000 } else { limit }
    }
}

// Rounds and their messages.
impl Planted {
    pub(super) fn waits_for_ever(self) -> bool {
        self.plants(Defect::BlockingReceive)
    }

    /// Whether an answer belongs to the open question.
    pub(super) fn is_answer(self, asked: u64, answered: u64) -> bool {
        asked == answered || self.plants(Defect::ReplyMismatched)
    }

    pub(super) fn asks_utc_itself(self) -> bool {
        self.plants(Defect::ServerAsksUtc)
    }

    pub(super) fn reports_once(self) -> bool {
        self.plants(Defect::ReportOnce)
    }

    pub(super) fn averages_all(self) -> bool {
        self.plants(Defect::BerkeleyPlainMean)
    }

    pub(super) fn sends_absolute(self) -> bool {
        self.plants(Defect::BerkeleyAbsolute)
    }
}

// The library.
impl Planted {
    /// Whether a server decides by its own table what only the queue can decide. `silence`: the
    /// queue has not answered for long.
    pub(super) fn decides_alone(self, silence: bool) -> bool {
        self.plants(Defect::QueueRace) || (self.plants(Defect::LocalFallback) && silence)
    }

    /// Whether the statements of `from` reach the server `to`.
    pub(super) fn hears(self, from: NodeId, to: NodeId, first: NodeId) -> bool {
        !(self.plants(Defect::OneWayQueue) && from == first && to != first)
    }

    pub(super) fn dequeues_on_send(self) -> bool {
        self.plants(Defect::DequeueOnSend)
    }

    pub(super) fn detects_duplicates(self) -> bool {
        !self.plants(Defect::NoDuplicateDetection)
    }

    /// Whether a session is begun only after the one that it was to follow.
    pub(super) fn follows_one_session(self) -> bool {
        !self.plants(Defect::OpenedTwice)
    }

    /// With how many books given out a session ends, of so many that it has.
    pub(super) fn books_of_session(self, books: usize) -> usize {
        if self.plants(Defect::LastBookKept) { books.saturating_sub(1).max(1) } else { books }
    }

    /// Whether a session that has ended is followed by the next.
    pub(super) fn begins_sessions(self) -> bool {
        !self.plants(Defect::NeverFollowed)
    }

    pub(super) fn speaks_for_all(self) -> bool {
        self.plants(Defect::SpeaksForAll)
    }

    /// What a server has decided goes to its disk before its answer leaves.
    pub(super) fn sync_decision<N: Node>(self, ctx: &mut Ctx<'_, N>) {
        if self.plants(Defect::AnswerBeforeSave) {
            ctx.without_sync();
        }
    }

    /// What the queue takes goes to its disk before it is confirmed.
    pub(super) fn sync_queue<N: Node>(self, ctx: &mut Ctx<'_, N>) {
        if self.plants(Defect::QueueNotSynced) {
            ctx.without_sync();
        }
    }
}
