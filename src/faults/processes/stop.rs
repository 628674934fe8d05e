//! Processes that are asked to stop.

use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, How, Lasting, Members, Plan, PlanRequest, Taken,
    TargetSpec, faulty,
};
use crate::rng::Rng;

/// The fault `stop`.
pub static STOP: Fault = Fault {
    name: "stop",
    group: "processes",
    summary: "Processes are asked to stop, and start again when the fault ends.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"stop\"\n\
        targets = \"leader\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |_, _, _| Some(Stop.into()),
};

/// Processes stop in an orderly way.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop;

impl FaultParameters for Stop {
    fn fault(&self) -> &'static Fault {
        &STOP
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(faulty(request, Hold::Down(How::Stop)))
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }
}
