//! Processes that end, and start again after `down`.

use crate::faults::keys::down;
use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, How, Lasting, Members, Plan, PlanRequest, Taken,
    TargetSpec, down_for,
};
use crate::language::Span;
use crate::rng::Rng;

/// The fault `restart`.
pub static RESTART: Fault = Fault {
    name: "restart",
    group: "processes",
    summary: "Processes end immediately and start again after `down`.",
    example: "every = [\"2s\", \"4s\"]\n\
        fault = \"restart\"\n\
        targets = \"one\"\n\
        down = [\"10ms\", \"500ms\"]",
    hits: Hits::Nodes,
    lasting: Lasting::Down,
    targets: "one",
    read: |section, _, _| Some(Restart { down: down(section) }.into()),
};

/// Processes end immediately and start again.
#[derive(Clone, Debug, PartialEq)]
pub struct Restart {
    /// How long the node is down.
    pub down: Span,
}

impl FaultParameters for Restart {
    fn fault(&self) -> &'static Fault {
        &RESTART
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(down_for(request, self.down, How::Kill(None)))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        Restart { down: self.down.fixed(rng) }.into()
    }

    fn own_duration(&self) -> Option<Span> {
        Some(self.down)
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }
}
