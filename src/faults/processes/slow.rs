//! Slow processors.

use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, Lasting, Plan, PlanRequest, slowed,
};
use crate::language::Amount;
use crate::rng::Rng;

/// The fault `slow`.
pub static SLOW: Fault = Fault {
    name: "slow",
    group: "processes",
    summary: "The processor of the targets takes `factor` times as long.",
    example: "at = \"5s\"\n\
        duration = \"3s\"\n\
        fault = \"slow\"\n\
        targets = \"one\"\n\
        factor = [5, 50]",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, _, _| {
        let doc = "How many times as long an input takes.";
        Some(Slow { factor: section.amount("factor", (10.0, 10.0), 1.0..=1e6, doc) }.into())
    },
};

/// Inputs take longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Slow {
    /// How many times as long an input takes.
    pub factor: Amount,
}

impl FaultParameters for Slow {
    fn fault(&self) -> &'static Fault {
        &SLOW
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(slowed(request, self.factor, Hold::Slow))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        Slow { factor: self.factor.fixed(rng) }.into()
    }
}
