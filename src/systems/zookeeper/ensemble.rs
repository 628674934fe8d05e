//! What a scenario can choose about servers and sessions; other systems that embed an ensemble read
//! the same keys.

use std::time::Duration;

use super::defects::Rules;
use crate::scenario::Section;

/// How a server behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSettings {
    /// The unit of the others, and what deadlines of sessions are rounded up to.
    pub tick: Duration,
    /// Ticks that a leader and a follower have to find together.
    pub init_limit: u32,
    /// Ticks after which a silent peer is given up.
    pub sync_limit: u32,
    /// Time-outs of sessions are at least so many ticks.
    pub session_ticks_min: u32,
    /// Time-outs of sessions are at most so many ticks.
    pub session_ticks_max: u32,
    /// Transactions applied since the last snapshot that make a server take another; 0: never.
    pub snapshot_every: u64,
    /// Transactions that stay in the log before a snapshot, so that a follower that lags a little
    /// needs none.
    pub log_trailing: usize,
    /// How long a packet waits for its acknowledgement.
    pub retransmit_after: Duration,
    /// How often a server that looks for a leader says so.
    pub notification_interval: Duration,
    /// How long a server waits for a better candidate once a majority agrees.
    pub finalize_wait: Duration,
    /// Transactions of an epoch, after which the leader lets a new one begin.
    pub epoch_length: u32,
    /// The planted mistakes.
    pub rules: Rules,
}

impl Default for ServerSettings {
    fn default() -> Self {
        ServerSettings {
            tick: Duration::from_millis(200),
            init_limit: 10,
            sync_limit: 4,
            session_ticks_min: 2,
            session_ticks_max: 20,
            snapshot_every: 200,
            log_trailing: 50,
            retransmit_after: Duration::from_millis(80),
            notification_interval: Duration::from_millis(100),
            finalize_wait: Duration::from_millis(40),
            epoch_length: u32::MAX,
            rules: Rules::default(),
        }
    }
}

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(3_600);

impl ServerSettings {
    /// Read them from a section, which may have keys of its own besides.
    pub fn read(section: &mut Section<'_>) -> ServerSettings {
        let default = ServerSettings::default();
        let ticks = 1..=1_000_000;
        let settings = ServerSettings {
            tick: section.duration(
                "tick",
                default.tick,
                SHORT..=LONG,
                "The unit of the limits, and what deadlines of sessions are rounded up to.",
            ),
            init_limit: section.integer(
                "init_limit",
                default.init_limit.into(),
                ticks.clone(),
                "Ticks that a leader and a follower have to find together.",
            ) as u32,
            sync_limit: section.integer(
                "sync_limit",
                default.sync_limit.into(),
                ticks.clone(),
                "Ticks after which a silent peer is given up.",
            ) as u32,
            session_ticks_min: section.integer(
                "session_ticks_min",
                default.session_ticks_min.into(),
                ticks.clone(),
                "Shortest time-out of a session, ticks.",
            ) as u32,
            session_ticks_max: section.integer(
                "session_ticks_max",
                default.session_ticks_max.into(),
                ticks,
                "Longest time-out of a session, ticks.",
            ) as u32,
            snapshot_every: section.integer(
                "snapshot_every",
                default.snapshot_every,
                0..=1_000_000_000,
                "Transactions applied since the last snapshot that make a server take another; 0 \
                    is never.",
            ),
            log_trailing: section.integer(
                "log_trailing",
                default.log_trailing as u64,
                0..=1_000_000_000,
                "Transactions that stay in the log before a snapshot.",
            ) as usize,
            retransmit_after: section.duration(
                "retransmit_after",
                default.retransmit_after,
                SHORT..=LONG,
                "How long a packet of a connection waits for its acknowledgement before it is sent \
                    again.",
            ),
            notification_interval: section.duration(
                "notification_interval",
                default.notification_interval,
                SHORT..=LONG,
                "How often a server that looks for a leader says so.",
            ),
            finalize_wait: section.duration(
                "finalize_wait",
                default.finalize_wait,
                SHORT..=LONG,
                "How long a server waits for a better candidate once a majority agrees.",
            ),
            epoch_length: section.integer(
                "epoch_length",
                default.epoch_length.into(),
                1..=u64::from(u32::MAX),
                "Transactions of an epoch, after which the leader lets a new one begin. The \
                    counter of a zxid has no more room than the default.",
            ) as u32,
            rules: default.rules,
        };
        if settings.session_ticks_min > settings.session_ticks_max {
            section.contradiction(
                &["session_ticks_min", "session_ticks_max"],
                "the shortest time-out of a session must not exceed the longest",
                format!(
                    "{} ticks to {} ticks",
                    settings.session_ticks_min, settings.session_ticks_max
                ),
                "swap the two; session_ticks_min = 2 and session_ticks_max = 20 are usual",
            );
        }
        settings
    }

    /// So many ticks.
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
    /// The time-out that it wishes; the ensemble may grant another.
    pub timeout: Duration,
    /// How long a packet waits for its acknowledgement.
    pub retransmit_after: Duration,
    /// The planted mistakes.
    pub rules: Rules,
}

impl Default for SessionSettings {
    fn default() -> Self {
        SessionSettings {
            timeout: Duration::from_secs(2),
            retransmit_after: Duration::from_millis(80),
            rules: Rules::default(),
        }
    }
}
