//! Oscillators with another drift.

use crate::faults::{
    Fault, FaultParameters, FaultSpec, Hits, Hold, Holding, Impact, Lasting, Lasts, Occurrences,
    Plan, PlanRequest,
};
use crate::language::Amount;
use crate::rng::Rng;

/// The fault `clock_drift`.
pub static CLOCK_DRIFT: Fault = Fault {
    name: "clock_drift",
    group: "clocks",
    summary: "The oscillators of the targets have another drift, and with them all timers.",
    example: "at = \"5s\"\n\
        duration = \"10s\"\n\
        fault = \"clock_drift\"\n\
        targets = \"leader\"\n\
        ppm = [-50000, -20000]",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, _, _| {
        let doc = "How much too fast the oscillator runs, parts per million.";
        let ppm = section.amount("ppm", (10_000.0, 10_000.0), -500_000.0..=500_000.0, doc);
        Some(ClockDrift { ppm }.into())
    },
};

/// Oscillators have another drift.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockDrift {
    /// How much too fast oscillators run, parts per million.
    pub ppm: Amount,
}

impl FaultParameters for ClockDrift {
    fn fault(&self) -> &'static Fault {
        &CLOCK_DRIFT
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let drawn: Vec<f64> =
            request.targets.iter().map(|_| self.ppm.draw(request.world.rng())).collect();
        let list: Vec<String> = drawn.iter().map(|ppm| format!("{ppm:+.1}")).collect();
        let holds =
            request.targets.iter().zip(&drawn).map(|(node, ppm)| (*node, Hold::Drift(*ppm)));
        Ok(Plan {
            words: format!("{} ({} ppm)", request.words(), list.join(", ")),
            impact: Impact::default(),
            lasts: Lasts::AsAsked,
            action: Box::new(Holding::new(holds.collect())),
        })
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        ClockDrift { ppm: self.ppm.fixed(rng) }.into()
    }

    fn drift_ppm_max(&self) -> f64 {
        self.ppm.magnitude_max()
    }

    fn clock_error_s_max(&self, occurrences: &Occurrences) -> f64 {
        let in_force_s = (occurrences.lasts_s * occurrences.times).min(occurrences.end_s);
        self.ppm.magnitude_max() / 1e6 * in_force_s
    }
}
