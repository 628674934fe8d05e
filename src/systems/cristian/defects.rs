//! The defects that can be planted. Each is a guard beside the right rule, where that stands.

use crate::defects::defects;

defects! {
    // Estimates and bounds.
    NoRtt "no-rtt" "round_error_within_bound" "cristian/all-algorithms" 2
        "The server's time is taken as it is, although it is as old as the way back was long."
    FullRtt "full-rtt" "round_error_within_bound" "cristian/all-algorithms" 2
        "The whole round trip is added instead of half of it."
    OffsetReversed "offset-reversed" "round_error_within_bound" "cristian/all-algorithms" 2
        "The four timestamps are subtracted the wrong way round."
    RttByWallClock "rtt-by-wall-clock" "round_error_within_bound" "cristian/clocks-set-during-a-probe" 2
        "The round trip is measured with the clock that is being set."
    UnsignedOffset "unsigned-offset" "claimed_bound_holds" "cristian/clocks-ahead" 2
        "A correction is kept as an unsigned number, so a clock that is ahead is put forward by \
            more than an hour."
    AsymmetricBlind "asymmetric-blind" "claimed_bound_holds" "cristian/asymmetric-ways" 2
        "The two ways are taken for alike: the bound is what the round trip exceeds the shortest \
            one by."
    MinOverestimated "min-overestimated" "bound_is_earned" "cristian/heavy-tails" 2
        "The least delay is taken to be half the mean round trip, and bounds come out too small, \
            even negative."
    DriftIgnored "drift-ignored" "claimed_bound_holds" "cristian/strong-drift" 2
        "The claimed bound does not grow between two rounds."
    MeanOfSamples "mean-of-samples" "best_sample_used" "cristian/heavy-tails" 2
        "The mean of all probes is taken instead of the one with the shortest round trip."
    // Disciplines.
    MicroHold "micro-hold" "clock_converges" "cristian/clocks-ahead" 2
        "A clock that is ahead is held only for the microsecond part of its own time."
    StepsBackwards "steps-backwards" "clock_never_backwards" "cristian/clocks-ahead" 2
        "A clock that is ahead is set back at once, under every discipline."
    AheadIgnored "ahead-ignored" "clock_within" "assignments/cristian-sync/steady" 2
        "A clock that is ahead is left as it is; only one that is behind is put right."
    SlewTooFast "slew-too-fast" "slew_rate_limited" "cristian/slewing" 2
        "The slewing rate has no limit: the whole correction is made in half a second."
    // Messages of the rounds.
    BlockingReceive "blocking-receive" "synchronisation_goes_on" "cristian/lost-datagrams" 2
        "The answer is waited for without a time-out: one lost datagram stops synchronisation for \
            ever."
    ReplyMismatched "reply-mismatched" "reply_matches_request" "cristian/late-replies" 2
        "A late answer is taken for the answer to the question that was asked last."
    ServerAsksUtc "server-asks-utc" "utc_only_by_time_server" "cristian/tour" 2
        "A server asks the UTC source itself, past the time server."
    // Berkeley.
    BerkeleyPlainMean "berkeley-plain-mean" "berkeley_outliers_rejected" "cristian/berkeley-with-an-outlier" 2
        "The mean is that of all clocks, however far one of them is off."
    BerkeleyAbsolute "berkeley-absolute" "berkeley_agreement" "cristian/berkeley-with-an-outlier" 2
        "The coordinator sends the hour that it wants, which is old when it arrives, instead of a \
            difference."
    // Records.
    ReportOnce "report-once" "rounds_recorded" "cristian/lost-datagrams" 2
        "A server sends the record of its round once, and does not ask whether it has arrived."
    // The library.
    QueueRace "queue-race" "book_once_a_session" "cristian/assignment" 2
        "Each server chooses from its own table and answers at once; the other learns of it when \
            it polls, half a second later."
    LocalFallback "local-fallback" "book_once_a_session" "cristian/queue-cut-off" 2
        "A server that does not reach the queue goes on by itself."
    OneWayQueue "one-way-queue" "answered_in_all_databases" "cristian/assignment" 2
        "The other servers never receive the statements of the first one."
    DequeueOnSend "dequeue-on-send" "answered_in_all_databases" "cristian/lost-datagrams" 2
        "A statement leaves the queue when it is sent to the other server, not when that has \
            confirmed it."
    NoDuplicateDetection "no-duplicate-detection" "request_once" "cristian/lost-datagrams" 2
        "A request that was sent twice gets two books."
    OpenedTwice "opened-twice" "session_ends_once" "cristian/assignment" 2
        "Every server that sees the last book go begins a session, and the second ends that of the \
            first."
    LastBookKept "last-book-kept" "every_book_accounted" "assignments/library/steady" 2
        "A session ends with the last book but one, which nobody gets."
    NeverFollowed "never-followed" "books_keep_coming" "assignments/library/steady" 2
        "When the last book of a session is gone no server begins the next one."
    AnswerBeforeSave "answer-before-save" "journal_survives_crash" "cristian/servers-crash" 4
        "A book is promised before it is on the disk."
    QueueNotSynced "queue-not-synced" "journal_survives_crash" "cristian/queue-server-crashes" 2
        "The queue confirms statements before they are on its disk."
    SpeaksForAll "speaks-for-all" "none_left_is_true" "cristian/owners" 2
        "A server whose own books are gone tells the user that there is none left."
}
