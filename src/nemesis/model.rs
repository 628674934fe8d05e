//! `model.max_faulty`: how many nodes are faulty at the worst.
//!
//! A node is sound when it runs and reaches, both ways, a majority of all members that are themselves sound. The sound nodes are therefore the
//! largest set of which each member reaches a majority within the set, and all others are faulty: those that are down, and those that links cut
//! off, whatever the shape. Two halves of five make two faulty nodes; a bridge makes none, until the node that bridges dies.

use crate::sim::link::LinkSet;
use crate::trace::NodeId;

/// How many of the members are faulty while these nodes are down and these links cut.
pub(super) fn faulty(members: &[NodeId], is_down: impl Fn(NodeId) -> bool, cuts: &[&LinkSet]) -> usize {
    let majority = members.len() / 2 + 1;
    let is_cut = |src, dest| cuts.iter().any(|cut| cut.contains(src, dest));
    let meet = |one: NodeId, other: NodeId| one == other || !(is_cut(one, other) || is_cut(other, one));
    let mut sound: Vec<NodeId> = members.iter().copied().filter(|node| !is_down(*node)).collect();
    // Each round takes out nodes that cannot be in any such set, so what is left in the end is the largest one.
    loop {
        let reaches = |node: &NodeId| sound.iter().filter(|other| meet(*node, **other)).count() >= majority;
        let left: Vec<NodeId> = sound.iter().copied().filter(reaches).collect();
        if left.len() == sound.len() {
            return members.len() - sound.len();
        }
        sound = left;
    }
}
