//! Clocks and the library: for each check of `cristian` a story that it accepts, and its twin that
//! differs in one thing.

use seedbed::checkers::{Params, Verdict};
use seedbed::trace::{NodeId, OpType, Trace, Value};

use crate::cristian_story::*;
use crate::twins::{accepts, refuses, refuses_with, verdict};

/// The two twins: a story, and the same with one thing more or other.
#[track_caller]
fn twins(check: &str, good: &Story, bad: &Story, sentence: &str) {
    accepts(good, check);
    refuses(bad, check, sentence);
}

/// A run of another system, or none at all, is not evidence of right clocks.
#[test]
fn an_empty_trace_passes_no_check_of_clocks_or_books() {
    // Where nothing was asked, nothing is unanswered; and nobody has panicked.
    let general = ["no_panic", "all_operations_answered"];
    for checker in seedbed::systems::cristian::SYSTEM
        .checks
        .iter()
        .filter(|checker| !general.contains(&checker.name))
    {
        assert!(
            matches!(checker.judge(&Trace::default(), &Params::new()), Verdict::Unknown(_)),
            "{}",
            checker.name
        );
    }
}

/// All of the delay but the least lies on one way: the error is the bound itself, and that is the
/// algorithm's limit. A millisecond more is a mistake.
#[test]
fn an_error_may_reach_the_bound_and_not_exceed_it() {
    let with = |correction: i64| {
        let mut story = Story::new();
        story.round(S1, &Round { correction, made: correction, ..round(SECOND, 1) });
        story
    };
    let sentence = "s1 was wrong by 5,000 µs after round 1; a delay of 10,000 µs allows 4,007 µs";
    twins("round_error_within_bound", &with(8_000), &with(9_000), sentence);
}

/// The claim is tested at every reading: it has to grow with the drift.
#[test]
fn a_claim_holds_until_the_next_round() {
    let with = |bound: i64| {
        let mut story = Story::new();
        story.round(S1, &round(SECOND, 1)).reading(S1, 9 * SECOND, 4_800, bound);
        story
    };
    twins(
        "claimed_bound_holds",
        &with(4_800),
        &with(4_000),
        "s1 is wrong by 4,800 µs and claims 4,000 µs at the most",
    );
}

/// The clock is right, by luck: a bound that the delay does not give is wrong all the same.
#[test]
fn a_bound_is_what_the_delay_gives() {
    let with = |own_error: i64| {
        let mut story = Story::new();
        story.round(S1, &Round { own_error, bound: own_error, ..round(SECOND, 1) });
        story
    };
    let sentence =
        "s1 claims 1,000 µs for round 1; a delay of 10,000 µs gives 3,995 µs to 4,007 µs";
    twins("bound_is_earned", &with(4_000), &with(1_000), sentence);
}

/// The answer to the first question comes after the second was asked: whoever takes it for the
/// second one's counts from there.
#[test]
fn a_late_answer_belongs_to_its_own_question() {
    let with = |nonce: i64| {
        let mut story = Story::new();
        let t0 = SECOND as i64 - 10_000;
        story
            .probe(S1, 100, t0 - 500_000)
            .probe(S1, 101, t0)
            .round(S1, &Round { nonce, ..round(SECOND, 1) });
        story
    };
    twins(
        "reply_matches_request",
        &with(101),
        &with(100),
        "s1 counted in round 1 from 500,000 µs after it had asked",
    );
}

/// An answer that was delivered twice counts once.
#[test]
fn an_answer_is_used_once() {
    let mut good = Story::new();
    good.probe(S1, 101, SECOND as i64 - 10_000).round(S1, &round(SECOND, 1));
    let mut bad = good.clone();
    bad.round(S1, &Round { number: 2, ..round(SECOND, 1) });
    twins(
        "reply_matches_request",
        &good,
        &bad,
        "s1 went in round 2 by an answer that it had used before",
    );
}

/// Three samples, one with the shortest delay. The mean of the three hours is 700 µs off it.
#[test]
fn the_sample_with_the_shortest_delay_counts() {
    let with = |samples: &'static str| {
        let mut story = Story::new();
        story.round(S1, &Round { algorithm: "cristian-best-of-n", samples, ..round(SECOND, 1) });
        story
    };
    let sentence = "s1 did not go in round 1 by the sample with the shortest delay, 10,000 µs, but \
        700 µs off it";
    twins(
        "best_sample_used",
        &with("30000:2100,10000:0,20000:-900"),
        &with("30000:1400,10000:-700,20000:-700"),
        sentence,
    );
}

/// A clock that is ahead by 4 ms is held; the twin is set back. Before the first round either is
/// allowed.
#[test]
fn a_held_clock_does_not_go_back() {
    let with = |made: i64| {
        let mut story = Story::new();
        let first = Round {
            discipline: "hold",
            before: 900_000,
            correction: -900_000,
            made: -900_000,
            ..round(SECOND, 1)
        };
        let ahead = Round {
            discipline: "hold",
            before: 4_000,
            correction: -4_000,
            made,
            ..round(2 * SECOND, 2)
        };
        story.round(S1, &first).reading(S1, 2 * SECOND - 1_000, 4_000, 9_000).round(S1, &ahead);
        story
    };
    twins(
        "clock_never_backwards",
        &with(0),
        &with(-4_000),
        "the clock of s1 went back by 4,000 µs",
    );
}

/// At 5 % a clock gains 50 ms in a second and no more.
#[test]
fn a_slewed_clock_keeps_its_rate() {
    let with = |error: i64| {
        let mut story = Story::new();
        let slewed = Round {
            discipline: "slew",
            before: -400_000,
            correction: 400_000,
            made: 0,
            mode: "slews",
            ..round(SECOND, 1)
        };
        story.round(S1, &slewed).reading(S1, 2 * SECOND, error, 500_000);
        story
    };
    let sentence = "the clock of s1 gained 60,000 µs in 1,000,000 µs; its rate allows 50,005 µs";
    twins("slew_rate_limited", &with(-350_000), &with(-340_000), sentence);
}

/// Ahead by 10 s, and held for 2 s until the next round: it is to find 8 s, not 9.5 s.
#[test]
fn a_held_clock_converges() {
    let with = |then: i64| {
        let mut story = Story::new();
        let held = |at, number, ahead: i64| Round {
            discipline: "hold",
            before: ahead,
            correction: -ahead,
            made: 0,
            mode: "stands",
            ..round(at, number)
        };
        story.round(S1, &held(SECOND, 1, 10_000_000)).round(S1, &held(3 * SECOND, 2, then));
        story
    };
    let sentence = "s1 was to be corrected by -10,000,000 µs, and 2,000,000 µs later still by \
        -9,500,000 µs; 8,008,011 µs are explained";
    twins("clock_converges", &with(8_000_000), &with(9_500_000), sentence);
}

/// Both clocks may be a second wrong, as long as they are it together.
#[test]
fn berkeleys_clocks_agree_though_they_need_not_be_right() {
    let with = |other: i64| {
        let mut story = Story::new();
        let of = |correction| Round {
            algorithm: "berkeley",
            correction,
            made: correction,
            ..round(SECOND, 1)
        };
        story.round(S1, &of(1_000_000)).round(S2, &of(other));
        story
    };
    let sentence = "s1 and s2 differ by 9,000 µs after round 1; their polls allow 8,011 µs";
    twins("berkeley_agreement", &with(1_008_000), &with(1_009_000), sentence);
}

/// One clock is an hour ahead: the mean is that of the other three.
#[test]
fn an_outlier_is_not_averaged() {
    let with = |mean: i64, taken: &'static str| {
        let mut story = Story::new();
        let clocks = "time=0,s1=300,s2=-600,s3=3600000000";
        let fields = [
            ("round", int(1)),
            ("mean_us", int(mean)),
            ("gamma_us", int(1_000)),
            ("clocks", text(clocks)),
            ("taken", text(taken)),
        ];
        story.event(SECOND, TIME, "berkeley", &fields);
        story
    };
    let good = with(-100, "time=0,s1=300,s2=-600");
    let all = with(899_999_925, "time=0,s1=300,s2=-600,s3=3600000000");
    twins(
        "berkeley_outliers_rejected",
        &good,
        &all,
        "round 1 averages clocks that are 3,600,000,600 µs apart, more than 1,000 µs",
    );
    let few = with(0, "time=0");
    refuses(&few, "berkeley_outliers_rejected", "round 1 averages 1 clocks although 3 agree");
}

/// The source is asked twice, by whom it may be and by whom it may not.
#[test]
fn only_the_time_server_asks_for_utc() {
    let by = |node: NodeId| {
        let mut story = Story::new();
        story.event(SECOND, UTC, "utc_asked", &[("by", Value::Node(node))]);
        story
    };
    twins("utc_only_by_time_server", &by(TIME), &by(S2), "s2, a server, asked the UTC source");
}

/// A record that is lost is sent again; the twin never arrives. One that was stored just before the
/// end may still be on its way.
#[test]
fn every_stored_round_is_recorded() {
    let mut bad = Story::new();
    bad.record(SECOND, S1, "round_stored", 1, 5).record(29 * SECOND, S1, "round_stored", 2, 5);
    let mut good = bad.clone();
    good.record(2 * SECOND, TIME, "recorded", 1, 5);
    twins("rounds_recorded", &good, &bad, "round 1 of s1 was never recorded");
}

/// A record counts once, in the order of its rounds, and as it was.
#[test]
fn records_are_in_order_and_true() {
    let mut good = Story::new();
    good.record(SECOND, S1, "round_stored", 1, 5).record(SECOND, S1, "round_stored", 2, 7);
    good.record(2 * SECOND, TIME, "recorded", 1, 5).record(2 * SECOND, TIME, "recorded", 2, 7);
    let mut again = good.clone();
    again.record(3 * SECOND, TIME, "recorded", 2, 7);
    twins("rounds_recorded", &good, &again, "round 2 of s1 was recorded after round 2");
    let mut other = good.clone();
    other.record(3 * SECOND, S1, "round_stored", 3, 7).record(3 * SECOND, TIME, "recorded", 3, 8);
    refuses(&other, "rounds_recorded", "round 3 of s1 was recorded otherwise than it was");
}

/// With an interval of 2 s a round is due every 4 s, and 3 s are granted. What happened before
/// healing does not count.
#[test]
fn rounds_go_on_after_healing() {
    let with = |ends: &[u64]| {
        let mut story = Story::new();
        story.event(0, TIME, "hour", &[("round", int(1)), ("interval_us", int(2_000_000))]);
        for end in ends {
            story.round(S1, &round(*end, 1)).round(S2, &round(*end, 1));
        }
        story
    };
    let (good, bad) = (with(&[SECOND, 26 * SECOND]), with(&[SECOND, 21 * SECOND, 22 * SECOND]));
    twins("synchronisation_goes_on", &good, &bad, "s1 ended no round from 22.000 s on for 8.000 s");
}

/// The same book in the next session is another matter.
#[test]
fn a_book_goes_out_once_a_session() {
    let with = |session: i64| {
        let mut story = Story::new();
        story.line("apply", S1, 1, (C1, 1), (1, 7), 1).line("apply", S2, 1, (C1, 1), (1, 7), 1);
        story.line("apply", S2, 2, (C2, 1), (session, 7), 1);
        story
    };
    twins("book_once_a_session", &with(2), &with(1), "book 7 of session 1 went to c1 and to c2");
}

/// What counts is what users were told, also where the databases hide it.
#[test]
fn two_users_are_not_told_the_same_book() {
    let mut good = Story::new();
    good.told("c1", "session=1 book=7");
    let mut bad = good.clone();
    bad.told("c2", "session=1 book=7");
    twins("book_once_a_session", &good, &bad, "c1 and c2 were both told session=1 book=7");
}

/// A request that was sent to both servers stands twice in the queue, and has one effect.
#[test]
fn a_request_gets_one_book() {
    let with = |effect: i64| {
        let mut story = Story::new();
        story.line("apply", S1, 1, (C1, 1), (1, 7), 1).line(
            "apply",
            S1,
            2,
            (C1, 1),
            (1, 8),
            effect,
        );
        story
    };
    twins(
        "request_once",
        &with(0),
        &with(1),
        "request 1 of c1 got book 7 of session 1 and book 8 of session 1",
    );
}

/// Two books: after the first it is too early to say that none is left.
#[test]
fn none_is_left_once_all_are_given() {
    let with = |books: i64| {
        let mut story = Story::new();
        story.open(S1, 1, 2);
        for book in 1..=books {
            story.line("apply", S1, book, (C1, book), (1, book), 1);
        }
        story.reply(S1, (C2, 1), "none_left", (1, 0));
        story
    };
    twins(
        "none_left_is_true",
        &with(2),
        &with(1),
        "s1 told c2 that none is left of session 1, of whose 2 books 1 were given out",
    );
}

/// A restart ends a session early; nothing else does.
#[test]
fn a_session_ends_with_its_last_book_or_by_a_restart() {
    let with = |reason: &'static str| {
        let mut story = Story::new();
        story
            .open(S1, 1, 15)
            .end(S1, 1, 15, "all_given")
            .open(S1, 2, 15)
            .end(S1, 2, 3, reason)
            .open(S1, 3, 15);
        story
    };
    twins(
        "session_ends_once",
        &with("restart"),
        &with("followed"),
        "session 2 ended on s1 (followed) with 3 of 15 books given out",
    );
}

/// Ending is done once, and beginning only after it.
#[test]
fn a_session_ends_once_and_before_the_next() {
    let mut good = Story::new();
    good.open(S1, 1, 15).end(S1, 1, 15, "all_given");
    let mut twice = good.clone();
    twice.end(S1, 1, 15, "all_given");
    twins("session_ends_once", &good, &twice, "session 1 ended twice on s1");
    let mut early = Story::new();
    early.open(S1, 1, 15).open(S1, 2, 15);
    refuses(&early, "session_ends_once", "session 2 began on s1 when session 1 was going on");
}

/// The user was told by one server; the other one has to know in the end.
#[test]
fn both_databases_hold_what_was_answered() {
    let mut bad = Story::new();
    bad.line("apply", S1, 1, (C1, 1), (1, 7), 1).told("c1", "session=1 book=7");
    let mut good = bad.clone();
    good.line("apply", S2, 1, (C1, 1), (1, 7), 1);
    twins(
        "answered_in_all_databases",
        &good,
        &bad,
        "c1 was told of book 7 of session 1, which s2 never heard of",
    );
    let mut other = good.clone();
    other.line("apply", S1, 2, (C1, 2), (1, 8), 1).line("apply", S2, 2, (C2, 1), (1, 8), 1);
    refuses(&other, "answered_in_all_databases", "s1 and s2 hold different lines at position 2");
}

/// A server that has told of two grants comes back with two; the queue that has told of five
/// statements with five.
#[test]
fn what_was_told_survives_a_crash() {
    let with = |applied: i64, granted: i64| {
        let mut story = Story::new();
        story.line("enqueue", QUEUE, 5, (C1, 1), (1, 7), 1).recover(QUEUE, applied, 0);
        story
            .line("grant", S1, 1, (C1, 1), (1, 7), 1)
            .line("grant", S1, 2, (C2, 1), (1, 8), 1)
            .recover(S1, 0, granted);
        story
    };
    twins(
        "journal_survives_crash",
        &with(5, 2),
        &with(4, 2),
        "queue came back with 4 lines after 5",
    );
    refuses(&with(5, 1), "journal_survives_crash", "s1 came back with 1 grants after 2");
}

/// What is asked of a clock is that it is right, whatever is done for it; the twin is 9 ms off.
#[test]
fn a_clock_is_right_to_within_what_is_asked() {
    let with = |error: i64| {
        Story::new().reading(S1, 6 * SECOND, error, 9_000).reading(S2, 6 * SECOND, 0, 9_000).clone()
    };
    assert_eq!(verdict(&with(8_000), "clock_within", &[("within", 8_000.0)]), Verdict::Valid);
    refuses_with(
        &with(9_000),
        "clock_within",
        &[("within", 8_000.0)],
        "the clock of s1 is wrong by 9,000 µs; asked are 8,000 µs",
    );
    // Soon after the start nobody knows the hour yet.
    assert_eq!(
        verdict(&with(9_000), "clock_within", &[("within", 8_000.0), ("settle", 7e6)]),
        Verdict::Valid
    );
}

/// A claim too wide to be useful, no claim at all, and a clock that nobody sees.
#[test]
fn a_clock_is_shown_with_a_useful_claim() {
    let mut good = Story::new();
    for at in 0..=30 {
        good.reading(S1, at * SECOND, 0, 9_000).reading(S2, at * SECOND, 0, 9_000);
    }
    let asked = [("claim", 9_000.0), ("every", 1e6), ("settle", 2e6)];
    assert_eq!(verdict(&good, "clock_within", &asked), Verdict::Valid);
    let with = |bound: i64| {
        let mut story = good.clone();
        story.reading(S1, 30 * SECOND, 0, bound);
        story
    };
    refuses_with(
        &with(9_001),
        "clock_within",
        &asked,
        "s1 says that its clock may be wrong by 9,001 µs; asked are 9,000 µs",
    );
    refuses_with(
        &with(-1),
        "clock_within",
        &asked,
        "s1 does not say how wrong its clock may be; asked are 9,000 µs",
    );
    good.trace
        .events
        .retain(|event| event.node != S2 || !(5 * SECOND..8 * SECOND).contains(&event.time_us));
    refuses_with(&good, "clock_within", &asked, "s2 showed no clock from 4.000 s to 8.000 s");
}

/// Two books are a session. Who hears that none is left, or of a book of the next session, knows
/// that both are with somebody.
#[test]
fn a_book_that_nobody_has_is_not_given_out() {
    let two = [("books", 2.0)];
    for last in ["session=1 none", "session=2 book=1"] {
        let good = Story::new()
            .told("c1", "session=1 book=1")
            .told("c2", "session=1 book=2")
            .told("c1", last)
            .clone();
        assert_eq!(verdict(&good, "every_book_accounted", &two), Verdict::Valid);
        let bad = Story::new().told("c1", "session=1 book=1").told("c1", last).clone();
        let sentence =
            format!("c1 was told {last} when of the 2 books of session 1 at most 1 were given out");
        refuses_with(&bad, "every_book_accounted", &two, &sentence);
        // The book may be with a user who was never answered.
        let mut open = good.clone();
        let answer = open
            .trace
            .history
            .iter_mut()
            .find(|op| op.process == "c2" && op.op_type == OpType::Ok)
            .expect("it is there");
        (answer.op_type, answer.value) = (OpType::Info, "".into());
        assert_eq!(verdict(&open, "every_book_accounted", &two), Verdict::Valid);
    }
    let unknown = Story::new().told("c1", "session=1 book=3").clone();
    refuses_with(&unknown, "every_book_accounted", &two, "c1 was told of book 3, and there are 2");
}

/// The library of the twin says for ever that none is left.
#[test]
fn a_library_that_is_always_empty_is_closed() {
    let with = |last: &'static str| {
        let mut story = Story::new();
        story.told("c1", "session=1 book=1").told("c1", last);
        let count = story.trace.history.len();
        for (op, at) in story.trace.history.iter_mut().zip([10, 11, 19, 20]) {
            op.time_us = at * SECOND;
        }
        assert_eq!(count, 4);
        story
    };
    let asked = [("gap", 9e6)];
    assert_eq!(
        verdict(&with("session=2 book=1"), "books_keep_coming", &[("gap", 9e6)]),
        Verdict::Valid
    );
    refuses_with(
        &with("session=1 none"),
        "books_keep_coming",
        &[("gap", 8e6)],
        "no user got a book from 11.000 s to 20.000 s, for 9.000 s",
    );
    assert_eq!(verdict(&with("session=1 none"), "books_keep_coming", &asked), Verdict::Valid);
}
