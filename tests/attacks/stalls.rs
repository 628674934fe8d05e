//! Programs that give no answer, or no end of them.

use std::time::Duration;

use seedbed::checkers::Overall;
use seedbed::program::StallKind;

use crate::{attacker, crash, has, support};

/// A program that does not answer gets no verdict for that; failing again in the same turn is what
/// counts against it.
#[test]
fn who_does_not_answer_is_found_out_by_a_second_run() {
    if !support::has("python3") {
        return;
    }
    let third =
        "answer({\"op\": \"set_timer\", \"name\": \"t\", \"after\": 1000})\nturn()\n".repeat(2);
    let cases = [
        ("while True:\n    pass\n".to_owned(), StallKind::Busy, 1),
        (format!("{third}while True:\n    pass\n"), StallKind::Busy, 3),
        (format!("{third}time.sleep(1000)\n"), StallKind::Silent, 3),
        (
            "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True:\n    os.read(3, \
            1)\n"
                .to_owned(),
            StallKind::Silent,
            1,
        ),
    ];
    let run = |attack: &str| {
        let mut place = attacker(attack);
        place.watchdog = Duration::from_secs(1);
        let run = place.attack();
        let stall =
            run.stall.clone().unwrap_or_else(|| panic!("it does not stall: {:?}", run.aborted));
        assert_eq!(run.verdict(), Overall::Unknown);
        assert_eq!(crash(&run).0, stall.kind.word());
        stall
    };
    for (attack, kind, turn) in cases {
        let stall = run(&attack);
        assert_eq!((stall.node.as_str(), stall.incarnation, stall.turn), ("n1", 1, turn));
        // A busy machine may not even let it be busy.
        assert!(stall.kind == kind || stall.kind == StallKind::Slow, "{stall:?}");
        assert_eq!(stall.kind.verdict_if_repeated(), "busy_loop");
        if turn == 3 {
            assert_eq!(run(&attack).turn, turn, "the second run stalls in the same turn");
        }
    }
}

/// Total processor time is limited too; a program that survives the first signal dies by the
/// second.
#[test]
fn processor_time_has_an_end() {
    if !support::has("python3") || !has(&["limits"]) {
        return;
    }
    let mut place =
        attacker("signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True:\n    pass\n");
    place.watchdog = Duration::from_secs(20);
    let mut confined = place.confined(0);
    confined.limits.cpu_s = 1;
    let run = place.attack_with(confined);
    assert_eq!(run.stall.map(|stall| stall.kind), Some(StallKind::Busy), "{:?}", run.aborted);
    assert!(run.aborted.is_some_and(|why| why.contains("it used up its 1 s of processor time")));
}

/// Virtual time that does not advance is detected by counting turns, without a watchdog, so it is
/// the same on every machine.
#[test]
fn a_program_that_turns_in_circles_is_stopped_by_count() {
    if !support::has("python3") {
        return;
    }
    let run = attacker(
        "while True:\n    \
        answer({\"op\": \"set_timer\", \"name\": \"again\", \"after\": 0})\n    turn()\n",
    )
    .attack();
    let (reason, message) = crash(&run);
    assert_eq!((reason.as_str(), run.aborted), ("busy_loop", None));
    assert!(message.starts_with("more than 10000 turns at one instant"), "{message}");
}
