//! The messages of the protocol, with the field names of Figure 2 and of the dissertation.
//!
//! Every message of a leader carries the number of its last `round`, and every answer gives it
//! back. A round that a majority has answered proves that the leader was one when the round began:
//! `ReadIndex`, leases and check-quorum live on that.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::log::{Bytes, Entry};
use super::types::{LogIndex, Term};
use crate::node::{Detail, Message};
use crate::vocabulary::messages;

messages! {
    /// What a server sends to another.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum RaftMessage {
        /// A candidate asks for a vote (Raft §5.2).
        RequestVote(RequestVote),
        /// A vote, or a refusal.
        RequestVoteResponse(VoteResponse),
        /// A server asks whether it would get a vote, before it begins a term (dissertation §9.6).
        PreVote(RequestVote),
        /// Whether it would: a grant has the term that was asked about, a refusal the voter's own.
        PreVoteResponse(VoteResponse),
        /// The leader sends entries, or none as a heartbeat (Raft §5.3).
        AppendEntries(AppendEntries),
        /// How far the follower's log equals the leader's, or that it does not.
        AppendEntriesResponse(AppendResponse),
        /// A heartbeat without entries, with `separate_heartbeats`.
        Heartbeat(AppendEntries),
        /// The answer to a heartbeat.
        HeartbeatResponse(AppendResponse),
        /// A piece of a snapshot (Raft §7).
        InstallSnapshot(InstallSnapshot),
        /// How much of a snapshot has arrived.
        InstallSnapshotResponse(InstallSnapshotResponse),
        /// The leader tells a follower to take over immediately (dissertation §3.10).
        TimeoutNow {
            /// The leader's term.
            term: Term,
        },
        /// A follower asks for an index to read at, with `follower_reads` (dissertation §6.4).
        ReadIndex {
            /// The follower's term.
            term: Term,
            /// The follower's number for the question.
            read: u64,
        },
        /// The index, once a round has confirmed that the leader still was one.
        ReadIndexResponse {
            /// The leader's term.
            term: Term,
            /// The follower's number for the question.
            read: u64,
            /// What the follower must have applied before it reads.
            index: LogIndex,
        },
    }
}

/// Arguments of `RequestVote` and `PreVote`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestVote {
    /// The candidate's term; for a pre-vote the one that it would begin.
    pub term: Term,
    /// The candidate's last entry.
    pub last_log_index: LogIndex,
    /// The term of that entry.
    pub last_log_term: Term,
    /// The old leader itself has asked for this election, so loyalty to it does not justify a
    /// refusal.
    pub leadership_transfer: bool,
}

/// An answer to either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteResponse {
    /// The voter's term.
    pub term: Term,
    /// Whether it gave its vote.
    pub vote_granted: bool,
}

/// Arguments of `AppendEntries` and `Heartbeat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendEntries {
    /// The leader's term.
    pub term: Term,
    /// The entry before the first one of the message.
    pub prev_log_index: LogIndex,
    /// Its term.
    pub prev_log_term: Term,
    /// How far the leader has committed.
    pub leader_commit: LogIndex,
    /// The leader's last round.
    pub round: u64,
    /// The entries.
    pub entries: Vec<Rc<Entry>>,
}

/// An answer to either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendResponse {
    /// The follower's term.
    pub term: Term,
    /// The round of the message that is answered.
    pub round: u64,
    /// What became of it.
    pub outcome: AppendOutcome,
}

/// What became of entries at a follower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppendOutcome {
    /// The follower's log equals the leader's up to here, durably.
    Accepted {
        /// The last index for which this message proves it.
        match_index: LogIndex,
    },
    /// The follower has no entry of that term at `prev_log_index`.
    Rejected {
        /// The `prev_log_index` that did not fit, so that late answers are recognised.
        prev_log_index: LogIndex,
        /// The term that the follower has there, if any.
        conflict_term: Option<Term>,
        /// The first index of that term, or the one after the end of a log that is too short (§5.3,
        /// "the protocol can be optimized").
        conflict_index: LogIndex,
    },
}

/// A piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallSnapshot {
    /// The leader's term.
    pub term: Term,
    /// The leader's last round.
    pub round: u64,
    /// The last entry that the snapshot covers.
    pub last_included_index: LogIndex,
    /// Its term.
    pub last_included_term: Term,
    /// Where the piece belongs, bytes from the beginning.
    pub offset: usize,
    /// The piece.
    #[serde(with = "crate::wire::bytes")]
    pub data: Bytes,
    /// Whether it is the last one.
    pub done: bool,
}

/// An answer to a piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallSnapshotResponse {
    /// The follower's term.
    pub term: Term,
    /// The round of the message that is answered.
    pub round: u64,
    /// Which snapshot.
    pub last_included_index: LogIndex,
    /// Bytes that the follower has.
    pub next_offset: usize,
    /// The follower's log now equals the leader's up to here, where the snapshot is installed or
    /// not needed.
    pub match_index: Option<LogIndex>,
}

/// Bytes of a message besides entries and pieces of snapshots: kind, term, four numbers, checksum.
const HEADER_BYTES: u32 = 48;

impl Message for RaftMessage {
    fn name(&self) -> &'static str {
        self.kind_name()
    }

    fn size(&self) -> u32 {
        let content = match self {
            RaftMessage::AppendEntries(append) => {
                append.entries.iter().map(|entry| 8 + entry.size).sum()
            }
            RaftMessage::InstallSnapshot(piece) => {
                u32::try_from(piece.data.len()).unwrap_or(u32::MAX - HEADER_BYTES)
            }
            _ => 0,
        };
        HEADER_BYTES + content
    }

    fn detail(&self) -> Detail {
        match self {
            RaftMessage::RequestVote(ask) | RaftMessage::PreVote(ask) => Detail::Numbers(
                &["term", "last_log_index", "last_log_term"],
                [int(ask.term), place(ask.last_log_index), int(ask.last_log_term)],
            ),
            RaftMessage::RequestVoteResponse(answer) | RaftMessage::PreVoteResponse(answer) => {
                Detail::Numbers(
                    &["term", "vote_granted"],
                    [int(answer.term), i64::from(answer.vote_granted), 0],
                )
            }
            RaftMessage::AppendEntries(append) | RaftMessage::Heartbeat(append) => {
                let last = append.prev_log_index.plus(append.entries.len());
                Detail::Numbers(
                    &["term", "prev_log_index", "last_index"],
                    [int(append.term), place(append.prev_log_index), place(last)],
                )
            }
            RaftMessage::AppendEntriesResponse(answer) | RaftMessage::HeartbeatResponse(answer) => {
                match answer.outcome {
                    AppendOutcome::Accepted { match_index } => Detail::Numbers(
                        &["term", "match_index"],
                        [int(answer.term), place(match_index), 0],
                    ),
                    AppendOutcome::Rejected { prev_log_index, conflict_index, .. } => {
                        Detail::Numbers(
                            &["term", "rejected_prev_log_index", "conflict_index"],
                            [int(answer.term), place(prev_log_index), place(conflict_index)],
                        )
                    }
                }
            }
            RaftMessage::InstallSnapshot(piece) => Detail::Numbers(
                &["term", "last_included_index", "offset"],
                [int(piece.term), place(piece.last_included_index), piece.offset as i64],
            ),
            RaftMessage::InstallSnapshotResponse(answer) => Detail::Numbers(
                &["term", "last_included_index", "next_offset"],
                [int(answer.term), place(answer.last_included_index), answer.next_offset as i64],
            ),
            RaftMessage::TimeoutNow { term } => Detail::Numbers(&["term"], [int(*term), 0, 0]),
            RaftMessage::ReadIndex { term, read } => {
                Detail::Numbers(&["term", "read"], [int(*term), *read as i64, 0])
            }
            RaftMessage::ReadIndexResponse { term, read, index } => Detail::Numbers(
                &["term", "read", "index"],
                [int(*term), *read as i64, place(*index)],
            ),
        }
    }
}

fn int(term: Term) -> i64 {
    term.0 as i64
}

fn place(index: LogIndex) -> i64 {
    index.0 as i64
}
