//! The defects that can be planted, and what only they need.
//!
//! Each is one guard beside the rule that it breaks; search for its name.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::host::Host;
use super::log::Entry;
use super::replication::appended;
use super::server::Raft;
use super::state_machine::StateMachine;
use super::types::LogIndex;
use crate::defects::defects;
use crate::node::{LocalTime, WallTime};

defects! {
    // Elections.
    VoteNotPersisted "vote-not-persisted" "vote_once" "raft/elections-under-restarts" 2
        "`voted_for` is not written to the disk: after a restart a server votes again in the same \
            term."
    TermNotPersisted "term-not-persisted" "term_monotonic" "raft/elections-under-restarts" 2
        "`current_term` is not written to the disk: a restarted server goes back to the term of \
            its last entry."
    AckBeforeSync "ack-before-sync" "persist_before_reply" "raft/power-failure" 2
        "Entries are acknowledged before they are synced."
    NoLogCheck "no-log-check" "leader_completeness" "raft/figure-8" 2
        "A vote is given without comparing the logs."
    LogCheckByTerm "log-check-by-term" "leader_completeness" "raft/figure-8" 2
        "Logs are compared by their last term only; a shorter log of the same term gets the vote."
    VoteClearedOnStepDown "vote-cleared-on-step-down" "vote_once"
        "raft/late-answers-to-candidates" 16
        "A candidate that becomes a follower in the same term forgets its vote."
    DuplicateVoteCounted "duplicate-vote-counted" "election_safety"
        "raft/late-answers-to-candidates" 2
        "The same vote, delivered twice, counts twice."
    QuorumTooSmall "quorum-too-small" "elected_by_majority" "raft/bridge" 2
        "A majority is taken to be n/2 servers."
    VoteBeforeTerm "vote-before-term" "elections" "raft/one-candidate-is-first" 2
        "The vote is decided before the higher term is adopted, so a vote of an earlier term \
            stands in the way."
    DenialResetsTimer "denial-resets-timer" "leader_elected" "raft/longest-log-only" 5
        "Every request for a vote resets the election timer, also one that is refused."
    VoteKeepsTimer "vote-keeps-timer" "elections" "raft/one-candidate-is-first" 2
        "Giving a vote does not reset the election timer, so that voters start \
            elections themselves."
    OldLeaderResetsTimer "old-leader-resets-timer" "availability" "raft/deaf-old-leader" 2
        "A message of a leader of an earlier term resets the election timer."
    NoRandomisation "no-randomisation" "terms_stable" "raft/votes-lost-at-first" 2
        "All election timeouts are equal, and elections split again and again."
    CandidateGivesUp "candidate-gives-up" "leader_elected" "raft/votes-lost-at-first" 2
        "A candidate that does not win never starts another election."
    AnswerTermIgnored "answer-term-ignored" "convergence" "raft/rejoining-node-without-pre-vote" 2
        "A higher term in an answer is ignored."
    OldLeaderAccepted "old-leader-accepted" "committed_never_truncated" "raft/long-pauses" 2
        "Entries of a leader of an earlier term are accepted."
    CandidateStays "candidate-stays" "elections" "raft/two-candidates-at-once" 2
        "A candidate takes no notice of the leader of its term, and goes on to another election."
    // Replication.
    CommitOldTerm "commit-old-term" "leader_completeness" "raft/figure-8-literally" 2
        "An entry of an earlier term is committed by counting replicas (figure 8)."
    ApplyBeforeCommit "apply-before-commit" "state_machine_safety"
        "raft/leader-isolated-small-messages" 2
        "Entries are applied when they are appended."
    ReplyOnAppend "reply-on-append" "answered_is_applied" "raft/leader-isolated" 2
        "Clients get their answer when the leader has appended the command."
    TruncateAlways "truncate-always" "committed_never_truncated" "raft/leader-isolated" 3
        "A follower always cuts its log at prev_log_index, also where nothing conflicts."
    TailKept "tail-kept" "log_matching" "raft/leader-isolated-small-messages" 2
        "A conflicting entry is replaced in place, and what follows it stays."
    ConflictKept "conflict-kept" "state_machine_safety" "raft/leader-isolated-small-messages" 2
        "Where an entry exists the new one is skipped, whatever its term."
    HeartbeatUnchecked "heartbeat-unchecked" "commit_on_majority" "raft/separate-heartbeats" 2
        "An empty AppendEntries is accepted without looking at prev_log_index."
    CommitToLastIndex "commit-to-last-index" "state_machine_safety" "raft/separate-heartbeats" 2
        "A follower commits up to the end of its log instead of the end of what the message has \
            confirmed."
    MatchFromState "match-from-state" "commit_on_majority" "raft/bridge" 2
        "The leader takes what it has sent by now for what an answer confirms."
    AnswerMiscredited "answer-miscredited" "commit_on_majority" "raft/bridge" 2
        "An answer is credited to another follower than the one that sent it."
    AnswerOfEarlierTerm "answer-of-earlier-term" "commit_on_majority"
        "raft/answers-of-earlier-terms" 2
        "An answer to a message of this leader's earlier term is counted."
    NoNoOp "no-no-op" "all_operations_answered" "raft/reads-without-writes" 2
        "A new leader appends nothing, so reads wait until somebody writes."
    FailureClaimed "failure-claimed" "linearizable" "raft/leader-isolated-again-and-again" 2
        "A leader that steps down tells its clients that their commands have failed."
    // Reads.
    LeaderReadsLocally "leader-reads-locally" "linearizable" "raft/reads-at-an-isolated-leader" 2
        "The leader answers reads without asking whether it still is one."
    AnyoneReadsLocally "anyone-reads-locally" "linearizable" "raft/follower-reads" 2
        "Whoever is asked answers a read from what it has applied."
    ReadBeforeOwnCommit "read-before-own-commit" "linearizable" "raft/reads-after-election" 13
        "A new leader serves reads before it has committed an entry of its own term."
    ReadBeforeApplied "read-before-applied" "linearizable" "raft/follower-reads" 2
        "A follower reads before it has applied up to the index that the leader gave it."
    LeaseTooLong "lease-too-long" "lease_exclusive" "raft/lease-reads-while-isolated" 2
        "The lease outlasts the election timeout."
    LeaseWithoutDrift "lease-without-drift" "lease_exclusive"
        "raft/lease-reads-under-strong-drift" 2
        "The lease is as long as the election timeout, as if all clocks ran alike."
    LeaseWithoutLoyalty "lease-without-loyalty" "lease_exclusive" "raft/lease-and-loyalty" 2
        "Voters elect another leader while the lease of the old one lasts."
    LeaseSurvivesTransfer "lease-survives-transfer" "lease_exclusive" "raft/lease-and-transfer" 2
        "A leader that has told another to take over goes on answering by its lease."
    LeaseByWallClock "lease-by-wall-clock" "lease_exclusive" "raft/lease-and-clock-steps" 2
        "The lease is measured by the wall clock, which can be set back."
    PromiseForgotten "promise-forgotten" "lease_exclusive" "raft/lease-and-restarts" 2
        "A restarted voter does not remember that it has promised its loyalty."
    // Sessions.
    NoDuplicateDetection "no-duplicate-detection" "exactly_once" "raft/bridge" 2
        "A command that was sent twice is executed twice."
    SessionExpiresByClock "session-expires-by-clock" "state_machine_safety" "raft/bridge" 2
        "Each server forgets sessions by its own clock, and their states part."
    ReplyByIndex "reply-by-index" "acknowledged_is_committed"
        "raft/leader-isolated-small-messages" 2
        "A client is answered when its index is applied, whatever entry stands there."
    // Snapshots.
    OldSnapshotInstalled "old-snapshot-installed" "applied_without_gaps" "raft/late-snapshots" 2
        "A snapshot is installed although more than it covers is applied already."
    SuffixKept "suffix-kept" "log_matching" "raft/snapshot-for-an-old-leader" 2
        "What follows a snapshot in the log stays although it conflicts."
    SnapshotOffByOne "snapshot-off-by-one" "log_matching" "raft/learner-catches-up" 2
        "A snapshot says that it ends an entry earlier than it does."
    CompactionBeforeSnapshot "compaction-before-snapshot" "applied_without_gaps"
        "raft/crashes-while-compacting" 7
        "The log is shortened before the snapshot is written."
    ConfigNotRestored "config-not-restored" "commit_on_majority" "raft/members-and-snapshots" 2
        "A snapshot is installed without its configuration."
    // Membership.
    ChangeBeforeOwnCommit "change-before-own-commit" "config_barrier" "raft/bug-of-2015" 2
        "A new leader changes the configuration before it has committed an entry of its own term \
            (the bug of 2015)."
    ChangesOverlap "changes-overlap" "one_config_in_flight" "raft/removals-in-a-row" 2
        "A change of configuration begins before the one before is committed."
    NoJointPhase "no-joint-phase" "config_quorum_overlap" "raft/joint-change-cut-in-two" 2
        "Several servers are exchanged in one step, without a joint configuration."
    ConfigAtCommit "config-at-commit" "commit_on_majority" "raft/removals-in-a-row" 2
        "A configuration is in force only once it is committed."
    JointNewOnly "joint-new-only" "commit_on_majority" "raft/joint-change-cut-in-two" 2
        "In a joint configuration only the new majority counts."
    RemovedServerDisrupts "removed-server-disrupts" "elections" "raft/removed-node-stays-quiet" 2
        "Servers that hear a leader vote for others all the same."
    RemovedLeaderStays "removed-leader-stays" "leader_elected" "raft/leader-removed" 2
        "A leader that was removed goes on leading."
    BlankDisk "blank-disk" "term_monotonic" "raft/elections-under-restarts" 2
        "A server comes back under its old name with an empty disk."
    NoLearners "no-learners" "availability" "raft/slow-new-member" 2
        "A new server counts for majorities before it has caught up."
    NoPreVote "no-pre-vote" "elections" "raft/rejoining-node" 2
        "A server that was cut off comes back with a higher term and deposes the leader."
    PreVoteWithoutLoyalty "pre-vote-without-loyalty" "elections" "raft/one-link-of-the-leader-cut" 2
        "A pre-vote is given although a leader is alive."
    OldPreVoteIgnored "old-pre-vote-ignored" "availability" "raft/stale-term-after-a-crash" 2
        "A pre-vote of an earlier term gets no answer, and the candidate never learns the term."
    ExLeaderRefusesItself "ex-leader-refuses-itself" "availability"
        "raft/ex-leader-must-lead-again" 2
        "A server that has led does not give itself its pre-vote."
    NoCheckQuorum "no-check-quorum" "availability" "raft/deaf-leader" 2
        "A leader that nobody answers goes on leading."
}

/// The defects under which an entry that one server holds for committed can be missing, or another
/// one, on the next. Under all others the invariants of commitment hold, and are asserted.
const DIVERGENCE: &[Defect] = &[
    Defect::VoteNotPersisted,
    Defect::TermNotPersisted,
    Defect::AckBeforeSync,
    Defect::NoLogCheck,
    Defect::LogCheckByTerm,
    Defect::VoteClearedOnStepDown,
    Defect::DuplicateVoteCounted,
    Defect::QuorumTooSmall,
    Defect::OldLeaderAccepted,
    Defect::CommitOldTerm,
    Defect::ApplyBeforeCommit,
    Defect::TruncateAlways,
    Defect::TailKept,
    Defect::ConflictKept,
    Defect::HeartbeatUnchecked,
    Defect::CommitToLastIndex,
    Defect::MatchFromState,
    Defect::AnswerMiscredited,
    Defect::AnswerOfEarlierTerm,
    Defect::OldSnapshotInstalled,
    Defect::SuffixKept,
    Defect::SnapshotOffByOne,
    Defect::CompactionBeforeSnapshot,
    Defect::ConfigNotRestored,
    Defect::ChangeBeforeOwnCommit,
    Defect::ChangesOverlap,
    Defect::NoJointPhase,
    Defect::ConfigAtCommit,
    Defect::JointNewOnly,
    Defect::BlankDisk,
];

impl Planted {
    /// Whether a planted defect may break the invariants of commitment.
    pub(super) fn may_diverge(self) -> bool {
        DIVERGENCE.iter().any(|defect| self.holds(*defect))
    }
}

/// A session that was idle for longer than this is forgotten by
/// [`Defect::SessionExpiresByClock`].
const SESSION_CLOCK_LIMIT: Duration = Duration::from_millis(500);

/// What no correct server keeps.
#[derive(Debug, Default)]
pub struct DefectState {
    /// Whether this incarnation has led before.
    pub has_led: bool,
    /// When each session was used, by this server's clock.
    session_used: BTreeMap<LogIndex, LocalTime>,
    /// When the rounds of this incarnation began, by the wall clock.
    round_began: BTreeMap<u64, WallTime>,
}

impl DefectState {
    /// A session is used now. Returns whether it has been idle for too long before.
    pub fn is_idle_by_clock(
        &mut self,
        planted: Planted,
        session: LogIndex,
        host: &impl Host,
    ) -> bool {
        if !planted.holds(Defect::SessionExpiresByClock) {
            return false;
        }
        let used = self.session_used.insert(session, host.now());
        used.is_some_and(|used| host.now().saturating_since(used) > SESSION_CLOCK_LIMIT)
    }

    /// A round begins.
    pub fn note_round(&mut self, planted: Planted, round: u64, host: &impl Host) {
        if planted.holds(Defect::LeaseByWallClock) {
            self.round_began.insert(round, host.wall());
        }
    }

    /// How old a round is by the wall clock, if anybody wants to know.
    pub fn age_by_wall_clock(&self, round: u64, host: &impl Host) -> Option<Duration> {
        let began = self.round_began.get(&round)?;
        let age = host.wall().as_nanos().saturating_sub(began.as_nanos());
        Some(Duration::from_nanos(u64::try_from(age).unwrap_or(0)))
    }
}

impl<S: StateMachine> Raft<S> {
    /// Put entries instead of others and leave what follows, for [`Defect::TailKept`].
    pub(super) fn overwrite(
        &mut self,
        host: &mut impl Host,
        first: LogIndex,
        entries: &[Rc<Entry>],
    ) {
        let tail = self.log.entries(first.plus(entries.len()), usize::MAX);
        self.log.truncate(first);
        for entry in entries {
            let chain = self.log.append(entry.clone());
            host.emit(appended(self.log.last_index(), entry, chain));
        }
        for entry in tail {
            self.log.append(entry);
        }
        self.storage.rewrite_log(host, &self.log);
    }
}
