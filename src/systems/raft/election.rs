//! Elections (§5.2, §5.4.1), with the pre-vote and the loyalty to a living leader of the
//! dissertation (§9.6, §4.2.3).

use super::defects::Defect;
use super::host::{Host, RaftTimer};
use super::message::{RaftMessage, RequestVote, VoteResponse};
use super::server::{Raft, Role};
use super::settings::Reads;
use super::state_machine::StateMachine;
use super::storage::Storage;
use super::types::Term;
use super::vocabulary as events;
use crate::node::{LocalTime, NodeId};
use crate::vocabulary::Optional;

impl<S: StateMachine> Raft<S> {
    // Roles. Each transition is one function, and only here the role changes.

    /// Be a follower in `term`, of `leader` if it is known. In a new term no vote is given yet.
    pub(super) fn become_follower(
        &mut self,
        host: &mut impl Host,
        term: Term,
        leader: Option<NodeId>,
    ) {
        assert!(
            term >= self.current_term,
            "term {term} is behind the current one, {}",
            self.current_term
        );
        let before = self.role;
        if term != self.current_term {
            (self.current_term, self.voted_for) = (term, None);
            self.save_state(host);
            host.emit(events::NewTerm { term });
        } else if before != Role::Follower
            && self.voted_for.is_some()
            && self.plants(Defect::VoteClearedOnStepDown)
        {
            self.voted_for = None;
            self.save_state(host);
        }
        self.leader_id = leader;
        if before == Role::Follower {
            return;
        }
        self.role = Role::Follower;
        self.ballot.clear();
        self.show_role(host);
        if before == Role::Leader {
            self.abandon_leadership(host);
        }
        self.reset_election_timer(host);
    }

    fn become_pre_candidate(&mut self, host: &mut impl Host) {
        self.role = Role::PreCandidate;
        self.leader_id = None;
        self.ballot.clear();
        self.show_role(host);
        self.reset_election_timer(host);
        self.ask_voters(host, RaftMessage::PreVote, self.current_term.next(), false);
        if !(self.defect.has_led && self.plants(Defect::ExLeaderRefusesItself)) {
            self.ballot.insert(self.id, true);
        }
        self.maybe_win_pre_vote(host);
    }

    fn become_candidate(&mut self, host: &mut impl Host, leadership_transfer: bool) {
        self.role = Role::Candidate;
        self.leader_id = None;
        self.current_term = self.current_term.next();
        self.voted_for = Some(self.id);
        self.save_state(host);
        self.ballot.clear();
        self.ballot.insert(self.id, true);
        host.emit(events::NewTerm { term: self.current_term });
        self.show_role(host);
        host.emit(events::Vote { term: self.current_term, candidate: self.id });
        self.reset_election_timer(host);
        self.ask_voters(host, RaftMessage::RequestVote, self.current_term, leadership_transfer);
        self.maybe_win(host);
    }

    fn become_leader(&mut self, host: &mut impl Host) {
        assert!(self.role == Role::Candidate, "only a candidate wins an election");
        self.role = Role::Leader;
        self.leader_id = Some(self.id);
        self.heard = None;
        self.ballot.clear();
        self.show_role(host);
        host.emit(events::Elected {
            term: self.current_term,
            last_index: Optional(Some(self.log.last_index())),
            last_term: Optional(Some(self.log.last_term())),
            snapshot_index: Optional(Some(self.snapshot_index())),
        });
        self.begin_leadership(host);
    }

    fn abandon_leadership(&mut self, host: &mut impl Host) {
        host.cancel_timer(RaftTimer::Heartbeat);
        let mut leader = std::mem::take(&mut self.leader);
        self.defect.has_led = true;
        if !leader.waiting.is_empty() && self.plants(Defect::ReplyByIndex) {
            self.leader.waiting = std::mem::take(&mut leader.waiting);
        }
        self.answer_lost_requests(leader);
    }

    /// Save `current_term` and `voted_for`.
    pub(super) fn save_state(&self, host: &mut impl Host) {
        let stored_vote = self.voted_for.filter(|_| !self.plants(Defect::VoteNotPersisted));
        Storage::save_state(host, self.current_term, stored_vote);
    }

    /// When this server heard a leader last, at boot. A voter that does not know has to assume that
    /// it was just now, if leases rest on its loyalty: the leader that it heard before the crash
    /// may still hold one.
    pub(super) fn heard_at_boot(&self, host: &impl Host) -> Option<(Option<NodeId>, LocalTime)> {
        let leases = self.settings.reads == Reads::Lease;
        (leases && !self.plants(Defect::PromiseForgotten)).then(|| (None, host.now()))
    }

    // Messages.

    /// A leader of `term` has spoken: follow it.
    pub(super) fn follow(&mut self, host: &mut impl Host, term: Term, leader: NodeId) {
        let new_term = term > self.current_term;
        if !new_term && self.role != Role::Follower && self.plants(Defect::CandidateStays) {
            return;
        }
        if new_term || self.role != Role::Follower || self.leader_id != Some(leader) {
            self.become_follower(host, term.max(self.current_term), Some(leader));
        }
        self.heard = Some((Some(leader), host.now()));
        self.reset_election_timer(host);
    }

    /// Whether this server refuses to hear of another election, because a leader is alive as far as
    /// it knows: one has spoken within the shortest election timeout. So a server that was removed
    /// or cut off cannot depose a working leader, and leases hold.
    ///
    /// A candidate that is itself the leader heard last has given its leadership up, which ends the
    /// loyalty.
    fn is_loyal(&self, host: &impl Host, candidate: NodeId) -> bool {
        let leases = self.settings.reads == Reads::Lease;
        if !self.settings.leader_stickiness && !leases {
            return false;
        }
        let hears_leader = self.role == Role::Leader
            || self.heard.is_some_and(|(leader, at)| {
                leader != Some(candidate)
                    && host.now().saturating_since(at) < self.settings.election_timeout.0
            });
        hears_leader
            && !self.plants(Defect::RemovedServerDisrupts)
            && !(leases && self.plants(Defect::LeaseWithoutLoyalty))
    }

    pub(super) fn on_request_vote(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        ask: &RequestVote,
    ) {
        // Not even the term is taken over (dissertation §4.2.3): that alone would depose the
        // leader.
        if !ask.leadership_transfer && self.is_loyal(host, from) {
            return;
        }
        let voted_before = self.voted_for;
        if ask.term > self.current_term {
            self.become_follower(host, ask.term, None);
        }
        let is_free = |voted_for: Option<NodeId>| voted_for.is_none_or(|vote| vote == from);
        let vote_granted = ask.term == self.current_term
            && is_free(self.voted_for)
            && self.is_up_to_date(ask)
            && (is_free(voted_before) || !self.plants(Defect::VoteBeforeTerm));
        if vote_granted {
            if self.voted_for != Some(from) {
                self.voted_for = Some(from);
                self.save_state(host);
            }
            host.emit(events::Vote { term: self.current_term, candidate: from });
        }
        // A voter waits for the result of the election that it has helped; one that refuses waits
        // for nobody.
        let waits = if vote_granted {
            !self.plants(Defect::VoteKeepsTimer)
        } else {
            self.plants(Defect::DenialResetsTimer)
        };
        if waits {
            self.reset_election_timer(host);
        }
        let answer = VoteResponse { term: self.current_term, vote_granted };
        host.send(from, RaftMessage::RequestVoteResponse(answer));
    }

    pub(super) fn on_request_vote_response(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        answer: &VoteResponse,
    ) {
        if answer.term > self.current_term && !self.plants(Defect::AnswerTermIgnored) {
            return self.become_follower(host, answer.term, None);
        }
        if self.role == Role::Candidate && answer.term == self.current_term {
            self.count_vote(from, answer.vote_granted);
            self.maybe_win(host);
        }
    }

    /// A server has one vote, however often its answer arrives.
    fn count_vote(&mut self, from: NodeId, vote_granted: bool) {
        let counted = self.ballot.get(&from) == Some(&true);
        if vote_granted
            && counted
            && let Some(silent) = self.silent_voter()
            && self.plants(Defect::DuplicateVoteCounted)
        {
            self.ballot.insert(silent, true);
        }
        self.ballot.insert(from, vote_granted);
    }

    fn silent_voter(&self) -> Option<NodeId> {
        let (_, config) = self.configs.last()?;
        config.voters.iter().copied().find(|voter| !self.ballot.contains_key(voter))
    }

    pub(super) fn on_pre_vote(&mut self, host: &mut impl Host, from: NodeId, ask: &RequestVote) {
        if ask.term <= self.current_term && self.plants(Defect::OldPreVoteIgnored) {
            return;
        }
        let vote_granted = ask.term > self.current_term
            && self.is_up_to_date(ask)
            && (!self.is_loyal(host, from) || self.plants(Defect::PreVoteWithoutLoyalty));
        // A refusal carries the voter's own term, so that a candidate from an earlier one catches
        // up; a grant changes nothing here.
        let term = if vote_granted { ask.term } else { self.current_term };
        host.send(from, RaftMessage::PreVoteResponse(VoteResponse { term, vote_granted }));
    }

    pub(super) fn on_pre_vote_response(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        answer: &VoteResponse,
    ) {
        if !answer.vote_granted
            && answer.term > self.current_term
            && !self.plants(Defect::AnswerTermIgnored)
        {
            return self.become_follower(host, answer.term, None);
        }
        if self.role == Role::PreCandidate
            && answer.vote_granted
            && answer.term == self.current_term.next()
        {
            self.ballot.insert(from, true);
            self.maybe_win_pre_vote(host);
        }
    }

    pub(super) fn on_timeout_now(&mut self, host: &mut impl Host, term: Term) {
        if term == self.current_term && self.role != Role::Leader && self.is_promotable() {
            self.become_candidate(host, true);
        }
    }

    // Timers.

    /// Wait for a leader anew, for a time drawn from the range.
    ///
    /// This happens with every heartbeat. So the timer itself is left alone where it ends before
    /// the new deadline; it is set for the rest when it ends.
    pub(super) fn reset_election_timer(&mut self, host: &mut impl Host) {
        let (shortest, longest) = self.settings.election_timeout;
        let timeout = if self.plants(Defect::NoRandomisation) {
            shortest
        } else {
            host.rng().duration(shortest, longest)
        };
        self.election_deadline = host.now() + timeout;
        if self.election_timer.is_none_or(|end| end > self.election_deadline) {
            self.election_timer = Some(self.election_deadline);
            host.set_timer(RaftTimer::Election, timeout);
        }
    }

    pub(super) fn on_election_timer(&mut self, host: &mut impl Host) {
        self.election_timer = None;
        if self.role == Role::Leader {
            return;
        }
        if host.now() < self.election_deadline {
            self.election_timer = Some(self.election_deadline);
            return host.set_timer(RaftTimer::Election, self.election_deadline - host.now());
        }
        if !self.is_promotable() {
            return self.reset_election_timer(host);
        }
        if self.role != Role::Follower && self.plants(Defect::CandidateGivesUp) {
            return;
        }
        if self.settings.pre_vote && !self.plants(Defect::NoPreVote) {
            self.become_pre_candidate(host)
        } else {
            self.become_candidate(host, false)
        }
    }

    // Rules.

    /// Only a voter can be elected.
    fn is_promotable(&self) -> bool {
        self.config().is_voter(self.id)
    }

    /// "Raft determines which of two logs is more up-to-date by comparing the index and term of the
    /// last entries in the logs" (§5.4.1).
    fn is_up_to_date(&self, ask: &RequestVote) -> bool {
        let candidate = (ask.last_log_term, ask.last_log_index);
        let voter = (self.log.last_term(), self.log.last_index());
        candidate >= voter
            || self.plants(Defect::NoLogCheck)
            || (candidate.0 == voter.0 && self.plants(Defect::LogCheckByTerm))
    }

    fn ask_voters(
        &self,
        host: &mut impl Host,
        kind: fn(RequestVote) -> RaftMessage,
        term: Term,
        leadership_transfer: bool,
    ) {
        let ask = RequestVote {
            term,
            last_log_index: self.log.last_index(),
            last_log_term: self.log.last_term(),
            leadership_transfer,
        };
        for node in self.config().members() {
            if node != self.id && self.config().is_voter(node) {
                host.send(node, kind(ask.clone()));
            }
        }
    }

    fn maybe_win_pre_vote(&mut self, host: &mut impl Host) {
        if self.config().decides(self.planted, |node| self.ballot.get(&node) == Some(&true)) {
            self.become_candidate(host, false);
        }
    }

    fn maybe_win(&mut self, host: &mut impl Host) {
        if self.config().decides(self.planted, |node| self.ballot.get(&node) == Some(&true)) {
            self.become_leader(host);
        }
    }
}
