//! Whom an entry hits. Chosen at the moment its fault begins, because leaders change.

use crate::faults::{
    Fault, Groups, Hits, Holds, Status, TargetSpec, World, followers, leader_or_any,
    named_participants, pick,
};
use crate::trace::NodeId;

/// Choose the victims of a fault, sorted. Nodes that run are chosen first, because killing a dead
/// one does nothing.
pub(super) fn resolve(
    world: &mut dyn World,
    groups: &Groups,
    holds: &Holds,
    spec: &TargetSpec,
    fault: &Fault,
) -> Vec<NodeId> {
    let joins = fault.hits == Hits::Outsiders;
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
                pool.contains(node) || (fault.hits.clients() && world.clients().contains(node))
            };
            named_participants(world, groups, names, &[]).into_iter().filter(may).collect()
        }
    };
    chosen.sort_unstable();
    chosen
}
