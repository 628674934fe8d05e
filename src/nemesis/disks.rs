//! Faults of disks. A disk that is full, failing or stalled counts as a faulty node, because the
//! process may end or stand still at any save.

use std::time::Duration;

use super::holds::{Hold, How};
use super::plan::{Deed, Hand, Lasts, Order, Plan, Toll};
use super::process::Holding;
use super::targets::words;
use crate::node::CrashPolicy;
use crate::scenario::Fault;
use crate::sim::world::Status;
use crate::trace::NodeId;

pub(super) fn plan(mut order: Order<'_>) -> Plan {
    let nodes = order.targets.to_vec();
    let words = words(order.world, &nodes);
    let toll = Toll::of_nodes(&nodes);
    let harmless = Toll::default();
    let holding = |hold| Box::new(Holding::all(&nodes, hold));
    match order.fault {
        Fault::DiskLoss { down } => {
            let lasts = Lasts::Exactly(order.draw(*down));
            Plan {
                words,
                toll,
                lasts,
                deed: holding(Hold::Down(How::Kill(Some(CrashPolicy::Lose)))),
            }
        }
        Fault::TornWrite { down } => {
            let lasts = Lasts::Exactly(order.draw(*down));
            Plan {
                words,
                toll,
                lasts,
                deed: holding(Hold::Down(How::Kill(Some(CrashPolicy::Torn)))),
            }
        }
        Fault::DiskFull => {
            Plan { words, toll, lasts: Lasts::AsAsked, deed: holding(Hold::DiskFull) }
        }
        Fault::DiskStall => {
            Plan { words, toll, lasts: Lasts::AsAsked, deed: holding(Hold::DiskStall) }
        }
        Fault::DiskError { probability } => {
            let probability =
                order.world.rng().amount(probability.min, probability.max).clamp(0.0, 1.0);
            let words = format!("{words} (probability {probability:.3})");
            Plan { words, toll, lasts: Lasts::AsAsked, deed: holding(Hold::DiskError(probability)) }
        }
        Fault::DiskSlow { factor } => {
            let factor = order.world.rng().amount(factor.min, factor.max);
            let words = format!("{words} ({factor:.2} times)");
            Plan {
                words,
                toll: harmless,
                lasts: Lasts::AsAsked,
                deed: holding(Hold::DiskSlow(factor)),
            }
        }
        Fault::Bitflip { file, bits } => {
            let damage = Damage::Bits(*bits);
            Plan {
                words,
                toll: harmless,
                lasts: Lasts::Instant,
                deed: Box::new(Spoil { nodes, file: file.clone(), damage }),
            }
        }
        Fault::Truncate { file, bytes } => {
            let damage = Damage::Bytes(*bytes);
            Plan {
                words,
                toll: harmless,
                lasts: Lasts::Instant,
                deed: Box::new(Spoil { nodes, file: file.clone(), damage }),
            }
        }
        Fault::StaleRestore { down } => {
            // The end must come before `duration`, or the old state would never be put back.
            let down = order.draw(*down).max(Duration::from_millis(1)).min(order.left);
            let after = order.lasts.unwrap_or(order.left).min(order.left - down);
            Plan {
                words,
                toll,
                lasts: Lasts::Exactly(after + down),
                deed: Box::new(StaleRestore { nodes, after, down: false }),
            }
        }
        other => unreachable!("no fault of disks: {other:?}"),
    }
}

#[derive(Clone, Copy)]
enum Damage {
    Bits(u32),
    Bytes(u64),
}

/// Durable data is damaged, for good.
struct Spoil {
    nodes: Vec<NodeId>,
    file: Option<String>,
    damage: Damage,
}

impl Deed for Spoil {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        let mut said = Vec::new();
        for node in &self.nodes {
            let done = match self.damage {
                Damage::Bits(bits) => hand.world.bitflip(*node, self.file.as_deref(), bits),
                Damage::Bytes(bytes) => hand.world.cut_file(*node, self.file.as_deref(), bytes),
            };
            said.push(done.unwrap_or_else(|| "nothing there".to_owned()));
        }
        Some(said.join("; "))
    }
}

/// The disk as it was when the fault began comes back when it ends: a backup was restored, a
/// snapshot of a virtual machine.
///
/// The node counts as faulty from the beginning, although it is down only at the end; otherwise
/// another fault could begin that leaves no room for its being down.
struct StaleRestore {
    nodes: Vec<NodeId>,
    after: Duration,
    down: bool,
}

impl Deed for StaleRestore {
    fn begin(&mut self, hand: &mut Hand<'_>) -> Option<String> {
        self.nodes.iter().for_each(|node| hand.world.backup(*node));
        hand.alarm(self.after, 0);
        None
    }

    fn step(&mut self, hand: &mut Hand<'_>, _step: usize) {
        self.down = true;
        for node in &self.nodes {
            hand.holds.take(hand.world, hand.id, *node, Hold::Down(How::Kill(None)));
            if hand.world.status(*node) == Status::Down {
                hand.world.restore(*node);
            }
        }
    }

    fn end(&mut self, hand: &mut Hand<'_>) {
        if self.down {
            self.nodes.iter().for_each(|node| hand.holds.release(hand.world, hand.id, *node));
        }
    }
}
