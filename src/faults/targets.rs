//! Whom a fault hits. Resolved at the moment it begins, because leaders change.

use std::collections::BTreeMap;

use super::world::{Status, World};
use crate::trace::{NodeId, Value};

/// The word in `src` and `dest` of a message fault that stands for the entry's own targets.
pub(crate) const TARGETS: &str = "targets";

/// How many or which nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetSpec {
    /// One node at random.
    One,
    /// A random minority, at least one node.
    Minority,
    /// The smallest majority at random.
    Majority,
    /// The node that leads, by its metric `role`, in the highest `current_term`; one at random
    /// if there is none.
    Leader,
    /// All but the leader.
    Followers,
    /// One random node that is not the leader.
    Follower,
    /// All nodes of the system.
    All,
    /// A random number of nodes.
    Random,
    /// This many at random.
    Count(u32),
    /// All nodes of a role.
    Role(String),
    /// Nodes, clients or groups by name.
    Names(Vec<String>),
}

/// Whether a fault of fewer victims would still be what the entry asks for.
pub(crate) fn may_be_fewer(spec: &TargetSpec) -> bool {
    matches!(spec, TargetSpec::Minority | TargetSpec::Random)
}

/// `count` nodes at random, running ones first.
pub(crate) fn pick(world: &mut dyn World, pool: &[NodeId], count: usize) -> Vec<NodeId> {
    let mut order = pool.to_vec();
    world.rng().shuffle(&mut order);
    order.sort_by_key(|node| world.status(*node) != Status::Up);
    order.truncate(count);
    order
}

/// The node that leads in the highest term, of those that run.
pub(crate) fn leader(world: &dyn World, pool: &[NodeId]) -> Option<NodeId> {
    let leads = |node: &NodeId| {
        let role = world.metric(*node, "role");
        world.status(*node) == Status::Up
            && matches!(role, Some(Value::Text(role)) if role == "leader")
    };
    let term = |node: &NodeId| world.metric(*node, "current_term").and_then(|term| term.int());
    pool.iter().copied().filter(leads).max_by_key(|node| (term(node), std::cmp::Reverse(*node)))
}

pub(crate) fn leader_or_any(world: &mut dyn World, pool: &[NodeId]) -> Option<NodeId> {
    leader(world, pool).or_else(|| {
        // One that could lead, as far as nodes show that: a client of the leader does not stand for
        // it.
        let could: Vec<NodeId> =
            pool.iter().copied().filter(|node| world.metric(*node, "role").is_some()).collect();
        pick(world, if could.is_empty() { pool } else { &could }, 1).first().copied()
    })
}

/// The nodes of the leader's role without it; where none leads, a node at random stands for it.
pub(crate) fn followers(world: &mut dyn World, pool: &[NodeId]) -> Vec<NodeId> {
    let Some(leader) = leader_or_any(world, pool) else { return vec![] };
    pool.iter()
        .copied()
        .filter(|node| *node != leader && world.role(*node) == world.role(leader))
        .collect()
}

/// Whether a name means a participant: its own, its role's, its group's, or `any`.
pub(crate) fn is_meant(
    world: &dyn World,
    groups: &BTreeMap<String, Vec<String>>,
    name: &str,
    node: NodeId,
) -> bool {
    let own = world.name(node);
    name == "any"
        || name == "all"
        || name == own
        || name == world.role(node)
        || groups.get(name).is_some_and(|group| group.iter().any(|each| each == own))
}

/// All participants that are meant by any of the names, sorted.
pub(crate) fn named_participants(
    world: &dyn World,
    groups: &BTreeMap<String, Vec<String>>,
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
pub(crate) fn everybody(world: &dyn World) -> Vec<NodeId> {
    let mut all = world.nodes();
    all.extend(world.clients());
    all.sort_unstable();
    all
}

/// `n1,n2`.
pub(crate) fn words(world: &dyn World, nodes: &[NodeId]) -> String {
    nodes.iter().map(|node| world.name(*node)).collect::<Vec<_>>().join(",")
}
