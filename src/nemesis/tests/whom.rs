//! Whom faults hit.

use super::{DURATION, at, entry, exactly, look_at, ms, nemesis};
use crate::faults::LinkEffect;
use crate::faults::{HoldMessages, Join, Kill, Leave, Loss, Pause, Which};
use crate::faults::{Status, World};
use crate::nemesis::tests::fake_world::FakeWorld;
use crate::scenario::{NemesisEntry, TargetSpec, When};

/// The names that an entry of a pause hits in a world of five with n2 leading term 3, n4 leading
/// term 2, and n5 down.
fn hit(seed: u64, targets: TargetSpec) -> Vec<String> {
    let mut world = FakeWorld::new(seed, 5);
    world.lead("n2", 3);
    world.lead("n4", 2);
    let n5 = world.id("n5");
    world.kill(n5, None);
    let mut nemesis = nemesis(&[NemesisEntry { targets, ..entry("a", Pause) }], None);
    nemesis.start(&mut world);
    world.run_until(&mut nemesis, ms(1_500), |_| ());
    let value = world.records.first().map_or("", |record| record.value.as_str());
    value.trim_start_matches("a: ").split(',').map(str::to_owned).collect()
}

/// Targets are what their names say.
#[test]
fn targets_are_what_their_names_say() {
    let names =
        |list: &[&str]| TargetSpec::Names(list.iter().map(|name| (*name).to_owned()).collect());
    for seed in 0..30 {
        assert_eq!(hit(seed, TargetSpec::Leader), ["n2"], "the highest term counts");
        assert_eq!(hit(seed, TargetSpec::Followers), ["n1", "n3", "n4", "n5"]);
        assert_eq!(hit(seed, TargetSpec::All).len(), 5);
        assert_eq!(hit(seed, TargetSpec::Majority).len(), 3);
        assert!((1..=2).contains(&hit(seed, TargetSpec::Minority).len()));
        assert!((1..=5).contains(&hit(seed, TargetSpec::Random).len()));
        assert_eq!(
            hit(seed, TargetSpec::Count(4)),
            ["n1", "n2", "n3", "n4"],
            "those that run go first"
        );
        assert_ne!(hit(seed, TargetSpec::One), ["n5"]);
        assert!(!["n2", "n5"].contains(&hit(seed, TargetSpec::Follower)[0].as_str()));
    }
    assert_eq!(hit(1, names(&["east", "n4"])), ["n1", "n2", "n4"]);
    assert_eq!(hit(1, TargetSpec::Role("peer".to_owned())).len(), 5);
    assert_eq!(
        hit(1, names(&["c1"])),
        ["skipped", " there is nobody to hit"],
        "processes of clients cannot be paused"
    );
}

/// Where nobody leads, a node at random stands for the leader.
#[test]
fn without_a_leader_one_is_drawn() {
    let entries = [NemesisEntry { targets: TargetSpec::Leader, ..entry("a", Pause) }];
    let values: std::collections::BTreeSet<String> =
        (0..50).map(|seed| super::run(seed, &entries).records[0].value.clone()).collect();
    assert_eq!(values.len(), 5, "{values:?}");
}

/// The leader is looked for when the fault begins, not when the run does.
#[test]
fn targets_are_chosen_when_the_fault_begins() {
    let mut world = FakeWorld::new(1, 5);
    world.lead("n1", 1);
    let mut nemesis =
        nemesis(&[NemesisEntry { targets: TargetSpec::Leader, ..entry("a", Kill) }], None);
    nemesis.start(&mut world);
    world.run_until(&mut nemesis, ms(900), |_| ());
    world.lead("n3", 2);
    world.run_until(&mut nemesis, ms(1_500), |_| ());
    assert_eq!(world.records[0].value, "a: n3");
}

/// Rules around targets cover both ways and clients; a message fault covers the links that it
/// names.
#[test]
fn link_faults_hit_the_links_that_are_meant() {
    let loss = Loss {
        probability: crate::scenario::Amount { min: 0.5, max: 0.5 },
        correlation: 0.0,
        direction: crate::scenario::Direction::Out,
    };
    let hold = HoldMessages {
        which: Which {
            message: Some("Ping".to_owned()),
            src: vec!["targets".to_owned()],
            dest: vec!["c1".to_owned()],
        },
    };
    look_at(
        &[at(1_000, 1_000, "n1", "loss", loss), at(1_000, 1_000, "n1", "hold", hold)],
        &[1_500],
        |_, world| {
            let rules: Vec<_> = world.rules.values().collect();
            let fits =
                |rule: usize, src, dest| rules[rule].links.contains(world.id(src), world.id(dest));
            assert!(fits(0, "n1", "n2") && fits(0, "n1", "c1") && !fits(0, "n2", "n1"));
            assert!(fits(1, "n1", "c1") && !fits(1, "n1", "n2") && !fits(1, "c1", "n1"));
            assert_eq!(rules[1].effect, LinkEffect::Hold { message: Some("Ping".to_owned()) });
        },
    );
}

/// A node that is absent is hit by nothing but a `join`; what has left may join before its time,
/// and the `leave` is over then.
#[test]
fn nodes_join_and_leave() {
    let mut world = FakeWorld::new(1, 5);
    world.lead("n2", 1);
    let n5 = world.id("n5");
    world.nodes[n5.index()].status = Status::Absent;
    let entries = [
        at(1_000, 1_000, "n5", "too-early", Kill),
        at(2_000, 0, "n5", "join", Join),
        NemesisEntry { lasts: None, ..at(3_000, 0, "n1", "leave", Leave) },
        NemesisEntry {
            when: When::At(exactly(5_000)),
            targets: TargetSpec::One,
            ..entry("back", Join)
        },
    ];
    let mut nemesis = nemesis(&entries, None);
    nemesis.start(&mut world);
    world.run_until(&mut nemesis, DURATION, |_| ());
    nemesis.heal_all(&mut world);
    let expected = [
        "2000ms start n5",
        "2000ms command[add_node n5] n2",
        "3000ms command[remove_node n1] n2",
        "3000ms stop n1",
        "5000ms start n1",
        "5000ms command[add_node n1] n2",
    ];
    assert_eq!(world.done, expected);
    assert_eq!((world.begins("leave"), world.ends("leave")), (vec![3_000], vec![5_000]));
}

/// Nobody leads when the node joins, and somebody does soon after: the request is not lost.
#[test]
fn a_membership_is_asked_for_until_somebody_leads() {
    let mut world = FakeWorld::new(1, 3);
    world.nodes[2].status = Status::Absent;
    world.set_metric("n1", "role", crate::trace::Value::Text("follower".into()));
    let mut nemesis = nemesis(&[at(1_000, 0, "n3", "join", Join)], None);
    nemesis.start(&mut world);
    world.run_until(&mut nemesis, ms(1_250), |_| ());
    assert_eq!(world.done, ["1000ms start n3"]);
    world.lead("n2", 1);
    world.run_until(&mut nemesis, DURATION, |_| ());
    assert_eq!(world.done, ["1000ms start n3", "1300ms command[add_node n3] n2"]);
}

/// A node that has never joined does so at `duration`: liveness is judged with all nodes up.
#[test]
fn what_is_absent_at_the_end_joins() {
    let mut world = FakeWorld::new(1, 3);
    world.nodes[2].status = Status::Absent;
    let mut nemesis = nemesis(&[], None);
    nemesis.start(&mut world);
    nemesis.heal_all(&mut world);
    assert_eq!(world.leftovers(), [""; 0]);
}
