//! Nodes that are cut off one after another and come back in another order, as FoundationDB's
//! "swizzle-clog" does.

use std::time::Duration;

use crate::faults::{
    Action, Direction, Fault, FaultContext, FaultParameters, FaultSpec, Hits, Impact, Lasting,
    Lasts, LinkEffect, LinkRule, LinkSet, Plan, PlanRequest, RuleId, between, without,
};
use crate::language::Span;
use crate::rng::Rng;
use crate::trace::NodeId;

/// The fault `swizzle`.
pub static SWIZZLE: Fault = Fault {
    name: "swizzle",
    group: "composed",
    summary: "The targets are cut off one after another at random times, and come back in another \
            random order, after FoundationDB.",
    example: "at = \"5s\"\n\
        duration = \"4s\"\n\
        fault = \"swizzle\"\n\
        targets = \"minority\"",
    hits: Hits::Nodes,
    lasting: Lasting::Duration,
    targets: "all",
    read: |_, _, _| Some(Swizzle.into()),
};

/// Each target is cut off at a random time of the first half, and connected again at one of the
/// second.
#[derive(Clone, Debug, PartialEq)]
pub struct Swizzle;

impl FaultParameters for Swizzle {
    fn fault(&self) -> &'static Fault {
        &SWIZZLE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let nodes = request.world.nodes();
        let cut = |node: &NodeId| between(&[*node], &without(&nodes, &[*node]), Direction::Both);
        let window = request.window();
        let mut clogs = Vec::new();
        for node in request.targets {
            let begin = request.duration(Span { min: Duration::ZERO, max: window / 2 });
            let end = request.duration(Span { min: window / 2, max: window });
            clogs.push(Clog { links: cut(node), begin, end, rule: None });
        }
        let pairs = clogs.iter().flat_map(|clog| clog.links.pairs.clone()).collect();
        Ok(Plan {
            words: request.words(),
            impact: Impact::of_links(LinkSet { pairs }),
            lasts: Lasts::AsAsked,
            action: Box::new(Clogs { clogs }),
        })
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }
}

/// One node's turn.
struct Clog {
    links: LinkSet,
    begin: Duration,
    end: Duration,
    rule: Option<RuleId>,
}

struct Clogs {
    clogs: Vec<Clog>,
}

impl Action for Clogs {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        for (turn, clog) in self.clogs.iter().enumerate() {
            context.alarm(clog.begin, 2 * turn);
            context.alarm(clog.end, 2 * turn + 1);
        }
        None
    }

    fn step(&mut self, context: &mut FaultContext<'_>, step: usize) {
        let clog = &mut self.clogs[step / 2];
        if step.is_multiple_of(2) {
            let rule = LinkRule { links: clog.links.clone(), effect: LinkEffect::Cut };
            clog.rule = Some(context.world.add_rule(rule));
        } else if let Some(rule) = clog.rule.take() {
            context.world.remove_rule(rule);
        }
    }

    fn end(&mut self, context: &mut FaultContext<'_>) {
        // An end at `duration` or later rings no alarm, so some nodes may still be cut off.
        for clog in &mut self.clogs {
            if let Some(rule) = clog.rule.take() {
                context.world.remove_rule(rule);
            }
        }
    }
}
