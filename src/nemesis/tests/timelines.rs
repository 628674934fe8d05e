//! Random timelines: whatever an author writes, everything heals, the model holds, and the same
//! seed gives the same run.

use super::fake_world::FakeWorld;
use super::{DURATION, exactly, ms, nemesis, span};
use crate::faults::{
    Bandwidth, Bitflip, ClockBump, ClockDrift, ClockFreeze, ClockReset, ClockStrobe, Command,
    Corrupt, DelayMessages, DiskError, DiskFull, DiskLoss, DiskSlow, DiskStall, DropMessages,
    Duplicate, FAULTS, FaultSpec, Flap, HoldMessages, Join, Kill, Leave, Loss, Partition, Pause,
    Random, Reorder, Restart, Slow, SlowLinks, StaleRestore, Stop, Swarm, Swizzle, TornWrite,
    Truncate, Which, Wipe,
};
use crate::faults::{Status, World};
use crate::rng::Rng;
use crate::scenario::{
    Amount, Condition, Direction, Latency, NemesisEntry, PartitionShape, Repeat, Span, TargetSpec,
    When,
};
use crate::trace::{NodeId, OpType};

const SOME: Amount = Amount { min: 0.1, max: 0.9 };

fn shapes() -> Vec<PartitionShape> {
    vec![
        PartitionShape::Halves,
        PartitionShape::One,
        PartitionShape::Majority,
        PartitionShape::MajoritiesRing,
        PartitionShape::Bridge,
        PartitionShape::MinorityThird,
        PartitionShape::Groups(vec![vec!["east".to_owned()], vec!["n5".to_owned()]]),
        PartitionShape::Between(vec!["n3".to_owned(), "c1".to_owned()]),
    ]
}

/// One of every fault, and the partition in every shape.
fn every_fault() -> Vec<FaultSpec> {
    let direction = Direction::Both;
    let latency = Latency::Constant(ms(50));
    let down = span(10, 900);
    let mut faults: Vec<FaultSpec> = vec![
        SlowLinks { latency, direction: Direction::In }.into(),
        Loss { probability: Amount { min: 0.5, max: 1.0 }, correlation: 0.5, direction }.into(),
        Duplicate { probability: SOME, direction }.into(),
        Reorder { probability: SOME, delay: latency, direction }.into(),
        Corrupt { probability: SOME, direction: Direction::Out }.into(),
        Bandwidth { bytes_per_second: Amount { min: 100.0, max: 1_000.0 }, queue: 100, direction }
            .into(),
        HoldMessages { which: Which { message: None, src: vec![], dest: vec![] } }.into(),
        DropMessages {
            which: Which { message: None, src: vec!["targets".to_owned()], dest: vec![] },
            nth: None,
        }
        .into(),
        DelayMessages {
            which: Which {
                message: Some("Ping".to_owned()),
                src: vec!["n1".to_owned()],
                dest: vec!["east".to_owned()],
            },
            delay: down,
            nth: Some(2),
        }
        .into(),
        Kill.into(),
        Restart { down }.into(),
        Pause.into(),
        Slow { factor: Amount { min: 1.1, max: 9.9 } }.into(),
        Wipe { down }.into(),
        Stop.into(),
        Command { command: "say hello".to_owned() }.into(),
        Join.into(),
        Leave.into(),
        ClockBump { by_ms: Amount { min: -5.0, max: 5.0 } }.into(),
        ClockDrift { ppm: Amount { min: -500.0, max: 500.0 } }.into(),
        ClockStrobe { by_ms: SOME, period: span(0, 100) }.into(),
        ClockFreeze.into(),
        ClockReset.into(),
        DiskLoss { down }.into(),
        TornWrite { down }.into(),
        Bitflip { file: None, bits: 1 }.into(),
        Truncate { file: None, bytes: 5 }.into(),
        DiskFull.into(),
        DiskError { probability: SOME }.into(),
        DiskSlow { factor: Amount { min: 1.1, max: 9.9 } }.into(),
        DiskStall.into(),
        StaleRestore { down }.into(),
        Swizzle.into(),
    ];
    for shape in shapes() {
        faults.push(FaultSpec::from(Flap {
            shape: shape.clone(),
            direction,
            clients: false,
            up: span(0, 300),
            down: span(0, 300),
        }));
        faults.push(Partition { shape, direction, clients: true }.into());
    }
    let among = faults.clone();
    faults.push(Swarm { among: among.clone(), keep: Amount { min: 0.0, max: 1.0 } }.into());
    let mut among = among;
    among.push(faults.last().expect("the swarm").clone());
    faults.push(Random { among }.into());
    faults
}

/// The timelines of this file use each fault of the list, so that a new one is tested with the
/// others.
#[test]
fn every_fault_of_the_list_is_tried() {
    let mut tried: Vec<&str> = every_fault().iter().map(FaultSpec::name).collect();
    let mut listed: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    tried.sort_unstable();
    tried.dedup();
    listed.sort_unstable();
    assert_eq!(tried, listed);
}

fn every_target() -> Vec<TargetSpec> {
    vec![
        TargetSpec::One,
        TargetSpec::Minority,
        TargetSpec::Majority,
        TargetSpec::Leader,
        TargetSpec::Followers,
        TargetSpec::Follower,
        TargetSpec::All,
        TargetSpec::Random,
        TargetSpec::Count(2),
        TargetSpec::Role("peer".to_owned()),
        TargetSpec::Names(vec!["east".to_owned(), "c2".to_owned()]),
    ]
}

/// Up to twelve entries of any kind.
fn random_entries(rng: &mut Rng) -> Vec<NemesisEntry> {
    let (faults, targets) = (every_fault(), every_target());
    let count = rng.between(1, 12);
    let entry = |number: u64| {
        let ended = rng.chance(0.5);
        let when = match rng.below(4) {
            0 => When::At(span(0, 12_000)),
            1 => When::Every(Span { min: ms(0), max: ms(rng.between(50, 3_000)) }),
            2 => {
                When::After { entry: format!("e{}", rng.below(count)), delay: span(0, 500), ended }
            }
            _ => {
                let condition = Condition::Message {
                    message: "Ping".to_owned(),
                    src: "any".to_owned(),
                    dest: "n1".to_owned(),
                    nth: rng.between(1, 3),
                };
                When::Condition { condition, delay: span(0, 500) }
            }
        };
        NemesisEntry {
            name: format!("e{number}"),
            when,
            lasts: if rng.chance(0.2) { None } else { Some(span(0, 4_000)) },
            repeat: Repeat { times: rng.between(1, 20) },
            probability: if rng.chance(0.7) { 1.0 } else { 0.5 },
            targets: rng.pick(&targets).expect("there are some").clone(),
            fault: rng.pick(&faults).expect("there are some").clone(),
        }
    };
    (0..count).map(entry).collect()
}

/// Play a random timeline, messages arriving now and then and a node crashing by itself; look at
/// the world after each alarm.
fn play(seed: u64, max_faulty: Option<usize>, mut look: impl FnMut(&FakeWorld)) -> FakeWorld {
    let mut rng = Rng::named(seed, "timeline");
    let entries = random_entries(&mut rng);
    let mut world = FakeWorld::new(seed, 5);
    world.lead("n2", 1);
    if rng.chance(0.3) {
        world.nodes[3].status = Status::Absent;
    }
    let mut nemesis = nemesis(&entries, max_faulty);
    nemesis.start(&mut world);
    for moment in (0..10_000).step_by(400) {
        world.run_until(&mut nemesis, ms(moment), &mut look);
        nemesis.on_message(&mut world, NodeId(1), NodeId(0), "Ping");
    }
    world.run_until(&mut nemesis, DURATION, &mut look);
    nemesis.heal_all(&mut world);
    let healed = world.records.len();
    world.run_until(&mut nemesis, DURATION * 3, |_| ());
    assert_eq!(world.records.len(), healed, "nothing happens after the healing");
    world
}

/// Whatever the timeline, `heal_all` leaves the world as it was, and every `invoke` has its `info`.
#[test]
fn after_heal_all_nothing_is_left() {
    for seed in 0..600 {
        let world = play(seed, None, |_| ());
        assert_eq!(world.leftovers(), [""; 0], "seed {seed}");
        let mut open: Vec<&str> = Vec::new();
        for record in &world.records {
            let position = open.iter().position(|value| *value == record.value);
            match (record.op_type, position) {
                (OpType::Invoke, _) => open.push(&record.value),
                (_, Some(position)) => drop(open.remove(position)),
                (_, None) => {
                    assert!(
                        record.value.contains(": skipped, ") || record.value.contains(": chosen, "),
                        "seed {seed}: {record:?}"
                    )
                }
            }
        }
        assert!(open.is_empty(), "seed {seed}: {open:?}");
        let early = |at: u64| at < 10_000;
        assert!(
            (0..12).all(|entry| world.begins(&format!("e{entry}")).into_iter().all(early)),
            "seed {seed}"
        );
    }
}

/// The same entries and the same seed give the same records, to the last one.
#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..60 {
        let (one, other) = (play(seed, Some(2), |_| ()), play(seed, Some(2), |_| ()));
        assert_eq!(one.records, other.records, "seed {seed}");
        assert_eq!(one.done, other.done, "seed {seed}");
    }
}

/// Whether some set of all but `most` members is up, and each of them reaches a majority within the
/// set (or the whole set, if that is not a majority), both ways. By trying every set, so that
/// nothing is shared with what is tested.
fn keeps_within(world: &FakeWorld, most: usize) -> bool {
    let members: Vec<NodeId> =
        world.nodes().into_iter().filter(|node| world.status(*node) != Status::Absent).collect();
    let majority = members.len() / 2 + 1;
    let meet = |one: NodeId, other: NodeId| {
        one == other || !(world.cuts(one, other) || world.cuts(other, one))
    };
    let healthy = |node: &NodeId| {
        let state = &world.nodes[node.index()];
        state.status == Status::Up && !state.full && !state.stalled && state.error == 0.0
    };
    (0_u32..1 << members.len()).any(|set| {
        let sound: Vec<NodeId> = (0..members.len())
            .filter(|place| set & (1 << place) != 0)
            .map(|place| members[place])
            .collect();
        let wanted = majority.min(sound.len());
        sound.len() + most >= members.len()
            && sound.iter().all(healthy)
            && sound
                .iter()
                .all(|one| sound.iter().filter(|other| meet(*one, **other)).count() >= wanted)
    })
}

/// However many faults overlap, no more nodes than promised are down, paused, or cut from the
/// majority, at any moment.
#[test]
fn max_faulty_is_never_exceeded() {
    let mut skipped = 0;
    let mut begun = 0;
    for seed in 0..400 {
        let most = 1 + (seed % 3) as usize;
        let world = play(seed, Some(most), |world| {
            assert!(
                keeps_within(world, most),
                "seed {seed} at {}: {:#?}",
                world.now(),
                world.records
            )
        });
        skipped +=
            world.records.iter().filter(|record| record.value.contains("max_faulty")).count();
        begun += world
            .records
            .iter()
            .filter(|record| {
                record.op_type == OpType::Invoke && ["kill", "pause"].contains(&record.fault)
            })
            .count();
    }
    assert!(
        skipped > 100 && begun > 100,
        "the test means something: {skipped} skipped, {begun} begun"
    );
}

/// A minority shrinks to what the model still allows, rather than not happening at all.
#[test]
fn a_minority_leaves_room_for_who_is_down_already() {
    let kill = |name: &str, at, targets| NemesisEntry {
        when: When::At(exactly(at)),
        lasts: None,
        targets,
        ..super::entry(name, Kill)
    };
    for seed in 0..40 {
        let entries = [
            kill("first", 1_000, TargetSpec::One),
            kill("second", 2_000, TargetSpec::Minority),
            kill("third", 3_000, TargetSpec::Minority),
        ];
        let mut world = FakeWorld::new(seed, 5);
        let mut nemesis = nemesis(&entries, Some(2));
        nemesis.start(&mut world);
        world.run_until(&mut nemesis, DURATION, |_| ());
        let down = world.nodes.iter().filter(|node| node.status == Status::Down).count();
        assert_eq!(down, 2);
        assert_eq!(world.begins("third"), [0; 0]);
        let last = world.records.last().expect("there is one");
        assert_eq!(
            (last.op_type, last.value.as_str()),
            (OpType::Info, "third: skipped, 3 nodes would be faulty and max_faulty is 2")
        );
    }
}
