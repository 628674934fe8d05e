//! `model.max_faulty`: how many nodes are faulty at the worst.
//!
//! A node is sound when it runs and reaches, both ways, a majority of all members that are
//! themselves sound. So the sound nodes are the largest set of which each member reaches a majority
//! within the set, and all others are faulty: those that are down, and those that links cut off,
//! whatever the shape. Two halves of five make two faulty nodes; a bridge makes none, until the
//! node that bridges dies. Where no such set is left, because the scenario allows a majority to
//! fail, the sound nodes are those that run and all reach each other.
//!
//! With more nodes up and fewer links cut the set can only grow. A fault may therefore be weighed
//! at its worst moment, once.

use crate::faults::LinkSet;
use crate::trace::NodeId;

/// How many of the members are faulty while these nodes are down and these links cut; too many
/// rather than too few.
pub(super) fn faulty(
    members: &[NodeId],
    is_down: impl Fn(NodeId) -> bool,
    cuts: &[&LinkSet],
) -> usize {
    let majority = members.len() / 2 + 1;
    let is_cut = |src, dest| cuts.iter().any(|cut| cut.contains(src, dest));
    let meet =
        |one: NodeId, other: NodeId| one == other || !(is_cut(one, other) || is_cut(other, one));
    let running: Vec<NodeId> = members.iter().copied().filter(|node| !is_down(*node)).collect();
    let mut sound = running.clone();
    // Each round takes out nodes that cannot be in any such set, so what is left in the end is the
    // largest one.
    loop {
        let reaches =
            |node: &NodeId| sound.iter().filter(|other| meet(*node, **other)).count() >= majority;
        let left: Vec<NodeId> = sound.iter().copied().filter(reaches).collect();
        if left.len() == sound.len() {
            break;
        }
        sound = left;
    }
    let count = if sound.is_empty() { acquainted(&running, meet) } else { sound.len() };
    members.len() - count
}

/// The size of a large set of nodes that all meet. Found by going through the nodes once from each:
/// the largest one where the nodes fall into sides, and otherwise a good one, because the largest
/// of all is hard to find.
fn acquainted(nodes: &[NodeId], meet: impl Fn(NodeId, NodeId) -> bool) -> usize {
    let from = |first: &NodeId| {
        let mut group = vec![*first];
        for node in nodes {
            if node != first && group.iter().all(|other| meet(*node, *other)) {
                group.push(*node);
            }
        }
        group.len()
    };
    nodes.iter().map(from).max().unwrap_or(0)
}
