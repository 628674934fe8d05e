//! What a fault becomes when its time has come: a plan, with all draws made, and a deed that can be
//! done and undone.

use std::collections::BTreeMap;
use std::time::Duration;

use super::holds::Holds;
use super::schedule::{Alarm, Schedule};
use super::{clocks, composed, disks, links, process};
use crate::scenario::{Fault, Span};
use crate::sim::link::LinkSet;
use crate::sim::world::World;
use crate::time::Time;
use crate::trace::NodeId;

/// Named groups of nodes, from the scenario.
pub(super) type Groups = BTreeMap<String, Vec<String>>;

/// What is to be planned.
pub(super) struct Order<'a> {
    pub(super) world: &'a mut dyn World,
    pub(super) groups: &'a Groups,
    pub(super) fault: &'a Fault,
    /// Whom the entry names, sorted. Empty only where the fault chooses its own victims.
    pub(super) targets: &'a [NodeId],
    /// How long the fault is to last; `None`: until `duration`.
    pub(super) lasts: Option<Duration>,
    /// Time from now to `duration`.
    pub(super) left: Duration,
}

impl Order<'_> {
    /// How long the fault will be in force.
    pub(super) fn window(&self) -> Duration {
        self.lasts.map_or(self.left, |lasts| lasts.min(self.left))
    }

    pub(super) fn draw(&mut self, span: Span) -> Duration {
        self.world.draw(span.min, span.max)
    }
}

/// A fault with all its draws made.
pub(super) struct Plan {
    /// Whom it hits, in words: `n1,n2 | n3,n4,n5`, with what was drawn in brackets.
    pub(super) words: String,
    /// What it costs of `model.max_faulty` while it lasts.
    pub(super) toll: Toll,
    /// How long it lasts.
    pub(super) lasts: Lasts,
    /// What is done.
    pub(super) deed: Box<dyn Deed>,
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasts {
    /// As the entry says.
    AsAsked,
    /// It has ended as soon as it has begun.
    Instant,
    /// So long, whatever the entry says: the fault has a down time of its own.
    Exactly(Duration),
}

/// What a fault takes from the cluster at its worst moment, whether or not this is that moment: a
/// flapping link counts as cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Toll {
    /// Nodes that are down, paused or about to be so.
    pub(super) down: Vec<NodeId>,
    /// Links that are cut or about to be so.
    pub(super) cut: LinkSet,
    /// Nodes that become members; they raise the majority.
    pub(super) joins: Vec<NodeId>,
}

impl Toll {
    pub(super) fn of_nodes(nodes: &[NodeId]) -> Toll {
        Toll { down: nodes.to_vec(), ..Toll::default() }
    }

    pub(super) fn of_links(cut: LinkSet) -> Toll {
        Toll { cut, ..Toll::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.down.is_empty() && self.cut.pairs.is_empty() && self.joins.is_empty()
    }
}

/// A fault that can be done and undone.
pub(super) trait Deed {
    /// Do it. What is said is added to the words of a fault that has ended as soon as it has begun.
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String>;

    /// An alarm that the deed has set with [`Hand::alarm`].
    fn step(&mut self, hand: &mut Hand<'_>, step: usize) {
        let _ = (hand, step);
    }

    /// Undo what is still to be undone.
    fn end(&mut self, hand: &mut Hand<'_>) {
        let _ = hand;
    }
}

/// A deed's way to the world.
pub(super) struct Hand<'a> {
    pub(super) world: &'a mut dyn World,
    pub(super) holds: &'a mut Holds,
    pub(super) schedule: &'a mut Schedule,
    /// The fault in force.
    pub(super) id: u64,
}

impl Hand<'_> {
    /// Have [`Deed::step`] called after this time, unless the fault has ended by then.
    pub(super) fn alarm(&mut self, after: Duration, step: usize) {
        let at: Time = self.world.now() + after;
        self.schedule.set(self.world, at, Alarm::Step { active: self.id, step });
    }
}

/// Make a plan, or say why there is none.
pub(super) fn plan(order: Order<'_>) -> Result<Plan, String> {
    if order.targets.is_empty() && super::targets::needs_targets(order.fault) {
        return Err("there is nobody to hit".to_owned());
    }
    match order.fault {
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
        | Fault::Delay { .. } => links::plan(order),
        Fault::Kill
        | Fault::Restart { .. }
        | Fault::Pause
        | Fault::Slow { .. }
        | Fault::Wipe { .. }
        | Fault::Stop
        | Fault::Command { .. }
        | Fault::Join
        | Fault::Leave => Ok(process::plan(order)),
        Fault::ClockBump { .. }
        | Fault::ClockDrift { .. }
        | Fault::ClockStrobe { .. }
        | Fault::ClockFreeze
        | Fault::ClockReset => Ok(clocks::plan(order)),
        Fault::DiskLoss { .. }
        | Fault::TornWrite { .. }
        | Fault::Bitflip { .. }
        | Fault::Truncate { .. }
        | Fault::DiskFull
        | Fault::DiskError { .. }
        | Fault::DiskSlow { .. }
        | Fault::DiskStall
        | Fault::StaleRestore { .. } => Ok(disks::plan(order)),
        Fault::Swizzle => composed::plan_swizzle(order),
        Fault::Random { .. } | Fault::Swarm { .. } => {
            unreachable!("the nemesis takes these apart before it plans")
        }
    }
}
