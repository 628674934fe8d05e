//! Processes that end with a given loss of what was not synced.

use crate::faults::keys::down;
use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, How, Lasting, Members, Plan, PlanRequest, Taken,
    TargetSpec, down_for,
};
use crate::language::Span;
use crate::node::CrashPolicy;
use crate::rng::Rng;

/// The fault `disk_loss`.
pub static DISK_LOSS: Fault = Fault {
    name: "disk_loss",
    group: "disks",
    summary: "Processes end immediately and lose all that was not synced, whatever `[disk] crash` \
            says; they start again after `down`.",
    example: "at = \"5s\"\n\
        fault = \"disk_loss\"\n\
        targets = \"leader\"\n\
        down = \"500ms\"",
    hits: Hits::Nodes,
    lasting: Lasting::Down,
    targets: "one",
    read: |section, _, _| Some(DiskLoss { down: down(section) }.into()),
};

/// The fault `torn_write`.
pub static TORN_WRITE: Fault = Fault {
    name: "torn_write",
    group: "disks",
    summary: "Processes end immediately; of what was not synced a first part survives and the next \
            save is torn. They start again after `down`.",
    example: "at = \"5s\"\n\
        fault = \"torn_write\"\n\
        targets = \"leader\"\n\
        down = \"500ms\"",
    hits: Hits::Nodes,
    lasting: Lasting::Down,
    targets: "one",
    read: |section, _, _| Some(TornWrite { down: down(section) }.into()),
};

/// Everything that was not synced is lost.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskLoss {
    /// How long the node is down.
    pub down: Span,
}

impl FaultParameters for DiskLoss {
    fn fault(&self) -> &'static Fault {
        &DISK_LOSS
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(down_for(request, self.down, How::Kill(Some(CrashPolicy::Lose))))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        DiskLoss { down: self.down.fixed(rng) }.into()
    }

    fn own_duration(&self) -> Option<Span> {
        Some(self.down)
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }
}

/// A first part of what was not synced survives, and the next save is torn.
#[derive(Clone, Debug, PartialEq)]
pub struct TornWrite {
    /// How long the node is down.
    pub down: Span,
}

impl FaultParameters for TornWrite {
    fn fault(&self) -> &'static Fault {
        &TORN_WRITE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(down_for(request, self.down, How::Kill(Some(CrashPolicy::Torn))))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        TornWrite { down: self.down.fixed(rng) }.into()
    }

    fn own_duration(&self) -> Option<Span> {
        Some(self.down)
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        members.targeted(targets)
    }
}
