//! Slow disks.

use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, Lasting, Plan, PlanRequest, slowed,
};
use crate::language::Amount;
use crate::rng::Rng;

/// The fault `disk_slow`.
pub static DISK_SLOW: Fault = Fault {
    name: "disk_slow",
    group: "disks",
    summary: "Syncs take `factor` times as long.",
    example: "at = \"5s\"\n\
        duration = \"3s\"\n\
        fault = \"disk_slow\"\n\
        targets = \"leader\"\n\
        factor = [10, 100]",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, _, _| {
        let doc = "How many times as long a sync takes.";
        Some(DiskSlow { factor: section.amount("factor", (10.0, 10.0), 1.0..=1e6, doc) }.into())
    },
};

/// Syncs take longer.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskSlow {
    /// How many times as long a sync takes.
    pub factor: Amount,
}

impl FaultParameters for DiskSlow {
    fn fault(&self) -> &'static Fault {
        &DISK_SLOW
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(slowed(request, self.factor, Hold::DiskSlow))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        DiskSlow { factor: self.factor.fixed(rng) }.into()
    }
}
