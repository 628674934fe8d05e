//! Processes that end, and start again when the fault ends.

use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, How, Lasting, Members, Plan, PlanRequest, Taken,
    TargetSpec, faulty,
};
use crate::rng::Rng;

/// The fault `kill`.
pub static KILL: Fault = Fault {
    name: "kill",
    group: "processes",
    summary: "Processes end immediately and start again when the fault ends. What they had not \
            synced goes as `[disk] crash` says.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"kill\"\n\
        targets = \"leader\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |_, _, _| Some(Kill.into()),
};

/// Processes end immediately.
#[derive(Clone, Debug, PartialEq)]
pub struct Kill;

impl FaultParameters for Kill {
    fn fault(&self) -> &'static Fault {
        &KILL
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(faulty(request, Hold::Down(How::Kill(None))))
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }
}
