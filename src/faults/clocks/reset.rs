//! Wall clocks that are put right.

use crate::faults::{
    Action, Fault, FaultContext, FaultParameters, FaultSpec, Hits, Impact, Lasting, Lasts, Plan,
    PlanRequest,
};
use crate::rng::Rng;
use crate::trace::NodeId;

/// The fault `clock_reset`.
pub static CLOCK_RESET: Fault = Fault {
    name: "clock_reset",
    group: "clocks",
    summary: "The wall clocks of the targets are put right.",
    example: "at = \"15s\"\n\
        fault = \"clock_reset\"\n\
        targets = \"all\"",
    hits: Hits::Participants,
    lasting: Lasting::Instant,
    targets: "all",
    read: |_, _, _| Some(ClockReset.into()),
};

/// Wall clocks are put right.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockReset;

impl FaultParameters for ClockReset {
    fn fault(&self) -> &'static Fault {
        &CLOCK_RESET
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(Plan {
            words: request.words(),
            impact: Impact::default(),
            lasts: Lasts::Instant,
            action: Box::new(Reset { nodes: request.targets.to_vec() }),
        })
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }
}

struct Reset {
    nodes: Vec<NodeId>,
}

impl Action for Reset {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        for node in &self.nodes {
            // A strobe in force has stepped the clock and would step it back: after the reset that
            // would make it wrong again.
            context.holds.forget_steps(*node);
            context.world.wall_reset(*node);
        }
        None
    }
}
