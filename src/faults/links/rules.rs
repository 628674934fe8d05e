//! Rules on links that are in force as long as a fault lasts.

use crate::faults::{
    Action, Direction, FaultContext, Impact, Lasts, LinkEffect, LinkRule, LinkSet, Plan,
    PlanRequest, RuleId, around, direction_words,
};

/// A fault of all links of the targets. `drawn`: what was drawn, in brackets.
pub(super) fn at_targets(
    request: &PlanRequest<'_>,
    direction: Direction,
    effect: LinkEffect,
    drawn: &str,
) -> Plan {
    let links = around(request.world, request.targets, direction);
    let words = request.words() + direction_words(direction) + drawn;
    with_rule(links, effect, words)
}

pub(super) fn with_rule(links: LinkSet, effect: LinkEffect, words: String) -> Plan {
    let stops_everything = match &effect {
        LinkEffect::Cut
        | LinkEffect::Hold { message: None }
        | LinkEffect::Drop { message: None, nth: None } => true,
        LinkEffect::Loss { probability, .. } => *probability >= 1.0,
        _ => false,
    };
    let impact = if stops_everything { Impact::of_links(links.clone()) } else { Impact::default() };
    Plan {
        words,
        impact,
        lasts: Lasts::AsAsked,
        action: Box::new(Rule { rule: Some(LinkRule { links, effect }), id: None }),
    }
}

/// A rule that is in force all the time.
struct Rule {
    rule: Option<LinkRule>,
    id: Option<RuleId>,
}

impl Action for Rule {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        self.id = self.rule.take().map(|rule| context.world.add_rule(rule));
        None
    }

    fn end(&mut self, context: &mut FaultContext<'_>) {
        if let Some(id) = self.id.take() {
            context.world.remove_rule(id);
        }
    }
}
