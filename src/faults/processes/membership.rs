//! Nodes that join the cluster and leave it.

use crate::faults::{
    Action, Fault, FaultContext, FaultParameters, FaultSpec, Hits, Hold, Holds, How, Impact,
    Lasting, Lasts, Members, Plan, PlanRequest, Taken, TargetSpec, ask, join,
};
use crate::rng::Rng;
use crate::trace::NodeId;

/// The fault `join`.
pub static JOIN: Fault = Fault {
    name: "join",
    group: "processes",
    summary: "Nodes that have not run so far, or have left, start and the system is asked to take \
            them in (`add_node`).",
    example: "at = \"5s\"\n\
        fault = \"join\"\n\
        targets = [\"n6\"]",
    hits: Hits::Outsiders,
    lasting: Lasting::Instant,
    targets: "one",
    read: |_, _, _| Some(Join.into()),
};

/// The fault `leave`.
pub static LEAVE: Fault = Fault {
    name: "leave",
    group: "processes",
    summary: "The system is asked to do without the targets (`remove_node`), which stop in an \
            orderly way; they join again when the fault ends.",
    example: "at = \"5s\"\n\
        duration = \"5s\"\n\
        fault = \"leave\"\n\
        targets = \"follower\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |_, _, _| Some(Leave.into()),
};

/// Nodes start, and the system is asked to take them in.
#[derive(Clone, Debug, PartialEq)]
pub struct Join;

/// The system is asked to do without nodes, which stop.
#[derive(Clone, Debug, PartialEq)]
pub struct Leave;

impl FaultParameters for Join {
    fn fault(&self) -> &'static Fault {
        &JOIN
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let nodes = request.targets.to_vec();
        Ok(Plan {
            words: request.words(),
            impact: Impact { joins: nodes.clone(), ..Impact::default() },
            lasts: Lasts::Instant,
            action: Box::new(Joining { nodes }),
        })
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }
}

impl FaultParameters for Leave {
    fn fault(&self) -> &'static Fault {
        &LEAVE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(Plan {
            words: request.words(),
            impact: Impact::of_nodes(request.targets),
            lasts: Lasts::AsAsked,
            action: Box::new(Leaving { nodes: request.targets.to_vec() }),
        })
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }
}

/// Processes start, and the system is asked to take them in.
struct Joining {
    nodes: Vec<NodeId>,
}

impl Action for Joining {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        for node in &self.nodes {
            // A `leave` may still be in force: without this its hold would stop the node again, and
            // its end would ask for a second membership.
            context.holds.release_left(context.world, *node);
            join(context.world, context.alarms, *node);
        }
        None
    }
}

/// The system is asked to do without some nodes, which stop in an orderly way. They join again when
/// the fault ends.
struct Leaving {
    nodes: Vec<NodeId>,
}

impl Action for Leaving {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        for node in &self.nodes {
            let command = format!("remove_node {}", context.world.name(*node));
            // First the request, then the stop: the node may be the leader that has to handle it.
            ask(context.world, context.alarms, command);
            context.holds.take(context.world, context.id, *node, Hold::Down(How::Leave));
        }
        None
    }

    fn end(&mut self, context: &mut FaultContext<'_>) {
        for node in &self.nodes {
            // A `join` may have brought it back already.
            if context.holds.has_left(*node) {
                context.holds.release(context.world, context.id, *node);
                join(context.world, context.alarms, *node);
            }
        }
    }

    fn is_undone(&self, holds: &Holds, id: u64) -> bool {
        !holds.any(id)
    }
}
