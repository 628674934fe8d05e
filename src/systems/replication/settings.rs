//! `[replication]`: what a scenario can choose.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::defects::{self, Rules};
use crate::scenario::{Section, Settings};
use crate::systems::zookeeper::ServerSettings;

/// Whose confirmation a write needs before its client gets an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All replicas of the in-sync set.
    SyncAll,
    /// A majority of all replicas.
    SyncQuorum,
    /// The leader alone.
    Async,
}

impl Mode {
    /// The word in the scenario and in the trace.
    pub fn word(self) -> &'static str {
        match self {
            Mode::SyncAll => "sync-all",
            Mode::SyncQuorum => "sync-quorum",
            Mode::Async => "async",
        }
    }
}

/// How followers get the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// The records that they lack.
    Incremental,
    /// Everything, again and again.
    FullCopy,
}

/// Who answers reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The leader, once the followers have confirmed that it still is one.
    Confirmed,
    /// The leader, at once.
    Local,
    /// Whoever is asked, from what it has applied.
    Anyone,
}

/// The section's values.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicationSettings {
    /// Whose confirmation a write needs.
    pub mode: Mode,
    /// How followers get the data.
    pub transfer: Transfer,
    /// Who answers reads.
    pub reads: Reads,
    /// Replicas that must hold a write of `sync-all`, the leader included; with fewer in sync it
    /// waits.
    pub min_in_sync: usize,
    /// How often a full copy is made.
    pub copy_interval: Duration,
    /// How often a leader shows itself and sends again what was not confirmed; how often a replica
    /// shows itself to the coordinator.
    pub heartbeat_interval: Duration,
    /// A replica that the coordinator has not heard for so long counts as dead.
    pub session_timeout: Duration,
    /// A follower that does not confirm for so long leaves the in-sync set.
    pub confirm_timeout: Duration,
    /// How long the coordinator waits for further replicas before it chooses a leader among those
    /// that have answered.
    pub election_wait: Duration,
    /// Records of a message at the most.
    pub max_records: usize,
    /// How the servers of the ensemble behave, where there is one.
    pub server: ServerSettings,
    /// The planted mistakes.
    pub rules: Rules,
}

impl Default for ReplicationSettings {
    fn default() -> Self {
        ReplicationSettings {
            mode: Mode::SyncAll,
            transfer: Transfer::Incremental,
            reads: Reads::Confirmed,
            min_in_sync: 2,
            copy_interval: Duration::from_secs(5),
            heartbeat_interval: Duration::from_millis(100),
            session_timeout: Duration::from_secs(1),
            confirm_timeout: Duration::from_millis(600),
            election_wait: Duration::from_millis(200),
            max_records: 64,
            server: ServerSettings::default(),
            rules: Rules::default(),
        }
    }
}

impl Settings for ReplicationSettings {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The longest duration that makes sense here.
const LONG: Duration = Duration::from_secs(3_600);
/// The shortest.
const SHORT: Duration = Duration::from_millis(1);

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let default = ReplicationSettings::default();
    let mode = section.choice(
        "mode",
        "sync-all",
        &["sync-all", "sync-quorum", "async"],
        "Whose confirmation a write needs before its client gets an answer: all replicas in sync, \
            a majority of all, or the leader alone.",
    );
    let transfer = section.choice(
        "transfer",
        "incremental",
        &["incremental", "full-copy"],
        "How followers get the data: the records that they lack, or everything every \
            `copy_interval`.",
    );
    let reads = section.choice(
        "reads",
        "confirmed",
        &["confirmed", "local", "anyone"],
        "Who answers reads: the leader after its followers have confirmed it, the leader at once, \
            or whoever is asked (both possibly old).",
    );
    let min_in_sync = section.integer(
        "min_in_sync",
        default.min_in_sync as u64,
        1..=100,
        "Replicas that must hold a write of `sync-all`, the leader included; while fewer are in \
            sync, writes wait.",
    );
    let names = section.words("defects", defects::NAMES, "Planted mistakes, by name.");
    let mut time = |key, default, doc| section.duration(key, default, SHORT..=LONG, doc);
    let settings = ReplicationSettings {
        mode: match mode {
            "sync-quorum" => Mode::SyncQuorum,
            "async" => Mode::Async,
            _ => Mode::SyncAll,
        },
        transfer: if transfer == "full-copy" { Transfer::FullCopy } else { Transfer::Incremental },
        reads: match reads {
            "local" => Reads::Local,
            "anyone" => Reads::Anyone,
            _ => Reads::Confirmed,
        },
        min_in_sync: min_in_sync as usize,
        copy_interval: time(
            "copy_interval",
            default.copy_interval,
            "How often everything is copied, with `full-copy`.",
        ),
        heartbeat_interval: time(
            "heartbeat_interval",
            default.heartbeat_interval,
            "How often a leader shows itself and sends again what was not confirmed, and a replica \
                shows itself to the coordinator.",
        ),
        session_timeout: time(
            "session_timeout",
            default.session_timeout,
            "A replica that was not heard for so long counts as dead, and another leader is \
                chosen.",
        ),
        confirm_timeout: time(
            "confirm_timeout",
            default.confirm_timeout,
            "A follower that confirms nothing for so long is taken out of the in-sync set, with \
                the coordinator's consent.",
        ),
        election_wait: time(
            "election_wait",
            default.election_wait,
            "How long the coordinator waits for further replicas before it chooses a leader among \
                those that have answered.",
        ),
        max_records: section.integer(
            "max_records",
            default.max_records as u64,
            1..=10_000,
            "Records of a message at the most.",
        ) as usize,
        server: ServerSettings::default(),
        rules: Rules::with(names.iter().map(String::as_str)),
    };
    Arc::new(settings)
}
