//! The systems that run inside the testbed, and what each declares.
//!
//! Architecture invariant: nothing below this module knows of madsim, async, files or true time.

pub mod audio;
mod client_mix;
mod client_pace;
pub mod cristian;
pub mod p2p;
mod planted;
pub mod raft;
pub mod replication;
pub mod zookeeper;

use std::sync::Arc;

use crate::checkers::Checker;
use crate::plots::Plot;
use crate::scenario::{Scenario, Section, Settings};
use crate::sim::{RunOptions, RunOutput};
use crate::trace::Trace;

/// A selectable mistake, off by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// `vote-not-persisted`.
    pub name: &'static str,
    /// What is wrong, in a sentence.
    pub summary: &'static str,
    /// The check that catches it first.
    pub caught_by: &'static str,
    /// The scenario that shows it best, and how many seeds it takes at the most.
    pub scenario: &'static str,
    /// With 99 % confidence it is caught within so many seeds of that scenario.
    pub seeds: u32,
}

/// A metric, an event or a message that a system shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name in the trace.
    pub name: &'static str,
    /// What it means, with its unit.
    pub summary: &'static str,
}

/// Why a system cannot run a scenario that otherwise reads well: an ensemble of two, sensors
/// without a web tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The key to point at, by its path: `nodes.count`, `audio.song`. Where the file lacks it, the
    /// nearest table above it is shown.
    pub key: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What is there instead, for the caret.
    pub found: String,
    /// What to do.
    pub hint: String,
}

/// A further file of a report: its name below `files/`, and its content.
pub type Artifact = (String, Vec<u8>);

/// A system: everything that the scenario reader, the runner, the checks and the documentation need
/// to know of it.
pub trait System: Send + Sync + 'static {
    /// `raft`.
    fn name(&self) -> &'static str;
    /// In a sentence.
    fn summary(&self) -> &'static str;
    /// The roles of nodes; the first is the default, and clients are `client`.
    fn roles(&self) -> &'static [&'static str];
    /// The operations that clients can draw, for `workload.mix`.
    fn operations(&self) -> &'static [&'static str];
    /// Metrics, for conditions and plots.
    fn metrics(&self) -> &'static [Shown];
    /// The words that a metric takes; empty for one that is a number or a node.
    fn metric_words(&self, metric: &str) -> &'static [&'static str] {
        let _ = metric;
        &[]
    }
    /// Events, for conditions.
    fn events(&self) -> &'static [Shown];
    /// Message types, for `drop` and `hold`.
    fn messages(&self) -> &'static [Shown];
    /// What the fault `command` can ask a node for, each as it is written: its word, and `NODE`,
    /// `[NODE]` or `NODE,NODE,…`.
    fn commands(&self) -> &'static [Shown] {
        &[]
    }
    /// All checks that make sense for it.
    fn checks(&self) -> &'static [&'static Checker];
    /// All plots that make sense for it.
    fn plots(&self) -> &'static [&'static Plot];
    /// All defects.
    fn defects(&self) -> &'static [Defect];
    /// Checks that the scenario's settings give no right to judge by, although the system is
    /// correct: they are left out of the verdict.
    fn voided_checks(&self, scenario: &Scenario) -> Vec<&'static str> {
        let _ = scenario;
        vec![]
    }
    /// Lines for its section in a new scenario, where it cannot do without.
    fn starting_settings(&self) -> &'static str {
        ""
    }
    /// How long a new scenario goes on after its faults: long enough for every check to judge by.
    fn starting_recovery(&self) -> &'static str {
        "10s"
    }
    /// What it refuses of a scenario that reads well otherwise.
    fn complaints(&self, scenario: &Scenario) -> Vec<Complaint> {
        let _ = scenario;
        vec![]
    }
    /// Further files of a report, made from the trace alone: tables of the original assignment,
    /// what a listener heard.
    fn artifacts(&self, scenario: &Scenario, trace: &Trace) -> Vec<Artifact> {
        let _ = (scenario, trace);
        vec![]
    }
    /// Read the system's own section of a scenario.
    fn read_settings(&self, section: &mut Section<'_>) -> Arc<dyn Settings>;
    /// Simulate.
    fn run(&self, scenario: &Scenario, options: &RunOptions) -> RunOutput;
}

/// All systems, in the order of the documentation.
pub const SYSTEMS: &[&dyn System] = &[
    &raft::RaftSystem,
    &audio::AudioSystem,
    &cristian::CristianSystem,
    &zookeeper::ZooKeeperSystem,
    &replication::ReplicationSystem,
    &p2p::P2pSystem,
];
