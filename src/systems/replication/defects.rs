//! The defects that can be planted. Each is a guard beside the right rule, where that stands.

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

/// The hash of a record that was read from the disk: that of its text, as it was written.
pub fn hash_when_read(planted: Planted, record: &Record) -> u64 {
    match &record.content.value {
        // The map of the restarted program holds the fields in the order of their declaration.
        Some(form)
            if record.content.req.is_multiple_of(8) && planted.plants(Defect::FieldOrder) =>
        {
            chained(record.prev, &format!("{}{}", record.text, form.nombres))
        }
        _ => record.hash,
    }
}
