//! The search on histories small enough to follow by hand.

use super::*;

/// A number that is added to, and read.
struct Sum;

#[derive(Clone, Copy, Debug)]
enum Effect {
    Add(u64),
    Read(u64),
}

impl Sequential for Sum {
    type State = u64;
    type Effect = Effect;

    fn initial(&self) -> u64 {
        0
    }

    fn step(&self, sum: &u64, effect: &Effect) -> Option<u64> {
        match *effect {
            Effect::Add(number) => Some(sum + number),
            Effect::Read(number) => (*sum == number).then_some(*sum),
        }
    }
}

const AMPLE: Limits = Limits { steps: 1_000, cache_bytes: 1 << 20 };

fn timed(effect: Effect, invoked: u64, completed: u64) -> Timed<Effect> {
    Timed { effect, invoked, completed: Some(completed) }
}

/// A search that was given up has shown nothing: neither that an order exists nor that there is
/// none.
#[test]
fn a_search_without_steps_is_no_verdict() {
    let add = timed(Effect::Add(7), 0, 1);
    let none = Limits { steps: 0, ..AMPLE };
    let given_up = Answer::LimitMet { proven: None, cache_full: false };
    assert_eq!(linearizable(&Sum, &[add], none), given_up);
    assert_eq!(linearizable(&Sum, &[add], Limits { steps: 1, ..AMPLE }), Answer::Legal);
}

/// Three adds one after the other, and steps for two: the order of the first two is proven.
#[test]
fn a_search_that_was_given_up_says_how_far_it_came() {
    let history = [1, 3, 5].map(|at| timed(Effect::Add(at), at, at + 1));
    let two = Limits { steps: 2, ..AMPLE };
    let answer = Answer::LimitMet { proven: Some(4), cache_full: false };
    assert_eq!(linearizable(&Sum, &history, two), answer);
    let no_room = Limits { cache_bytes: 1, ..AMPLE };
    let answer = Answer::LimitMet { proven: None, cache_full: true };
    assert_eq!(linearizable(&Sum, &history, no_room), answer);
}

/// Of two concurrent adds, reads tell which one came first; here the one that ended last.
#[test]
fn concurrent_operations_take_the_order_that_was_seen() {
    let adds = [timed(Effect::Add(1), 0, 10), timed(Effect::Add(2), 1, 9)];
    let reads = |seen: u64| [timed(Effect::Read(seen), 2, 3), timed(Effect::Read(3), 4, 5)];
    let judge = |seen| linearizable(&Sum, &[adds, reads(seen)].concat(), AMPLE);
    assert_eq!(judge(1), Answer::Legal);
    assert_eq!(judge(2), Answer::Legal);
    // Whichever came first, the sum was never 4.
    assert_eq!(judge(4), Answer::Illegal { at: 3 });
}

/// Operations that touch are concurrent: the read may see what begins when it ends.
#[test]
fn operations_that_touch_are_concurrent() {
    let history = [timed(Effect::Read(5), 0, 1), timed(Effect::Add(5), 1, 2)];
    assert_eq!(linearizable(&Sum, &history, AMPLE), Answer::Legal);
    let apart = [timed(Effect::Read(5), 0, 1), timed(Effect::Add(5), 2, 3)];
    assert_eq!(linearizable(&Sum, &apart, AMPLE), Answer::Illegal { at: 1 });
}

/// An add that was never answered took effect between two reads, or never.
#[test]
fn an_open_operation_may_take_effect_at_any_later_time() {
    let open = Timed { effect: Effect::Add(5), invoked: 0, completed: None };
    let judge = |sums: [u64; 2]| {
        let reads = [timed(Effect::Read(sums[0]), 1, 2), timed(Effect::Read(sums[1]), 3, 4)];
        linearizable(&Sum, &[&[open], &reads[..]].concat(), AMPLE)
    };
    assert_eq!(judge([0, 0]), Answer::Legal);
    assert_eq!(judge([0, 5]), Answer::Legal);
    assert_eq!(judge([5, 5]), Answer::Legal);
    assert_eq!(judge([5, 0]), Answer::Illegal { at: 4 });
}

/// More operations are pending together than a word has bits, and a wrong answer makes the search
/// go back over all of them.
#[test]
fn a_window_may_be_wider_than_a_word() {
    let mut history: Vec<_> = (0..200).map(|at| timed(Effect::Add(0), at, 1_000 + at)).collect();
    history.push(timed(Effect::Add(1), 200, 2_000));
    history.push(timed(Effect::Read(1), 300, 301));
    assert_eq!(linearizable(&Sum, &history, AMPLE), Answer::Legal);
    history.push(timed(Effect::Read(0), 302, 303));
    let few = Limits { steps: 100_000, ..AMPLE };
    let answer = linearizable(&Sum, &history, few);
    assert!(!matches!(answer, Answer::Legal), "{answer:?}");
}

/// Of a history that goes wrong in its middle, the end of the operation that nothing explains is
/// found, with or without a hint where to look.
#[test]
fn the_first_operation_without_an_explanation_is_found() {
    let history = [
        timed(Effect::Add(1), 0, 1),
        timed(Effect::Read(1), 2, 3),
        timed(Effect::Read(2), 4, 5),
        timed(Effect::Read(1), 6, 7),
    ];
    let until = |cut: u64| {
        let beginning: Vec<_> = history
            .into_iter()
            .filter(|each| each.completed.is_some_and(|completed| completed <= cut))
            .collect();
        linearizable(&Sum, &beginning, AMPLE)
    };
    assert_eq!(until(u64::MAX), Answer::Illegal { at: 5 });
    for legal_before in [0, 3, 5] {
        assert_eq!(first_illegal_end(vec![7, 5, 3, 1], legal_before, until), Some(5));
    }
    assert_eq!(first_illegal_end(vec![], 0, until), None);
}
