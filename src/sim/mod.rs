//! The simulation: one driver that owns the event heap, moves virtual time and calls nodes inline.

pub mod disk;
pub mod link;
pub mod participant;
pub mod rng;
pub(crate) mod world;

use std::future::Future;
use std::pin::Pin;

use crate::node::{Identity, Message, Node};
use crate::scenario::Scenario;
use crate::trace::{Trace, Word};

pub use participant::Io;

/// What a system gives to the driver: how to make its nodes and its clients.
pub trait Cluster: 'static {
    /// All roles of the system in one type, usually an enum.
    type Node: Node;

    /// A node at the beginning of an incarnation. `role` is the scenario's.
    fn node(&self, identity: &Identity, role: &str) -> Self::Node;

    /// Names and roles of the client processes, in order.
    fn clients(&self) -> Vec<(String, Word)>;

    /// The program of a client, which runs on madsim's executor and waits only through `io`.
    fn client(&self, index: usize, io: Io<<Self::Node as Node>::Msg>) -> Pin<Box<dyn Future<Output = ()>>>;
}

/// What a run is to do besides simulating.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The seed; it replaces the scenario's.
    pub seed: u64,
    /// Collect the lines of `--log`.
    pub log: bool,
}

/// What a run gives.
#[derive(Clone, Debug, Default)]
pub struct RunOutput {
    /// The trace.
    pub trace: Trace,
    /// The lines of `--log`, in order: what nodes wrote with `Ctx::log` and what the network and the nemesis did.
    pub log: Vec<LogLine>,
}

/// A line of `--log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// True virtual time, µs.
    pub time_us: u64,
    /// The node concerned, by name; `network` or `nemesis`.
    pub node: String,
    /// `message`, `timer`, `disk`, `clock`, `process`, `nemesis` or `node` (what the node itself wrote).
    pub kind: &'static str,
    /// The text.
    pub text: String,
}

/// Simulate. Runs on a fresh thread, so that two runs of one process share nothing.
pub fn run<C: Cluster>(scenario: &Scenario, options: &RunOptions, cluster: C) -> RunOutput
where
    <C::Node as Node>::Msg: Message,
{
    let _ = (scenario, options, cluster);
    unimplemented!("the driver lands next")
}
