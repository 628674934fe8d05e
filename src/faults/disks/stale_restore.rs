//! Disks that go back to an earlier state: a backup was restored, a snapshot of a virtual machine.

use std::time::Duration;

use crate::faults::keys::down;
use crate::faults::{
    Action, Fault, FaultContext, FaultParameters, FaultSpec, Hits, Hold, How, Impact, Lasting,
    Lasts, Members, Plan, PlanRequest, Status, Taken, TargetSpec,
};
use crate::language::Span;
use crate::rng::Rng;
use crate::trace::NodeId;

/// The fault `stale_restore`.
pub static STALE_RESTORE: Fault = Fault {
    name: "stale_restore",
    group: "disks",
    summary: "The disk is remembered when the fault begins; when it ends, the process is killed, \
            gets that old disk back, and starts after `down`. Needs `durable_disks = false` in \
            [model].",
    example: "at = \"5s\"\n\
        duration = \"3s\"\n\
        fault = \"stale_restore\"\n\
        targets = \"follower\"\n\
        down = \"200ms\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, _, _| Some(StaleRestore { down: down(section) }.into()),
};

/// The disk as it was when the fault began comes back when it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct StaleRestore {
    /// How long the node is down.
    pub down: Span,
}

impl FaultParameters for StaleRestore {
    fn fault(&self) -> &'static Fault {
        &STALE_RESTORE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        // The end must come before `duration`, or the old state would never be put back.
        let down = request.duration(self.down).max(Duration::from_millis(1)).min(request.left);
        let after = request.lasts.unwrap_or(request.left).min(request.left - down);
        Ok(Plan {
            words: request.words(),
            impact: Impact::of_nodes(request.targets),
            lasts: Lasts::Exactly(after + down),
            action: Box::new(Restore { nodes: request.targets.to_vec(), after, down: false }),
        })
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        StaleRestore { down: self.down.fixed(rng) }.into()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }

    fn damages_disks(&self) -> bool {
        true
    }
}

/// The node counts as faulty from the beginning, although it is down only at the end; otherwise
/// another fault could begin that leaves no room for its being down.
struct Restore {
    nodes: Vec<NodeId>,
    after: Duration,
    down: bool,
}

impl Action for Restore {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        self.nodes.iter().for_each(|node| context.world.backup(*node));
        context.alarm(self.after, 0);
        None
    }

    fn step(&mut self, context: &mut FaultContext<'_>, _step: usize) {
        self.down = true;
        for node in &self.nodes {
            context.holds.take(context.world, context.id, *node, Hold::Down(How::Kill(None)));
            // A node that has left the cluster is absent, not down: it has no process whose disk
            // could be replaced under it.
            if context.world.status(*node) == Status::Down {
                context.world.restore(*node);
            }
        }
    }

    fn end(&mut self, context: &mut FaultContext<'_>) {
        // `heal_all` may end the fault before its step has come: then there is nothing to undo.
        if self.down {
            self.nodes
                .iter()
                .for_each(|node| context.holds.release(context.world, context.id, *node));
        }
    }
}
