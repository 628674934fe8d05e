//! What a server shows of itself: its events, its metrics and the words in them.
//!
//! The nodes emit through these declarations, and the checks read through them.

use super::types::{LogIndex, Term};
use crate::trace::{NodeId, Word};
use crate::vocabulary::{Digest64, Optional, events, metrics, words};

words! {
    /// What a server says that it is in its term.
    pub enum ShownRole {
        /// It answers leaders and candidates.
        Follower "follower",
        /// It asks whether it could win an election.
        PreCandidate "pre_candidate",
        /// It asks for votes.
        Candidate "candidate",
        /// It leads.
        Leader "leader",
        /// It follows without a vote in the configuration that it goes by.
        Learner "learner",
    }
}

words! {
    /// The three kinds of a configuration.
    pub enum ConfigKind {
        /// One set of voters.
        Simple "simple",
        /// Two sets of voters, both of which must agree.
        Joint "joint",
        /// The second of the two alone.
        LeaveJoint "leave_joint",
    }
}

words! {
    /// By what right a read was served.
    pub enum ReadMode {
        /// A round has confirmed the leader since the read arrived.
        ReadIndex "read_index",
        /// The leader holds a lease.
        Lease "lease",
        /// None: the answer may be old.
        Local "local",
    }
}

events! {
    /// A server has started; what it found on its disk.
    Recover "recover" {
        /// `current_term`.
        term: Term,
        /// The vote that it gave in that term.
        voted_for: Option<NodeId>,
        /// The last entry that its snapshot covers.
        snapshot_index: LogIndex,
        /// The last entry of its log.
        last_index: LogIndex,
        /// The term of that entry.
        last_term: Term,
    }
    /// A server has entered a term.
    NewTerm "term" {
        term: Term,
    }
    /// A server has given its vote of a term, perhaps to itself.
    Vote "vote" {
        term: Term,
        candidate: NodeId,
    }
    /// A server has changed its role.
    RoleChange "role" {
        term: Optional<Term>,
        role: Optional<ShownRole>,
    }
    /// A server has become leader; its log before it appends anything.
    Elected "leader" {
        term: Term,
        /// The last entry; a program without a log has none.
        last_index: Optional<LogIndex>,
        /// The term of that entry.
        last_term: Optional<Term>,
        /// The last entry that its snapshot covers.
        snapshot_index: Optional<LogIndex>,
    }
    /// An entry is in the log, durably.
    Append "append" {
        index: LogIndex,
        /// The entry's term.
        term: Term,
        /// The digest of the entry's content.
        digest: Digest64,
        /// The digest of all entries up to it.
        chain: Digest64,
    }
    /// The entries from an index on were removed because they conflict with the leader's.
    Truncate "truncate" {
        /// The first one that was removed.
        from: LogIndex,
    }
    /// A server knows that the entries up to an index are committed.
    Commit "commit" {
        index: LogIndex,
        /// The server's term.
        term: Term,
        role: Optional<ShownRole>,
        /// The term of the entry at that index.
        entry_term: Term,
    }
    /// An entry was applied.
    Apply "apply" {
        index: LogIndex,
        /// The entry's term.
        term: Term,
        /// The digest of the entry's content.
        digest: Optional<Digest64>,
        /// Whose command it is; `none` for a no-op, a configuration, a session.
        client: Optional<Option<NodeId>>,
        /// The client's number for the command.
        serial: Optional<u64>,
        /// 1 if a command was executed, 0 for a duplicate, a no-op, a configuration.
        effect: Optional<bool>,
    }
    /// A server has written a snapshot of its state.
    SnapshotTake "snapshot_take" {
        /// The last entry that it covers.
        index: LogIndex,
        term: Term,
        /// The digest of all entries up to it.
        chain: Digest64,
        /// The digest of sessions and state machine.
        state: Digest64,
    }
    /// A server has replaced its state by a leader's snapshot.
    SnapshotInstall "snapshot_install" {
        /// The last entry that it covers.
        index: LogIndex,
        term: Term,
        /// The digest of all entries up to it.
        chain: Digest64,
        /// The digest of sessions and state machine.
        state: Digest64,
    }
    /// A configuration is in the log, and in force on this server.
    ConfigAppend "config_append" {
        index: LogIndex,
        term: Term,
        kind: ConfigKind,
        /// Names joined by `+`.
        voters: Word,
        /// Names joined by `+`, or `-`.
        learners: Word,
        /// In a joint configuration the old voters, joined by `+`; otherwise `-`.
        voters_old: Word,
    }
    /// A configuration is committed.
    ConfigCommit "config_commit" {
        index: LogIndex,
        term: Term,
    }
    /// A read was served at an applied index.
    Read "read" {
        index: LogIndex,
        mode: ReadMode,
    }
    /// The leader answers a command that it has applied.
    Reply "reply" {
        client: NodeId,
        /// The client's number for the command.
        serial: u64,
        index: LogIndex,
    }
    /// A leader tells another server to take over.
    Transfer "transfer" {
        term: Term,
        target: NodeId,
    }
}

metrics! {
    /// What a server shows after each step.
    pub struct ServerMetrics {
        /// What the server is in its term; `learner` for a follower without a vote.
        role: ShownRole,
        /// The latest term that the server has seen.
        current_term: Term,
        /// The last entry that the server knows to be committed.
        commit_index: LogIndex,
        /// The last entry that its state machine has applied.
        last_applied: LogIndex,
        /// The last entry of its log.
        last_index: LogIndex,
        /// The last entry that its snapshot covers.
        snapshot_index: LogIndex,
        /// The server that it takes for the leader, or `none`.
        leader: Option<NodeId>,
        /// Entries of the log in memory.
        log_entries: usize,
    }
}
