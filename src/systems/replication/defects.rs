//! The mistakes that can be planted, and what each changes: questions that the protocol asks at
//! every point where a mistake is possible.

use super::record::{Record, chained};
use crate::defects::defects;

defects! {
    AnswerBeforeConfirm "answer-before-confirm" "acked_replicated" "replication/leader-crashes-after-answers" 2
        "The client gets its answer when the leader has taken the write, before any follower has \
            confirmed it."
    FullCopyWindow "full-copy-window" "recovery_keeps_records" "replication/crash-during-full-copy" 4
        "The follower's folder is deleted when a copy begins; a crash before its end leaves the \
            follower empty."
    HashAfter "hash-after" "prefix_equal" "replication/corrupted-records" 2
        "Hashes are compared after a record is stored, and a difference is only logged."
    SplitBrain "split-brain" "one_leader_per_epoch" "replication/coordinator-cut-from-leader" 2
        "Another leader is promoted without a new epoch, and nobody tells the old one from the new."
    RandomPromotion "random-promotion" "view_acknowledged" "replication/lagging-follower-is-not-promoted" 2
        "Any replica that lives is promoted, also one that lags."
    RetryDuplicates "retry-duplicates" "retry_not_duplicate" "replication/answers-lost-at-failover" 2
        "What was already answered is remembered by the leader alone: after a failover a retried \
            insert is called a duplicate."
    SilentFallback "silent-fallback" "acked_replicated" "replication/lagging-follower-is-not-promoted" 2
        "A follower that does not confirm in time is left out without asking the coordinator."
    NoEpochs "no-epochs" "epoch_fencing" "replication/deposed-leader-wakes" 2
        "Followers do not compare epochs: a leader that was deposed while it slept goes on writing."
    SelfPromotion "self-promotion" "one_leader_per_epoch" "replication/everybody-cut-off" 2
        "A follower that hears no leader promotes itself."
    FirstAnswerWins "first-answer-wins" "acked_not_lost" "replication/quorum-failover" 9
        "The first replica that answers becomes leader, without waiting for a majority."
    EpochInMemory "epoch-in-memory" "epochs_increase" "replication/coordinator-restarts" 2
        "The coordinator keeps the view in memory, and begins to count epochs anew when it \
            restarts."
    EarlyInSync "early-in-sync" "in_sync_complete" "replication/follower-returns-under-load" 2
        "A follower counts as in sync as soon as it is heard again, before it has what it missed."
    ServesUnacknowledged "serves-unacknowledged" "leader_serves" "replication/failover-under-loss" 2
        "A new leader serves at once, without followers and before its view is acknowledged."
    AnyoneServes "anyone-serves" "leader_serves" "replication/failover-under-loss" 2
        "A follower that is asked answers reads as if it were the leader."
    LocalReads "local-reads" "read_through_followers" "replication/leader-isolated" 2
        "The leader answers reads without asking its followers whether it still leads."
    AckBeforeSync "ack-before-sync" "recovery_keeps_records" "replication/power-failure" 2
        "A follower confirms before its disk has the record."
    TruncateToFinal "truncate-to-final" "recovery_keeps_records" "replication/power-failure" 2
        "A restarted replica drops what it does not know to be final, though it has confirmed it."
    TornDropsAll "torn-drops-all" "recovery_keeps_records" "replication/power-failure" 2
        "A torn last line makes a restarted replica throw the whole log away."
    FieldOrder "field-order" "hash_chain" "replication/power-failure" 2
        "Hashes cover the fields in the order in which a program happens to hold them, which is \
            another after a restart."
    UnverifiedRecovery "unverified-recovery" "hash_chain" "replication/damaged-log" 10
        "A restarted replica believes whatever stands in its log."
    NoDeduplication "no-deduplication" "at_most_once" "replication/answers-lost-at-failover" 2
        "A request that was sent twice is executed twice."
    DirtyReads "dirty-reads" "forms_linearizable" "replication/leader-isolated" 2
        "The leader shows records that no follower has confirmed yet."
    GapAccepted "gap-accepted" "applied_in_order" "replication/reordered-records" 6
        "A follower takes records as they come, without looking whether those before them are \
            there."
    ForgottenFollower "forgotten-follower" "replicas_converge" "replication/follower-returns-under-load" 2
        "A follower that has left the in-sync set is never sent anything again."
}

impl Planted {
    // Writing.

    /// Whether a write waits for its followers.
    pub fn waits_for_confirmation(self) -> bool {
        !self.plants(Defect::AnswerBeforeConfirm)
    }

    /// Whether a leader asks the coordinator before it goes on without a follower.
    pub fn asks_before_leaving_out(self) -> bool {
        !self.plants(Defect::SilentFallback)
    }

    /// Whether a follower must have what was acknowledged before it counts.
    pub fn counts_when_complete(self) -> bool {
        !self.plants(Defect::EarlyInSync)
    }

    /// Whether a follower outside of the in-sync set is brought up to date.
    pub fn brings_back(self) -> bool {
        !self.plants(Defect::ForgottenFollower)
    }

    /// Whether what the log knows of a request counts, however it came there.
    pub fn remembers_by_log(self) -> bool {
        !self.plants(Defect::RetryDuplicates)
    }

    /// Whether a request that was executed is recognised.
    pub fn recognises_requests(self) -> bool {
        !self.plants(Defect::NoDeduplication)
    }

    // Storing.

    /// Whether a record is verified before it is stored.
    pub fn verifies_first(self) -> bool {
        !self.plants(Defect::HashAfter)
    }

    /// Whether the record before the first one of a message must be there and be the same.
    pub fn looks_at_predecessor(self) -> bool {
        !self.plants(Defect::GapAccepted)
    }

    /// Whether a record is on the disk before it is confirmed.
    pub fn syncs_first(self) -> bool {
        !self.plants(Defect::AckBeforeSync)
    }

    /// Whether a copy takes the old folder's place only when it is whole.
    pub fn replaces_whole(self) -> bool {
        !self.plants(Defect::FullCopyWindow)
    }

    // Recovering.

    /// Whether a recovery verifies the hashes.
    pub fn verifies_recovery(self) -> bool {
        !self.plants(Defect::UnverifiedRecovery)
    }

    /// Whether all whole records of a log are kept.
    pub fn keeps_unfinal(self) -> bool {
        !self.plants(Defect::TruncateToFinal)
    }

    /// Whether a torn tail costs only the tail.
    pub fn keeps_before_tear(self) -> bool {
        !self.plants(Defect::TornDropsAll)
    }

    /// The hash of a record that was read from the disk.
    pub fn hash_read(self, record: &Record) -> u64 {
        match &record.content.value {
            // The map of the restarted program holds the fields in the order of their declaration.
            Some(form)
                if self.plants(Defect::FieldOrder) && record.content.req.is_multiple_of(8) =>
            {
                chained(record.prev, &format!("{}{}", record.text, form.nombres))
            }
            _ => record.hash,
        }
    }

    // Epochs.

    /// Whether a message of an epoch that has ended is refused.
    pub fn compares_epochs(self) -> bool {
        !self.plants(Defect::NoEpochs)
    }

    /// Whether a new leader gets a new epoch.
    pub fn begins_epochs(self) -> bool {
        !self.plants(Defect::SplitBrain)
    }

    /// Whether only the coordinator promotes.
    pub fn leaves_promotion_to_coordinator(self) -> bool {
        !self.plants(Defect::SelfPromotion)
    }

    /// Whether the coordinator's view is on its disk.
    pub fn saves_view(self) -> bool {
        !self.plants(Defect::EpochInMemory)
    }

    /// Whether the coordinator looks at how complete the logs are.
    pub fn promotes_complete(self) -> bool {
        !self.plants(Defect::RandomPromotion)
    }

    /// Whether the coordinator waits for a majority.
    pub fn waits_for_majority(self) -> bool {
        !self.plants(Defect::FirstAnswerWins)
    }

    // Serving.

    /// Whether a new leader waits until its view is acknowledged.
    pub fn waits_for_view(self) -> bool {
        !self.plants(Defect::ServesUnacknowledged)
    }

    /// Whether only the leader serves.
    pub fn only_leader_serves(self) -> bool {
        !self.plants(Defect::AnyoneServes)
    }

    /// Whether a leader has itself confirmed before it answers a read.
    pub fn confirms_reads(self) -> bool {
        !self.plants(Defect::LocalReads)
    }

    /// Whether only final records are shown.
    pub fn shows_final(self) -> bool {
        !self.plants(Defect::DirtyReads)
    }
}
