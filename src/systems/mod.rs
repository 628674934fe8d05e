//! The systems that run inside the testbed, and what each declares.
//!
//! Architecture invariant: nothing below this module knows of madsim, async, files or true time.

pub mod raft;

use std::sync::Arc;

use crate::checkers::Checker;
use crate::plots::Plot;
use crate::scenario::{Scenario, Section, Settings};
use crate::sim::{RunOptions, RunOutput};

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

/// A system: everything that the scenario reader, the runner, the checks and the documentation need to know of it.
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
    /// Events, for conditions.
    fn events(&self) -> &'static [Shown];
    /// Message types, for `drop` and `hold`.
    fn messages(&self) -> &'static [Shown];
    /// What the fault `command` can ask a node for, each as it is written: its word, and `NODE`, `[NODE]` or `NODE,NODE,…`.
    fn commands(&self) -> &'static [Shown] {
        &[]
    }
    /// All checks that make sense for it.
    fn checks(&self) -> &'static [&'static Checker];
    /// All plots that make sense for it.
    fn plots(&self) -> &'static [&'static Plot];
    /// All defects.
    fn defects(&self) -> &'static [Defect];
    /// Checks that the scenario's settings give no right to judge by, although the system is correct: they are left out of the verdict.
    fn voided_checks(&self, scenario: &Scenario) -> Vec<&'static str> {
        let _ = scenario;
        vec![]
    }
    /// Read the system's own section of a scenario.
    fn read_settings(&self, section: &mut Section<'_>) -> Arc<dyn Settings>;
    /// Simulate.
    fn run(&self, scenario: &Scenario, options: &RunOptions) -> RunOutput;
}

/// All systems, in the order of the documentation.
pub const SYSTEMS: &[&dyn System] = &[&raft::RaftSystem];
