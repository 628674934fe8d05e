//! A random part of several faults, the same for a whole run.

use std::time::Duration;

use super::among::{self, worst};
use crate::faults::keys::PROBABILITY;
use crate::faults::{
    Composition, Fault, FaultParameters, FaultSpec, Hits, Lasting, Occurrences, Plan, PlanRequest,
};
use crate::language::Amount;
use crate::rng::Rng;

/// The fault `swarm`.
pub static SWARM: Fault = Fault {
    name: "swarm",
    group: "composed",
    summary: "A random part of a list, the same for the whole run, each with a drawn strength, and \
            each again and again in its own drawn rhythm.",
    example: "at = \"1s\"\n\
        fault = \"swarm\"\n\
        among = [\"partition\", \"pause\", \"kill\", \"loss\", \"clock_drift\"]\n\
        targets = \"minority\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, names, targeted| {
        let among = among::read(section, names, targeted);
        let doc = "Probability with which each of them takes part in a run at all.";
        let keep = section.amount("keep", (0.5, 0.5), PROBABILITY, doc);
        Some(Swarm { among: among?, keep }.into())
    },
};

/// A random part of these faults, the same for a whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Swarm {
    /// The faults to choose from.
    pub among: Vec<FaultSpec>,
    /// Probability with which each takes part in a run.
    pub keep: Amount,
}

impl FaultParameters for Swarm {
    fn fault(&self) -> &'static Fault {
        &SWARM
    }

    fn plan(&self, _request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        unreachable!("the nemesis takes a `swarm` apart before it plans")
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn composition(&self) -> Composition<'_> {
        Composition::Swarm { among: &self.among, keep: self.keep }
    }

    fn drift_ppm_max(&self) -> f64 {
        worst(&self.among, |fault| fault.drift_ppm_max())
    }

    fn clock_error_s_max(&self, occurrences: &Occurrences) -> f64 {
        worst(&self.among, |fault| fault.clock_error_s_max(occurrences))
    }

    fn delay_s_max(&self, link: Duration, lasts: Duration) -> f64 {
        worst(&self.among, |fault| fault.delay_s_max(link, lasts))
    }

    fn damages_disks(&self) -> bool {
        self.among.iter().any(|fault| fault.damages_disks())
    }
}
