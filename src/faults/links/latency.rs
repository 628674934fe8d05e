//! Links with another latency.

use std::time::Duration;

use super::rules::at_targets;
use crate::faults::keys::{direction_of_links, ms};
use crate::faults::{
    Direction, Fault, FaultParameters, FaultSpec, Hits, Lasting, LinkEffect, Plan, PlanRequest,
};
use crate::language::Latency;
use crate::rng::Rng;

/// The fault `latency`.
pub static LATENCY: Fault = Fault {
    name: "latency",
    group: "links",
    summary: "All links of the targets have this latency instead of their own.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"latency\"\n\
        targets = \"one\"\n\
        latency = { dist = \"lognormal\", median = \"80ms\", p99 = \"400ms\" }",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "all",
    read: |section, _, _| {
        let slow = Latency::Uniform(ms(100), ms(300));
        let doc = "One-way delay instead of the link's own.";
        let latency = section.latency("latency", slow, doc);
        Some(SlowLinks { latency, direction: direction_of_links(section) }.into())
    },
};

/// Links have another latency.
#[derive(Clone, Debug, PartialEq)]
pub struct SlowLinks {
    /// The delay.
    pub latency: Latency,
    /// Which links of the targets.
    pub direction: Direction,
}

impl FaultParameters for SlowLinks {
    fn fault(&self) -> &'static Fault {
        &LATENCY
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let effect = LinkEffect::Latency(self.latency);
        Ok(at_targets(request, self.direction, effect, ""))
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn delay_s_max(&self, _link: Duration, _lasts: Duration) -> f64 {
        self.latency.bound().map_or(f64::INFINITY, |bound| bound.as_secs_f64())
    }
}
