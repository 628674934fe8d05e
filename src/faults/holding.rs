//! Actions that serve many faults: holds of nodes that are kept as long as the fault lasts.

use super::holds::{Hold, How};
use super::plan::{Action, FaultContext, Impact, Lasts, Plan, PlanRequest};
use crate::trace::NodeId;

/// Holds that are kept as long as the fault lasts.
pub(crate) struct Holding {
    holds: Vec<(NodeId, Hold)>,
}

impl Holding {
    pub(crate) fn new(holds: Vec<(NodeId, Hold)>) -> Holding {
        Holding { holds }
    }

    /// The same hold of each.
    pub(crate) fn all(nodes: &[NodeId], hold: Hold) -> Holding {
        Holding { holds: nodes.iter().map(|node| (*node, hold)).collect() }
    }
}

impl Action for Holding {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        for (node, hold) in &self.holds {
            context.holds.take(context.world, context.id, *node, *hold);
        }
        None
    }

    fn end(&mut self, context: &mut FaultContext<'_>) {
        for (node, _) in &self.holds {
            context.holds.release(context.world, context.id, *node);
        }
    }
}

/// The plan of a fault that makes its targets faulty for as long as the entry says.
pub(crate) fn faulty(request: &PlanRequest<'_>, hold: Hold) -> Plan {
    Plan {
        words: request.words(),
        impact: Impact::of_nodes(request.targets),
        lasts: Lasts::AsAsked,
        action: Box::new(Holding::all(request.targets, hold)),
    }
}

/// The plan of a fault that ends its targets' processes for a time of its own.
pub(crate) fn down_for(
    request: &mut PlanRequest<'_>,
    down: crate::language::Span,
    how: How,
) -> Plan {
    let lasts = Lasts::Exactly(request.duration(down));
    Plan { lasts, ..faulty(request, Hold::Down(how)) }
}

/// The plan of a fault that slows its targets, which stay sound.
pub(crate) fn slowed(
    request: &mut PlanRequest<'_>,
    factor: crate::language::Amount,
    hold: impl Fn(f64) -> Hold,
) -> Plan {
    let factor = request.amount(factor);
    Plan {
        words: format!("{} ({factor:.2} times)", request.words()),
        impact: Impact::default(),
        ..faulty(request, hold(factor))
    }
}
