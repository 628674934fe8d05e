//! Faults of processes: ended, paused, slowed, joining, leaving, asked for something.

use std::time::Duration;

use super::holds::{Hold, How};
use super::plan::{Deed, Hand, Lasts, Order, Plan, Toll};
use super::schedule::{Alarm, Schedule};
use super::targets::{leader, words};
use crate::scenario::Fault;
use crate::sim::world::{Status, World};
use crate::trace::NodeId;

pub(super) fn plan(mut order: Order<'_>) -> Plan {
    let nodes = order.targets.to_vec();
    let words = words(order.world, &nodes);
    let down = |how| Box::new(Holding::all(&nodes, Hold::Down(how)));
    let toll = Toll::of_nodes(&nodes);
    match order.fault {
        Fault::Kill => Plan { words, toll, lasts: Lasts::AsAsked, deed: down(How::Kill(None)) },
        Fault::Stop => Plan { words, toll, lasts: Lasts::AsAsked, deed: down(How::Stop) },
        Fault::Restart { down: span } => {
            let lasts = Lasts::Exactly(order.draw(*span));
            Plan { words, toll, lasts, deed: down(How::Kill(None)) }
        }
        Fault::Wipe { down: span } => {
            let lasts = Lasts::Exactly(order.draw(*span));
            Plan { words, toll, lasts, deed: down(How::Wipe) }
        }
        Fault::Pause => Plan {
            words,
            toll,
            lasts: Lasts::AsAsked,
            deed: Box::new(Holding::all(&nodes, Hold::Paused)),
        },
        Fault::Slow { factor } => {
            let factor = order.world.rng().amount(factor.min, factor.max);
            let words = format!("{words} ({factor:.2} times)");
            Plan {
                words,
                toll: Toll::default(),
                lasts: Lasts::AsAsked,
                deed: Box::new(Holding::all(&nodes, Hold::Slow(factor))),
            }
        }
        Fault::Command { command } => Plan {
            words: format!("{words} ({command})"),
            toll: Toll::default(),
            lasts: Lasts::Instant,
            deed: Box::new(Command { nodes, command: command.clone() }),
        },
        Fault::Join => Plan {
            words,
            toll: Toll { joins: nodes.clone(), ..Toll::default() },
            lasts: Lasts::Instant,
            deed: Box::new(Join { nodes }),
        },
        Fault::Leave => {
            Plan { words, toll, lasts: Lasts::AsAsked, deed: Box::new(Leave { nodes }) }
        }
        other => unreachable!("no fault of processes: {other:?}"),
    }
}

/// Holds that are kept as long as the fault lasts. Serves disks and clocks too.
pub(super) struct Holding {
    holds: Vec<(NodeId, Hold)>,
}

impl Holding {
    pub(super) fn new(holds: Vec<(NodeId, Hold)>) -> Holding {
        Holding { holds }
    }

    /// The same hold of each.
    pub(super) fn all(nodes: &[NodeId], hold: Hold) -> Holding {
        Holding { holds: nodes.iter().map(|node| (*node, hold)).collect() }
    }
}

impl Deed for Holding {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        for (node, hold) in &self.holds {
            hand.holds.take(hand.world, hand.id, *node, *hold);
        }
        None
    }

    fn end(&mut self, hand: &mut Hand<'_>) {
        for (node, _) in &self.holds {
            hand.holds.release(hand.world, hand.id, *node);
        }
    }
}

struct Command {
    nodes: Vec<NodeId>,
    command: String,
}

impl Deed for Command {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        self.nodes.iter().for_each(|node| hand.world.command(*node, &self.command));
        None
    }
}

/// Processes start, and the system is asked to take them in.
struct Join {
    nodes: Vec<NodeId>,
}

impl Deed for Join {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        for node in &self.nodes {
            hand.holds.release_left(hand.world, *node);
            join(hand.world, hand.schedule, *node);
        }
        None
    }
}

/// The system is asked to do without some nodes, which stop in an orderly way. They join again when
/// the fault ends.
struct Leave {
    nodes: Vec<NodeId>,
}

impl Deed for Leave {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        for node in &self.nodes {
            let command = format!("remove_node {}", hand.world.name(*node));
            ask(hand.world, hand.schedule, command);
            hand.holds.take(hand.world, hand.id, *node, Hold::Down(How::Leave));
        }
        None
    }

    fn end(&mut self, hand: &mut Hand<'_>) {
        for node in &self.nodes {
            // A `join` may have brought it back already.
            if hand.holds.has_left(*node) {
                hand.holds.release(hand.world, hand.id, *node);
                join(hand.world, hand.schedule, *node);
            }
        }
    }
}

/// Start a node that was no member, and ask for its membership.
pub(super) fn join(world: &mut dyn World, schedule: &mut Schedule, node: NodeId) {
    if world.status(node) == Status::Absent {
        world.start(node);
    }
    let command = format!("add_node {}", world.name(node));
    ask(world, schedule, command);
}

/// How long it takes to look for a leader again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Ask the leader for something, as soon as there is one. In a system without leaders everybody who
/// runs is asked.
pub(super) fn ask(world: &mut dyn World, schedule: &mut Schedule, command: String) {
    let nodes = world.nodes();
    if let Some(leader) = leader(world, &nodes) {
        return world.command(leader, &command);
    }
    if nodes.iter().any(|node| world.metric(*node, "role").is_some()) {
        let request = schedule.requests.len();
        schedule.requests.push(command);
        let at = world.now() + ASK_AGAIN;
        return schedule.set(world, at, Alarm::Ask { request });
    }
    for node in nodes {
        if world.status(node) == Status::Up {
            world.command(node, &command);
        }
    }
}
