//! What is done to each node at this moment, and by which faults.
//!
//! Faults overlap. Two of them may pause the same node, a third kill it; when the first ends, the
//! node must stay as the others want it. So nobody undoes anything directly: a fault takes a hold
//! of a node and releases it, and the node is put into the state that the holds left over ask for.

use std::collections::BTreeMap;

use super::world::{Status, World};
use crate::node::CrashPolicy;
use crate::trace::NodeId;

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    /// Immediately; unsynced saves as the policy says, or as the scenario's if it is `None`.
    Kill(Option<CrashPolicy>),
    /// Immediately, and the disk is emptied.
    Wipe,
    /// It is asked to.
    Stop,
    /// It is asked to, because it leaves the cluster.
    Leave,
}

/// What a fault does to a node as long as it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Hold {
    /// The process has ended. It starts when the last such hold goes.
    Down(How),
    /// The process does nothing. A process that starts under such a hold is paused immediately: it
    /// is the machine that stands still.
    Paused,
    /// Processor time of every input, times this; several multiply.
    Slow(f64),
    /// The oscillator's drift, ppm; the last one taken counts.
    Drift(f64),
    /// The wall clock stands still.
    Frozen,
    /// The wall clock has been stepped by this many nanoseconds, and goes back by as many.
    Stepped(i64),
    /// Saves fail because the disk is full.
    DiskFull,
    /// Syncs fail with this probability; several act independently.
    DiskError(f64),
    /// Syncs take this many times as long; several multiply.
    DiskSlow(f64),
    /// No sync ends.
    DiskStall,
}

/// All holds, by node, in the order in which they were taken.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    of: BTreeMap<NodeId, Vec<(u64, Hold)>>,
}

impl Holds {
    /// The fault `id` takes a hold of a node.
    pub(crate) fn take(&mut self, world: &mut dyn World, id: u64, node: NodeId, hold: Hold) {
        self.of.entry(node).or_default().push((id, hold));
        match hold {
            Hold::Down(how) => end_process(world, node, how),
            Hold::Paused if world.status(node) == Status::Up => world.pause(node),
            Hold::Paused => {}
            Hold::Stepped(by_ns) => world.wall_step(node, by_ns),
            _ => self.settle(world, node, hold),
        }
    }

    /// The fault `id` lets go of a node.
    pub(crate) fn release(&mut self, world: &mut dyn World, id: u64, node: NodeId) {
        self.release_where(world, node, |holder, _| holder == id);
    }

    /// A node that has left comes back: no fault keeps it away any more.
    pub(crate) fn release_left(&mut self, world: &mut dyn World, node: NodeId) {
        self.release_where(world, node, |_, hold| hold == Hold::Down(How::Leave));
    }

    /// The wall clock was put right: nobody has stepped it any more.
    pub(crate) fn forget_steps(&mut self, node: NodeId) {
        if let Some(holds) = self.of.get_mut(&node) {
            holds.retain(|(_, hold)| !matches!(hold, Hold::Stepped(_)));
        }
    }

    /// Whether the fault holds any node.
    pub(crate) fn any(&self, id: u64) -> bool {
        self.of.values().flatten().any(|(holder, _)| *holder == id)
    }

    /// Whether the fault keeps any node down.
    pub(crate) fn keeps_down(&self, id: u64) -> bool {
        self.of
            .values()
            .flatten()
            .any(|(holder, hold)| *holder == id && matches!(hold, Hold::Down(_)))
    }

    /// Whether the node has left the cluster.
    pub(crate) fn has_left(&self, node: NodeId) -> bool {
        self.holds(node).any(|hold| hold == Hold::Down(How::Leave))
    }

    fn holds(&self, node: NodeId) -> impl Iterator<Item = Hold> + '_ {
        self.of.get(&node).into_iter().flatten().map(|(_, hold)| *hold)
    }

    fn release_where(
        &mut self,
        world: &mut dyn World,
        node: NodeId,
        goes: impl Fn(u64, Hold) -> bool,
    ) {
        let Some(holds) = self.of.get_mut(&node) else { return };
        let (released, kept): (Vec<_>, Vec<_>) =
            holds.drain(..).partition(|(holder, hold)| goes(*holder, *hold));
        *holds = kept;
        for (_, hold) in released {
            match hold {
                Hold::Down(how) => self.maybe_start(world, node, how),
                Hold::Paused => self.maybe_resume(world, node),
                Hold::Stepped(by_ns) => world.wall_step(node, by_ns.saturating_neg()),
                _ => self.settle(world, node, hold),
            }
        }
    }

    fn maybe_start(&mut self, world: &mut dyn World, node: NodeId, how: How) {
        if self.holds(node).any(|hold| matches!(hold, Hold::Down(_))) {
            return;
        }
        // A process that was asked to stop and has not done so yet is not asked any longer, as an
        // init system does it.
        if matches!(how, How::Stop | How::Leave) {
            world.kill(node, None);
        }
        if matches!(world.status(node), Status::Down | Status::Absent) {
            world.start(node);
        }
        if world.status(node) == Status::Up && self.holds(node).any(|hold| hold == Hold::Paused) {
            world.pause(node);
        }
    }

    fn maybe_resume(&mut self, world: &mut dyn World, node: NodeId) {
        if world.status(node) == Status::Paused
            && !self.holds(node).any(|hold| hold == Hold::Paused)
        {
            world.resume(node);
        }
    }

    /// Put a node into the state that its holds of this kind ask for.
    fn settle(&self, world: &mut dyn World, node: NodeId, kind: Hold) {
        let holds = self.holds(node);
        match kind {
            Hold::Slow(_) => world.slow(
                node,
                holds
                    .map(|hold| if let Hold::Slow(factor) = hold { factor } else { 1.0 })
                    .product(),
            ),
            Hold::DiskSlow(_) => {
                world.disk_slow(
                    node,
                    holds
                        .map(|hold| if let Hold::DiskSlow(factor) = hold { factor } else { 1.0 })
                        .product(),
                );
            }
            Hold::Drift(_) => {
                let last = holds
                    .filter_map(|hold| if let Hold::Drift(ppm) = hold { Some(ppm) } else { None })
                    .last();
                world.drift(node, last);
            }
            Hold::DiskError(_) => {
                let works: f64 = holds
                    .map(|hold| {
                        if let Hold::DiskError(probability) = hold {
                            1.0 - probability
                        } else {
                            1.0
                        }
                    })
                    .product();
                world.disk_error(node, 1.0 - works);
            }
            Hold::Frozen | Hold::DiskFull | Hold::DiskStall => {
                let on = self.holds(node).any(|hold| hold == kind);
                match kind {
                    Hold::Frozen => world.freeze(node, on),
                    Hold::DiskFull => world.disk_full(node, on),
                    _ => world.disk_stall(node, on),
                }
            }
            Hold::Down(_) | Hold::Paused | Hold::Stepped(_) => {
                unreachable!("these are done and undone, not settled")
            }
        }
    }
}

fn end_process(world: &mut dyn World, node: NodeId, how: How) {
    match how {
        How::Kill(policy) => world.kill(node, policy),
        How::Stop | How::Leave => world.stop(node),
        How::Wipe => {
            world.kill(node, None);
            if world.status(node) == Status::Down {
                world.wipe(node);
            }
        }
    }
}
