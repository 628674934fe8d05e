//! What a system declares: data, and a few functions.

use std::sync::Arc;

use crate::checkers::Checker;
use crate::defects::DefectInfo;
use crate::plots::Plot;
use crate::scenario::{Scenario, Section, Settings};
use crate::sim::{RunOptions, RunOutput};
use crate::trace::Trace;
use crate::vocabulary::{Shown, Vocabulary};

/// Why a system cannot run a scenario that otherwise reads well: an ensemble of two, sensors
/// without a web tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The key to point at, by its path: `nodes.count`, `audio.song`. If the file lacks it, the
    /// nearest table above it is shown.
    pub key: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What was found there, for the caret.
    pub found: String,
    /// What to do.
    pub hint: String,
}

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

    /// Its events, by name.
    pub fn events(&self) -> Vec<Shown> {
        let all = self.vocabulary.iter().flat_map(|part| part.events);
        all.map(|event| Shown { name: event.name, summary: event.summary }).collect()
    }

    /// Its metrics, by name.
    pub fn metrics(&self) -> Vec<Shown> {
        let all = self.vocabulary.iter().flat_map(|part| part.metrics).copied().flatten();
        all.map(|metric| Shown { name: metric.name, summary: metric.summary }).collect()
    }

    /// Its messages, by name.
    pub fn messages(&self) -> Vec<Shown> {
        self.vocabulary.iter().flat_map(|part| part.messages).copied().flatten().copied().collect()
    }

    /// The words that a metric takes; empty for one that is a number or a node.
    pub fn metric_words(&self, metric: &str) -> Vec<&'static str> {
        let all = self.vocabulary.iter().flat_map(|part| part.metrics).copied().flatten();
        let mut words = vec![];
        for info in all.filter(|info| info.name == metric) {
            if let crate::vocabulary::Kind::OneOf(of_group) = info.kind {
                words.extend(
                    of_group
                        .iter()
                        .filter(|word| !words.contains(*word))
                        .copied()
                        .collect::<Vec<_>>(),
                );
            }
        }
        words
    }
}
