//! One server: its state (Figure 2), how it starts, and where its inputs go.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::configuration::Configuration;
use super::defects::{Defect, DefectState, Planted};
use super::host::{Host, RaftTimer};
use super::leader::LeaderState;
use super::log::{Bytes, Log};
use super::message::RaftMessage;
use super::read_index::FollowerRead;
use super::sessions::Sessions;
use super::settings::RaftSettings;
use super::snapshot::{PartialSnapshot, Snapshot};
use super::state_machine::StateMachine;
use super::storage::{Recovered, Storage};
use super::types::{LogIndex, Term};
use super::vocabulary::{self as events, ServerMetrics, ShownRole};
use crate::node::{LocalTime, NodeId, Probe};
use crate::vocabulary::{Metrics, Optional};

/// What a server is (§5.1, and the pre-candidate of the dissertation, §9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It answers leaders and candidates.
    Follower,
    /// It asks whether it could win an election.
    PreCandidate,
    /// It asks for votes.
    Candidate,
    /// It leads.
    Leader,
}

/// What became of something that a client asked of this server, for the node that Raft lives in to
/// pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A session was opened; the index is its id.
    SessionOpened {
        /// Who asked.
        client: NodeId,
        /// The client's number.
        serial: u64,
        /// The session.
        session: LogIndex,
    },
    /// A command has taken effect at this index (perhaps when it was sent the first time).
    Applied {
        /// Who asked.
        client: NodeId,
        /// The client's number.
        serial: u64,
        /// Where the command stands.
        index: LogIndex,
        /// What it gave.
        output: Bytes,
    },
    /// A read.
    Read {
        /// Who asked.
        client: NodeId,
        /// The client's number.
        serial: u64,
        /// What is there.
        output: Bytes,
    },
    /// The client's session is unknown.
    Expired {
        /// Who asked.
        client: NodeId,
        /// The client's number.
        serial: u64,
    },
    /// This server is not the leader (any more). Of a command nothing is known: it may still be
    /// committed by the next leader.
    NotLeader {
        /// Who asked.
        client: NodeId,
        /// The client's number.
        serial: u64,
    },
    /// The command has certainly failed. The protocol can never say that of a command in the log;
    /// only a defect does.
    Failed {
        /// Who asked.
        client: NodeId,
        /// The client's number.
        serial: u64,
    },
}

/// A server with its state machine.
pub struct Raft<S> {
    pub(super) settings: Arc<RaftSettings>,
    pub(super) planted: Planted,
    pub(super) id: NodeId,

    // Persistent state. Every change is saved in the step that makes it, and nothing leaves before
    // that is durable.
    pub(super) current_term: Term,
    pub(super) voted_for: Option<NodeId>,
    pub(super) log: Log,
    pub(super) snapshot: Option<Rc<Snapshot>>,
    pub(super) storage: Storage,

    // Volatile state.
    pub(super) role: Role,
    /// The leader of the current term, as far as known.
    pub(super) leader_id: Option<NodeId>,
    /// Invariant: last_applied <= commit_index <= the log's last index.
    pub(super) commit_index: LogIndex,
    pub(super) last_applied: LogIndex,
    pub(super) machine: S,
    pub(super) sessions: Sessions,
    /// The configurations of the log, by index; the first one is that of the snapshot, or the
    /// initial one. Invariant: never empty.
    pub(super) configs: Vec<(LogIndex, Rc<Configuration>)>,

    // Elections.
    /// When a leader was heard last, and which; `None` for who where only the promise survives.
    pub(super) heard: Option<(Option<NodeId>, LocalTime)>,
    /// When the next election starts, unless a leader is heard.
    pub(super) election_deadline: LocalTime,
    /// When the running timer ends. Not later than the deadline: a deadline that moves on does not
    /// touch the timer.
    pub(super) election_timer: Option<LocalTime>,
    /// The answers of the present election or pre-election.
    pub(super) ballot: BTreeMap<NodeId, bool>,

    /// A snapshot on its way to this server.
    pub(super) partial: PartialSnapshot,
    /// Reads at this follower, by client.
    pub(super) follower_reads: BTreeMap<NodeId, FollowerRead>,
    /// Meaningful while `role` is [`Role::Leader`].
    pub(super) leader: LeaderState,
    pub(super) outcomes: Vec<Outcome>,
    /// What no correct server keeps.
    pub(super) defect: DefectState,
}

impl<S: StateMachine> Raft<S> {
    /// A server at the beginning of an incarnation, before it has read its disk.
    pub fn new(
        settings: Arc<RaftSettings>,
        id: NodeId,
        initial: Configuration,
        machine: S,
    ) -> Raft<S> {
        Raft {
            planted: settings.planted,
            settings,
            id,
            current_term: Term::ZERO,
            voted_for: None,
            log: Log::default(),
            snapshot: None,
            storage: Storage::default(),
            role: Role::Follower,
            leader_id: None,
            commit_index: LogIndex::ZERO,
            last_applied: LogIndex::ZERO,
            machine,
            sessions: Sessions::default(),
            configs: vec![(LogIndex::ZERO, Rc::new(initial))],
            heard: None,
            election_deadline: LocalTime::ZERO,
            election_timer: None,
            ballot: BTreeMap::new(),
            partial: PartialSnapshot::default(),
            follower_reads: BTreeMap::new(),
            leader: LeaderState::default(),
            outcomes: Vec::new(),
            defect: DefectState::default(),
        }
    }

    /// Start: take over what is on the disk, and wait for a leader.
    pub fn boot(&mut self, host: &mut impl Host) {
        let (storage, Recovered { term, voted_for, snapshot, log }) =
            Storage::recover(host, self.planted);
        (self.current_term, self.voted_for) = (term, voted_for);
        if (term, voted_for) != (log.last_term(), None) && self.plants(Defect::TermNotPersisted) {
            (self.current_term, self.voted_for) = (log.last_term(), None);
        }
        (self.storage, self.log, self.snapshot) = (storage, log, snapshot);
        if let Some(snapshot) = self.snapshot.clone() {
            self.machine.restore(&snapshot.machine);
            self.sessions = snapshot.sessions.clone();
        }
        let start = self.snapshot_index().max(self.log.base());
        (self.commit_index, self.last_applied) = (start, start);
        self.recover_configs(host);
        self.heard = self.heard_at_boot(host);
        host.emit(events::Recover {
            term: self.current_term,
            voted_for: self.voted_for,
            snapshot_index: self.snapshot_index(),
            last_index: self.log.last_index(),
            last_term: self.log.last_term(),
        });
        self.show_role(host);
        self.reset_election_timer(host);
    }

    /// Whether this defect is planted. Asked last, where "yes" changes what happens.
    #[inline]
    pub(super) fn plants(&self, defect: Defect) -> bool {
        self.planted.plants(defect)
    }

    /// What became of requests since the last call.
    pub fn take_outcomes(&mut self) -> Vec<Outcome> {
        std::mem::take(&mut self.outcomes)
    }

    /// Where a client should turn to, as far as this server knows.
    pub fn leader_hint(&self) -> Option<NodeId> {
        self.leader_id.filter(|leader| *leader != self.id)
    }

    /// Whether this server takes itself for the leader.
    pub fn is_leader(&self) -> bool {
        self.role == Role::Leader
    }

    /// Whether this server leads and has applied all that its predecessors had committed: what it
    /// knows of the past is complete (§8).
    pub fn leads_with_all_applied(&self) -> bool {
        self.is_leader() && self.has_committed_in_term() && self.last_applied == self.commit_index
    }

    /// The term that it is in.
    pub fn current_term(&self) -> Term {
        self.current_term
    }

    /// What it has applied so far, on this server; possibly old.
    pub fn machine(&self) -> &S {
        &self.machine
    }

    /// A message of another server.
    pub fn on_message(&mut self, host: &mut impl Host, from: NodeId, message: RaftMessage) {
        match message {
            RaftMessage::RequestVote(ask) => self.on_request_vote(host, from, &ask),
            RaftMessage::RequestVoteResponse(answer) => {
                self.on_request_vote_response(host, from, &answer)
            }
            RaftMessage::PreVote(ask) => self.on_pre_vote(host, from, &ask),
            RaftMessage::PreVoteResponse(answer) => self.on_pre_vote_response(host, from, &answer),
            RaftMessage::AppendEntries(append) => {
                if let Some(answer) = self.on_append_entries(host, from, append) {
                    host.send(from, RaftMessage::AppendEntriesResponse(answer));
                }
            }
            RaftMessage::Heartbeat(append) => {
                if let Some(answer) = self.on_append_entries(host, from, append) {
                    host.send(from, RaftMessage::HeartbeatResponse(answer));
                }
            }
            RaftMessage::AppendEntriesResponse(answer) | RaftMessage::HeartbeatResponse(answer) => {
                self.on_append_entries_response(host, from, answer);
            }
            RaftMessage::InstallSnapshot(piece) => self.on_install_snapshot(host, from, piece),
            RaftMessage::InstallSnapshotResponse(answer) => {
                self.on_install_snapshot_response(host, from, answer)
            }
            RaftMessage::TimeoutNow { term } => self.on_timeout_now(host, term),
            RaftMessage::ReadIndex { term, read } => self.on_read_index(host, from, term, read),
            RaftMessage::ReadIndexResponse { read, index, .. } => {
                self.on_read_index_response(host, read, index)
            }
        }
    }

    /// A timer ran out.
    pub fn on_timer(&mut self, host: &mut impl Host, timer: RaftTimer) {
        match timer {
            RaftTimer::Election => self.on_election_timer(host),
            RaftTimer::Heartbeat => self.on_heartbeat_timer(host),
        }
    }

    /// An operator asks for something; what is not a command of Raft's is ignored.
    pub fn on_command(&mut self, host: &mut impl Host, command: &str) {
        let mut words = command.split_whitespace();
        match words.next() {
            Some("transfer_leadership") => self.on_transfer_command(host, words.next()),
            Some(change) => self.on_change_command(host, change, words.next()),
            None => {}
        }
    }

    /// A follower without a vote is shown as a learner.
    pub(super) fn shown_role(&self) -> ShownRole {
        match self.role {
            Role::Follower if !self.config().is_voter(self.id) => ShownRole::Learner,
            Role::Follower => ShownRole::Follower,
            Role::PreCandidate => ShownRole::PreCandidate,
            Role::Candidate => ShownRole::Candidate,
            Role::Leader => ShownRole::Leader,
        }
    }

    pub(super) fn show_role(&self, host: &mut impl Host) {
        let (term, role) = (Optional(Some(self.current_term)), Optional(Some(self.shown_role())));
        host.emit(events::RoleChange { term, role });
    }

    /// Show the metrics.
    pub fn probe(&self, probe: &mut Probe<'_>) {
        let metrics = ServerMetrics {
            role: self.shown_role(),
            current_term: self.current_term,
            commit_index: self.commit_index,
            last_applied: self.last_applied,
            last_index: self.log.last_index(),
            snapshot_index: self.snapshot_index(),
            leader: self.leader_id,
            log_entries: self.log.len(),
        };
        metrics.show(probe);
    }
}
