//! Messages that later ones overtake.

use std::time::Duration;

use super::rules::at_targets;
use crate::faults::keys::{PROBABILITY, direction_of_links, ms, own_probability};
use crate::faults::{
    Direction, Fault, FaultParameters, FaultSpec, Hits, Lasting, LinkEffect, Plan, PlanRequest,
};
use crate::language::{Amount, Latency};
use crate::rng::Rng;

/// The fault `reorder`.
pub static REORDER: Fault = Fault {
    name: "reorder",
    group: "links",
    summary: "Messages of the targets' links are held back for `reorder_delay` with this \
            probability, so that later ones overtake them.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"reorder\"\n\
        targets = \"all\"\n\
        reorder = 0.2\n\
        reorder_delay = [\"10ms\", \"200ms\"]",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "all",
    read: |section, _, _| {
        own_probability(section, "reorder");
        let doc = "Probability that a message is held back.";
        let probability = section.amount("reorder", (0.2, 0.2), PROBABILITY, doc);
        let short = Latency::Uniform(ms(10), ms(100));
        let delay = section.latency("reorder_delay", short, "How long it is held back.");
        Some(Reorder { probability, delay, direction: direction_of_links(section) }.into())
    },
};

/// Messages are held back, so that later ones overtake them.
#[derive(Clone, Debug, PartialEq)]
pub struct Reorder {
    /// Probability that a message is held back.
    pub probability: Amount,
    /// How long it is held back.
    pub delay: Latency,
    /// Which links of the targets.
    pub direction: Direction,
}

impl FaultParameters for Reorder {
    fn fault(&self) -> &'static Fault {
        &REORDER
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let (probability, drawn) = request.probability(self.probability);
        let effect = LinkEffect::Reorder { probability, delay: self.delay };
        Ok(at_targets(request, self.direction, effect, &drawn))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        Reorder { probability: self.probability.fixed(rng), ..self.clone() }.into()
    }

    fn delay_s_max(&self, link: Duration, _lasts: Duration) -> f64 {
        let held = self.delay.bound().map_or(f64::INFINITY, |bound| bound.as_secs_f64());
        link.as_secs_f64() + held
    }
}
