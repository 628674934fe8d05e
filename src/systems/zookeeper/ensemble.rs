//! What a scenario can choose about servers and sessions; other systems that embed an ensemble read
//! the same keys.

use std::time::Duration;

use super::defects::Planted;
use crate::scenario::Section;
use crate::settings;

settings! {
    /// How a server behaves.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ServerSettings {
        /// The unit of the limits, and what deadlines of sessions are rounded up to.
        tick: Duration = duration("200ms", "1ms"..="1h"),
        /// How many ticks a leader and a follower have to find each other.
        init_limit: u32 = integer(10, 1..=1_000_000),
        /// How many ticks a peer may be silent before it is given up.
        sync_limit: u32 = integer(4, 1..=1_000_000),
        /// Shortest time-out of a session, ticks.
        session_ticks_min: u32 = integer(2, 1..=1_000_000),
        /// Longest time-out of a session, ticks.
        session_ticks_max: u32 = with(|section, key, doc| {
            let most = section.integer(key, 20, 1..=1_000_000, doc);
            complain_of_ticks(section, session_ticks_min, most);
            most
        }),
        /// How many transactions a server applies after a snapshot before it takes the next one; 0
        /// means never.
        snapshot_every: u64 = integer(200, 0..=1_000_000_000),
        /// How many transactions stay in the log behind a snapshot, so that a follower that lags a
        /// little does not need the snapshot.
        log_trailing: usize = integer(50, 0..=1_000_000_000),
        /// How long a packet of a connection waits for its acknowledgement before it is sent again.
        retransmit_after: Duration = duration("80ms", "1ms"..="1h"),
        /// How often a server that looks for a leader says so.
        notification_interval: Duration = duration("100ms", "1ms"..="1h"),
        /// How long a server waits for a better candidate once a majority agrees.
        finalize_wait: Duration = duration("40ms", "1ms"..="1h"),
        /// How many transactions an epoch has before the leader lets a new one begin. The counter
        /// of a zxid has no more room than the default.
        epoch_length: u32 = integer(u32::MAX, 1..=u32::MAX),
        /// The planted defects.
        planted: Planted = fixed(Planted::default()),
    }
}

fn complain_of_ticks(section: &Section<'_>, least: u32, most: u32) {
    if least > most {
        section.contradiction(
            &["session_ticks_min", "session_ticks_max"],
            "the shortest time-out of a session must not exceed the longest",
            format!("{least} ticks to {most} ticks"),
            "swap the two; session_ticks_min = 2 and session_ticks_max = 20 are usual",
        );
    }
}

impl ServerSettings {
    /// The length of this many ticks.
    pub fn ticks(&self, count: u32) -> Duration {
        self.tick * count
    }

    /// The time-out that a session gets when it wishes this one, ms.
    pub fn negotiate_ms(&self, wished_ms: u32) -> u32 {
        let ms = |ticks: u32| u32::try_from(self.ticks(ticks).as_millis()).unwrap_or(u32::MAX);
        wished_ms.clamp(
            ms(self.session_ticks_min),
            ms(self.session_ticks_max).max(ms(self.session_ticks_min)),
        )
    }
}

/// How a session behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSettings {
    /// The time-out that it asks for; the ensemble may grant another.
    pub timeout: Duration,
    /// How long a packet waits for its acknowledgement.
    pub retransmit_after: Duration,
    /// The planted defects.
    pub planted: Planted,
}

impl Default for SessionSettings {
    fn default() -> Self {
        SessionSettings {
            timeout: Duration::from_secs(2),
            retransmit_after: Duration::from_millis(80),
            planted: Planted::default(),
        }
    }
}
