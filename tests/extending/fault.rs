//! Processes that stand still.

use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, Lasting, Members, Plan, PlanRequest, Taken,
    TargetSpec, faulty,
};
use crate::rng::Rng;

/// The fault `doze`.
pub static DOZE: Fault = Fault {
    name: "doze",
    group: "processes",
    summary: "Processes stand still, as under SIGSTOP or a long garbage collection; what reaches \
            them waits.",
    example: "at = \"5s\"\n\
        duration = \"800ms\"\n\
        fault = \"doze\"\n\
        targets = \"leader\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |_, _, _| Some(Doze.into()),
};

/// Processes do nothing, and what reaches them waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Doze;

impl FaultParameters for Doze {
    fn fault(&self) -> &'static Fault {
        &DOZE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(faulty(request, Hold::Paused))
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }
}
