//! Tests of the nemesis against a small world that does nothing by itself.

mod fake_world;
mod overlap;
mod partitions;
mod swarms;
mod timelines;
mod timing;
mod whom;

use std::time::Duration;

use super::Nemesis;
use crate::faults::FaultSpec;
use crate::faults::Groups;
use crate::faults::World;
use crate::scenario::{NemesisEntry, Repeat, Span, TargetSpec, When};
use crate::time::Time;
use fake_world::FakeWorld;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn span(min: u64, max: u64) -> Span {
    Span { min: ms(min), max: ms(max) }
}

const fn exactly(millis: u64) -> Span {
    span(millis, millis)
}

/// The run's `duration` in all tests.
const DURATION: Duration = ms(10_000);

/// An entry at 1 s that lasts 1 s and hits one node at random; the tests change what they are
/// about.
fn entry(name: &str, fault: impl Into<FaultSpec>) -> NemesisEntry {
    NemesisEntry {
        name: name.to_owned(),
        when: When::At(exactly(1_000)),
        lasts: Some(exactly(1_000)),
        repeat: Repeat { times: 1 },
        probability: 1.0,
        targets: TargetSpec::One,
        fault: fault.into(),
    }
}

fn at(
    begin: u64,
    lasts: u64,
    target: &str,
    name: &str,
    fault: impl Into<FaultSpec>,
) -> NemesisEntry {
    let targets = TargetSpec::Names(vec![target.to_owned()]);
    NemesisEntry {
        when: When::At(exactly(begin)),
        lasts: Some(exactly(lasts)),
        targets,
        ..entry(name, fault)
    }
}

fn nemesis(entries: &[NemesisEntry], max_faulty: Option<usize>) -> Nemesis {
    let groups = Groups::from([("east".to_owned(), vec!["n1".to_owned(), "n2".to_owned()])]);
    Nemesis::with(entries, DURATION, groups, max_faulty)
}

/// Run entries in a world of five nodes to `duration`, everything healed.
fn run(seed: u64, entries: &[NemesisEntry]) -> FakeWorld {
    let mut world = FakeWorld::new(seed, 5);
    let mut nemesis = nemesis(entries, None);
    nemesis.start(&mut world);
    world.run_until(&mut nemesis, DURATION, |_| ());
    nemesis.heal_all(&mut world);
    world
}

/// Run entries, and look at the world at some moments, everything of that moment done.
fn look_at(
    entries: &[NemesisEntry],
    moments: &[u64],
    mut look: impl FnMut(u64, &FakeWorld),
) -> FakeWorld {
    let mut world = FakeWorld::new(1, 5);
    let mut nemesis = nemesis(entries, None);
    nemesis.start(&mut world);
    for moment in moments {
        world.run_until(&mut nemesis, ms(*moment) + Duration::from_nanos(1), |_| ());
        look(*moment, &world);
    }
    world.run_until(&mut nemesis, DURATION, |_| ());
    nemesis.heal_all(&mut world);
    assert_eq!(world.now(), Time::ZERO + DURATION);
    world
}
