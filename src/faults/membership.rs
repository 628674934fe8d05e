//! Asking the system for a change of its membership, or for anything else outside the protocol.

use std::time::Duration;

use super::plan::Alarms;
use super::targets::leader;
use super::world::{Status, World};
use crate::trace::NodeId;

/// Start a node that was not a member, and ask for its membership.
pub(crate) fn join(world: &mut dyn World, alarms: &mut dyn Alarms, node: NodeId) {
    // A node that left and was started by the end of its hold runs already.
    if world.status(node) == Status::Absent {
        world.start(node);
    }
    let command = format!("add_node {}", world.name(node));
    ask(world, alarms, command);
}

/// How long it takes to look for a leader again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Ask the leader for something, as soon as there is one. In a system without leaders every node
/// that runs is asked.
pub(crate) fn ask(world: &mut dyn World, alarms: &mut dyn Alarms, command: String) {
    let nodes = world.nodes();
    if let Some(leader) = leader(world, &nodes) {
        return world.command(leader, &command);
    }
    // Nodes that show roles will elect a leader. A request that came in the middle of an election
    // would otherwise reach followers only, which drop it, and the membership would never change.
    if nodes.iter().any(|node| world.metric(*node, "role").is_some()) {
        let at = world.now() + ASK_AGAIN;
        return alarms.ask_at(world, at, command);
    }
    for node in nodes {
        if world.status(node) == Status::Up {
            world.command(node, &command);
        }
    }
}
