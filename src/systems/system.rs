//! What a system declares: data, and a few functions.

use std::sync::Arc;

use crate::checkers::Checker;
use crate::defects::DefectInfo;
use crate::plots::Plot;
use crate::scenario::{Complaint, KnownSystem, Scenario, Section, Settings};
use crate::sim::{RunOptions, RunOutput};
use crate::system_names::{CheckNames, SystemNames};
use crate::trace::Trace;
use crate::vocabulary::{Shown, Vocabulary};

/// A further file of a report: its name below `files/`, and its content.
pub type Artifact = (String, Vec<u8>);

/// A system: everything that the reader of scenarios, the runner, the checks and the documentation
/// need to know of it.
///
/// Begin with [`System::new`] and set what differs.
#[derive(Clone, Copy)]
pub struct System {
    /// `raft`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// The roles of its nodes; the first is the default, and clients are `client`.
    pub roles: &'static [&'static str],
    /// The operations that clients can draw, for `workload.mix`.
    pub operations: &'static [&'static str],
    /// Its own events, metrics and messages, and those of the systems that it is built on.
    pub vocabulary: &'static [&'static Vocabulary],
    /// What the fault `command` can ask a node for, each as it is written: its word, and `NODE`,
    /// `[NODE]` or `NODE,NODE,…`.
    pub commands: &'static [Shown],
    /// All checks that make sense for it.
    pub checks: &'static [&'static Checker],
    /// All plots that make sense for it, in the order of a report.
    pub plots: &'static [&'static Plot],
    /// All defects.
    pub defects: &'static [DefectInfo],
    /// Lines for its section in a new scenario, if it cannot do without.
    pub starting_settings: &'static str,
    /// How long a new scenario goes on after its faults: long enough for every check to judge.
    pub starting_recovery: &'static str,
    /// Reads its own section of a scenario.
    pub read_settings: fn(&mut Section<'_>) -> Arc<dyn Settings>,
    /// What it refuses of a scenario that reads well otherwise.
    pub complaints: fn(&Scenario) -> Vec<Complaint>,
    /// The checks by which the settings of a scenario give no right to judge, although the system
    /// is correct: they are left out of the verdict.
    pub voided_checks: fn(&Scenario) -> Vec<&'static str>,
    /// Further files of a report, made from the trace alone: tables of the original assignment,
    /// what a listener heard.
    pub artifacts: fn(&Scenario, &Trace) -> Vec<Artifact>,
    /// Simulates.
    pub run: fn(&Scenario, &RunOptions) -> RunOutput,
}

impl System {
    /// A system that shows nothing, judges nothing and refuses nothing: what a declaration starts
    /// from.
    pub const fn new(
        name: &'static str,
        summary: &'static str,
        read_settings: fn(&mut Section<'_>) -> Arc<dyn Settings>,
        run: fn(&Scenario, &RunOptions) -> RunOutput,
    ) -> System {
        System {
            name,
            summary,
            roles: &["node"],
            operations: &[],
            vocabulary: &[],
            commands: &[],
            checks: &[],
            plots: &[],
            defects: &[],
            starting_settings: "",
            starting_recovery: "10s",
            read_settings,
            complaints: |_| vec![],
            voided_checks: |_| vec![],
            artifacts: |_, _| vec![],
            run,
        }
    }

    /// What a scenario can name of it.
    pub fn names(&self) -> SystemNames {
        let names_of = |check: &&Checker| CheckNames { name: check.name, params: check.params };
        SystemNames {
            name: self.name,
            summary: self.summary,
            roles: self.roles,
            operations: self.operations,
            vocabulary: self.vocabulary,
            commands: self.commands,
            checks: self.checks.iter().map(names_of).collect(),
            read_settings: self.read_settings,
        }
    }

    /// The system as the reader of scenarios knows it.
    pub fn known(&self) -> KnownSystem {
        KnownSystem { names: self.names(), complaints: self.complaints }
    }

    /// Its events, by name.
    pub fn events(&self) -> Vec<Shown> {
        self.names().events()
    }

    /// Its metrics, by name.
    pub fn metrics(&self) -> Vec<Shown> {
        self.names().metrics()
    }

    /// Its messages, by name.
    pub fn messages(&self) -> Vec<Shown> {
        self.names().messages()
    }

    /// The words that a metric takes; empty for one that is a number or a node.
    pub fn metric_words(&self, metric: &str) -> Vec<&'static str> {
        self.names().metric_words(metric)
    }
}
