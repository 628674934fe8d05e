//! When entries begin and end.

use super::{DURATION, entry, exactly, look_at, ms, nemesis, run, span};
use crate::faults::Status;
use crate::faults::{Bitflip, ClockFreeze, ClockReset, Flap, Kill, Pause};
use crate::nemesis::tests::fake_world::FakeWorld;
use crate::scenario::{Condition, NemesisEntry, Repeat, Span, TargetSpec, When};
use crate::trace::Fields;
use crate::trace::Value;

/// `at` from a range stays within it, and other seeds draw other moments.
#[test]
fn at_is_drawn_from_its_range() {
    let entries = [NemesisEntry { when: When::At(span(2_000, 6_000)), ..entry("a", Pause) }];
    let mut drawn: Vec<u64> = (0..50).flat_map(|seed| run(seed, &entries).begins("a")).collect();
    drawn.sort_unstable();
    assert_eq!(drawn.len(), 50);
    assert!(
        drawn[0] >= 2_000 && drawn[0] < 3_000 && drawn[49] <= 6_000 && drawn[49] > 5_000,
        "{drawn:?}"
    );
}

/// The next time is drawn when the last one has come, until `duration` and not longer.
#[test]
fn every_is_drawn_again_each_time() {
    let entries = [NemesisEntry {
        when: When::Every(span(500, 1_000)),
        repeat: Repeat { times: u64::MAX },
        lasts: Some(exactly(10)),
        ..entry("a", Pause)
    }];
    let begins = run(1, &entries).begins("a");
    let gaps: Vec<u64> = begins.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((9..=20).contains(&begins.len()), "{begins:?}");
    assert!(
        gaps.iter().all(|gap| (499..=1_001).contains(gap))
            && gaps.windows(2).any(|pair| pair[0] != pair[1]),
        "{gaps:?}"
    );
}

/// After `repeat` times the entry is used up.
#[test]
fn repeat_limits_how_often() {
    let repeat = Repeat { times: 3 };
    let every = NemesisEntry {
        when: When::Every(exactly(500)),
        repeat,
        lasts: Some(exactly(100)),
        ..entry("every", Pause)
    };
    assert_eq!(run(1, &[every]).begins("every"), [500, 1_000, 1_500]);
}

/// `after` waits for the beginning or for the healing.
#[test]
fn after_follows_the_begin_or_the_end() {
    let after = |ended| When::After { entry: "a".to_owned(), delay: exactly(300), ended };
    let world = run(
        1,
        &[
            entry("a", Pause),
            NemesisEntry { when: after(false), ..entry("b", Pause) },
            NemesisEntry { when: after(true), ..entry("c", ClockFreeze) },
        ],
    );
    assert_eq!((world.begins("b"), world.begins("c")), (vec![1_300], vec![2_300]));
}

/// Of two entries that wait for each other without delay neither hangs the run.
#[test]
fn entries_that_cause_each_other_come_to_an_end() {
    let after =
        |entry: &str| When::After { entry: entry.to_owned(), delay: exactly(0), ended: true };
    let always = Repeat { times: u64::MAX };
    let first = NemesisEntry { when: When::At(exactly(1_000)), ..entry("a", ClockReset) };
    let ping = NemesisEntry { when: after("pong"), repeat: always, ..entry("ping", ClockReset) };
    let pong = NemesisEntry { when: after("ping"), repeat: always, ..entry("pong", ClockReset) };
    let start = NemesisEntry { when: after("a"), name: "ping".to_owned(), ..ping.clone() };
    let world = run(1, &[first, start, ping, pong]);
    assert!(world.begins("pong").len() <= 100_000);
}

/// Without `lasts` a fault stays until `duration`, and so does one that would stay longer. Nothing
/// begins at `duration`.
#[test]
fn a_fault_never_outlasts_duration() {
    let world = run(
        1,
        &[
            NemesisEntry { lasts: None, ..entry("open", Pause) },
            NemesisEntry { lasts: Some(exactly(60_000)), ..entry("long", Kill) },
            NemesisEntry { when: When::At(exactly(10_000)), ..entry("late", Kill) },
        ],
    );
    assert_eq!((world.ends("open"), world.ends("long")), (vec![10_000], vec![10_000]));
    assert_eq!(world.begins("late"), [0; 0]);
    assert_eq!(world.leftovers(), [""; 0]);
}

/// Of a thousand times with probability 0.3 about 300 happen; with 0 none, with 1 all.
#[test]
fn probability_decides_each_time() {
    let begun = |probability| {
        let when = When::Every(exactly(10));
        let entries = [NemesisEntry {
            when,
            repeat: Repeat { times: 900 },
            probability,
            ..entry("a", ClockReset)
        }];
        run(1, &entries).begins("a").len()
    };
    assert_eq!((begun(0.0), begun(1.0)), (0, 900));
    assert!((220..320).contains(&begun(0.3)), "{}", begun(0.3));
}

/// Every lasting fault of a run has its `info` with the same value, a momentary one at the same
/// time.
#[test]
fn every_beginning_is_recorded_with_its_end() {
    let world = run(
        1,
        &[entry("a", Kill), entry("b", ClockReset), entry("c", Bitflip { file: None, bits: 3 })],
    );
    assert_eq!((world.begins("a"), world.ends("a")), (vec![1_000], vec![2_000]));
    assert_eq!((world.begins("b"), world.ends("b")), (vec![1_000], vec![1_000]));
    let flips: Vec<&str> = world
        .records
        .iter()
        .filter(|record| record.fault == "bitflip")
        .map(|record| record.value.as_str())
        .collect();
    assert!(
        flips.len() == 2 && flips[0] == flips[1] && flips[0].ends_with("(3 bits)"),
        "{flips:?}"
    );
}

fn conditional(condition: Condition, delay: Span, times: u64) -> NemesisEntry {
    let when = When::Condition { condition, delay };
    NemesisEntry {
        when,
        repeat: Repeat { times },
        targets: TargetSpec::Names(vec!["n1".to_owned()]),
        ..entry("a", Pause)
    }
}

fn metric(node: &str, at_least: Option<f64>, equals: Option<&str>) -> Condition {
    let equals = equals.map(str::to_owned);
    Condition::Metric {
        metric: "current_term".to_owned(),
        node: node.to_owned(),
        at_least,
        at_most: None,
        equals,
    }
}

/// The fault begins when a metric reaches the bound, not before, and in an alarm of its own, never
/// inside of the step that showed it.
#[test]
fn a_condition_on_a_metric_begins_when_it_holds() {
    let mut world = FakeWorld::new(1, 5);
    let mut nemesis = nemesis(&[conditional(metric("any", Some(3.0), None), exactly(0), 1)], None);
    assert!(nemesis.wants_metrics() && !nemesis.wants_events() && !nemesis.wants_messages());
    nemesis.start(&mut world);
    let n4 = world.id("n4");
    world.run_until(&mut nemesis, ms(2_000), |_| ());
    nemesis.on_metric(&mut world, n4, "current_term", &Value::Int(2));
    nemesis.on_metric(&mut world, n4, "commit_index", &Value::Int(9));
    world.run_until(&mut nemesis, ms(3_000), |_| ());
    nemesis.on_metric(&mut world, n4, "current_term", &Value::Int(3));
    assert_eq!(world.node("n1").status, Status::Up);
    world.run_until(&mut nemesis, ms(3_500), |_| ());
    assert_eq!(world.begins("a"), [3_000]);
}

/// `all` holds when the last one shows it; `equals` reads numbers too.
#[test]
fn a_condition_can_wait_for_all_nodes() {
    let mut world = FakeWorld::new(1, 3);
    let mut nemesis = nemesis(&[conditional(metric("all", None, Some("4")), exactly(0), 1)], None);
    nemesis.start(&mut world);
    for (moment, name) in [(1_000, "n2"), (2_000, "n3"), (3_000, "n1")] {
        world.run_until(&mut nemesis, ms(moment), |_| ());
        assert_eq!(world.begins("a"), [0; 0], "before {name}");
        let id = world.id(name);
        nemesis.on_metric(&mut world, id, "current_term", &Value::Int(4));
        world.set_metric(name, "current_term", Value::Int(4));
    }
    world.run_until(&mut nemesis, DURATION, |_| ());
    assert_eq!(world.begins("a"), [3_000]);
}

/// The n-th event with these fields, some time later; armed again, and counted anew, after each
/// healing.
#[test]
fn a_condition_on_an_event_counts_and_is_armed_again() {
    let condition = Condition::Event {
        event: "leader".to_owned(),
        node: "east".to_owned(),
        fields: vec![("term".to_owned(), "7".to_owned())],
        nth: 2,
    };
    let mut world = FakeWorld::new(1, 5);
    let mut nemesis = nemesis(&[conditional(condition, exactly(100), 2)], None);
    assert!(nemesis.wants_events());
    nemesis.start(&mut world);
    let (n2, n3) = (world.id("n2"), world.id("n3"));
    for moment in (500..9_000).step_by(500) {
        world.run_until(&mut nemesis, ms(moment), |_| ());
        nemesis.on_event(&mut world, n3, "leader", &Fields::new(&["term"], &[Value::Int(7)]));
        nemesis.on_event(&mut world, n2, "leader", &Fields::new(&["term"], &[Value::Int(6)]));
        nemesis.on_event(&mut world, n2, "leader", &Fields::new(&["term"], &[Value::Int(7)]));
    }
    // Seen at 500 and 1,000; in force from 1,100 to 2,100; seen at 2,500 and 3,000; used up.
    assert_eq!(world.begins("a"), [1_100, 3_100]);
}

/// A delivery between the named two, of the named type.
#[test]
fn a_condition_on_a_message_looks_at_type_and_ends() {
    let condition = Condition::Message {
        message: "Ping".to_owned(),
        src: "n2".to_owned(),
        dest: "any".to_owned(),
        nth: 1,
    };
    let mut world = FakeWorld::new(1, 5);
    let mut nemesis = nemesis(&[conditional(condition, exactly(0), 1)], None);
    assert!(nemesis.wants_messages());
    nemesis.start(&mut world);
    let (n2, n3) = (world.id("n2"), world.id("n3"));
    for (moment, src, kind) in [(1_000, n3, "Ping"), (2_000, n2, "Pong"), (3_000, n2, "Ping")] {
        world.run_until(&mut nemesis, ms(moment), |_| ());
        nemesis.on_message(&mut world, src, n3, kind);
    }
    world.run_until(&mut nemesis, ms(3_001), |_| ());
    assert_eq!(world.begins("a"), [3_000]);
}

/// A flapping link is down at first, then up, and so on; it is up when the fault has ended.
#[test]
fn a_flap_alternates() {
    use crate::scenario::{Direction, PartitionShape};
    let (shape, direction) = (PartitionShape::Halves, Direction::Both);
    let fault = Flap { shape, direction, clients: false, up: exactly(100), down: exactly(200) };
    let mut seen = Vec::new();
    look_at(&[entry("a", fault)], &[1_050, 1_250, 1_350, 1_550, 2_050], |_, world| {
        seen.push(world.rules.len())
    });
    assert_eq!(seen, [1, 0, 1, 0, 0]);
}
