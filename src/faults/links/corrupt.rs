//! Messages that are damaged.

use super::rules::at_targets;
use crate::faults::keys::{PROBABILITY, direction_of_links, own_probability};
use crate::faults::{
    Direction, Fault, FaultParameters, FaultSpec, Hits, Lasting, LinkEffect, Plan, PlanRequest,
};
use crate::language::Amount;
use crate::rng::Rng;

/// The fault `corrupt`.
pub static CORRUPT: Fault = Fault {
    name: "corrupt",
    group: "links",
    summary: "Bits of messages of the targets' links are flipped with this probability; the \
            receiver of a format with a checksum discards such a message.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"corrupt\"\n\
        targets = \"one\"\n\
        corrupt = 0.1",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "all",
    read: |section, _, _| {
        own_probability(section, "corrupt");
        let doc = "Probability that bits of a message are flipped.";
        let probability = section.amount("corrupt", (0.05, 0.05), PROBABILITY, doc);
        Some(Corrupt { probability, direction: direction_of_links(section) }.into())
    },
};

/// Bits of messages are flipped.
#[derive(Clone, Debug, PartialEq)]
pub struct Corrupt {
    /// Probability that bits of a message are flipped.
    pub probability: Amount,
    /// Which links of the targets.
    pub direction: Direction,
}

impl FaultParameters for Corrupt {
    fn fault(&self) -> &'static Fault {
        &CORRUPT
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let (probability, drawn) = request.probability(self.probability);
        let effect = LinkEffect::Corrupt(probability);
        Ok(at_targets(request, self.direction, effect, &drawn))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        Corrupt { probability: self.probability.fixed(rng), ..self.clone() }.into()
    }
}
