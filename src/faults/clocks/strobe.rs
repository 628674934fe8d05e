//! Wall clocks that step to and fro.

use super::steps::{draw_steps, steps_words};
use crate::faults::keys::{HOUR, ms};
use crate::faults::{
    Action, FLAP_MIN, Fault, FaultContext, FaultParameters, FaultSpec, Hits, Hold, Impact, Lasting,
    Lasts, Occurrences, Plan, PlanRequest,
};
use crate::language::{Amount, Span};
use crate::rng::Rng;
use crate::trace::NodeId;

/// The fault `clock_strobe`.
pub static CLOCK_STROBE: Fault = Fault {
    name: "clock_strobe",
    group: "clocks",
    summary: "The wall clocks of the targets step to and fro, one step each `period`.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"clock_strobe\"\n\
        targets = \"one\"\n\
        by = \"250ms\"\n\
        period = [\"20ms\", \"100ms\"]",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, _, _| {
        let by_ms = section.signed_milliseconds("by", 200.0, "How far the clock steps to and fro.");
        let doc = "How long between two steps.";
        let period = section.span("period", (ms(100), ms(100)), ms(1)..=HOUR, doc);
        Some(ClockStrobe { by_ms, period }.into())
    },
};

/// Wall clocks step to and fro.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockStrobe {
    /// How far clocks step to and fro, ms.
    pub by_ms: Amount,
    /// How long between two steps.
    pub period: Span,
}

impl FaultParameters for ClockStrobe {
    fn fault(&self) -> &'static Fault {
        &CLOCK_STROBE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let steps = draw_steps(request, self.by_ms);
        Ok(Plan {
            words: steps_words(request, &steps),
            impact: Impact::default(),
            lasts: Lasts::AsAsked,
            action: Box::new(Strobe { steps, period: self.period, stepped: false }),
        })
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        ClockStrobe { by_ms: self.by_ms.fixed(rng), period: self.period.fixed(rng) }.into()
    }

    fn clock_error_s_max(&self, _occurrences: &Occurrences) -> f64 {
        self.by_ms.magnitude_max() / 1e3
    }
}

struct Strobe {
    steps: Vec<(NodeId, i64)>,
    period: Span,
    stepped: bool,
}

impl Action for Strobe {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        self.step(context, 0);
        None
    }

    fn step(&mut self, context: &mut FaultContext<'_>, _step: usize) {
        self.stepped = !self.stepped;
        for (node, by_ns) in &self.steps {
            // The step is a hold, so that a `clock_reset` in between can take it back for good.
            if self.stepped {
                context.holds.take(context.world, context.id, *node, Hold::Stepped(*by_ns));
            } else {
                context.holds.release(context.world, context.id, *node);
            }
        }
        let period = self.period.draw(context.world.rng());
        context.alarm(period.max(FLAP_MIN), 0);
    }

    fn end(&mut self, context: &mut FaultContext<'_>) {
        self.steps
            .iter()
            .for_each(|(node, _)| context.holds.release(context.world, context.id, *node));
    }
}
