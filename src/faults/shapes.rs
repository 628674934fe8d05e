//! The shapes of partitions: which links are cut.
//!
//! Most shapes put every node on one of several sides, and cut what crosses. Two do not: in a
//! `bridge` one node sees both sides, and in `majorities_ring` every node sees a majority but no
//! two the same one. `direction` speaks of the side that is named first.

use super::link_rules::LinkSet;
use super::plan::PlanRequest;
use super::targets::{everybody, named_participants, words};
use super::world::{Status, World};
use crate::trace::NodeId;

/// Which way a fault of links cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Both,
    /// Only what goes to the targets.
    In,
    /// Only what the targets send.
    Out,
}

/// The shape of a partition. Where it needs a side to stand on, that is the entry's `targets`.
#[derive(Clone, Debug, PartialEq)]
pub enum PartitionShape {
    /// Two halves at random, the larger with the odd node.
    Halves,
    /// The targets against all others: one node, the leader, a list.
    One,
    /// A random majority against the rest.
    Majority,
    /// Each node sees a majority, no two the same one (Jepsen's majorities-ring).
    MajoritiesRing,
    /// Two halves that only one node connects.
    Bridge,
    /// A random third against the rest.
    MinorityThird,
    /// The given groups, each alone.
    Groups(Vec<Vec<String>>),
    /// Only the links between the targets and these nodes.
    Between(Vec<String>),
}

/// A partition that was drawn.
#[derive(Debug)]
pub(crate) struct Split {
    pub(crate) links: LinkSet,
    /// `n1,n2 | n3,n4,n5`.
    pub(crate) words: String,
}

/// Draw a partition, or say why there can be none.
pub(crate) fn split(
    request: &mut PlanRequest<'_>,
    shape: &PartitionShape,
    direction: Direction,
    clients: bool,
) -> Result<Split, String> {
    let mut members = request.world.nodes();
    members.retain(|node| request.world.status(*node) != Status::Absent);
    let count = members.len();
    let targets = request.targets;
    let mut shuffled = members.clone();
    request.world.rng().shuffle(&mut shuffled);
    let cut_at = |place: usize| -> Vec<Vec<NodeId>> {
        vec![shuffled[..place.min(count)].to_vec(), shuffled[place.min(count)..].to_vec()]
    };
    let sides = match shape {
        PartitionShape::Halves => cut_at(count / 2),
        PartitionShape::Majority => cut_at(count / 2 + 1),
        PartitionShape::MinorityThird => cut_at((count / 3).max(1)),
        PartitionShape::One => vec![targets.to_vec(), without(&members, targets)],
        PartitionShape::Between(names) => {
            let others = named_participants(request.world, request.groups, names, targets);
            vec![targets.to_vec(), without(&others, targets)]
        }
        PartitionShape::Groups(groups) => {
            let mut sides: Vec<Vec<NodeId>> = groups
                .iter()
                .map(|names| named_participants(request.world, request.groups, names, targets))
                .collect();
            sides.retain(|side| !side.is_empty());
            let rest = without(&members, &sides.concat());
            sides.extend((!rest.is_empty()).then_some(rest));
            sides
        }
        PartitionShape::Bridge | PartitionShape::MajoritiesRing if count < 3 => {
            return Err(format!("{count} nodes make no such partition"));
        }
        PartitionShape::Bridge => {
            let bridge = *request
                .world
                .rng()
                .pick(if targets.is_empty() { &members } else { targets })
                .expect("there are three nodes");
            let others = without(&shuffled, &[bridge]);
            let (one, other) = others.split_at(others.len() / 2);
            let mut split = by_sides(
                request,
                vec![one.to_vec(), other.to_vec()],
                &[bridge],
                direction,
                clients,
            )?;
            split.words += &format!(" (bridge {})", request.world.name(bridge));
            return Ok(split);
        }
        PartitionShape::MajoritiesRing => return Ok(ring(request, &shuffled, direction, clients)),
    };
    by_sides(request, sides, &[], direction, clients)
}

/// Those who have no side yet but must get one: nodes that may join while the partition lasts, and
/// clients where they are cut too.
fn undecided(world: &dyn World, decided: &[NodeId], clients: bool) -> Vec<NodeId> {
    let mut all = world.nodes();
    all.retain(|node| world.status(*node) == Status::Absent);
    if clients {
        all.extend(world.clients());
    }
    without(&all, decided)
}

/// Cut every two sides from each other. `free` are cut from nobody.
fn by_sides(
    request: &mut PlanRequest<'_>,
    mut sides: Vec<Vec<NodeId>>,
    free: &[NodeId],
    direction: Direction,
    clients: bool,
) -> Result<Split, String> {
    if sides.len() < 2 || sides.iter().any(Vec::is_empty) {
        return Err("one side would be empty".to_owned());
    }
    let decided = [sides.concat(), free.to_vec()].concat();
    for node in undecided(request.world, &decided, clients) {
        let side = request.world.rng().below(sides.len() as u64) as usize;
        sides[side].push(node);
    }
    sides.iter_mut().for_each(|side| side.sort_unstable());
    let mut pairs = Vec::new();
    for (i, one) in sides.iter().enumerate() {
        for other in &sides[i + 1..] {
            pairs.extend(between(one, other, direction).pairs);
        }
    }
    let words = sides.iter().map(|side| words(request.world, side)).collect::<Vec<_>>().join(" | ");
    Ok(Split { links: LinkSet { pairs }, words: words + direction_words(direction) })
}

/// The links between two sides, `direction` as the first sees it.
pub(crate) fn between(one: &[NodeId], other: &[NodeId], direction: Direction) -> LinkSet {
    let (one, other) = (one.to_vec(), other.to_vec());
    let pairs = match direction {
        Direction::Both => vec![(one.clone(), other.clone()), (other, one)],
        Direction::In => vec![(other, one)],
        Direction::Out => vec![(one, other)],
    };
    LinkSet { pairs }
}

/// All links of some participants, to and from nodes and clients alike.
pub(crate) fn around(world: &dyn World, nodes: &[NodeId], direction: Direction) -> LinkSet {
    between(nodes, &everybody(world), direction)
}

pub(crate) fn direction_words(direction: Direction) -> &'static str {
    match direction {
        Direction::Both => "",
        Direction::In => " (in)",
        Direction::Out => " (out)",
    }
}

/// Whether two places of a ring of `count` see each other, when all see a smallest majority, or one
/// node more where the numbers forbid it.
///
/// Each sees its neighbours on both sides. Where a majority is even that leaves one to be seen, the
/// one across; in a ring of an odd number one place is across from two.
fn sees(count: usize, one: usize, other: usize) -> bool {
    let (low, high) = (one.min(other), one.max(other));
    let apart = high - low;
    let majority = count / 2 + 1;
    let neighbours = (majority - 1) / 2;
    let across = (majority - 1) % 2 == 1 && apart == count / 2 && low < count.div_ceil(2);
    apart.min(count - apart) <= neighbours || across
}

fn ring(
    request: &mut PlanRequest<'_>,
    places: &[NodeId],
    direction: Direction,
    clients: bool,
) -> Split {
    let count = places.len();
    let mut placed: Vec<(NodeId, usize)> = places.iter().copied().zip(0..).collect();
    for node in undecided(request.world, places, clients) {
        placed.push((node, request.world.rng().below(count as u64) as usize));
    }
    placed.sort_unstable();
    let mut pairs = Vec::new();
    for (src, from) in &placed {
        let is_cut = |to: usize| {
            !sees(count, *from, to)
                && match direction {
                    Direction::Both => true,
                    Direction::In => to < *from,
                    Direction::Out => to > *from,
                }
        };
        let cut: Vec<NodeId> =
            placed.iter().filter(|(_, to)| is_cut(*to)).map(|(dest, _)| *dest).collect();
        if !cut.is_empty() {
            pairs.push((vec![*src], cut));
        }
    }
    Split {
        links: LinkSet { pairs },
        words: words(request.world, places) + " (ring)" + direction_words(direction),
    }
}

pub(crate) fn without(nodes: &[NodeId], others: &[NodeId]) -> Vec<NodeId> {
    nodes.iter().copied().filter(|node| !others.contains(node)).collect()
}
