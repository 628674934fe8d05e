//! The mistakes that can be planted. What each changes is in `rules`.

use crate::systems::Defect;

/// Declares the mistakes once: as a number for the set, as a name for the scenario, and as a line of the table.
macro_rules! defects {
    ($($flaw:ident $name:literal $check:literal $scenario:literal $seeds:literal $summary:literal)*) => {
        /// A mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the table says what each is")]
        pub enum Flaw { $($flaw),* }

        /// All mistakes, in the order of the catalogue: elections, replication, reads, sessions, snapshots, membership.
        pub const DEFECTS: &[Defect] = &[
            $(Defect { name: $name, summary: $summary, caught_by: $check, scenario: $scenario, seeds: $seeds }),*
        ];

        /// Their names.
        pub const NAMES: &[&str] = &[$($name),*];

        const FLAWS: &[Flaw] = &[$(Flaw::$flaw),*];
    };
}

defects! {
    // Elections.
    VoteNotPersisted "vote-not-persisted" "one_vote_a_term" "raft/elections-under-restarts" 0
        "`voted_for` is not written to the disk: after a restart a server votes again in the same term."
    TermNotPersisted "term-not-persisted" "term_monotonic" "raft/majority-crash" 0
        "`current_term` is not written to the disk: a restarted server goes back to the term of its last entry."
    AckBeforeSync "ack-before-sync" "commit_on_durable_majority" "raft/majority-crash" 0
        "Entries are acknowledged before they are synced."
    NoLogCheck "no-log-check" "leader_completeness" "raft/leader-isolated" 0
        "A vote is given without comparing the logs."
    LogCheckByTerm "log-check-by-term" "leader_completeness" "raft/leader-isolated" 0
        "Logs are compared by their last term only; a shorter log of the same term gets the vote."
    VoteClearedOnStepDown "vote-cleared-on-step-down" "one_vote_a_term" "raft/elections-under-restarts" 0
        "A candidate that becomes a follower in the same term forgets its vote."
    DuplicateVoteCounted "duplicate-vote-counted" "election_safety" "raft/duplicated-and-reordered" 0
        "The same vote, delivered twice, counts twice."
    QuorumTooSmall "quorum-too-small" "commit_on_durable_majority" "raft/leader-isolated" 0
        "A majority is taken to be n/2 servers."
    VoteBeforeTerm "vote-before-term" "liveness" "raft/leader-isolated" 0
        "The vote is decided before the higher term is adopted, so a vote of an earlier term stands in the way."
    DenialResetsTimer "denial-resets-timer" "liveness" "raft/longest-log-only" 0
        "Every request for a vote resets the election timer, also one that is refused."
    VoteKeepsTimer "vote-keeps-timer" "term_stability" "raft/leader-isolated" 0
        "Giving a vote does not reset the election timer, so that voters start elections of their own."
    OldLeaderResetsTimer "old-leader-resets-timer" "liveness" "raft/leader-isolated" 0
        "A message of a leader of an earlier term resets the election timer."
    NoRandomisation "no-randomisation" "liveness" "raft/leader-crash" 0
        "All election timeouts are equal, and elections split again and again."
    CandidateGivesUp "candidate-gives-up" "liveness" "raft/leader-isolated" 0
        "A candidate that does not win never starts another election."
    AnswerTermIgnored "answer-term-ignored" "liveness" "raft/leader-isolated" 0
        "A higher term in an answer is ignored."
    OldLeaderAccepted "old-leader-accepted" "committed_never_truncated" "raft/leader-isolated" 0
        "Entries of a leader of an earlier term are accepted."
    CandidateStays "candidate-stays" "term_stability" "raft/leader-isolated" 0
        "A candidate takes no notice of the leader of its term, and goes on to another election."
    // Replication.
    CommitOldTerm "commit-old-term" "leader_completeness" "raft/figure-8" 0
        "An entry of an earlier term is committed by counting replicas (figure 8)."
    ApplyBeforeCommit "apply-before-commit" "state_machine_safety" "raft/leader-isolated" 0
        "Entries are applied when they are appended."
    ReplyOnAppend "reply-on-append" "acknowledged_is_committed" "raft/leader-isolated" 0
        "Clients get their answer when the leader has appended the command."
    TruncateAlways "truncate-always" "committed_never_truncated" "raft/leader-isolated" 0
        "A follower always cuts its log at prev_log_index, also where nothing conflicts."
    TailKept "tail-kept" "log_matching" "raft/leader-isolated-small-batches" 0
        "A conflicting entry is replaced in place, and what follows it stays."
    ConflictKept "conflict-kept" "log_matching" "raft/leader-isolated" 0
        "Where an entry exists the new one is skipped, whatever its term."
    HeartbeatUnchecked "heartbeat-unchecked" "commit_on_durable_majority" "raft/separate-heartbeats" 0
        "An empty AppendEntries is accepted without looking at prev_log_index."
    CommitToLastIndex "commit-to-last-index" "state_machine_safety" "raft/separate-heartbeats" 0
        "A follower commits up to the end of its log instead of the end of what the message has confirmed."
    MatchFromState "match-from-state" "commit_on_durable_majority" "raft/leader-isolated" 0
        "The leader takes what it has sent by now for what an answer confirms."
    AnswerMiscredited "answer-miscredited" "commit_on_durable_majority" "raft/bridge" 0
        "An answer is credited to another follower than the one that sent it."
    AnswerOfEarlierTerm "answer-of-earlier-term" "commit_on_durable_majority" "raft/flapping" 0
        "An answer to a message of an earlier term of one's own is counted."
    NoNoOp "no-no-op" "liveness" "raft/reads-after-election" 0
        "A new leader appends nothing, so reads wait until somebody writes."
    FailureClaimed "failure-claimed" "linearizable" "raft/leader-isolated" 0
        "A leader that steps down tells its clients that their commands have failed."
    // Reads.
    LeaderReadsLocally "leader-reads-locally" "linearizable" "raft/leader-isolated" 0
        "The leader answers reads without asking whether it still is one."
    AnyoneReadsLocally "anyone-reads-locally" "linearizable" "raft/leader-isolated" 0
        "Whoever is asked answers a read from what it has applied."
    ReadBeforeOwnCommit "read-before-own-commit" "linearizable" "raft/reads-after-election" 0
        "A new leader serves reads before it has committed an entry of its own term."
    ReadBeforeApplied "read-before-applied" "linearizable" "raft/follower-reads" 0
        "A follower reads before it has applied up to the index that the leader gave it."
    LeaseTooLong "lease-too-long" "lease_exclusive" "raft/lease" 0
        "The lease outlasts the election timeout."
    LeaseWithoutDrift "lease-without-drift" "lease_exclusive" "raft/lease-drift" 0
        "The lease is as long as the election timeout, as if all clocks ran alike."
    LeaseWithoutLoyalty "lease-without-loyalty" "lease_exclusive" "raft/lease-bridge" 0
        "Voters elect another leader while the lease of the old one lasts."
    LeaseSurvivesTransfer "lease-survives-transfer" "lease_exclusive" "raft/lease-transfer" 0
        "A leader that has told another to take over goes on answering by its lease."
    LeaseByWallClock "lease-by-wall-clock" "lease_exclusive" "raft/lease-clock-steps" 0
        "The lease is measured by the wall clock, which can be set back."
    PromiseForgotten "promise-forgotten" "lease_exclusive" "raft/lease-restarts" 0
        "A restarted voter does not remember that it has promised its loyalty."
    // Sessions.
    NoDuplicateDetection "no-duplicate-detection" "exactly_once" "raft/lossy" 0
        "A command that was sent twice is executed twice."
    SessionExpiresByClock "session-expires-by-clock" "state_machine_safety" "raft/pauses" 0
        "Each server forgets sessions by its own clock, and their states part."
    ReplyByIndex "reply-by-index" "acknowledged_is_committed" "raft/leader-isolated" 0
        "A client is answered when its index is applied, whatever entry stands there."
    // Snapshots.
    OldSnapshotInstalled "old-snapshot-installed" "applied_without_gaps" "raft/snapshots-under-loss" 0
        "A snapshot is installed although more than it covers is applied already."
    SuffixKept "suffix-kept" "log_matching" "raft/snapshots-under-loss" 0
        "What follows a snapshot in the log stays although it conflicts."
    SnapshotOffByOne "snapshot-off-by-one" "log_matching" "raft/snapshots-under-loss" 0
        "A snapshot says that it ends an entry earlier than it does."
    CompactionBeforeSnapshot "compaction-before-snapshot" "applied_without_gaps" "raft/torn-writes" 0
        "The log is shortened before the snapshot is written."
    ConfigNotRestored "config-not-restored" "convergence" "raft/membership-under-partition" 0
        "A snapshot is installed without its configuration."
    // Membership.
    ChangeBeforeOwnCommit "change-before-own-commit" "one_configuration_in_flight" "raft/membership-under-partition" 0
        "A new leader changes the configuration before it has committed an entry of its own term (the bug of 2015)."
    ChangesOverlap "changes-overlap" "one_configuration_in_flight" "raft/membership-under-partition" 0
        "A change of configuration begins before the one before is committed."
    NoJointPhase "no-joint-phase" "election_safety" "raft/joint-change" 0
        "Several servers are exchanged at once, without a joint configuration."
    ConfigAtCommit "config-at-commit" "election_safety" "raft/membership-under-partition" 0
        "A configuration is in force only once it is committed."
    JointNewOnly "joint-new-only" "commit_on_durable_majority" "raft/joint-change" 0
        "In a joint configuration only the new majority counts."
    RemovedServerDisrupts "removed-server-disrupts" "term_stability" "raft/membership-under-partition" 0
        "Servers that hear a leader vote for others all the same."
    RemovedLeaderStays "removed-leader-stays" "liveness" "raft/remove-leader" 0
        "A leader that was removed goes on leading."
    BlankDisk "blank-disk" "term_monotonic" "raft/majority-crash" 0
        "A server comes back under its old name with an empty disk."
    NoLearners "no-learners" "liveness" "raft/membership-under-partition" 0
        "A new server counts for majorities before it has caught up."
    NoPreVote "no-pre-vote" "term_stability" "raft/follower-isolated" 0
        "A server that was cut off comes back with a higher term and deposes the leader."
    PreVoteWithoutLoyalty "pre-vote-without-loyalty" "term_stability" "raft/follower-isolated" 0
        "A pre-vote is given although a leader is alive."
    OldPreVoteIgnored "old-pre-vote-ignored" "liveness" "raft/leader-crash" 0
        "A pre-vote of an earlier term gets no answer, and the candidate never learns the term."
    ExLeaderRefusesItself "ex-leader-refuses-itself" "liveness" "raft/leader-isolated" 0
        "A server that has led does not give itself its pre-vote."
    NoCheckQuorum "no-check-quorum" "availability" "raft/one-way" 0
        "A leader that nobody answers goes on leading."
}

/// A set of mistakes; empty unless a scenario asks for some. The protocol asks it at every point where a mistake is possible, through the functions in
/// `rules`, which are named after what is right or wrong there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules(u128);

impl Rules {
    /// The mistakes of these names; unknown names count for nothing, because the scenario reader has refused them.
    pub fn with<'a>(names: impl IntoIterator<Item = &'a str>) -> Rules {
        let flaws = names.into_iter().filter_map(|name| NAMES.iter().position(|each| *each == name));
        Rules(flaws.fold(0, |set, position| set | bit(FLAWS[position])))
    }

    /// Whether any mistake is planted, so that an invariant may break without being the testbed's fault.
    pub fn any(self) -> bool {
        self.0 != 0
    }

    pub(super) fn has(self, flaw: Flaw) -> bool {
        self.0 & bit(flaw) != 0
    }
}

fn bit(flaw: Flaw) -> u128 {
    1 << flaw as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The set is a number with a place for each mistake.
    #[test]
    fn every_defect_has_its_own_place() {
        assert!(FLAWS.len() <= 128);
        for (position, name) in NAMES.iter().enumerate() {
            let rules = Rules::with([*name]);
            assert!(FLAWS.iter().enumerate().all(|(other, flaw)| rules.has(*flaw) == (other == position)), "{name}");
        }
        assert!(!Rules::default().any());
    }
}
