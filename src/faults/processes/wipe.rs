//! Processes that lose their disks.

use crate::faults::keys::down;
use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, How, Lasting, Members, Plan, PlanRequest, Taken,
    TargetSpec, down_for,
};
use crate::language::Span;
use crate::rng::Rng;

/// The fault `wipe`.
pub static WIPE: Fault = Fault {
    name: "wipe",
    group: "processes",
    summary: "Processes end immediately and start again after `down` with an empty disk. Needs \
            `durable_disks = false` in [model].",
    example: "at = \"5s\"\n\
        fault = \"wipe\"\n\
        targets = \"follower\"\n\
        down = \"1s\"",
    hits: Hits::Nodes,
    lasting: Lasting::Down,
    targets: "one",
    read: |section, _, _| Some(Wipe { down: down(section) }.into()),
};

/// Processes end immediately and start again with an empty disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Wipe {
    /// How long the node is down.
    pub down: Span,
}

impl FaultParameters for Wipe {
    fn fault(&self) -> &'static Fault {
        &WIPE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(down_for(request, self.down, How::Wipe))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        Wipe { down: self.down.fixed(rng) }.into()
    }

    fn own_duration(&self) -> Option<Span> {
        Some(self.down)
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }

    fn damages_disks(&self) -> bool {
        true
    }
}
