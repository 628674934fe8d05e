//! The simulation: one driver that owns the event heap, moves virtual time and calls nodes inline.

mod clock;
pub mod dialogue;
mod driver;
mod host;
mod nemesis_hands;
mod network;
mod panics;
pub mod participant;
mod process;
mod programs;
mod queue;
mod recorder;
mod step;
pub(crate) mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod transport;

use std::future::Future;
use std::pin::Pin;

use crate::node::{Identity, Node};
use crate::program::Stall;
use crate::scenario::Scenario;
use crate::trace::{NodeId, Trace, Word};

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
    fn client(
        &self,
        index: usize,
        io: Io<<Self::Node as Node>::Msg>,
    ) -> Pin<Box<dyn Future<Output = ()>>>;
}

/// What a run is to do besides simulating.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The seed; it replaces the scenario's.
    pub seed: u64,
    /// Collect the lines of `--log`.
    pub log: bool,
    /// Count messages and let them enter the digest, but do not keep them. No check looks at them;
    /// plots and `messages.csv` do.
    pub fold_messages: bool,
    /// Turn every message into its JSON form and back before it is sent: the run is the same, if no
    /// form loses anything.
    pub through_json: bool,
}

/// What a run gives.
#[derive(Clone, Debug, Default)]
pub struct RunOutput {
    /// The trace.
    pub trace: Trace,
    /// The lines of `--log`, in order: what nodes wrote with `Ctx::log` and what the network and
    /// the nemesis did.
    pub log: Vec<LogLine>,
    /// Why the run was given up before its end; its verdict is then `unknown`, whatever the checks
    /// say.
    pub aborted: Option<String>,
    /// With [`RunOptions::through_json`]: the first message of each type, as a program would get
    /// it.
    pub forms: std::collections::BTreeMap<&'static str, serde_json::Value>,
    /// When planted defects acted, in the order of time. No part of the trace, so that no check can
    /// see it.
    pub acted: Vec<Acted>,
    /// The program that did not answer, where it was given up for that.
    pub stall: Option<Stall>,
    /// What programs printed that ended without an answer.
    pub last_words: Vec<LastWords>,
}

/// A moment at which a planted defect changed what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acted {
    /// True virtual time, µs.
    pub time_us: u64,
    /// The node in whose step it acted; `None` for a client.
    pub node: Option<NodeId>,
    /// The defect's name.
    pub defect: &'static str,
}

/// The last that a program printed before it ended without an answer. It is not part of the trace:
/// it may differ between two runs of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWords {
    /// Whose program it is. Of each node only the first such end is kept.
    pub node: NodeId,
    /// When it ended, virtual µs.
    pub time_us: u64,
    /// What it printed past its SDK, some kilobytes at most.
    pub text: String,
}

/// A line of `--log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// True virtual time, µs.
    pub time_us: u64,
    /// The node concerned, by name; `network` or `nemesis`.
    pub node: String,
    /// `message`, `stream`, `timer`, `disk`, `clock`, `process`, `nemesis` or `node` (what the node
    /// itself wrote).
    pub kind: &'static str,
    /// The text.
    pub text: String,
}

/// Simulate, on a fresh thread: a second madsim runtime on the same thread would iterate hash maps
/// in another order.
///
/// # Panics
///
/// Where the testbed itself is at fault; a node's panic is a recorded crash of that node.
pub fn run<C: Cluster>(
    scenario: &Scenario,
    options: &RunOptions,
    cluster: impl FnOnce() -> C + Send,
) -> RunOutput {
    std::thread::scope(|scope| {
        let simulation =
            std::thread::Builder::new().name("simulation".to_owned()).stack_size(STACK_BYTES);
        let thread = simulation.spawn_scoped(scope, || run_here(scenario, options, cluster()));
        match thread.expect("a thread can be started").join() {
            Ok(output) => output,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Enough for deep recursion in a node under test.
const STACK_BYTES: usize = 8 * 1024 * 1024;

fn run_here<C: Cluster>(scenario: &Scenario, options: &RunOptions, cluster: C) -> RunOutput {
    let runtime =
        madsim::runtime::Runtime::with_seed_and_config(options.seed, madsim::Config::default());
    runtime.block_on(driver::Driver::new(scenario, options, cluster).run(options.seed))
}
