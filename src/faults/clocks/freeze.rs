//! Wall clocks that stand still.

use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, Impact, Lasting, Occurrences, Plan, PlanRequest,
    faulty,
};
use crate::rng::Rng;

/// The fault `clock_freeze`.
pub static CLOCK_FREEZE: Fault = Fault {
    name: "clock_freeze",
    group: "clocks",
    summary: "The wall clocks of the targets stand still, and go on from there when the fault ends.",
    example: "at = \"5s\"\n\
        duration = \"1s\"\n\
        fault = \"clock_freeze\"\n\
        targets = \"one\"",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "one",
    read: |_, _, _| Some(ClockFreeze.into()),
};

/// Wall clocks stand still.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockFreeze;

impl FaultParameters for ClockFreeze {
    fn fault(&self) -> &'static Fault {
        &CLOCK_FREEZE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(Plan { impact: Impact::default(), ..faulty(request, Hold::Frozen) })
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn clock_error_s_max(&self, occurrences: &Occurrences) -> f64 {
        // A clock that stood still is behind by as long as it stood.
        (occurrences.lasts_s * occurrences.times).min(occurrences.end_s)
    }
}
