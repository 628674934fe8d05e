//! Messages that are lost.

use super::rules::at_targets;
use crate::faults::keys::{PROBABILITY, direction_of_links, own_probability};
use crate::faults::{
    Direction, Fault, FaultParameters, FaultSpec, Hits, Lasting, LinkEffect, Members, Plan,
    PlanRequest, Taken, TargetSpec,
};
use crate::language::Amount;
use crate::rng::Rng;

/// The fault `loss`.
pub static LOSS: Fault = Fault {
    name: "loss",
    group: "links",
    summary: "Messages of the targets' links are lost with this probability besides the links' own; \
            `loss_correlation` makes bursts.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"loss\"\n\
        targets = \"minority\"\n\
        loss = [0.1, 0.5]\n\
        loss_correlation = 0.7",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "all",
    read: |section, _, _| {
        own_probability(section, "loss");
        let doc = "Probability that a message is lost, besides the link's own.";
        let probability = section.amount("loss", (0.2, 0.2), PROBABILITY, doc);
        let doc = "Probability that the message after a lost one is lost as well: bursts.";
        let correlation = section.number("loss_correlation", 0.0, 0.0..=0.999, doc);
        let direction = direction_of_links(section);
        Some(Loss { probability, correlation, direction }.into())
    },
};

/// Messages are lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Probability that a message is lost.
    pub probability: Amount,
    /// Probability that the message after a lost one is lost too.
    pub correlation: f64,
    /// Which links of the targets.
    pub direction: Direction,
}

impl FaultParameters for Loss {
    fn fault(&self) -> &'static Fault {
        &LOSS
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let (probability, drawn) = request.probability(self.probability);
        let effect = LinkEffect::Loss { probability, correlation: self.correlation };
        Ok(at_targets(request, self.direction, effect, &drawn))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        Loss { probability: self.probability.fixed(rng), ..self.clone() }.into()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        if self.probability.max >= 1.0 { members.targeted(targets) } else { Taken::Any(0) }
    }
}
