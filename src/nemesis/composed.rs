//! Faults made of others: `swarm` and `swizzle`. (`random` is one line in the engine.)

use std::time::Duration;

use super::plan::{Deed, Hand, Lasts, Order, Plan, Toll};
use super::schedule::{Alarm, Schedule};
use super::shapes::{between, without};
use super::targets::words;
use crate::scenario::{Amount, Direction, Fault, Span};
use crate::sim::link::{LinkEffect, LinkRule, LinkSet, RuleId};
use crate::sim::world::World;
use crate::time::nanos;
use crate::trace::NodeId;

/// A fault that a swarm has kept, with parameters that stay the same for the whole run.
///
/// Swarm testing (Groce and others, ISSTA 2012): a run that uses only some of the features, some of
/// them heavily, finds more than one that uses all of them evenly. So the swarm draws once which
/// faults happen, how strong they are, how often they come and how long they stay.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) fault: Fault,
    /// Mean time between two beginnings, as a part of the swarm's window.
    gap: f64,
    /// The longest time that one lasts, as a part of the gap.
    stay: f64,
}

/// A member comes from so many to so many times in a long window, on average.
const TIMES: (f64, f64) = (4.0, 20.0);

/// The least mean time between two beginnings of a member. Shorter faults are over before a system
/// has noticed them; so in a short window each member comes once and stays until about its end.
const GAP_MIN: Duration = Duration::from_secs(1);

/// Draw which faults a swarm keeps: each with the same drawn probability, and at least one.
pub(super) fn draw_members(world: &mut dyn World, among: &[Fault], keep: Amount) -> Vec<Member> {
    let keep = world.rng().amount(keep.min, keep.max);
    let mut kept: Vec<&Fault> = among.iter().filter(|_| world.rng().chance(keep)).collect();
    if kept.is_empty() {
        kept.extend(world.rng().pick(among));
    }
    let draw = |fault: &Fault| Member {
        fault: fix(world, fault),
        gap: world.rng().amount(1.0 / TIMES.1, 1.0 / TIMES.0),
        stay: world.rng().amount(0.25, 1.0),
    };
    kept.into_iter().map(draw).collect()
}

/// A swarm in force. Its members are begun by the engine, which alone can begin faults, and end
/// with it.
pub(super) struct Swarm {
    pub(super) members: Vec<Member>,
    /// How long it lasts.
    pub(super) window: Duration,
}

impl Swarm {
    /// Each member comes for the first time within its first gap, and in the first half of the
    /// window.
    pub(super) fn begin(&self, world: &mut dyn World, schedule: &mut Schedule, active: u64) {
        for member in 0..self.members.len() {
            let after = world.draw(Duration::ZERO, self.gap(member).min(self.window / 2));
            let at = world.now() + after;
            schedule.set(world, at, Alarm::Member { active, member });
        }
    }

    /// A member's time has come: set the alarm for its next one, and say how long it stays this
    /// time.
    pub(super) fn next(
        &self,
        world: &mut dyn World,
        schedule: &mut Schedule,
        active: u64,
        member: usize,
    ) -> Duration {
        let gap = self.gap(member);
        let after = world.draw(gap / 2, gap + gap / 2);
        let at = world.now() + after;
        schedule.set(world, at, Alarm::Member { active, member });
        let stay = part(gap, self.members[member].stay);
        world.draw(stay / 2, stay)
    }

    fn gap(&self, member: usize) -> Duration {
        part(self.window, self.members[member].gap).max(GAP_MIN)
    }
}

fn part(of: Duration, fraction: f64) -> Duration {
    Duration::from_nanos((nanos(of) as f64 * fraction) as u64)
}

/// The same fault with every range drawn.
fn fix(world: &mut dyn World, fault: &Fault) -> Fault {
    let mut fault = fault.clone();
    let mut amount = |amount: &mut Amount| {
        let drawn = world.rng().amount(amount.min, amount.max);
        *amount = Amount { min: drawn, max: drawn };
    };
    match &mut fault {
        Fault::Loss { probability, .. }
        | Fault::Duplicate { probability, .. }
        | Fault::Reorder { probability, .. }
        | Fault::Corrupt { probability, .. }
        | Fault::DiskError { probability } => amount(probability),
        Fault::Bandwidth { bytes_per_second, .. } => amount(bytes_per_second),
        Fault::Slow { factor } | Fault::DiskSlow { factor } => amount(factor),
        Fault::ClockBump { by_ms } => amount(by_ms),
        Fault::ClockDrift { ppm } => amount(ppm),
        Fault::ClockStrobe { by_ms, .. } => amount(by_ms),
        _ => {}
    }
    let mut span = |span: &mut Span| {
        let drawn = world.draw(span.min, span.max);
        *span = Span { min: drawn, max: drawn };
    };
    match &mut fault {
        Fault::Flap { up, down, .. } => {
            span(up);
            span(down);
        }
        Fault::Delay { delay, .. } => span(delay),
        Fault::Restart { down }
        | Fault::Wipe { down }
        | Fault::DiskLoss { down }
        | Fault::TornWrite { down }
        | Fault::StaleRestore { down } => span(down),
        Fault::ClockStrobe { period, .. } => span(period),
        _ => {}
    }
    fault
}

/// Cut the targets off one after another, each at a random time of the first half, and connect them
/// again in another random order, as FoundationDB's "swizzle-clog" does.
pub(super) fn plan_swizzle(mut order: Order<'_>) -> Result<Plan, String> {
    let nodes = order.world.nodes();
    let cut = |node: &NodeId| between(&[*node], &without(&nodes, &[*node]), Direction::Both);
    let window = order.window();
    let mut cuts = Vec::new();
    for node in order.targets {
        let begin = order.draw(Span { min: Duration::ZERO, max: window / 2 });
        let end = order.draw(Span { min: window / 2, max: window });
        cuts.push(Clog { links: cut(node), begin, end, rule: None });
    }
    let all = LinkSet { pairs: cuts.iter().flat_map(|clog| clog.links.pairs.clone()).collect() };
    Ok(Plan {
        words: words(order.world, order.targets),
        toll: Toll::of_links(all),
        lasts: Lasts::AsAsked,
        deed: Box::new(Swizzle { cuts }),
    })
}

/// One node's turn.
struct Clog {
    links: LinkSet,
    begin: Duration,
    end: Duration,
    rule: Option<RuleId>,
}

struct Swizzle {
    cuts: Vec<Clog>,
}

impl Deed for Swizzle {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        for (turn, clog) in self.cuts.iter().enumerate() {
            hand.alarm(clog.begin, 2 * turn);
            hand.alarm(clog.end, 2 * turn + 1);
        }
        None
    }

    fn step(&mut self, hand: &mut Hand<'_>, step: usize) {
        let clog = &mut self.cuts[step / 2];
        if step.is_multiple_of(2) {
            clog.rule = Some(
                hand.world
                    .add_rule(LinkRule { links: clog.links.clone(), effect: LinkEffect::Cut }),
            );
        } else if let Some(rule) = clog.rule.take() {
            hand.world.remove_rule(rule);
        }
    }

    fn end(&mut self, hand: &mut Hand<'_>) {
        for clog in &mut self.cuts {
            if let Some(rule) = clog.rule.take() {
                hand.world.remove_rule(rule);
            }
        }
    }
}
