//! `[raft]`: what a scenario can choose.

use std::sync::Arc;
use std::time::Duration;

use super::defects::Planted;
use crate::scenario::{Section, Settings, show_duration};
use crate::{choices, settings};

choices! {
    /// How reads are answered.
    pub enum Reads {
        /// After a round of heartbeats that confirms the leader (dissertation §6.4). Linearizable
        /// whatever the clocks do.
        ReadIndex "read_index",
        /// Immediately, while a majority has promised to elect nobody else (dissertation §6.4.1).
        /// Linearizable as long as no clock drifts by more than `lease_drift_bound_ppm`.
        Lease "lease",
        /// Immediately, by the node that is asked, from what it has applied: possibly stale.
        Local "local",
    }
}

settings! {
    /// The section's values.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RaftSettings {
        /// How reads are answered: after a round of heartbeats that confirms the leader, under a
        /// lease, or immediately from local state, which may be stale.
        reads: Reads = choice(Reads::ReadIndex),
        /// Planted defects, by name.
        planted as "defects": Planted = planted(),
        /// How often a leader sends heartbeats.
        heartbeat_interval: Duration = duration("50ms", "1ms"..="1h"),
        /// How long a server waits to hear from a leader before it starts an election, drawn anew
        /// each time.
        election_timeout: (Duration, Duration) = durations(("150ms", "300ms"), "1ms"..="1h"),
        /// Whether a candidate first asks whether it could win.
        pre_vote: bool = flag(true),
        /// Whether a leader steps down if a majority has not answered it for the longest election
        /// timeout.
        check_quorum: bool = flag(true),
        /// Whether a server that has heard from a leader within the shortest election timeout
        /// refuses its vote. Leases need it.
        leader_stickiness: bool = flag(true),
        /// Whether a new leader appends an empty entry, which commits the entries before it.
        no_op: bool = flag(true),
        /// The most entries in one message.
        max_entries: usize = integer(16, 1..=10_000),
        /// Whether heartbeats are separate messages that never carry entries.
        separate_heartbeats: bool = flag(false),
        /// The most messages with entries that may be in flight to one follower.
        max_inflight: usize = integer(8, 1..=10_000),
        /// How many entries a server applies after a snapshot before it takes the next one; 0 means
        /// never.
        snapshot_threshold: u64 = integer(500, 0..=1_000_000_000),
        /// How many entries stay in the log behind a snapshot, so that a follower that lags a
        /// little does not need the snapshot.
        snapshot_trailing: u64 = integer(32, 0..=1_000_000_000),
        /// How many bytes of a snapshot one message carries.
        snapshot_chunk: usize = integer(4_096, 1..=1_000_000),
        /// Whether clients read at any node; a follower asks the leader for an index and waits
        /// until it has applied it.
        follower_reads: bool = flag(false),
        /// The largest error of any oscillator, ppm, under which leases are safe.
        lease_drift_bound_ppm: u64 = integer(500, 0..=900_000),
        /// Whether a command takes effect once, however often it is sent.
        sessions: bool = flag(true),
        /// After how many entries an unused session expires; 0 means never.
        session_expiry: u64 = integer(0, 0..=1_000_000_000),
        /// How many entries a learner may lag behind and still be promoted.
        catch_up_entries: u64 = integer(16, 0..=1_000_000_000),
        /// The first voters; the other nodes wait to be added. If empty, all nodes vote.
        initial_voters: Vec<String> = node_names(),
    }
}

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let settings = RaftSettings::read(section);
    judge_timeouts(section, &settings);
    Arc::new(settings)
}

/// Complain if heartbeats come too late for the followers.
pub fn judge_timeouts(section: &Section<'_>, settings: &RaftSettings) {
    let (shortest, heartbeat) = (settings.election_timeout.0, settings.heartbeat_interval);
    if shortest > heartbeat {
        return;
    }
    let usual = |heartbeats: u32| show_duration(heartbeat.saturating_mul(heartbeats));
    section.contradiction(
        &["election_timeout", "heartbeat_interval"],
        &format!(
            "`{}` must begin above `{}`",
            section.full("election_timeout"),
            section.full("heartbeat_interval")
        ),
        format!(
            "the shortest timeout is {}, and heartbeats are {} apart",
            show_duration(shortest),
            show_duration(heartbeat)
        ),
        &format!(
            "followers of a healthy leader would start elections; several heartbeats are usual: \
                election_timeout = [\"{}\", \"{}\"]",
            usual(3),
            usual(6)
        ),
    );
}
