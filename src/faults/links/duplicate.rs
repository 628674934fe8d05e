//! Messages that arrive twice.

use super::rules::at_targets;
use crate::faults::keys::{PROBABILITY, direction_of_links, own_probability};
use crate::faults::{
    Direction, Fault, FaultParameters, FaultSpec, Hits, Lasting, LinkEffect, Plan, PlanRequest,
};
use crate::language::Amount;
use crate::rng::Rng;

/// The fault `duplicate`.
pub static DUPLICATE: Fault = Fault {
    name: "duplicate",
    group: "links",
    summary: "Messages of the targets' links arrive twice with this probability.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"duplicate\"\n\
        targets = \"all\"\n\
        duplicate = 0.2",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "all",
    read: |section, _, _| {
        own_probability(section, "duplicate");
        let doc = "Probability that a second copy arrives.";
        let probability = section.amount("duplicate", (0.2, 0.2), PROBABILITY, doc);
        Some(Duplicate { probability, direction: direction_of_links(section) }.into())
    },
};

/// Messages arrive twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    /// Probability that a message arrives twice.
    pub probability: Amount,
    /// Which links of the targets.
    pub direction: Direction,
}

impl FaultParameters for Duplicate {
    fn fault(&self) -> &'static Fault {
        &DUPLICATE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let (probability, drawn) = request.probability(self.probability);
        let effect = LinkEffect::Duplicate(probability);
        Ok(at_targets(request, self.direction, effect, &drawn))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        Duplicate { probability: self.probability.fixed(rng), ..self.clone() }.into()
    }
}
