//! Partitions that come and go.

use super::shape_keys::{self, Cut};
use crate::faults::keys::{HOUR, ms};
use crate::faults::{
    Action, Direction, FLAP_MIN, Fault, FaultContext, FaultParameters, FaultSpec, Hits, Impact,
    Lasting, Lasts, LinkEffect, LinkRule, Members, Names, PartitionShape, Plan, PlanRequest,
    RuleId, Taken, TargetSpec, split,
};
use crate::language::{Section, Span};
use crate::rng::Rng;

/// The fault `flap`.
pub static FLAP: Fault = Fault {
    name: "flap",
    group: "links",
    summary: "A partition that comes (for `down`) and goes (for `up`), again and again.",
    example: "at = \"5s\"\n\
        duration = \"4s\"\n\
        fault = \"flap\"\n\
        shape = \"one\"\n\
        targets = \"leader\"\n\
        down = [\"100ms\", \"400ms\"]\n\
        up = [\"100ms\", \"400ms\"]",
    hits: Hits::Participants,
    lasting: Lasting::Duration,
    targets: "one",
    read: |section, names, targeted| {
        let Cut { shape, direction, clients } = shape_keys::read(section, names, targeted);
        let half_a_second = (ms(500), ms(500));
        let doc = "How long the links work each time.";
        let up = section.span("up", half_a_second, ms(1)..=HOUR, doc);
        let doc = "How long they are cut each time.";
        let down = section.span("down", half_a_second, ms(1)..=HOUR, doc);
        Some(Flap { shape, direction, clients, up, down }.into())
    },
};

/// Links are cut and connected again and again as long as it lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct Flap {
    /// How the nodes are parted.
    pub shape: PartitionShape,
    /// Which way links are cut.
    pub direction: Direction,
    /// Whether clients are cut off too.
    pub clients: bool,
    /// How long links work each time.
    pub up: Span,
    /// How long they are cut each time.
    pub down: Span,
}

impl FaultParameters for Flap {
    fn fault(&self) -> &'static Fault {
        &FLAP
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let split = split(request, &self.shape, self.direction, self.clients)?;
        let impact = Impact::of_links(split.links.clone());
        let rule = LinkRule { links: split.links, effect: LinkEffect::Cut };
        let action = Box::new(Flapping { rule, on: None, up: self.up, down: self.down });
        Ok(Plan { words: split.words, impact, lasts: Lasts::AsAsked, action })
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        let (up, down) = (self.up.fixed(rng), self.down.fixed(rng));
        Flap { up, down, ..self.clone() }.into()
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

/// A rule that comes and goes, and is there first.
struct Flapping {
    rule: LinkRule,
    on: Option<RuleId>,
    up: Span,
    down: Span,
}

impl Action for Flapping {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        self.step(context, 0);
        None
    }

    fn step(&mut self, context: &mut FaultContext<'_>, _step: usize) {
        let span = match self.on.take() {
            Some(id) => {
                context.world.remove_rule(id);
                self.up
            }
            None => {
                self.on = Some(context.world.add_rule(self.rule.clone()));
                self.down
            }
        };
        // Without a least time a span of zero would flap for ever in one instant.
        let after = span.draw(context.world.rng()).max(FLAP_MIN);
        context.alarm(after, 0);
    }

    fn end(&mut self, context: &mut FaultContext<'_>) {
        // The fault may end in a phase in which the links work.
        if let Some(id) = self.on.take() {
            context.world.remove_rule(id);
        }
    }
}
