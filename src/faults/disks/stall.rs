//! Disks that stand still.

use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, Lasting, Members, Plan, PlanRequest, Taken,
    TargetSpec, faulty,
};
use crate::rng::Rng;

/// The fault `disk_stall`.
pub static DISK_STALL: Fault = Fault {
    name: "disk_stall",
    group: "disks",
    summary: "No sync ends until the fault does.",
    example: "at = \"5s\"\n\
        duration = \"1s\"\n\
        fault = \"disk_stall\"\n\
        targets = \"leader\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |_, _, _| Some(DiskStall.into()),
};

/// No sync ends.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskStall;

impl FaultParameters for DiskStall {
    fn fault(&self) -> &'static Fault {
        &DISK_STALL
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(faulty(request, Hold::DiskStall))
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }
}
