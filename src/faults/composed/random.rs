//! One of several faults, drawn each time.

use std::time::Duration;

use super::among::{self, worst};
use crate::faults::{
    Composition, Fault, FaultParameters, FaultSpec, Hits, Lasting, Members, Occurrences, Plan,
    PlanRequest, Taken, TargetSpec,
};
use crate::rng::Rng;

/// The fault `random`.
pub static RANDOM: Fault = Fault {
    name: "random",
    group: "composed",
    summary: "One of the faults of a list, drawn each time.",
    example: "every = [\"3s\", \"8s\"]\n\
        duration = [\"500ms\", \"3s\"]\n\
        fault = \"random\"\n\
        among = [\"partition\", \"pause\", \"clock_bump\"]\n\
        targets = \"minority\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, names, targeted| {
        Some(Random { among: among::read(section, names, targeted)? }.into())
    },
};

/// One of these faults is drawn each time.
#[derive(Clone, Debug, PartialEq)]
pub struct Random {
    /// The faults to choose from.
    pub among: Vec<FaultSpec>,
}

impl FaultParameters for Random {
    fn fault(&self) -> &'static Fault {
        &RANDOM
    }

    fn plan(&self, _request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        unreachable!("the nemesis takes a `random` apart before it plans")
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn composition(&self) -> Composition<'_> {
        Composition::OneOf(&self.among)
    }

    /// The nemesis draws again if what it has drawn is too much.
    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        let taken = self.among.iter().map(|fault| fault.taken(members, targets));
        taken.min_by_key(Taken::count).unwrap_or(Taken::Any(0))
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
