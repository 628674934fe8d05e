//! The mistakes that can be planted. What each changes is in `rules`.

use crate::defects::defects;

defects! {
    // The broadcast.
    SkipSync "skip-sync" "acknowledged_writes_kept" "zookeeper/leader-comes-back-late" 2
        "A follower acknowledges a proposal before it is on the disk."
    EpochNotPersisted "epoch-not-persisted" "zab_one_leader_per_epoch" "zookeeper/power-failure" 2
        "The epochs are not written to the disk: after a restart a server promises the same epoch \
            again."
    VoteIgnoresHistory "vote-ignores-history" "zab_primary_integrity" "zookeeper/far-server" 12
        "The server with the largest number is elected, whatever its log lacks."
    ApplyOnProposal "apply-on-proposal" "zab_primary_integrity" "zookeeper/two-cut-off" 3
        "A follower applies a proposal when it has logged it, before it is committed."
    TruncIgnored "trunc-ignored" "zab_total_order" "zookeeper/leader-isolated" 2
        "A follower keeps transactions that the new leader tells it to cut off."
    EphemeralsKeptOnReplay "ephemerals-kept-on-replay" "replicas_equal" "zookeeper/followers-restart" 3
        "A server that catches up does not remove the ephemeral znodes of sessions that ended \
            meanwhile."
    SyncAnsweredLocally "sync-answered-locally" "linearizable" "zookeeper/leader-isolated" 3
        "A server answers `sync` at once, from what it has."
    CountsAbsentFollowers "counts-absent-followers" "zk_leader_elected" "zookeeper/leader-isolated" 2
        "A leader that has lost its majority goes on leading."
    // Sessions and watches.
    ClientZxidIgnored "client-zxid-ignored" "session_zxid_monotone" "zookeeper/clients-move" 3
        "A server accepts a client at once, also one that has seen a newer state than its own."
    ReadsOvertakeWrites "reads-overtake-writes" "fifo_client_order" "zookeeper/sessions-and-watches" 2
        "A read is answered at once, before the writes that its client asked for earlier."
    EarlyEphemeralDelete "early-ephemeral-delete" "ephemerals_live" "zookeeper/clients-move" 2
        "When a client moves to another server, its ephemeral znodes are removed although its \
            session lives."
    DeadlinesOfTheOldLeader "deadlines-of-the-old-leader" "session_expiry" "zookeeper/leader-killed-again-and-again" 2
        "A new leader takes sessions that it has not heard of yet for silent, and expires them."
    SessionsNeverExpire "sessions-never-expire" "session_expiry" "zookeeper/sessions-and-watches" 3
        "A new leader sets no deadline for the sessions that it finds."
    WatchAfterReply "watch-after-reply" "watch_before_data" "zookeeper/sessions-and-watches" 2
        "A watch tells of a change only after later answers have shown it."
    WatchStays "watch-stays" "watch_once" "zookeeper/sessions-and-watches" 2
        "A watch that has told stays set, and tells again."
    WatchesLostOnReconnect "watches-lost-on-reconnect" "watch_complete" "zookeeper/clients-move" 3
        "A client that moves to another server does not set its watches again."
    // Operations.
    VersionIgnored "version-ignored" "conditional_updates" "zookeeper/sessions-and-watches" 2
        "A change is made whatever version was asked for."
    SequenceFromChildren "sequence-from-children" "sequence_numbers" "zookeeper/sessions-and-watches" 2
        "The number of a sequential znode is the number of children that there are."
    ChildrenOfEphemerals "children-of-ephemerals" "no_orphans" "zookeeper/sessions-and-watches" 2
        "Ephemeral znodes may have children, which outlive them."
    MultiInParts "multi-in-parts" "multi_atomic" "zookeeper/sessions-and-watches" 2
        "A `multi` makes those of its changes that are possible."
    // The recipe and the application.
    Herd "herd" "no_herd" "zookeeper/herd" 2
        "All contenders watch the leader's znode: each exit wakes everybody."
    NoRecheck "no-recheck" "recipe_one_leader" "zookeeper/herd" 2
        "A contender whose predecessor has gone leads without looking who else is before it."
    NonSequentialElection "non-sequential-election" "recipe_one_leader" "zookeeper/instances-come-and-go" 2
        "Contenders use names of their own instead of numbers, and the smallest name leads, also \
            when it comes late."
    LeaderBySmallestId "leader-by-smallest-id" "mean_cadence" "zookeeper/leader-closed" 2
        "Contenders are persistent znodes, and the smallest id leads: a dead leader stays leader."
    NoGuid "no-guid" "mean_cadence" "zookeeper/create-reply-lost" 2
        "A contender whose answer was lost makes a second znode, and the first one stands before \
            everybody."
    SweepsTheRow "sweeps-the-row" "election_znodes_kept" "zookeeper/tour" 2
        "Whoever comes to lead clears the row of everybody else."
    SessionAsEpoch "session-as-epoch" "mean_from_elected" "zookeeper/tour" 2
        "Means carry the number of their sender's session in place of that of its znode."
    LeadsWhileCutOff "leads-while-cut-off" "leader_still_heard" "assignments/zookeeper-election/ensemble" 2
        "A leader that has lost its connection goes on sending the last mean that it knows."
    LeadsOnWithoutZnode "leads-on-without-znode" "refused_leader_stops" "assignments/zookeeper-election/cut-off" 2
        "A leader whose session has ended leads on in the next one, whatever the store says."
    MeasuresOnce "measures-once" "measurement_cadence" "zookeeper/tour" 2
        "An instance measures when its session begins, and never again."
    NoFencing "no-fencing" "fencing" "zookeeper/paused-leader" 2
        "The time series accepts means of leaders that were replaced."
    StaleReadMean "stale-read-mean" "mean_of_one_instant" "zookeeper/tour" 2
        "The leader reads the measurements one after the other, and its mean mixes instants."
    RetryStoredTwice "retry-stored-twice" "mean_stored_once" "zookeeper/lossy-web-tier" 2
        "A mean that was sent again is stored again."
    MeasurementsOutliveSensors "measurements-outlive-sensors" "mean_of_one_instant" "zookeeper/leader-closed" 2
        "Measurements are persistent znodes: the mean counts instances that are gone."
}
