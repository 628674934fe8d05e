//! Faults of clocks. A wall clock that was bumped stays wrong until a `clock_reset`; drift and
//! freezing end with the fault.

use super::holds::Hold;
use super::links::FLAP_MIN;
use super::plan::{Deed, Hand, Lasts, Order, Plan, Toll};
use super::process::Holding;
use super::targets::words;
use crate::scenario::{Amount, Fault, Span};
use crate::trace::NodeId;

const NS_PER_MS: f64 = 1e6;

pub(super) fn plan(mut order: Order<'_>) -> Plan {
    let nodes = order.targets.to_vec();
    let names = words(order.world, &nodes);
    let (words, lasts, deed): (String, Lasts, Box<dyn Deed>) = match order.fault {
        Fault::ClockBump { by_ms } => {
            let steps = draw_steps(&mut order, *by_ms);
            (said(&order, &steps), Lasts::Instant, Box::new(Bump { steps }))
        }
        Fault::ClockStrobe { by_ms, period } => {
            let steps = draw_steps(&mut order, *by_ms);
            (
                said(&order, &steps),
                Lasts::AsAsked,
                Box::new(Strobe { steps, period: *period, there: false }),
            )
        }
        Fault::ClockDrift { ppm } => {
            let holds: Vec<_> = nodes
                .iter()
                .map(|node| (*node, Hold::Drift(order.world.rng().amount(ppm.min, ppm.max))))
                .collect();
            let ppm = |hold| if let Hold::Drift(ppm) = hold { ppm } else { 0.0 };
            let list: Vec<String> =
                holds.iter().map(|(_, hold)| format!("{:+.1}", ppm(*hold))).collect();
            (
                format!("{names} ({} ppm)", list.join(", ")),
                Lasts::AsAsked,
                Box::new(Holding::new(holds)),
            )
        }
        Fault::ClockFreeze => (names, Lasts::AsAsked, Box::new(Holding::all(&nodes, Hold::Frozen))),
        Fault::ClockReset => (names, Lasts::Instant, Box::new(Reset { nodes })),
        other => unreachable!("no fault of clocks: {other:?}"),
    };
    Plan { words, toll: Toll::default(), lasts, deed }
}

/// Each clock gets a step of its own; equal steps would leave their differences as they are.
fn draw_steps(order: &mut Order<'_>, by_ms: Amount) -> Vec<(NodeId, i64)> {
    let mut step = || (order.world.rng().amount(by_ms.min, by_ms.max) * NS_PER_MS) as i64;
    order.targets.iter().map(|node| (*node, step())).collect()
}

/// `n1,n2 (+250.0, -3.5 ms)`.
fn said(order: &Order<'_>, steps: &[(NodeId, i64)]) -> String {
    let list: Vec<String> =
        steps.iter().map(|(_, by_ns)| format!("{:+.1}", *by_ns as f64 / NS_PER_MS)).collect();
    format!("{} ({} ms)", words(order.world, order.targets), list.join(", "))
}

struct Bump {
    steps: Vec<(NodeId, i64)>,
}

impl Deed for Bump {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        self.steps.iter().for_each(|(node, by_ns)| hand.world.wall_step(*node, *by_ns));
        None
    }
}

struct Reset {
    nodes: Vec<NodeId>,
}

impl Deed for Reset {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        for node in &self.nodes {
            hand.holds.forget_steps(*node);
            hand.world.wall_reset(*node);
        }
        None
    }
}

/// There and back, a period after each other.
struct Strobe {
    steps: Vec<(NodeId, i64)>,
    period: Span,
    there: bool,
}

impl Deed for Strobe {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        self.step(hand, 0);
        None
    }

    fn step(&mut self, hand: &mut Hand<'_>, _step: usize) {
        self.there = !self.there;
        for (node, by_ns) in &self.steps {
            if self.there {
                hand.holds.take(hand.world, hand.id, *node, Hold::Stepped(*by_ns));
            } else {
                hand.holds.release(hand.world, hand.id, *node);
            }
        }
        let period = hand.world.draw(self.period.min, self.period.max);
        hand.alarm(period.max(FLAP_MIN), 0);
    }

    fn end(&mut self, hand: &mut Hand<'_>) {
        self.steps.iter().for_each(|(node, _)| hand.holds.release(hand.world, hand.id, *node));
    }
}
