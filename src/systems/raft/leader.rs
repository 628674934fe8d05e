//! What a leader keeps besides: its followers' progress, who waits for what, its rounds. And how it
//! begins, shows itself and steps down.

use std::collections::{BTreeMap, VecDeque};

use super::defects::Defect;
use super::host::{Host, RaftTimer};
use super::log::{Entry, Payload};
use super::membership::Goal;
use super::read_index::PendingRead;
use super::replication::FollowerProgress;
use super::server::{Outcome, Raft, Role};
use super::state_machine::{DONE, StateMachine};
use super::transfer::Handover;
use super::types::{LogIndex, Term};
use super::vocabulary as events;
use crate::node::{LocalTime, NodeId};
use crate::vocabulary::Optional;

/// Who waits for an entry to be applied.
#[derive(Clone, Debug)]
pub struct Waiter {
    /// The entry's term: another entry may come to stand at the index.
    pub term: Term,
    /// Who asked.
    pub client: NodeId,
    /// The client's number.
    pub serial: u64,
}

/// When a round began.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Its number.
    pub number: u64,
    /// By the leader's monotonic clock.
    pub began: LocalTime,
}

/// The leader's volatile state.
#[derive(Debug, Default)]
pub struct LeaderState {
    /// Every other member.
    pub progress: BTreeMap<NodeId, FollowerProgress>,
    /// Clients that wait, by index.
    pub waiting: BTreeMap<LogIndex, Waiter>,
    /// The number of the last round of messages to all.
    pub round: u64,
    /// The last round that a majority has answered.
    pub round_confirmed: u64,
    /// The rounds that are not confirmed, oldest first.
    pub rounds: VecDeque<Round>,
    /// Reads that wait for a round, in the order of their rounds.
    pub reads: VecDeque<PendingRead>,
    /// Reads that wait for the first entry of this term to be committed.
    pub reads_too_early: Vec<PendingRead>,
    /// The round on which the lease rests.
    pub lease: Option<Round>,
    /// A leader that has told another to take over has no lease for the rest of its term.
    pub lease_given_up: bool,
    /// The transfer of leadership that is under way.
    pub handover: Option<Handover>,
    /// The changes of membership that are asked for, the present one first.
    pub goals: VecDeque<Goal>,
    /// Room for sorting, kept between the steps; so are the next two.
    pub scratch_index: Vec<LogIndex>,
    /// For rounds.
    pub scratch_round: Vec<u64>,
    /// For times.
    pub scratch_time: Vec<LocalTime>,
}

/// Rounds that a leader remembers at the most while nobody answers.
const ROUNDS_MAX: usize = 256;

impl<S: StateMachine> Raft<S> {
    pub(super) fn begin_leadership(&mut self, host: &mut impl Host) {
        assert!(
            self.leader.progress.is_empty(),
            "what was known of {} followers belongs to another leadership",
            self.leader.progress.len()
        );
        self.update_progress(host);
        if self.settings.no_op && !self.plants(Defect::NoNoOp) {
            self.append_as_leader(host, Payload::Noop);
        }
        self.begin_round(host);
        self.replicate(host);
        host.set_timer(RaftTimer::Heartbeat, self.settings.heartbeat_interval);
        self.maybe_commit(host);
    }

    /// Put an entry at the end of its own log. Nothing of this step leaves before it is durable, so
    /// the leader counts itself immediately.
    pub(super) fn append_as_leader(&mut self, host: &mut impl Host, payload: Payload) -> LogIndex {
        assert!(self.role == Role::Leader, "only a leader makes entries");
        let entry = Entry::new(self.current_term, payload);
        self.append(host, std::slice::from_ref(&entry));
        self.log.last_index()
    }

    pub(super) fn on_heartbeat_timer(&mut self, host: &mut impl Host) {
        if self.role != Role::Leader {
            return;
        }
        if self.settings.check_quorum
            && !self.hears_quorum(host)
            && !self.plants(Defect::NoCheckQuorum)
        {
            host.log(|| "no majority answers: stepping down".to_owned());
            return self.become_follower(host, self.current_term, None);
        }
        self.maybe_end_handover(host);
        self.leader.progress.values_mut().for_each(|progress| progress.budget = usize::MAX);
        self.begin_round(host);
        self.pursue_goals(host);
        host.set_timer(RaftTimer::Heartbeat, self.settings.heartbeat_interval);
    }

    /// Whether a majority has answered within the longest election timeout (dissertation §6.2: else
    /// clients would wait in vain).
    fn hears_quorum(&mut self, host: &impl Host) -> bool {
        let mut scratch = std::mem::take(&mut self.leader.scratch_time);
        let (now, id) = (host.now(), self.id);
        let progress = &self.leader.progress;
        let heard = |node| {
            if node == id {
                now
            } else {
                progress.get(&node).map_or(LocalTime::ZERO, |progress| progress.heard)
            }
        };
        let since = self.config().reached(self.planted, &mut scratch, heard);
        self.leader.scratch_time = scratch;
        now.saturating_since(since) < self.settings.election_timeout.1
    }

    /// Begin a round: show all members that this is the leader, and find out whether they agree.
    pub(super) fn begin_round(&mut self, host: &mut impl Host) {
        let leader = &mut self.leader;
        leader.round += 1;
        leader.rounds.push_back(Round { number: leader.round, began: host.now() });
        self.defect.note_round(self.planted, leader.round, host);
        if leader.rounds.len() > ROUNDS_MAX {
            leader.rounds.pop_front();
        }
        self.show_leadership(host);
        self.maybe_confirm_round(host);
    }

    /// What every answer to a leader means, whatever else it says. Returns whether it is one to
    /// this leadership.
    pub(super) fn is_answer_to_leader(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        term: Term,
        round: u64,
    ) -> bool {
        if term > self.current_term && !self.plants(Defect::AnswerTermIgnored) {
            self.become_follower(host, term, None);
            return false;
        }
        if self.role != Role::Leader {
            return false;
        }
        // An answer to a message of an earlier leadership proves nothing about this one.
        let is_of_this_term = term == self.current_term
            || (term < self.current_term && self.plants(Defect::AnswerOfEarlierTerm));
        if !is_of_this_term {
            return false;
        }
        let Some(progress) = self.leader.progress.get_mut(&from) else { return false };
        progress.heard = host.now();
        if round > progress.round {
            progress.round = round;
            self.maybe_confirm_round(host);
        }
        true
    }

    /// The last round that a majority has answered.
    fn maybe_confirm_round(&mut self, host: &mut impl Host) {
        let mut scratch = std::mem::take(&mut self.leader.scratch_round);
        let (leader, id) = (&self.leader, self.id);
        let answered = |node| {
            if node == id {
                leader.round
            } else {
                leader.progress.get(&node).map_or(0, |progress| progress.round)
            }
        };
        let confirmed = self.config().reached(self.planted, &mut scratch, answered);
        self.leader.scratch_round = scratch;
        if confirmed <= self.leader.round_confirmed {
            return;
        }
        self.leader.round_confirmed = confirmed;
        while let Some(round) = self.leader.rounds.pop_front_if(|round| round.number <= confirmed) {
            if round.number == confirmed {
                self.leader.lease = Some(round);
            }
        }
        self.serve_confirmed_reads(host);
    }

    /// "A log entry is committed once the leader that created the entry has replicated it on a
    /// majority of the servers"; entries of earlier terms are committed only along with one of its
    /// own term (§5.3, §5.4.2).
    pub(super) fn maybe_commit(&mut self, host: &mut impl Host) {
        let mut scratch = std::mem::take(&mut self.leader.scratch_index);
        let (last, id, progress) = (self.log.last_index(), self.id, &self.leader.progress);
        let stored = |node| {
            if node == id {
                last
            } else {
                progress.get(&node).map_or(LogIndex::ZERO, |progress| progress.match_index)
            }
        };
        let index = self.config().reached(self.planted, &mut scratch, stored);
        self.leader.scratch_index = scratch;
        if index > self.commit_index && self.may_commit(index) {
            self.advance_commit(host, index);
            self.after_leader_commit(host);
        }
    }

    /// "Only log entries from the leader's current term are committed by counting replicas"
    /// (§5.4.2): one of an earlier term, even on a majority, may still be overwritten (figure 8).
    fn may_commit(&self, index: LogIndex) -> bool {
        let term = self.log.term(index);
        term == Some(self.current_term) || (term.is_some() && self.plants(Defect::CommitOldTerm))
    }

    fn after_leader_commit(&mut self, host: &mut impl Host) {
        // A leader that is no longer a voter has led until its own removal was committed, and steps
        // down now (dissertation §4.2.2).
        if self.config_is_committed()
            && !self.config().is_voter(self.id)
            && !self.plants(Defect::RemovedLeaderStays)
        {
            host.log(|| "removed from the configuration: stepping down".to_owned());
            return self.become_follower(host, self.current_term, None);
        }
        self.maybe_start_early_reads(host);
        self.pursue_goals(host);
    }

    /// Whether an entry of its own term is committed, and so all that any earlier leader has
    /// committed (§8).
    pub(super) fn has_committed_in_term(&self) -> bool {
        self.log.term(self.commit_index) == Some(self.current_term)
    }

    /// A client's command, or its wish for a session. Answers come as [`Outcome`]s.
    pub fn propose(&mut self, host: &mut impl Host, client: NodeId, serial: u64, payload: Payload) {
        if self.role != Role::Leader || self.leader.handover.is_some() {
            return self.outcomes.push(Outcome::NotLeader { client, serial });
        }
        if let Payload::Command(command) = &payload
            && let Some(outcome) = self.known_outcome(command)
        {
            return self.outcomes.push(outcome);
        }
        let index = self.append_as_leader(host, payload);
        if self.plants(Defect::ReplyOnAppend) {
            self.outcomes.push(Outcome::Applied { client, serial, index, output: DONE.into() });
        } else {
            self.leader.waiting.insert(index, Waiter { term: self.current_term, client, serial });
        }
        self.replicate(host);
        self.maybe_commit(host);
    }

    /// Answer all requests that waited for a leader which has stepped down. Of their commands
    /// nothing is known: they stand in its log, and the next leader may commit them.
    pub(super) fn answer_lost_requests(&mut self, leader: LeaderState) {
        for Waiter { client, serial, .. } in leader.waiting.into_values() {
            self.outcomes.push(if self.plants(Defect::FailureClaimed) {
                Outcome::Failed { client, serial }
            } else {
                Outcome::NotLeader { client, serial }
            });
        }
        for read in leader.reads.into_iter().chain(leader.reads_too_early) {
            self.outcomes.extend(read.not_leader());
        }
    }

    /// Apply what is committed, and go on from there.
    pub(super) fn advance_commit(&mut self, host: &mut impl Host, index: LogIndex) {
        let last = self.log.last_index();
        assert!(
            index > self.commit_index && (index <= last || self.planted.may_diverge()),
            "cannot commit {index} after {}: the log ends at {last}",
            self.commit_index
        );
        self.commit_index = index;
        let entry_term = self.log.term(index).unwrap_or_default();
        host.emit(events::Commit {
            index,
            term: self.current_term,
            role: Optional(Some(self.shown_role())),
            entry_term,
        });
        self.apply_committed(host);
    }
}
