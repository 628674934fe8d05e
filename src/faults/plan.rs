//! What a fault becomes when its time has come: a plan, with all draws made, and an action that can
//! be done and undone.

use std::collections::BTreeMap;
use std::time::Duration;

use super::holds::Holds;
use super::link_rules::LinkSet;
use super::world::World;
use crate::language::{Amount, Span};
use crate::time::Time;
use crate::trace::NodeId;

/// Named groups of nodes, from the scenario.
pub(crate) type Groups = BTreeMap<String, Vec<String>>;

/// What is to be planned.
pub struct PlanRequest<'a> {
    pub(crate) world: &'a mut dyn World,
    pub(crate) groups: &'a Groups,
    /// Whom the entry names, sorted. Empty only if the fault chooses its own victims.
    pub(crate) targets: &'a [NodeId],
    /// How long the fault is to last; `None`: until `duration`.
    pub(crate) lasts: Option<Duration>,
    /// Time from now to `duration`.
    pub(crate) left: Duration,
}

impl PlanRequest<'_> {
    /// How long the fault will be in force.
    pub(crate) fn window(&self) -> Duration {
        self.lasts.map_or(self.left, |lasts| lasts.min(self.left))
    }

    /// Draw a duration.
    pub(crate) fn duration(&mut self, span: Span) -> Duration {
        span.draw(self.world.rng())
    }

    /// Draw a number.
    pub(crate) fn amount(&mut self, amount: Amount) -> f64 {
        amount.draw(self.world.rng())
    }

    /// Draw a probability, and say it: ` (probability 0.250)`.
    pub(crate) fn probability(&mut self, probability: Amount) -> (f64, String) {
        let drawn = self.amount(probability).clamp(0.0, 1.0);
        (drawn, format!(" (probability {drawn:.3})"))
    }

    /// The targets in words: `n1,n2`.
    pub(crate) fn words(&self) -> String {
        super::targets::words(self.world, self.targets)
    }
}

/// A fault with all its draws made.
pub struct Plan {
    /// Whom it hits, in words: `n1,n2 | n3,n4,n5`, with what was drawn in brackets.
    pub(crate) words: String,
    /// What it takes from `model.max_faulty` while it lasts.
    pub(crate) impact: Impact,
    /// How long it lasts.
    pub(crate) lasts: Lasts,
    /// What is done.
    pub(crate) action: Box<dyn Action>,
}

/// How long a planned fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// As the entry says.
    AsAsked,
    /// It is over as soon as it has begun.
    Instant,
    /// This long, whatever the entry says: the fault has a duration of its own.
    Exactly(Duration),
}

/// What a fault takes from the cluster at its worst moment, whether or not this is that moment: a
/// flapping link counts as cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Impact {
    /// Nodes that are down, paused or about to be so.
    pub(crate) down: Vec<NodeId>,
    /// Links that are cut or about to be so.
    pub(crate) cut: LinkSet,
    /// Nodes that become members; they raise the majority.
    pub(crate) joins: Vec<NodeId>,
}

impl Impact {
    pub(crate) fn of_nodes(nodes: &[NodeId]) -> Impact {
        Impact { down: nodes.to_vec(), ..Impact::default() }
    }

    pub(crate) fn of_links(cut: LinkSet) -> Impact {
        Impact { cut, ..Impact::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.down.is_empty() && self.cut.pairs.is_empty() && self.joins.is_empty()
    }
}

/// A planned fault, which can be done and undone.
pub(crate) trait Action {
    /// Do it. What it returns is added to the words of a fault that is over as soon as it has
    /// begun.
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String>;

    /// An alarm that the action has set with [`FaultContext::alarm`].
    fn step(&mut self, context: &mut FaultContext<'_>, step: usize) {
        let _ = (context, step);
    }

    /// Undo what is still to be undone.
    fn end(&mut self, context: &mut FaultContext<'_>) {
        let _ = context;
    }

    /// Whether other faults have undone all of it, so that it is over before its time.
    fn is_undone(&self, holds: &Holds, id: u64) -> bool {
        let _ = (holds, id);
        false
    }
}

/// An action's way to the world.
pub(crate) struct FaultContext<'a> {
    pub(crate) world: &'a mut dyn World,
    pub(crate) holds: &'a mut Holds,
    pub(crate) alarms: &'a mut dyn Alarms,
    /// The fault in force.
    pub(crate) id: u64,
}

impl FaultContext<'_> {
    /// Have [`Action::step`] called after this time, unless the fault has ended by then.
    pub(crate) fn alarm(&mut self, after: Duration, step: usize) {
        let at: Time = self.world.now() + after;
        self.alarms.step_at(self.world, at, self.id, step);
    }
}

/// The alarms that faults set. The nemesis keeps them.
pub(crate) trait Alarms {
    /// Call [`Action::step`] of this fault then.
    fn step_at(&mut self, world: &mut dyn World, at: Time, id: u64, step: usize);

    /// Look for a leader again then, and ask it for this. Unlike a step this outlasts the fault
    /// and `duration`: a membership that was asked for is part of the healing.
    fn ask_at(&mut self, world: &mut dyn World, at: Time, command: String);
}
