//! `[raft]`: what a scenario can choose.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::defects::{self, Rules};
use crate::scenario::{Section, Settings, show_duration};

/// How reads are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// After a round of heartbeats that proves the leadership (dissertation §6.4). Linearizable
    /// whatever the clocks do.
    ReadIndex,
    /// At once, while a majority has promised to elect nobody else (dissertation §6.4.1).
    /// Linearizable as long as no clock drifts by more than `lease_drift_bound_ppm`.
    Lease,
    /// At once, by whoever is asked, from what it has applied: possibly old.
    Local,
}

/// The section's values.
#[derive(Clone, Debug, PartialEq)]
pub struct RaftSettings {
    /// A leader shows itself this often.
    pub heartbeat_interval: Duration,
    /// A server that hears nothing of a leader for so long starts an election; drawn anew from this
    /// range each time.
    pub election_timeout: (Duration, Duration),
    /// Whether candidates ask first whether they could win.
    pub pre_vote: bool,
    /// Whether a leader that a majority has not answered for the longest election timeout steps
    /// down.
    pub check_quorum: bool,
    /// Whether servers that hear a leader give nobody a vote.
    pub leader_stickiness: bool,
    /// Whether a new leader appends an empty entry of its own term.
    pub no_op: bool,
    /// Entries of a message at the most.
    pub max_entries: usize,
    /// Whether heartbeats are messages of their own that never carry entries.
    pub separate_heartbeats: bool,
    /// Messages with entries that may be on their way to one follower.
    pub max_inflight: usize,
    /// Entries applied since the last snapshot that make a server take another; 0: never.
    pub snapshot_threshold: u64,
    /// Entries that stay in the log behind a snapshot, so that a follower that lags a little needs
    /// no snapshot.
    pub snapshot_trailing: u64,
    /// Bytes of a snapshot in one message.
    pub snapshot_chunk: usize,
    /// How reads are answered.
    pub reads: Reads,
    /// Whether followers answer reads too, after asking the leader for an index.
    pub follower_reads: bool,
    /// The most by which any oscillator is off; leases are shortened accordingly.
    pub lease_drift_bound_ppm: u64,
    /// Whether commands take effect once however often they are sent.
    pub sessions: bool,
    /// A session that was not used for so many entries is forgotten; 0: never.
    pub session_expiry: u64,
    /// Entries that a learner may lag behind and still be promoted.
    pub catch_up_entries: u64,
    /// The first voters, by name; empty: all nodes. The others wait to be added.
    pub initial_voters: Vec<String>,
    /// The planted mistakes.
    pub rules: Rules,
}

impl Default for RaftSettings {
    fn default() -> Self {
        RaftSettings {
            heartbeat_interval: Duration::from_millis(50),
            election_timeout: (Duration::from_millis(150), Duration::from_millis(300)),
            pre_vote: true,
            check_quorum: true,
            leader_stickiness: true,
            no_op: true,
            max_entries: 16,
            separate_heartbeats: false,
            max_inflight: 8,
            snapshot_threshold: 500,
            snapshot_trailing: 32,
            snapshot_chunk: 4_096,
            reads: Reads::ReadIndex,
            follower_reads: false,
            lease_drift_bound_ppm: 500,
            sessions: true,
            session_expiry: 0,
            catch_up_entries: 16,
            initial_voters: vec![],
            rules: Rules::default(),
        }
    }
}

impl Settings for RaftSettings {
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
    let default = RaftSettings::default();
    let reads = section.choice(
        "reads",
        "read_index",
        &["read_index", "lease", "local"],
        "How reads are answered: after a round of heartbeats, by a lease, or at once from what is \
            there (possibly old).",
    );
    let names = section.words("defects", defects::NAMES, "Planted mistakes, by name.");
    let settings = RaftSettings {
        heartbeat_interval: section.duration(
            "heartbeat_interval",
            default.heartbeat_interval,
            SHORT..=LONG,
            "How often a leader shows itself.",
        ),
        election_timeout: section.durations(
            "election_timeout",
            default.election_timeout,
            SHORT..=LONG,
            "How long a server waits for a leader before it starts an election, drawn anew each \
                time.",
        ),
        pre_vote: section.flag(
            "pre_vote",
            default.pre_vote,
            "Whether candidates ask first whether they could win.",
        ),
        check_quorum: section.flag(
            "check_quorum",
            default.check_quorum,
            "Whether a leader that no majority answers for the longest election timeout steps \
                down.",
        ),
        leader_stickiness: section.flag(
            "leader_stickiness",
            default.leader_stickiness,
            "Whether servers that have heard a leader within the shortest election timeout give \
                nobody a vote. Leases need it.",
        ),
        no_op: section.flag(
            "no_op",
            default.no_op,
            "Whether a new leader appends an empty entry, which commits what came before it.",
        ),
        max_entries: section.integer(
            "max_entries",
            default.max_entries as u64,
            1..=10_000,
            "Entries of a message at the most.",
        ) as usize,
        separate_heartbeats: section.flag(
            "separate_heartbeats",
            default.separate_heartbeats,
            "Whether heartbeats are messages of their own, never with entries.",
        ),
        max_inflight: section.integer(
            "max_inflight",
            default.max_inflight as u64,
            1..=10_000,
            "Messages with entries that may be on their way to one follower.",
        ) as usize,
        snapshot_threshold: section.integer(
            "snapshot_threshold",
            default.snapshot_threshold,
            0..=1_000_000_000,
            "Entries applied since the last snapshot that make a server take another; 0 is never.",
        ),
        snapshot_trailing: section.integer(
            "snapshot_trailing",
            default.snapshot_trailing,
            0..=1_000_000_000,
            "Entries that stay in the log behind a snapshot.",
        ),
        snapshot_chunk: section.integer(
            "snapshot_chunk",
            default.snapshot_chunk as u64,
            1..=1_000_000,
            "Bytes of a snapshot in one message.",
        ) as usize,
        reads: match reads {
            "lease" => Reads::Lease,
            "local" => Reads::Local,
            _ => Reads::ReadIndex,
        },
        follower_reads: section.flag(
            "follower_reads",
            default.follower_reads,
            "Whether clients read at any node; a follower asks the leader for an index and waits \
                until it has applied it.",
        ),
        lease_drift_bound_ppm: section.integer(
            "lease_drift_bound_ppm",
            default.lease_drift_bound_ppm,
            0..=900_000,
            "How far off any oscillator may be, ppm, for leases to be safe.",
        ),
        sessions: section.flag(
            "sessions",
            default.sessions,
            "Whether a command takes effect once, however often it is sent.",
        ),
        session_expiry: section.integer(
            "session_expiry",
            default.session_expiry,
            0..=1_000_000_000,
            "Entries after which a session that was not used is forgotten; 0 is never.",
        ),
        catch_up_entries: section.integer(
            "catch_up_entries",
            default.catch_up_entries,
            0..=1_000_000_000,
            "Entries that a learner may lag behind and still be promoted.",
        ),
        initial_voters: section.node_names(
            "initial_voters",
            "The first voters; the other nodes wait to be added. Empty: all nodes.",
        ),
        rules: Rules::with(names.iter().map(String::as_str)),
    };
    judge_timeouts(section, &settings);
    Arc::new(settings)
}

/// Complain of heartbeats that come too late for the followers.
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
            "followers of a healthy leader would stand for election; usual are several heartbeats: \
                election_timeout = [\"{}\", \"{}\"]",
            usual(3),
            usual(6)
        ),
    );
}
