//! Partitions: nothing passes between the sides of a shape.

use super::rules::with_rule;
use super::shape_keys::{self, Cut};
use crate::faults::{
    Direction, Fault, FaultParameters, FaultSpec, Hits, Lasting, LinkEffect, Members, Names,
    PartitionShape, Plan, PlanRequest, Taken, TargetSpec, split,
};
use crate::language::Section;
use crate::rng::Rng;

/// The fault `partition`.
pub static PARTITION: Fault = Fault {
    name: "partition",
    group: "links",
    summary: "Nothing passes between the sides of a `shape`: `halves`, `one` (the targets against \
            all others), `majority`, `majorities_ring`, `bridge`, `minority_third`, `groups` or \
            `between`. `direction` makes it one-way, as the targets or the side named first see \
            it. Clients go on reaching everybody, unless `clients = true` puts each on a random \
            side.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"partition\"\n\
        shape = \"one\"\n\
        targets = \"leader\"",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, names, targeted| {
        let Cut { shape, direction, clients } = shape_keys::read(section, names, targeted);
        Some(Partition { shape, direction, clients }.into())
    },
};

/// Links are cut as long as it lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// How the nodes are parted.
    pub shape: PartitionShape,
    /// Which way links are cut.
    pub direction: Direction,
    /// Whether clients are cut off too.
    pub clients: bool,
}

impl FaultParameters for Partition {
    fn fault(&self) -> &'static Fault {
        &PARTITION
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let split = split(request, &self.shape, self.direction, self.clients)?;
        Ok(with_rule(split.links, LinkEffect::Cut, split.words))
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn needs_targets(&self) -> bool {
        shape_keys::needs_targets(&self.shape)
    }

    fn refuses_targets(&self) -> Option<(&'static str, &'static str)> {
        shape_keys::refuses_targets(&self.shape)
    }

    fn default_targets(&self) -> &'static str {
        shape_keys::default_targets(&self.shape)
    }

    fn judge(&self, section: &Section<'_>, names: &Names) {
        shape_keys::judge(&self.shape, section, names);
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        shape_keys::taken(&self.shape, members, targets)
    }
}
