//! What faults can do to the world. The driver implements it, and so do the tests of the nemesis.

use std::time::Duration;

use super::link_rules::{LinkRule, RuleId};
use crate::node::CrashPolicy;
use crate::rng::Rng;
use crate::time::Time;
use crate::trace::{NodeId, OpType, Value};

/// How a node is, as the nemesis sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It runs.
    Up,
    /// It was killed or has crashed.
    Down,
    /// It runs but does nothing; its inputs wait.
    Paused,
    /// It is not a member yet, or no longer (`join`, `leave`).
    Absent,
}

pub(crate) trait World {
    fn now(&self) -> Time;
    /// The nemesis' own stream.
    fn rng(&mut self) -> &mut Rng;
    /// All nodes of the system, without clients, in the scenario's order.
    fn nodes(&self) -> Vec<NodeId>;
    /// All clients.
    fn clients(&self) -> Vec<NodeId>;
    fn name(&self, node: NodeId) -> &str;
    fn role(&self, node: NodeId) -> &str;
    fn status(&self, node: NodeId) -> Status;
    /// The last value that a node showed of a metric; `None` if it never did or is down.
    fn metric(&self, node: NodeId, metric: &str) -> Option<Value>;

    fn add_rule(&mut self, rule: LinkRule) -> RuleId;
    fn remove_rule(&mut self, rule: RuleId);

    /// The process ends immediately. `policy` replaces the scenario's for what was not synced. Nothing
    /// happens to a node that is down.
    fn kill(&mut self, node: NodeId, policy: Option<CrashPolicy>);
    /// Start a node that is down; nothing happens to others.
    fn start(&mut self, node: NodeId);
    fn pause(&mut self, node: NodeId);
    fn resume(&mut self, node: NodeId);
    /// Processor time of every input, times `factor`; 1 is normal.
    fn slow(&mut self, node: NodeId, factor: f64);
    /// Ask the process to stop in an orderly way (`Node::on_stop`); it is down afterwards.
    fn stop(&mut self, node: NodeId);
    /// `Node::on_command`.
    fn command(&mut self, node: NodeId, command: &str);

    fn wall_step(&mut self, node: NodeId, by_ns: i64);
    /// Set the drift of the oscillator, ppm. `None`: what it had at the
    /// start.
    fn drift(&mut self, node: NodeId, ppm: Option<f64>);
    /// The wall clock stands still, or goes on from where it stood.
    fn freeze(&mut self, node: NodeId, frozen: bool);
    /// Put the wall clock right.
    fn wall_reset(&mut self, node: NodeId);

    /// Flip bits of durable data. What was done in words, or `None` if the disk is empty.
    fn bitflip(&mut self, node: NodeId, file: Option<&str>, bits: u32) -> Option<String>;
    /// Cut bytes from the end of a durable file.
    fn cut_file(&mut self, node: NodeId, file: Option<&str>, bytes: u64) -> Option<String>;
    /// From now on every save fails because the disk is full, or no longer.
    fn disk_full(&mut self, node: NodeId, full: bool);
    /// Each sync fails with this probability; 0 is normal.
    fn disk_error(&mut self, node: NodeId, probability: f64);
    /// Syncs take `factor` times as long; 1 is normal.
    fn disk_slow(&mut self, node: NodeId, factor: f64);
    /// No sync ends until the stall does.
    fn disk_stall(&mut self, node: NodeId, stalled: bool);
    /// Remember the durable content for `restore`.
    fn backup(&mut self, node: NodeId);
    /// Put the remembered content back (nothing, if there is none). The node must be down.
    fn restore(&mut self, node: NodeId);
    /// Empty the disk. The node must be down.
    fn wipe(&mut self, node: NodeId);

    /// Call the nemesis again at this time, with this token (`Nemesis::on_alarm`).
    fn alarm(&mut self, at: Time, token: u64);
    /// A line of the history under the process `nemesis`.
    fn record(&mut self, op_type: OpType, fault: &'static str, value: String);
    /// Draw a duration from the nemesis' stream.
    fn draw(&mut self, min: Duration, max: Duration) -> Duration {
        self.rng().duration(min, max)
    }
}
