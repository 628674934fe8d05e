//! Reads that do not go through the log (dissertation §6.4).
//!
//! *ReadIndex*: the leader notes its commit index and begins a round. Once a majority has answered,
//! it was the leader when the read arrived, so no later leader can have committed anything by then;
//! what it has applied up to that index is recent enough. Before it has committed an entry of its
//! own term, though, its commit index may be behind what its predecessor acknowledged, and the read
//! has to wait for that.
//!
//! *Lease*: a voter that hears a leader helps nobody else to win for the shortest election timeout.
//! So a leader may answer immediately for that long after the beginning of the last round that a
//! majority has answered, less what its clock and theirs may drift apart meanwhile.

use std::time::Duration;

use super::defects::Defect;
use super::host::Host;
use super::leader::Round;
use super::log::Bytes;
use super::message::RaftMessage;
use super::server::{Outcome, Raft, Role};
use super::settings::{RaftSettings, Reads};
use super::state_machine::StateMachine;
use super::types::{LogIndex, Term};
use super::vocabulary::{self as events, ReadMode};
use crate::node::NodeId;
use crate::time::nanos;

/// Who wants to read.
#[derive(Clone, Debug)]
pub enum Reader {
    /// A client of this server.
    Client {
        /// Which.
        client: NodeId,
        /// Its number for the read.
        serial: u64,
        /// What it asks.
        query: Bytes,
    },
    /// A follower that a client has asked.
    Follower {
        /// Which.
        node: NodeId,
        /// Its number for the question.
        read: u64,
    },
}

/// A read that waits at the leader.
#[derive(Clone, Debug)]
pub struct PendingRead {
    /// The commit index when it arrived.
    pub index: LogIndex,
    /// The round that must be confirmed.
    pub round: u64,
    /// Whose it is.
    pub reader: Reader,
}

impl PendingRead {
    /// What to say when the leadership is lost. A read changes nothing, so it may simply be asked
    /// elsewhere.
    pub fn not_leader(self) -> Option<Outcome> {
        match self.reader {
            Reader::Client { client, serial, .. } => Some(Outcome::NotLeader { client, serial }),
            Reader::Follower { .. } => None,
        }
    }
}

/// A read that waits at a follower.
#[derive(Clone, Debug)]
pub struct FollowerRead {
    /// The client's number for it.
    pub serial: u64,
    /// What the client asks.
    pub query: Bytes,
    /// The number of the question to the leader. Drawn at random: an answer to a question of an
    /// earlier incarnation must not fit.
    pub read: u64,
    /// The leader's answer: what must be applied first.
    pub index: Option<LogIndex>,
}

impl<S: StateMachine> Raft<S> {
    /// A client wants to read. The answer comes as an [`Outcome`].
    pub fn read(&mut self, host: &mut impl Host, client: NodeId, serial: u64, query: Bytes) {
        let leads = self.role == Role::Leader;
        if self.settings.reads == Reads::Local
            || self.plants(Defect::AnyoneReadsLocally)
            || (leads && self.plants(Defect::LeaderReadsLocally))
        {
            self.answer_read(host, client, serial, &query, ReadMode::Local);
        } else if leads {
            self.start_read(host, Reader::Client { client, serial, query });
        } else {
            match self.leader_hint() {
                Some(leader) if self.settings.follower_reads => {
                    self.ask_leader(host, leader, client, serial, query)
                }
                _ => self.outcomes.push(Outcome::NotLeader { client, serial }),
            }
        }
    }

    // At the leader.

    fn start_read(&mut self, host: &mut impl Host, reader: Reader) {
        let read = PendingRead { index: self.commit_index, round: self.leader.round + 1, reader };
        if !self.has_committed_in_term() && !self.plants(Defect::ReadBeforeOwnCommit) {
            self.leader.reads_too_early.push(read);
        } else if self.has_lease(host) {
            self.serve(host, read, ReadMode::Lease);
        } else {
            self.leader.reads.push_back(read);
            self.begin_round(host);
        }
    }

    /// The first entry of its own term may have been committed: from now on the commit index is
    /// recent.
    pub(super) fn maybe_start_early_reads(&mut self, host: &mut impl Host) {
        if self.leader.reads_too_early.is_empty() || !self.has_committed_in_term() {
            return;
        }
        let (index, round) = (self.commit_index, self.leader.round + 1);
        for read in std::mem::take(&mut self.leader.reads_too_early) {
            self.leader.reads.push_back(PendingRead { index, round, ..read });
        }
        self.begin_round(host);
    }

    /// A round was confirmed: the reads that waited for it, or for an earlier one, can be answered.
    pub(super) fn serve_confirmed_reads(&mut self, host: &mut impl Host) {
        let confirmed = self.leader.round_confirmed;
        while let Some(read) = self.leader.reads.pop_front_if(|read| read.round <= confirmed) {
            self.serve(host, read, ReadMode::ReadIndex);
        }
    }

    fn serve(&mut self, host: &mut impl Host, read: PendingRead, mode: ReadMode) {
        assert!(
            self.last_applied >= read.index || self.planted.may_diverge(),
            "read at {} before it is applied: {}",
            read.index,
            self.last_applied
        );
        match read.reader {
            Reader::Client { client, serial, query } => {
                self.answer_read(host, client, serial, &query, mode)
            }
            Reader::Follower { node, read: number } => {
                let answer = RaftMessage::ReadIndexResponse {
                    term: self.current_term,
                    read: number,
                    index: read.index,
                };
                host.send(node, answer);
            }
        }
    }

    fn answer_read(
        &mut self,
        host: &mut impl Host,
        client: NodeId,
        serial: u64,
        query: &Bytes,
        mode: ReadMode,
    ) {
        host.emit(events::Read { index: self.last_applied, mode });
        let output = self.machine.query(query);
        self.outcomes.push(Outcome::Read { client, serial, output });
    }

    fn has_lease(&self, host: &impl Host) -> bool {
        if self.settings.reads != Reads::Lease {
            return false;
        }
        let Some(round) = self.leader.lease else { return false };
        let (age, (shortest, longest)) =
            (self.lease_age(host, round), self.settings.election_timeout);
        let lasts = age < lease_duration(&self.settings)
            || (age < shortest && self.plants(Defect::LeaseWithoutDrift))
            || (age < shortest + longest && self.plants(Defect::LeaseTooLong));
        lasts && (!self.leader.lease_given_up || self.plants(Defect::LeaseSurvivesTransfer))
    }

    /// How old the round is on which a lease rests, by the leader's monotonic clock: a wall clock
    /// can be set back.
    fn lease_age(&self, host: &impl Host, round: Round) -> Duration {
        let age = host.now().saturating_since(round.began);
        match self.defect.age_by_wall_clock(round.number, host) {
            Some(by_wall) if by_wall != age && self.plants(Defect::LeaseByWallClock) => by_wall,
            _ => age,
        }
    }

    pub(super) fn on_read_index(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        term: Term,
        read: u64,
    ) {
        if term > self.current_term {
            self.become_follower(host, term, None);
        } else if self.role == Role::Leader {
            self.start_read(host, Reader::Follower { node: from, read });
        }
    }

    // At a follower.

    fn ask_leader(
        &mut self,
        host: &mut impl Host,
        leader: NodeId,
        client: NodeId,
        serial: u64,
        query: Bytes,
    ) {
        let read = host.rng().bits() >> 1;
        self.follower_reads.insert(client, FollowerRead { serial, query, read, index: None });
        host.send(leader, RaftMessage::ReadIndex { term: self.current_term, read });
    }

    pub(super) fn on_read_index_response(
        &mut self,
        host: &mut impl Host,
        read: u64,
        index: LogIndex,
    ) {
        // The term does not matter: whoever leads now, the answer was confirmed after the question.
        if let Some(waiting) = self.follower_reads.values_mut().find(|waiting| waiting.read == read)
        {
            waiting.index = Some(index);
            self.serve_follower_reads(host);
        }
    }

    /// Answer what has been waiting for entries that are applied now.
    pub(super) fn serve_follower_reads(&mut self, host: &mut impl Host) {
        let (applied, planted) = (self.last_applied, self.planted);
        let ready = |index| index <= applied || planted.plants(Defect::ReadBeforeApplied);
        let is_ready = |waiting: &FollowerRead| waiting.index.is_some_and(ready);
        while let Some((&client, _)) =
            self.follower_reads.iter().find(|(_, waiting)| is_ready(waiting))
        {
            let FollowerRead { serial, query, .. } =
                self.follower_reads.remove(&client).expect("it was found");
            self.answer_read(host, client, serial, &query, ReadMode::ReadIndex);
        }
    }
}

/// How long a lease lasts on the leader's clock, from the beginning of the round: the shortest
/// election timeout as the fastest voter's clock measures it, on the slowest leader's clock.
pub fn lease_duration(settings: &RaftSettings) -> Duration {
    const MILLION: u128 = 1_000_000;
    let bound = u128::from(settings.lease_drift_bound_ppm);
    let shortest = u128::from(nanos(settings.election_timeout.0));
    Duration::from_nanos(
        u64::try_from(shortest * (MILLION - bound) / (MILLION + bound))
            .expect("shorter than the timeout"),
    )
}
