//! Whom a fault hits. Resolved at the moment it begins, because leaders change.

use super::holds::Holds;
use super::plan::Groups;
use crate::scenario::{Fault, PartitionShape, TargetSpec};
use crate::sim::world::{Status, World};
use crate::trace::{NodeId, Value};

/// The word in `src` and `dest` of a message fault that stands for the entry's own targets.
const TARGETS: &str = "targets";

/// Choose the victims of a fault, sorted. Nodes that run are chosen first, because killing a dead
/// one is no fault.
pub(super) fn resolve(
    world: &mut dyn World,
    groups: &Groups,
    holds: &Holds,
    spec: &TargetSpec,
    fault: &Fault,
) -> Vec<NodeId> {
    let joins = *fault == Fault::Join;
    let mut pool = world.nodes();
    pool.retain(|node| joins == (world.status(*node) == Status::Absent || holds.has_left(*node)));
    let mut chosen = match spec {
        TargetSpec::One => pick(world, &pool, 1),
        TargetSpec::Minority => {
            let most = (pool.len().saturating_sub(1) / 2).max(1);
            let count = world.rng().between(1, most as u64) as usize;
            pick(world, &pool, count)
        }
        TargetSpec::Majority => pick(world, &pool, pool.len() / 2 + 1),
        TargetSpec::Random => {
            let count = world.rng().between(1, pool.len().max(1) as u64) as usize;
            pick(world, &pool, count)
        }
        TargetSpec::Count(count) => pick(world, &pool, *count as usize),
        TargetSpec::All => pool,
        TargetSpec::Leader => leader_or_any(world, &pool).into_iter().collect(),
        TargetSpec::Followers => followers(world, &pool),
        TargetSpec::Follower => {
            let followers = followers(world, &pool);
            pick(world, &followers, 1)
        }
        TargetSpec::Role(role) => {
            pool.into_iter().filter(|node| world.role(*node) == role).collect()
        }
        TargetSpec::Names(names) => {
            let may = |node: &NodeId| {
                pool.contains(node)
                    || (!joins && hits_clients(fault) && world.clients().contains(node))
            };
            named(world, groups, names, &[]).into_iter().filter(may).collect()
        }
    };
    chosen.sort_unstable();
    chosen
}

/// Whether a fault of fewer victims would still be what the entry asks for.
pub(super) fn may_be_fewer(spec: &TargetSpec) -> bool {
    matches!(spec, TargetSpec::Minority | TargetSpec::Random)
}

/// Whether a fault hits the entry's targets; some choose their own, or name links.
pub(super) fn needs_targets(fault: &Fault) -> bool {
    match fault {
        Fault::Partition { shape, .. } | Fault::Flap { shape, .. } => {
            matches!(shape, PartitionShape::One | PartitionShape::Between(_))
        }
        Fault::Hold { src, dest, .. }
        | Fault::Drop { src, dest, .. }
        | Fault::Delay { src, dest, .. } => {
            (src.is_empty() && dest.is_empty())
                || src.iter().chain(dest).any(|name| name == TARGETS)
        }
        _ => true,
    }
}

/// Links and clocks of clients can be hit; they have no processes and disks that the simulation
/// knows.
fn hits_clients(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Partition { .. }
            | Fault::Flap { .. }
            | Fault::Latency { .. }
            | Fault::Loss { .. }
            | Fault::Duplicate { .. }
            | Fault::Reorder { .. }
            | Fault::Corrupt { .. }
            | Fault::Bandwidth { .. }
            | Fault::Hold { .. }
            | Fault::Drop { .. }
            | Fault::Delay { .. }
            | Fault::ClockBump { .. }
            | Fault::ClockDrift { .. }
            | Fault::ClockStrobe { .. }
            | Fault::ClockFreeze
            | Fault::ClockReset
    )
}

/// `count` nodes at random, running ones first.
fn pick(world: &mut dyn World, pool: &[NodeId], count: usize) -> Vec<NodeId> {
    let mut order = pool.to_vec();
    world.rng().shuffle(&mut order);
    order.sort_by_key(|node| world.status(*node) != Status::Up);
    order.truncate(count);
    order
}

/// The node that leads in the highest term, of those that run.
pub(super) fn leader(world: &dyn World, pool: &[NodeId]) -> Option<NodeId> {
    let leads = |node: &NodeId| {
        let role = world.metric(*node, "role");
        world.status(*node) == Status::Up
            && matches!(role, Some(Value::Text(role)) if role == "leader")
    };
    let term = |node: &NodeId| world.metric(*node, "current_term").and_then(|term| term.int());
    pool.iter().copied().filter(leads).max_by_key(|node| (term(node), std::cmp::Reverse(*node)))
}

fn leader_or_any(world: &mut dyn World, pool: &[NodeId]) -> Option<NodeId> {
    leader(world, pool).or_else(|| {
        // One that could lead, as far as nodes show that: a client of the leader does not stand for
        // it.
        let could: Vec<NodeId> =
            pool.iter().copied().filter(|node| world.metric(*node, "role").is_some()).collect();
        pick(world, if could.is_empty() { pool } else { &could }, 1).first().copied()
    })
}

/// The nodes of the leader's role without it; where none leads, a node at random stands for it.
fn followers(world: &mut dyn World, pool: &[NodeId]) -> Vec<NodeId> {
    let Some(leader) = leader_or_any(world, pool) else { return vec![] };
    pool.iter()
        .copied()
        .filter(|node| *node != leader && world.role(*node) == world.role(leader))
        .collect()
}

/// Whether a name means a participant: its own, its role's, its group's, or `any`.
pub(super) fn is_meant(world: &dyn World, groups: &Groups, name: &str, node: NodeId) -> bool {
    let own = world.name(node);
    name == "any"
        || name == "all"
        || name == own
        || name == world.role(node)
        || groups.get(name).is_some_and(|group| group.iter().any(|each| each == own))
}

/// All participants that are meant by any of the names, sorted.
pub(super) fn named(
    world: &dyn World,
    groups: &Groups,
    names: &[String],
    targets: &[NodeId],
) -> Vec<NodeId> {
    let is_one = |node: &NodeId| {
        let meant = |name: &String| {
            if name == TARGETS {
                targets.contains(node)
            } else {
                is_meant(world, groups, name, *node)
            }
        };
        names.iter().any(meant)
    };
    everybody(world).into_iter().filter(is_one).collect()
}

/// All nodes and clients, sorted.
pub(super) fn everybody(world: &dyn World) -> Vec<NodeId> {
    let mut all = world.nodes();
    all.extend(world.clients());
    all.sort_unstable();
    all
}

/// `n1,n2`.
pub(super) fn words(world: &dyn World, nodes: &[NodeId]) -> String {
    nodes.iter().map(|node| world.name(*node)).collect::<Vec<_>>().join(",")
}
