//! Every decision that a planted mistake can turn: what is right, and what the mistake makes of it.
//!
//! The protocol calls these functions; who reads it may take each for what its name says.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::configuration::Configuration;
use super::defects::{Defect, Planted};
use super::events;
use super::host::Host;
use super::leader::{LeaderState, Round, Waiter};
use super::log::{Command, Entry, Log};
use super::read_index;
use super::replication::Progress;
use super::server::{Outcome, Raft, Role};
use super::sessions::Sessions;
use super::settings::{RaftSettings, Reads};
use super::snapshot::Snapshot;
use super::state_machine::{DONE, StateMachine};
use super::storage::Storage;
use super::types::{LogIndex, Term};
use crate::node::{LocalTime, NodeId};
use crate::rng::Rng;

/// A session that a server has not seen used for so long is forgotten by
/// [`Defect::SessionExpiresByClock`].
const SESSION_CLOCK_LIMIT: Duration = Duration::from_millis(500);

// Elections.
impl Planted {
    /// What stands on the disk of the vote.
    pub(super) fn stored_vote(self, voted_for: Option<NodeId>) -> Option<NodeId> {
        if self.plants(Defect::VoteNotPersisted) { None } else { voted_for }
    }

    /// What a server takes over from its disk.
    pub(super) fn recovered_state(
        self,
        term: Term,
        voted_for: Option<NodeId>,
        last_log_term: Term,
    ) -> (Term, Option<NodeId>) {
        if self.plants(Defect::TermNotPersisted) {
            (last_log_term, None)
        } else {
            (term, voted_for)
        }
    }

    pub(super) fn forgets_disk(self) -> bool {
        self.plants(Defect::BlankDisk)
    }

    /// A voter that does not know when it heard a leader last has to assume that it was just now,
    /// if leases rest on it.
    pub(super) fn promise_at_boot(
        self,
        settings: &RaftSettings,
        now: LocalTime,
    ) -> Option<(Option<NodeId>, LocalTime)> {
        (settings.reads == Reads::Lease && !self.plants(Defect::PromiseForgotten))
            .then_some((None, now))
    }

    /// Whether a candidate's log, as (term, index) of its last entry, is at least as up-to-date as
    /// a voter's.
    pub(super) fn is_up_to_date(
        self,
        candidate: (Term, LogIndex),
        voter: (Term, LogIndex),
    ) -> bool {
        if self.plants(Defect::NoLogCheck) {
            return true;
        }
        if self.plants(Defect::LogCheckByTerm) {
            return candidate.0 >= voter.0;
        }
        candidate >= voter
    }

    /// A vote stands for its whole term, whatever the voter becomes.
    pub(super) fn vote_is_cleared(self) -> bool {
        self.plants(Defect::VoteClearedOnStepDown)
    }

    /// The vote that stands in a candidate's way: that of its own term.
    pub(super) fn vote_that_counts(
        self,
        before: Option<NodeId>,
        in_term: Option<NodeId>,
    ) -> Option<NodeId> {
        if self.plants(Defect::VoteBeforeTerm) { before } else { in_term }
    }

    /// Enter a voter's answer.
    pub(super) fn count_vote(
        self,
        ballot: &mut BTreeMap<NodeId, bool>,
        config: Option<&(LogIndex, Rc<Configuration>)>,
        from: NodeId,
        granted: bool,
    ) {
        if self.plants(Defect::DuplicateVoteCounted) && granted && ballot.get(&from) == Some(&true)
        {
            let silent = config
                .iter()
                .flat_map(|(_, config)| &config.voters)
                .find(|voter| !ballot.contains_key(voter));
            ballot.extend(silent.map(|voter| (*voter, true)));
        }
        ballot.insert(from, granted);
    }

    /// The size of a majority.
    pub(super) fn majority(self, voters: usize) -> usize {
        if self.plants(Defect::QuorumTooSmall) { (voters / 2).max(1) } else { voters / 2 + 1 }
    }

    /// Who gives a vote waits for the result.
    pub(super) fn vote_resets_timer(self, granted: bool) -> bool {
        (granted && !self.plants(Defect::VoteKeepsTimer)) || self.plants(Defect::DenialResetsTimer)
    }

    pub(super) fn old_leader_resets_timer(self) -> bool {
        self.plants(Defect::OldLeaderResetsTimer)
    }

    /// Timeouts are drawn, so that seldom two servers start an election together.
    pub(super) fn election_timeout(self, range: (Duration, Duration), rng: &mut Rng) -> Duration {
        if self.plants(Defect::NoRandomisation) { range.0 } else { rng.duration(range.0, range.1) }
    }

    /// Whether a server whose timer ran out starts an election.
    pub(super) fn campaigns(self, role: Role) -> bool {
        role == Role::Follower || !self.plants(Defect::CandidateGivesUp)
    }

    /// A higher term in an answer ends candidacies and leaderships.
    pub(super) fn heeds_terms_of_answers(self) -> bool {
        !self.plants(Defect::AnswerTermIgnored)
    }

    /// A candidate follows the leader of its term.
    pub(super) fn candidate_yields(self) -> bool {
        !self.plants(Defect::CandidateStays)
    }

    pub(super) fn pre_vote(self, settings: &RaftSettings) -> bool {
        settings.pre_vote && !self.plants(Defect::NoPreVote)
    }

    pub(super) fn ignores_old_pre_votes(self) -> bool {
        self.plants(Defect::OldPreVoteIgnored)
    }

    /// A server that hears a leader gives no pre-vote.
    pub(super) fn pre_vote_is_loyal(self) -> bool {
        !self.plants(Defect::PreVoteWithoutLoyalty)
    }

    pub(super) fn accepts_own_pre_vote(self, leader: &LeaderState) -> bool {
        !(self.plants(Defect::ExLeaderRefusesItself) && leader.led_before)
    }

    /// Whether voters are loyal to a living leader. Leases rest on it.
    pub(super) fn loyal(self, settings: &RaftSettings) -> bool {
        let leases = settings.reads == Reads::Lease;
        (settings.leader_stickiness || leases)
            && !self.plants(Defect::RemovedServerDisrupts)
            && !(leases && self.plants(Defect::LeaseWithoutLoyalty))
    }

    pub(super) fn check_quorum(self, settings: &RaftSettings) -> bool {
        settings.check_quorum && !self.plants(Defect::NoCheckQuorum)
    }

    pub(super) fn no_op(self, settings: &RaftSettings) -> bool {
        settings.no_op && !self.plants(Defect::NoNoOp)
    }
}

// Replication.
impl Planted {
    /// Entries are acknowledged only once they are durable.
    pub(super) fn forgets_sync(self) -> bool {
        self.plants(Defect::AckBeforeSync)
    }

    pub(super) fn accepts_old_leader(self) -> bool {
        self.plants(Defect::OldLeaderAccepted)
    }

    /// Whether a message must fit to the log at its `prev_log_index`: every one.
    pub(super) fn checks_prev(self, heartbeat: bool) -> bool {
        !(heartbeat && self.plants(Defect::HeartbeatUnchecked))
    }

    pub(super) fn merges_wrongly(self) -> bool {
        self.plants(Defect::TruncateAlways)
            || self.plants(Defect::TailKept)
            || self.plants(Defect::ConflictKept)
    }

    /// The last entry of which a message says that it is the leader's: what follows may be a
    /// remnant of another time.
    pub(super) fn follower_commit_limit(self, match_index: LogIndex, last: LogIndex) -> LogIndex {
        if self.plants(Defect::CommitToLastIndex) { last } else { match_index }
    }

    /// An answer counts for its sender.
    pub(super) fn credited(
        self,
        from: NodeId,
        round: u64,
        progress: &BTreeMap<NodeId, Progress>,
    ) -> NodeId {
        if !self.plants(Defect::AnswerMiscredited) || progress.is_empty() {
            return from;
        }
        let place = (round % progress.len() as u64) as usize;
        progress.keys().nth(place).copied().unwrap_or(from)
    }

    /// What an answer proves: what its message held, whatever was sent since; and what was proved
    /// before stays so.
    pub(super) fn match_index(
        self,
        before: LogIndex,
        confirmed: LogIndex,
        sent: LogIndex,
    ) -> LogIndex {
        before.max(if self.plants(Defect::MatchFromState) { sent } else { confirmed })
    }

    /// An answer to another term's message proves nothing of this one.
    pub(super) fn answer_is_current(self, term: Term, current: Term) -> bool {
        term == current || (term < current && self.plants(Defect::AnswerOfEarlierTerm))
    }

    /// "Only log entries from the leader's current term are committed by counting replicas"
    /// (§5.4.2).
    pub(super) fn may_commit(self, entry_term: Option<Term>, current: Term) -> bool {
        entry_term == Some(current) || (entry_term.is_some() && self.plants(Defect::CommitOldTerm))
    }

    pub(super) fn applies_on_append(self) -> bool {
        self.plants(Defect::ApplyBeforeCommit)
    }

    /// How far entries may be applied.
    pub(super) fn applicable(self, commit: LogIndex, last: LogIndex) -> LogIndex {
        if self.plants(Defect::ApplyBeforeCommit) { last } else { commit }
    }

    pub(super) fn replies_on_append(self) -> bool {
        self.plants(Defect::ReplyOnAppend)
    }

    pub(super) fn keeps_waiting(self) -> bool {
        self.plants(Defect::ReplyByIndex)
    }

    /// The state of a leader that begins.
    pub(super) fn fresh_leader_state(self, old: &mut LeaderState) -> LeaderState {
        let waiting =
            if self.keeps_waiting() { std::mem::take(&mut old.waiting) } else { BTreeMap::new() };
        LeaderState { waiting, led_before: true, ..LeaderState::default() }
    }

    /// Whether the entry that was applied is the one that a client waits for.
    pub(super) fn is_answer_for(self, waiter: &Waiter, entry: &Entry) -> bool {
        waiter.term == entry.term || self.plants(Defect::ReplyByIndex)
    }

    /// Of a command in the log of a leader that has stepped down nothing is known.
    pub(super) fn outcome_of_lost_command(self, client: NodeId, serial: u64) -> Outcome {
        if self.plants(Defect::FailureClaimed) {
            Outcome::Failed { client, serial }
        } else {
            Outcome::NotLeader { client, serial }
        }
    }
}

// Reads.
impl Planted {
    pub(super) fn reads_locally(self, leads: bool) -> bool {
        self.plants(Defect::AnyoneReadsLocally)
            || (leads && self.plants(Defect::LeaderReadsLocally))
    }

    pub(super) fn waits_for_own_term(self) -> bool {
        !self.plants(Defect::ReadBeforeOwnCommit)
    }

    /// Up to where a follower may be read.
    pub(super) fn readable(self, applied: LogIndex) -> LogIndex {
        if self.plants(Defect::ReadBeforeApplied) { LogIndex(u64::MAX) } else { applied }
    }

    /// How long a lease lasts.
    pub(super) fn lease(self, settings: &RaftSettings) -> Duration {
        if self.plants(Defect::LeaseTooLong) {
            return settings.election_timeout.0 + settings.election_timeout.1;
        }
        if self.plants(Defect::LeaseWithoutDrift) {
            settings.election_timeout.0
        } else {
            read_index::lease_duration(settings)
        }
    }

    /// How old the round is on which a lease rests.
    pub(super) fn lease_age(self, host: &impl Host, round: Round) -> Duration {
        if self.plants(Defect::LeaseByWallClock) {
            let age = host.wall().as_nanos().saturating_sub(round.began_wall.as_nanos());
            return Duration::from_nanos(u64::try_from(age).unwrap_or(0));
        }
        read_index::age(host, round)
    }

    pub(super) fn transfer_ends_lease(self) -> bool {
        !self.plants(Defect::LeaseSurvivesTransfer)
    }
}

// Sessions and snapshots.
impl Planted {
    pub(super) fn looks_up_sessions(self, settings: &RaftSettings) -> bool {
        settings.sessions && !self.plants(Defect::NoDuplicateDetection)
    }

    /// Sessions end by the log only.
    pub(super) fn expire_by_clock(
        self,
        host: &impl Host,
        sessions: &mut Sessions,
        command: &Command,
    ) {
        if self.plants(Defect::SessionExpiresByClock) {
            sessions.expire_by_clock(command.session, host.now(), SESSION_CLOCK_LIMIT);
        }
    }

    /// Whether a snapshot has something that is not committed here already.
    pub(super) fn snapshot_is_news(self, index: LogIndex, commit: LogIndex) -> bool {
        index > commit || self.plants(Defect::OldSnapshotInstalled)
    }

    /// Where a snapshot of everything up to `applied` ends.
    pub(super) fn snapshot_index(self, applied: LogIndex) -> LogIndex {
        if self.plants(Defect::SnapshotOffByOne) { applied.prev() } else { applied }
    }

    /// The snapshot first, then the log that it shortens: a crash in between must not leave a gap.
    pub(super) fn save_compaction(
        self,
        host: &mut impl Host,
        storage: &mut Storage,
        snapshot: &Snapshot,
        log: &Log,
    ) {
        if self.plants(Defect::CompactionBeforeSnapshot) {
            storage.rewrite_log(host, log);
            return Storage::save_snapshot(host, snapshot);
        }
        Storage::save_snapshot(host, snapshot);
        storage.rewrite_log(host, log);
    }

    /// Whether a log without the snapshot that it follows is damage.
    pub(super) fn gap_is_damage(self) -> bool {
        !self.plants(Defect::CompactionBeforeSnapshot) && !self.plants(Defect::SnapshotOffByOne)
    }
}

// Membership.
impl Planted {
    /// The configuration in force: the last one in the log, committed or not.
    pub(super) fn config_in_force(
        self,
        configs: &[(LogIndex, Rc<Configuration>)],
        commit: LogIndex,
    ) -> &(LogIndex, Rc<Configuration>) {
        let last = configs
            .iter()
            .rev()
            .find(|(index, _)| *index <= commit || !self.plants(Defect::ConfigAtCommit));
        last.or(configs.first()).expect("there is always a configuration")
    }

    pub(super) fn adopts_at_commit(self) -> bool {
        self.plants(Defect::ConfigAtCommit)
    }

    pub(super) fn restores_config(self) -> bool {
        !self.plants(Defect::ConfigNotRestored)
    }

    pub(super) fn overlaps_changes(self) -> bool {
        self.plants(Defect::ChangesOverlap)
    }

    pub(super) fn changes_before_own_commit(self) -> bool {
        self.plants(Defect::ChangeBeforeOwnCommit)
    }

    pub(super) fn learns_before_voting(self) -> bool {
        !self.plants(Defect::NoLearners)
    }

    /// The old voters whose majority a joint configuration needs as well.
    pub(super) fn joint(self, old: Vec<NodeId>) -> Option<Vec<NodeId>> {
        (!self.plants(Defect::NoJointPhase)).then_some(old)
    }

    pub(super) fn old_voters(self, old: &Option<Vec<NodeId>>) -> Option<&[NodeId]> {
        old.as_deref().filter(|_| !self.plants(Defect::JointNewOnly))
    }

    pub(super) fn removed_leader_steps_down(self) -> bool {
        !self.plants(Defect::RemovedLeaderStays)
    }
}

impl<S: StateMachine> Raft<S> {
    /// How not to merge entries into a log.
    pub(super) fn merge_wrongly(
        &mut self,
        host: &mut impl Host,
        prev: LogIndex,
        entries: &[Rc<Entry>],
    ) {
        let last = self.log.last_index();
        if self.planted.plants(Defect::TruncateAlways) {
            if prev < last {
                self.truncate(host, prev.next());
            }
            if !entries.is_empty() {
                self.append(host, entries);
            }
            return;
        }
        let overlap = last.since(prev).min(entries.len());
        if self.planted.plants(Defect::TailKept) {
            let mut changed = false;
            for (i, entry) in entries[..overlap].iter().enumerate() {
                let index = prev.plus(i + 1);
                if self.log.term(index) != Some(entry.term) {
                    let chain = self.log.overwrite(index, entry.clone());
                    events::append(host, index, entry, chain);
                    changed = true;
                }
            }
            if changed {
                self.storage.rewrite_log(host, &self.log);
            }
        }
        if overlap < entries.len() {
            self.append(host, &entries[overlap..]);
        }
    }

    /// A log that contradicts a snapshot is discarded as a whole. Returns whether what follows was
    /// kept.
    pub(super) fn keeps_conflicting_suffix(
        &mut self,
        host: &mut impl Host,
        snapshot: &Snapshot,
    ) -> bool {
        let suffix = self.log.entries(snapshot.index.next(), usize::MAX);
        if !self.planted.plants(Defect::SuffixKept) || suffix.is_empty() {
            return false;
        }
        self.log = Log::after(snapshot.index, snapshot.term, snapshot.chain);
        self.append(host, &suffix);
        true
    }

    /// Answer a client whose command is only in the log.
    pub(super) fn reply_unapplied(&mut self, index: LogIndex) {
        if let Some(Waiter { client, serial, .. }) = self.leader.waiting.remove(&index) {
            self.outcomes.push(Outcome::Applied { client, serial, index, output: DONE.into() });
        }
    }
}
