//! Disks without room.

use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, Lasting, Members, Plan, PlanRequest, Taken,
    TargetSpec, faulty,
};
use crate::rng::Rng;

/// The fault `disk_full`.
pub static DISK_FULL: Fault = Fault {
    name: "disk_full",
    group: "disks",
    summary: "Every save fails because the disk is full.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"disk_full\"\n\
        targets = \"one\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |_, _, _| Some(DiskFull.into()),
};

/// Every save fails.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskFull;

impl FaultParameters for DiskFull {
    fn fault(&self) -> &'static Fault {
        &DISK_FULL
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(faulty(request, Hold::DiskFull))
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }
}
