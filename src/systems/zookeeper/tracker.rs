//! Which sessions are still alive: the leader alone decides, by its own monotonic clock.
//!
//! Deadlines are rounded up to whole ticks, so that sessions expire in batches: a session lives for
//! its time-out after the last sign of life that reached the leader, and for up to a tick more. A
//! new leader does not know how long its sessions have been silent, and gives each its whole
//! time-out again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::tree::SessionRecord;
use super::types::SessionId;
use crate::node::LocalTime;
use crate::time::nanos;

/// The leader's sessions with their deadlines.
#[derive(Clone, Debug, Default)]
pub struct SessionTracker {
    deadlines: BTreeMap<SessionId, (LocalTime, Duration)>,
    tick: Duration,
}

impl SessionTracker {
    /// All sessions that are open when a leadership begins.
    pub fn new<'a>(
        tick: Duration,
        sessions: impl IntoIterator<Item = (&'a SessionId, &'a SessionRecord)>,
        silent_since: impl Fn() -> LocalTime,
    ) -> SessionTracker {
        let mut tracker = SessionTracker { deadlines: BTreeMap::new(), tick };
        for (session, record) in sessions {
            tracker.open(*session, record.timeout_ms, silent_since());
        }
        tracker
    }

    /// A session begins.
    pub fn open(&mut self, session: SessionId, timeout_ms: u32, now: LocalTime) {
        let timeout = Duration::from_millis(timeout_ms.into());
        self.deadlines.insert(session, (self.bucket(now + timeout), timeout));
    }

    /// A session has shown that it lives. `false` where it does not any more.
    pub fn touch(&mut self, session: SessionId, now: LocalTime) -> bool {
        let Some((_, timeout)) = self.deadlines.get(&session).copied() else { return false };
        let deadline = self.bucket(now + timeout);
        self.deadlines.insert(session, (deadline, timeout));
        true
    }

    /// A session has ended.
    pub fn close(&mut self, session: SessionId) {
        self.deadlines.remove(&session);
    }

    /// Take the sessions whose time is over.
    pub fn expired(&mut self, now: LocalTime) -> Vec<SessionId> {
        let expired: Vec<SessionId> = self
            .deadlines
            .iter()
            .filter(|(_, (deadline, _))| *deadline <= now)
            .map(|(session, _)| *session)
            .collect();
        expired.iter().for_each(|session| self.close(*session));
        expired
    }

    /// The end of the tick in which a moment lies.
    fn bucket(&self, moment: LocalTime) -> LocalTime {
        let tick = nanos(self.tick).max(1);
        LocalTime::from_nanos((moment.as_nanos() / tick).saturating_add(1).saturating_mul(tick))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session of 4 s that was touched at 1.5 s ends at 6 s: 5.5 s rounded up to a tick of 2 s,
    /// never before.
    #[test]
    fn deadlines_are_rounded_up_to_a_tick() {
        let at = |ms: u64| LocalTime::from_micros(ms * 1_000);
        let session = SessionId(7);
        let mut tracker =
            SessionTracker { tick: Duration::from_secs(2), ..SessionTracker::default() };
        tracker.open(session, 4_000, at(0));
        assert!(tracker.touch(session, at(1_500)));
        assert_eq!(tracker.expired(at(5_999)), []);
        assert_eq!(tracker.expired(at(6_000)), [session]);
        assert!(!tracker.touch(session, at(6_001)));
    }
}
