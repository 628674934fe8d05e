//! Which links each shape of a partition cuts.

use std::collections::BTreeSet;

use super::fake_world::FakeWorld;
use super::{entry, ms, nemesis};
use crate::faults::Partition;
use crate::faults::World;
use crate::scenario::{Direction, NemesisEntry, PartitionShape, TargetSpec};
use crate::trace::NodeId;

/// The world in the middle of a partition.
fn cut(
    seed: u64,
    count: usize,
    shape: PartitionShape,
    direction: Direction,
    clients: bool,
    targets: TargetSpec,
) -> FakeWorld {
    let fault = Partition { shape, direction, clients };
    let entries = [NemesisEntry { targets, ..entry("p", fault) }];
    let mut world = FakeWorld::new(seed, count);
    if count > 1 {
        world.lead("n2", 3);
    }
    let mut nemesis = nemesis(&entries, None);
    nemesis.start(&mut world);
    world.run_until(&mut nemesis, ms(1_500), |_| ());
    world
}

/// Whom a node can talk with, both ways, itself included.
fn sees(world: &FakeWorld, node: NodeId) -> BTreeSet<NodeId> {
    let meets =
        |other: &NodeId| *other == node || !(world.cuts(node, *other) || world.cuts(*other, node));
    world.nodes().into_iter().filter(meets).collect()
}

/// The sets of nodes that see each other, when seeing is an equivalence.
fn sides(world: &FakeWorld) -> Vec<usize> {
    let sides: BTreeSet<BTreeSet<NodeId>> =
        world.nodes().into_iter().map(|node| sees(world, node)).collect();
    let mut sizes: Vec<usize> = sides.iter().map(BTreeSet::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), world.nodes().len(), "the sides overlap: {sides:?}");
    sizes.sort_unstable();
    sizes
}

fn both(count: usize, shape: PartitionShape, targets: TargetSpec) -> FakeWorld {
    cut(7, count, shape, Direction::Both, false, targets)
}

/// The sizes follow from the names of the shapes.
#[test]
fn shapes_with_sides_have_sides_of_the_right_sizes() {
    let one = TargetSpec::One;
    assert_eq!(sides(&both(5, PartitionShape::Halves, one.clone())), [2, 3]);
    assert_eq!(sides(&both(6, PartitionShape::Halves, one.clone())), [3, 3]);
    assert_eq!(sides(&both(6, PartitionShape::Majority, one.clone())), [2, 4]);
    assert_eq!(sides(&both(9, PartitionShape::MinorityThird, one.clone())), [3, 6]);
    assert_eq!(sides(&both(3, PartitionShape::MinorityThird, one.clone())), [1, 2]);
    assert_eq!(sides(&both(5, PartitionShape::One, one)), [1, 4]);
    assert_eq!(sides(&both(5, PartitionShape::One, TargetSpec::Count(2))), [2, 3]);
    let groups = PartitionShape::Groups(vec![vec!["east".to_owned()], vec!["n3".to_owned()]]);
    assert_eq!(
        sides(&both(5, groups, TargetSpec::One)),
        [1, 2, 2],
        "those that no group has are a side of their own"
    );
}

/// `leader` is the node that shows it in its metric.
#[test]
fn the_leader_can_be_cut_off_alone() {
    let world = both(5, PartitionShape::One, TargetSpec::Leader);
    assert_eq!(sees(&world, world.id("n2")).len(), 1);
    assert_eq!(world.records[0].value, "p: n2 | n1,n3,n4,n5");
}

/// Jepsen: every node sees a majority, but no node sees the same majority as any other. With an
/// even majority of an odd number the degrees of a symmetric relation cannot all be equal, so one
/// node may see one more.
#[test]
fn in_a_majorities_ring_all_see_majorities_and_no_two_the_same() {
    for count in 3..=15 {
        let world = both(count, PartitionShape::MajoritiesRing, TargetSpec::One);
        let seen: Vec<BTreeSet<NodeId>> =
            world.nodes().into_iter().map(|node| sees(&world, node)).collect();
        let majority = count / 2 + 1;
        assert!(seen.iter().all(|set| set.len() >= majority), "{count}: {seen:?}");
        let larger = seen.iter().filter(|set| set.len() > majority).count();
        assert!(
            larger <= 1 && seen.iter().all(|set| set.len() <= majority + 1),
            "{count}: {seen:?}"
        );
        assert_eq!(
            seen.iter().collect::<BTreeSet<_>>().len(),
            count,
            "two of {count} see the same: {seen:?}"
        );
    }
}

/// All see one half and the bridge, and the bridge sees all.
#[test]
fn one_node_alone_bridges_two_halves() {
    for (targets, bridges) in [(TargetSpec::One, 1..=7), (TargetSpec::Leader, 2..=2)] {
        let world = both(7, PartitionShape::Bridge, targets);
        let seen: Vec<usize> =
            world.nodes().into_iter().map(|node| sees(&world, node).len()).collect();
        let bridge = seen.iter().position(|count| *count == 7).expect("somebody sees all");
        assert!(bridges.contains(&(bridge + 1)));
        assert_eq!(seen.iter().filter(|count| **count == 4).count(), 6, "{seen:?}");
    }
}

/// Only links between the two sets are cut; the targets still reach the rest.
#[test]
fn between_cuts_only_the_links_between() {
    let shape = PartitionShape::Between(vec!["n1".to_owned(), "n3".to_owned()]);
    let world = both(5, shape, TargetSpec::Leader);
    let seen = |name| sees(&world, world.id(name)).len();
    assert_eq!([seen("n1"), seen("n2"), seen("n3"), seen("n4"), seen("n5")], [4, 3, 4, 5, 5]);
}

/// `in`: what goes to the targets is cut; `out`: what they send.
#[test]
fn a_direction_cuts_one_way_only() {
    for direction in [Direction::In, Direction::Out] {
        let world = cut(3, 5, PartitionShape::One, direction, false, TargetSpec::Leader);
        let (leader, other) = (world.id("n2"), world.id("n4"));
        assert_eq!(world.cuts(other, leader), direction == Direction::In);
        assert_eq!(world.cuts(leader, other), direction == Direction::Out);
        assert!(!world.cuts(other, world.id("n1")));
    }
}

/// Both one-way forms together are the two-way form, in every shape that depends on nothing else
/// that is drawn.
#[test]
fn two_one_way_cuts_make_a_whole_one() {
    for shape in [
        PartitionShape::Halves,
        PartitionShape::Bridge,
        PartitionShape::MajoritiesRing,
        PartitionShape::One,
    ] {
        let world = |direction| cut(5, 7, shape.clone(), direction, false, TargetSpec::One);
        let (whole, inward, outward) =
            (world(Direction::Both), world(Direction::In), world(Direction::Out));
        for src in whole.nodes() {
            for dest in whole.nodes() {
                assert_eq!(
                    whole.cuts(src, dest),
                    inward.cuts(src, dest) || outward.cuts(src, dest),
                    "{shape:?}"
                );
                assert!(!(inward.cuts(src, dest) && outward.cuts(src, dest)), "{shape:?}");
            }
        }
    }
}

/// Clients stay connected to all, unless asked for: then each sees exactly one side.
#[test]
fn clients_are_cut_only_when_asked_for() {
    for seed in 0..20 {
        for clients in [false, true] {
            let world =
                cut(seed, 5, PartitionShape::Halves, Direction::Both, clients, TargetSpec::One);
            for client in world.clients() {
                let reached =
                    world.nodes().into_iter().filter(|node| !world.cuts(client, *node)).count();
                assert!(
                    if clients { reached == 2 || reached == 3 } else { reached == 5 },
                    "{reached}"
                );
            }
        }
    }
}

/// A shape that the cluster is too small for is not begun, and said so.
#[test]
fn an_impossible_partition_is_skipped() {
    for (count, shape) in [(2, PartitionShape::Bridge), (1, PartitionShape::Halves)] {
        let world = both(count, shape, TargetSpec::One);
        assert!(world.rules.is_empty());
        assert!(world.records[0].value.starts_with("p: skipped, "));
    }
}
