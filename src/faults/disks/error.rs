//! Disks whose syncs fail.

use crate::faults::keys::{PROBABILITY, own_probability};
use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, Lasting, Members, Plan, PlanRequest, Taken,
    TargetSpec, faulty,
};
use crate::language::Amount;
use crate::rng::Rng;

/// The fault `disk_error`.
pub static DISK_ERROR: Fault = Fault {
    name: "disk_error",
    group: "disks",
    summary: "Every sync fails with this probability.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"disk_error\"\n\
        targets = \"one\"\n\
        errors = 0.05",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, _, _| {
        own_probability(section, "errors");
        let doc = "Probability that a sync fails.";
        let probability = section.amount("errors", (0.1, 0.1), PROBABILITY, doc);
        Some(DiskError { probability }.into())
    },
};

/// Syncs fail with a probability.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskError {
    /// Probability that a sync fails.
    pub probability: Amount,
}

impl FaultParameters for DiskError {
    fn fault(&self) -> &'static Fault {
        &DISK_ERROR
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let (probability, drawn) = request.probability(self.probability);
        let words = request.words() + &drawn;
        Ok(Plan { words, ..faulty(request, Hold::DiskError(probability)) })
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        DiskError { probability: self.probability.fixed(rng) }.into()
    }

    /// A failed sync ends the process.
    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        if self.probability.max > 0.0 { members.targeted(targets) } else { Taken::Any(0) }
    }
}
