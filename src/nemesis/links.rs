//! Faults of links: rules that are in force for a while, and flapping.

use std::time::Duration;

use super::plan::{Deed, Hand, Lasts, Order, Plan, Toll};
use super::shapes::{self, around, direction_words};
use super::targets::{everybody, named, words};
use crate::scenario::{Amount, Direction, Fault, Span};
use crate::sim::link::{LinkEffect, LinkRule, LinkSet, RuleId};
use crate::trace::NodeId;

/// Links go up and down, and clocks there and back, no faster than this.
pub(super) const FLAP_MIN: Duration = Duration::from_micros(100);

pub(super) fn plan(mut order: Order<'_>) -> Result<Plan, String> {
    let order = &mut order;
    match order.fault {
        Fault::Partition { shape, direction, clients } => {
            let split = shapes::split(order, shape, *direction, *clients)?;
            let toll = Toll::of_links(split.links.clone());
            let rule = LinkRule { links: split.links, effect: LinkEffect::Cut };
            Ok(Plan {
                words: split.words,
                toll,
                lasts: Lasts::AsAsked,
                deed: Box::new(Rules::new(vec![rule])),
            })
        }
        Fault::Flap { shape, direction, clients, up, down } => {
            let split = shapes::split(order, shape, *direction, *clients)?;
            let toll = Toll::of_links(split.links.clone());
            let rule = LinkRule { links: split.links, effect: LinkEffect::Cut };
            Ok(Plan {
                words: split.words,
                toll,
                lasts: Lasts::AsAsked,
                deed: Box::new(Flap { rule, on: None, up: *up, down: *down }),
            })
        }
        Fault::Latency { latency, direction } => {
            Ok(at_targets(order, *direction, LinkEffect::Latency(*latency), ""))
        }
        Fault::Loss { probability, correlation, direction } => {
            let (probability, said) = draw_probability(order, *probability);
            Ok(at_targets(
                order,
                *direction,
                LinkEffect::Loss { probability, correlation: *correlation },
                &said,
            ))
        }
        Fault::Duplicate { probability, direction } => {
            let (probability, said) = draw_probability(order, *probability);
            Ok(at_targets(order, *direction, LinkEffect::Duplicate(probability), &said))
        }
        Fault::Reorder { probability, delay, direction } => {
            let (probability, said) = draw_probability(order, *probability);
            Ok(at_targets(
                order,
                *direction,
                LinkEffect::Reorder { probability, delay: *delay },
                &said,
            ))
        }
        Fault::Corrupt { probability, direction } => {
            let (probability, said) = draw_probability(order, *probability);
            Ok(at_targets(order, *direction, LinkEffect::Corrupt(probability), &said))
        }
        Fault::Bandwidth { bytes_per_second, queue, direction } => {
            let bytes_per_second =
                order.world.rng().amount(bytes_per_second.min, bytes_per_second.max).max(1.0)
                    as u64;
            let said = format!(" ({bytes_per_second} bytes/s)");
            Ok(at_targets(
                order,
                *direction,
                LinkEffect::Bandwidth { bytes_per_second, queue: *queue },
                &said,
            ))
        }
        Fault::Hold { message, src, dest } => at_messages(
            order,
            message,
            src,
            dest,
            None,
            LinkEffect::Hold { message: message.clone() },
        ),
        Fault::Drop { message, src, dest, nth } => at_messages(
            order,
            message,
            src,
            dest,
            *nth,
            LinkEffect::Drop { message: message.clone(), nth: *nth },
        ),
        Fault::Delay { message, src, dest, delay, nth } => {
            let effect = LinkEffect::Delay {
                message: message.clone(),
                delay: (delay.min, delay.max),
                nth: *nth,
            };
            at_messages(order, message, src, dest, *nth, effect)
        }
        other => unreachable!("no fault of links: {other:?}"),
    }
}

fn draw_probability(order: &mut Order<'_>, probability: Amount) -> (f64, String) {
    let drawn = order.world.rng().amount(probability.min, probability.max).clamp(0.0, 1.0);
    (drawn, format!(" (probability {drawn:.3})"))
}

/// A fault of all links of the targets.
fn at_targets(order: &Order<'_>, direction: Direction, effect: LinkEffect, said: &str) -> Plan {
    let links = around(order.world, order.targets, direction);
    let words = words(order.world, order.targets) + direction_words(direction) + said;
    with_rule(links, effect, words)
}

/// A fault of some messages on the links that the entry names; of all links of the targets where it
/// names none.
fn at_messages(
    order: &Order<'_>,
    message: &Option<String>,
    src: &[String],
    dest: &[String],
    nth: Option<u64>,
    effect: LinkEffect,
) -> Result<Plan, String> {
    let which = message.as_deref().unwrap_or("all messages");
    let which = nth.map_or(which.to_owned(), |nth| format!("{which}, number {nth}"));
    if src.is_empty() && dest.is_empty() {
        return Ok(at_targets(order, Direction::Both, effect, &format!(" ({which})")));
    }
    let end = |names: &[String]| {
        if names.is_empty() {
            everybody(order.world)
        } else {
            named(order.world, order.groups, names, order.targets)
        }
    };
    let (from, to) = (end(src), end(dest));
    if from.is_empty() || to.is_empty() {
        return Err("there is no such link".to_owned());
    }
    let all = everybody(order.world);
    let said =
        |nodes: &[NodeId]| if nodes == all { "any".to_owned() } else { words(order.world, nodes) };
    let words = format!("{} > {} ({which})", said(&from), said(&to));
    Ok(with_rule(LinkSet { pairs: vec![(from, to)] }, effect, words))
}

fn with_rule(links: LinkSet, effect: LinkEffect, words: String) -> Plan {
    let stops_everything = match &effect {
        LinkEffect::Hold { message: None } | LinkEffect::Drop { message: None, nth: None } => true,
        LinkEffect::Loss { probability, .. } => *probability >= 1.0,
        _ => false,
    };
    let toll = if stops_everything { Toll::of_links(links.clone()) } else { Toll::default() };
    Plan {
        words,
        toll,
        lasts: Lasts::AsAsked,
        deed: Box::new(Rules::new(vec![LinkRule { links, effect }])),
    }
}

/// Rules that are in force all the time.
struct Rules {
    rules: Vec<LinkRule>,
    ids: Vec<RuleId>,
}

impl Rules {
    fn new(rules: Vec<LinkRule>) -> Rules {
        Rules { rules, ids: vec![] }
    }
}

impl Deed for Rules {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        self.ids = self.rules.drain(..).map(|rule| hand.world.add_rule(rule)).collect();
        None
    }

    fn end(&mut self, hand: &mut Hand<'_>) {
        self.ids.drain(..).for_each(|id| hand.world.remove_rule(id));
    }
}

/// A rule that comes and goes, beginning with its being there.
struct Flap {
    rule: LinkRule,
    on: Option<RuleId>,
    up: Span,
    down: Span,
}

impl Deed for Flap {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        self.step(hand, 0);
        None
    }

    fn step(&mut self, hand: &mut Hand<'_>, _step: usize) {
        let span = match self.on.take() {
            Some(id) => {
                hand.world.remove_rule(id);
                self.up
            }
            None => {
                self.on = Some(hand.world.add_rule(self.rule.clone()));
                self.down
            }
        };
        let after = hand.world.draw(span.min, span.max).max(FLAP_MIN);
        hand.alarm(after, 0);
    }

    fn end(&mut self, hand: &mut Hand<'_>) {
        if let Some(id) = self.on.take() {
            hand.world.remove_rule(id);
        }
    }
}
