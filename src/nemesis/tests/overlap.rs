//! Faults that overlap on one node, and what is left when one of them heals.

use super::{at, look_at, ms, span};
use crate::faults::Status;
use crate::faults::{
    ClockBump, ClockDrift, ClockReset, ClockStrobe, DiskError, DiskFull, DiskLoss, DiskStall, Kill,
    Pause, Restart, Slow, SlowLinks, StaleRestore, Stop, TornWrite, Wipe,
};
use crate::node::CrashPolicy;
use crate::scenario::{Amount, Direction, Latency, NemesisEntry};
use Status::{Down, Paused, Up};

const fn amount(value: f64) -> Amount {
    Amount { min: value, max: value }
}

fn statuses(entries: &[NemesisEntry], moments: &[u64]) -> Vec<Status> {
    let mut seen = Vec::new();
    let world = look_at(entries, moments, |_, world| seen.push(world.node("n1").status));
    assert_eq!(world.leftovers(), [""; 0]);
    seen
}

/// The node stands still until the last pause has ended.
#[test]
fn of_two_pauses_the_last_one_ends_it() {
    let entries = [at(1_000, 2_000, "n1", "a", Pause), at(2_000, 3_000, "n1", "b", Pause)];
    assert_eq!(statuses(&entries, &[1_500, 2_500, 3_500, 5_500]), [Paused, Paused, Paused, Up]);
}

/// A node that is down already is not killed again, but stays down until its last killer lets go.
#[test]
fn a_node_stays_down_until_its_last_killer_has_healed() {
    let entries = [at(1_000, 2_000, "n1", "a", Kill), at(2_000, 3_000, "n1", "b", Stop)];
    assert_eq!(statuses(&entries, &[1_500, 3_500, 5_500]), [Down, Down, Up]);
    let world = look_at(&entries, &[], |_, _| ());
    assert_eq!(world.done, ["1000ms kill n1", "5000ms start n1"]);
}

/// The kill heals inside of the pause: the machine still stands still. The pause heals inside of
/// the kill: the node is still down.
#[test]
fn a_kill_and_a_pause_do_not_undo_each_other() {
    let inside = [at(1_000, 4_000, "n1", "pause", Pause), at(2_000, 1_000, "n1", "kill", Kill)];
    assert_eq!(statuses(&inside, &[1_500, 2_500, 3_500, 5_500]), [Paused, Down, Paused, Up]);
    let outside = [at(1_000, 2_000, "n1", "pause", Pause), at(2_000, 3_000, "n1", "kill", Kill)];
    assert_eq!(statuses(&outside, &[1_500, 2_500, 3_500, 5_500]), [Paused, Down, Down, Up]);
    let before = [at(1_000, 3_000, "n1", "kill", Kill), at(2_000, 3_000, "n1", "pause", Pause)];
    assert_eq!(statuses(&before, &[1_500, 3_500, 4_500, 5_500]), [Down, Down, Paused, Up]);
}

/// Factors multiply, and nothing is left of them, not even a rounding error.
#[test]
fn two_slow_factors_multiply() {
    let slow = |factor| Slow { factor: amount(factor) };
    let entries = [at(1_000, 2_000, "n1", "a", slow(3.0)), at(2_000, 3_000, "n1", "b", slow(7.0))];
    let mut seen = Vec::new();
    look_at(&entries, &[1_500, 2_500, 3_500, 5_500], |_, world| seen.push(world.node("n1").slow));
    assert_eq!(seen, [3.0, 21.0, 7.0, 1.0]);
}

/// The later drift counts while it lasts, and the earlier one afterwards.
#[test]
fn the_drift_that_was_there_before_comes_back() {
    let drift = |ppm| ClockDrift { ppm: amount(ppm) };
    let entries =
        [at(1_000, 4_000, "n1", "a", drift(100.0)), at(2_000, 1_000, "n1", "b", drift(-50.0))];
    let mut seen = Vec::new();
    look_at(&entries, &[1_500, 2_500, 3_500, 5_500], |_, world| seen.push(world.node("n1").drift));
    assert_eq!(seen, [Some(100.0), Some(-50.0), Some(100.0), None]);
}

/// Each fault removes its own rule and no other.
#[test]
fn two_latency_rules_end_apart() {
    let latency =
        |millis| SlowLinks { latency: Latency::Constant(ms(millis)), direction: Direction::Both };
    let entries =
        [at(1_000, 2_000, "n1", "a", latency(10)), at(2_000, 3_000, "n1", "b", latency(20))];
    let mut seen = Vec::new();
    look_at(&entries, &[1_500, 2_500, 3_500, 5_500], |_, world| seen.push(world.rules.len()));
    assert_eq!(seen, [1, 2, 1, 0]);
}

/// After a strobe the clock shows what it showed before, whether or not it was put right or bumped
/// in between.
#[test]
fn a_strobe_leaves_no_error_behind() {
    let strobe = ClockStrobe { by_ms: amount(250.0), period: span(30, 90) };
    let bump = ClockBump { by_ms: amount(100.0) };
    let alone = look_at(&[at(1_000, 2_000, "n1", "a", strobe.clone())], &[], |_, _| ());
    assert_eq!(alone.node("n1").wall_ns, 0);
    let bumped =
        [at(1_000, 2_000, "n1", "a", strobe.clone()), at(2_000, 0, "n1", "b", bump.clone())];
    assert_eq!(look_at(&bumped, &[], |_, _| ()).node("n1").wall_ns, 100_000_000);
    for moment in 1_900..2_000 {
        let reset = [
            at(1_000, 2_000, "n1", "a", strobe.clone()),
            at(1_500, 0, "n1", "b", bump.clone()),
            at(moment, 0, "n1", "c", ClockReset),
        ];
        assert_eq!(look_at(&reset, &[], |_, _| ()).node("n1").wall_ns, 0, "reset at {moment}");
    }
}

/// Two faults of a disk are two faults: the one that is left still acts.
#[test]
fn faults_of_a_disk_end_apart() {
    let error = |probability| DiskError { probability: amount(probability) };
    let entries = [
        at(1_000, 3_000, "n1", "a", DiskFull),
        at(1_000, 1_000, "n1", "b", DiskFull),
        at(1_000, 3_000, "n1", "c", error(0.5)),
        at(1_000, 1_000, "n1", "d", error(0.5)),
        at(1_000, 1_000, "n1", "e", DiskStall),
    ];
    let mut seen = Vec::new();
    look_at(&entries, &[1_500, 2_500, 4_500], |_, world| {
        let node = world.node("n1");
        seen.push((node.full, node.error, node.stalled));
    });
    assert_eq!(seen, [(true, 0.75, true), (true, 0.5, false), (false, 0.0, false)]);
}

/// The crash policies, the wiped and the restored disk come in the order in which a machine could
/// do it.
#[test]
fn faults_with_a_down_time_kill_and_start() {
    let entries = [
        at(1_000, 0, "n1", "torn", TornWrite { down: span(200, 200) }),
        at(2_000, 0, "n1", "loss", DiskLoss { down: span(200, 200) }),
        at(3_000, 0, "n1", "wipe", Wipe { down: span(200, 200) }),
        at(4_000, 1_000, "n1", "stale", StaleRestore { down: span(200, 200) }),
        at(6_000, 0, "n1", "restart", Restart { down: span(200, 200) }),
    ];
    let world = look_at(&entries, &[], |_, _| ());
    let torn = format!("1000ms kill({:?}) n1", CrashPolicy::Torn);
    let lose = format!("2000ms kill({:?}) n1", CrashPolicy::Lose);
    let expected = [
        &torn,
        "1200ms start n1",
        &lose,
        "2200ms start n1",
        "3000ms kill n1",
        "3000ms wipe n1",
        "3200ms start n1",
        "4000ms backup n1",
        "5000ms kill n1",
        "5000ms restore n1",
        "5200ms start n1",
        "6000ms kill n1",
        "6200ms start n1",
    ];
    assert_eq!(world.done, expected);
    assert_eq!((world.begins("stale"), world.ends("stale")), (vec![4_000], vec![5_200]));
}

/// A backup whose time would come after `duration` is put back just before, so that the scenario's
/// fault does happen.
#[test]
fn a_stale_restore_without_end_is_done_before_duration() {
    let mut entry = at(4_000, 0, "n1", "stale", StaleRestore { down: span(200, 200) });
    entry.lasts = None;
    let world = look_at(&[entry], &[], |_, _| ());
    assert_eq!(
        world.done,
        ["4000ms backup n1", "9800ms kill n1", "9800ms restore n1", "10000ms start n1"]
    );
}
