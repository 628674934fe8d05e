//! Links that carry little.

use std::time::Duration;

use super::rules::at_targets;
use crate::faults::keys::direction_of_links;
use crate::faults::{
    Direction, Fault, FaultParameters, FaultSpec, Hits, Lasting, LinkEffect, Plan, PlanRequest,
};
use crate::language::Amount;
use crate::rng::Rng;

/// The fault `bandwidth`.
pub static BANDWIDTH: Fault = Fault {
    name: "bandwidth",
    group: "links",
    summary: "The targets' links carry this many bytes a second, and discard what does not fit into \
            the `queue`.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"bandwidth\"\n\
        targets = \"leader\"\n\
        bandwidth = [2000, 20000]\n\
        queue = 65536",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "all",
    read: |section, _, _| {
        let ten_kilobytes = (10_000.0, 10_000.0);
        let bytes_per_second =
            section.amount("bandwidth", ten_kilobytes, 1.0..=1e12, "Bytes a second.");
        let doc = "At most this many bytes wait; what comes on top is discarded.";
        let queue = section.integer("queue", 64 * 1024, 0..=u64::MAX, doc);
        let direction = direction_of_links(section);
        Some(Bandwidth { bytes_per_second, queue, direction }.into())
    },
};

/// Links carry this many bytes a second.
#[derive(Clone, Debug, PartialEq)]
pub struct Bandwidth {
    /// Bytes a second.
    pub bytes_per_second: Amount,
    /// At most this many bytes wait.
    pub queue: u64,
    /// Which links of the targets.
    pub direction: Direction,
}

impl FaultParameters for Bandwidth {
    fn fault(&self) -> &'static Fault {
        &BANDWIDTH
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let bytes_per_second = request.amount(self.bytes_per_second).max(1.0) as u64;
        let drawn = format!(" ({bytes_per_second} bytes/s)");
        let effect = LinkEffect::Bandwidth { bytes_per_second, queue: self.queue };
        Ok(at_targets(request, self.direction, effect, &drawn))
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        Bandwidth { bytes_per_second: self.bytes_per_second.fixed(rng), ..self.clone() }.into()
    }

    fn delay_s_max(&self, link: Duration, _lasts: Duration) -> f64 {
        link.as_secs_f64() + self.queue as f64 / self.bytes_per_second.min
    }
}
