//! `[replication]`: what a scenario can choose.

use std::sync::Arc;
use std::time::Duration;

use super::defects::Planted;
use crate::scenario::{Section, Settings};
use crate::systems::zookeeper::ServerSettings;
use crate::{choices, settings};

choices! {
    /// Whose confirmation a write needs before its client gets an answer.
    pub enum Mode {
        /// All replicas of the in-sync set.
        SyncAll "sync-all",
        /// A majority of all replicas.
        SyncQuorum "sync-quorum",
        /// The leader alone.
        Async "async",
    }
}

choices! {
    /// How followers get the data.
    pub enum Transfer {
        /// The records that they lack.
        Incremental "incremental",
        /// Everything, again and again.
        FullCopy "full-copy",
    }
}

choices! {
    /// Who answers reads.
    pub enum Reads {
        /// The leader, after the followers have confirmed that it still leads.
        Confirmed "confirmed",
        /// The leader, immediately.
        Local "local",
        /// The node that is asked, from what it has applied.
        Anyone "anyone",
    }
}

settings! {
    /// The section's values.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ReplicationSettings {
        /// Whose confirmation a write needs before its client gets an answer: all replicas in sync,
        /// a majority of all, or the leader alone.
        mode: Mode = choice(Mode::SyncAll),
        /// How followers get the data: the records that they lack, or everything every
        /// `copy_interval`.
        transfer: Transfer = choice(Transfer::Incremental),
        /// Who answers reads: the leader after its followers have confirmed it, the leader
        /// immediately, or any node that is asked (the last two possibly stale).
        reads: Reads = choice(Reads::Confirmed),
        /// How many replicas must hold a write of `sync-all`, the leader included; while fewer are
        /// in sync, writes wait.
        min_in_sync: usize = integer(2, 1..=100),
        /// Planted defects, by name.
        planted as "defects": Planted = planted(),
        /// How often everything is copied, with `full-copy`.
        copy_interval: Duration = duration("5s", "1ms"..="1h"),
        /// How often a leader sends heartbeats and repeats what was not confirmed, and how often a
        /// replica sends the coordinator a heartbeat.
        heartbeat_interval: Duration = duration("100ms", "1ms"..="1h"),
        /// How long a replica may be silent before it counts as dead and another leader is chosen.
        session_timeout: Duration = duration("1s", "1ms"..="1h"),
        /// How long a follower may confirm nothing before it is taken out of the in-sync set, with
        /// the coordinator's consent.
        confirm_timeout: Duration = duration("600ms", "1ms"..="1h"),
        /// How long the coordinator waits for further replicas before it chooses a leader among
        /// those that have answered.
        election_wait: Duration = duration("200ms", "1ms"..="1h"),
        /// The most records in one message.
        max_records: usize = integer(64, 1..=10_000),
        /// The settings of the servers of the ensemble, if there is one.
        server: ServerSettings = fixed(ServerSettings::default()),
    }
}

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    Arc::new(ReplicationSettings::read(section))
}
