//! Faults made of others.

use std::collections::BTreeSet;

use super::{entry, exactly, look_at, ms, nemesis, run};
use crate::faults::World;
use crate::faults::{
    ClockFreeze, ClockReset, DiskStall, Kill, Pause, Random, Slow, Swarm, Swizzle,
};
use crate::nemesis::tests::fake_world::FakeWorld;
use crate::scenario::{Amount, NemesisEntry, Repeat, TargetSpec, When};
use crate::trace::OpType;

fn begun(world: &FakeWorld) -> BTreeSet<&'static str> {
    world
        .records
        .iter()
        .filter(|record| record.op_type == OpType::Invoke)
        .map(|record| record.fault)
        .collect()
}

fn swarm() -> Swarm {
    let factor = Amount { min: 2.0, max: 90.0 };
    let among = vec![
        Pause.into(),
        Kill.into(),
        ClockFreeze.into(),
        DiskStall.into(),
        Slow { factor }.into(),
    ];
    Swarm { among, keep: Amount { min: 0.5, max: 0.5 } }
}

/// Every fault of the list comes up sooner or later, under its own name.
#[test]
fn random_draws_again_each_time() {
    let fault = Random { among: vec![Pause.into(), Kill.into(), ClockReset.into()] };
    let when = When::Every(exactly(200));
    let entries = [NemesisEntry {
        when,
        repeat: Repeat { times: 40 },
        lasts: Some(exactly(50)),
        ..entry("a", fault)
    }];
    assert_eq!(begun(&run(1, &entries)), BTreeSet::from(["pause", "kill", "clock_reset"]));
}

/// The choice is made once a run, and says so; over many runs everything is chosen and everything
/// is left out.
#[test]
fn a_swarm_keeps_its_choice_for_the_run() {
    let when = When::Every(exactly(2_000));
    let entries = [NemesisEntry {
        when,
        repeat: Repeat { times: 10 },
        lasts: Some(exactly(1_500)),
        ..entry("a", swarm())
    }];
    let mut choices = BTreeSet::new();
    for seed in 0..60 {
        let world = run(seed, &entries);
        let chosen: Vec<&str> = world
            .records
            .iter()
            .filter(|record| record.fault == "swarm")
            .map(|record| record.value.as_str())
            .collect();
        assert_eq!(chosen.len(), 1, "chosen once");
        let names: BTreeSet<&str> =
            chosen[0].trim_start_matches("a: chosen, ").split(' ').collect();
        assert_eq!(begun(&world), names, "what was chosen happens, and nothing else");
        choices.insert(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    }
    assert!(choices.len() > 10, "{choices:?}");
}

/// Parameters of a kept fault are drawn with the choice: all its occurrences are alike.
#[test]
fn a_swarm_draws_its_parameters_once() {
    let factor = Amount { min: 2.0, max: 90.0 };
    let fault = Swarm { among: vec![Slow { factor }.into()], keep: Amount { min: 1.0, max: 1.0 } };
    let world = run(4, &[NemesisEntry { lasts: None, ..entry("a", fault) }]);
    let factors: BTreeSet<&str> = world
        .records
        .iter()
        .filter_map(|record| record.value.split_once('('))
        .map(|(_, said)| said)
        .collect();
    assert_eq!(factors.len(), 1);
    assert!((3..=18).contains(&world.begins("a").len()), "{:?}", world.begins("a"));
}

/// In a window no longer than a second each member comes once, rather than many times too short to
/// matter.
#[test]
fn a_short_swarm_does_not_flicker() {
    for seed in 0..30 {
        let world =
            run(seed, &[NemesisEntry { lasts: Some(exactly(1_000)), ..entry("a", swarm()) }]);
        let count = world.begins("a").len();
        assert!(
            count >= begun(&world).len() && count <= 2 * begun(&world).len(),
            "seed {seed}: {count}"
        );
    }
}

/// What a swarm has begun ends with it.
#[test]
fn a_swarm_takes_its_members_with_it() {
    for seed in 0..30 {
        let mut world = FakeWorld::new(seed, 5);
        let mut nemesis =
            nemesis(&[NemesisEntry { targets: TargetSpec::All, ..entry("a", swarm()) }], None);
        nemesis.start(&mut world);
        world.run_until(&mut nemesis, ms(2_001), |_| ());
        assert_eq!(world.leftovers(), [""; 0]);
    }
}

/// In the first half nodes are cut off one after another, in the second half they come back; at
/// half time all are cut off.
#[test]
fn a_swizzle_cuts_one_after_another_and_heals_in_another_order() {
    let entries = [NemesisEntry {
        targets: TargetSpec::Count(4),
        lasts: Some(exactly(4_000)),
        ..entry("a", Swizzle)
    }];
    let moments: Vec<u64> = (1_000..=5_000).step_by(10).collect();
    let mut cut = Vec::new();
    look_at(&entries, &moments, |_, world| {
        let nodes = world.nodes();
        let is_alone = |node: &usize| {
            nodes.iter().filter(|other| world.cuts(nodes[*node], **other)).count() == 4
        };
        cut.push((0..5).filter(is_alone).collect::<BTreeSet<_>>());
    });
    let half = cut.len() / 2;
    assert!(cut[..half].windows(2).all(|pair| pair[0].is_subset(&pair[1])), "{cut:?}");
    assert!(cut[half + 1..].windows(2).all(|pair| pair[1].is_subset(&pair[0])), "{cut:?}");
    assert!(
        cut[half].len() == 4 || cut[half].len() == 5,
        "the fifth sees nobody either: {:?}",
        cut[half]
    );
    assert!(cut.last().is_some_and(BTreeSet::is_empty));
}
