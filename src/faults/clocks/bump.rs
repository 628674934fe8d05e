//! Wall clocks that are stepped, and stay so.

use super::steps::{draw_steps, steps_words};
use crate::faults::{
    Action, Fault, FaultContext, FaultParameters, FaultSpec, Hits, Impact, Lasting, Lasts,
    Occurrences, Plan, PlanRequest,
};
use crate::language::Amount;
use crate::rng::Rng;
use crate::trace::NodeId;

/// The fault `clock_bump`.
pub static CLOCK_BUMP: Fault = Fault {
    name: "clock_bump",
    group: "clocks",
    summary: "The wall clocks of the targets are stepped, each by its own amount, and stay so until \
            a `clock_reset`.",
    example: "at = \"5s\"\n\
        fault = \"clock_bump\"\n\
        targets = \"minority\"\n\
        by = [\"-500ms\", \"500ms\"]",
    hits: Hits::Participants,
    lasting: Lasting::Instant,
    targets: "one",
    read: |section, _, _| {
        let doc = "How far the clock steps; forward without a sign.";
        Some(ClockBump { by_ms: section.signed_milliseconds("by", 500.0, doc) }.into())
    },
};

/// Wall clocks are stepped.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockBump {
    /// How far clocks step, ms.
    pub by_ms: Amount,
}

impl FaultParameters for ClockBump {
    fn fault(&self) -> &'static Fault {
        &CLOCK_BUMP
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let steps = draw_steps(request, self.by_ms);
        Ok(Plan {
            words: steps_words(request, &steps),
            impact: Impact::default(),
            lasts: Lasts::Instant,
            action: Box::new(Bump { steps }),
        })
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        ClockBump { by_ms: self.by_ms.fixed(rng) }.into()
    }

    fn clock_error_s_max(&self, occurrences: &Occurrences) -> f64 {
        self.by_ms.magnitude_max() / 1e3 * occurrences.times
    }
}

struct Bump {
    steps: Vec<(NodeId, i64)>,
}

impl Action for Bump {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        self.steps.iter().for_each(|(node, by_ns)| context.world.wall_step(*node, *by_ns));
        None
    }
}
