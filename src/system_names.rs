//! The names by which a scenario is checked: what a system declares, as plain data, without the
//! system.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::language::{Section, Settings};
use crate::vocabulary::{Kind, MetricInfo, Shown, Vocabulary};

/// Parameters of a check, numbers by name; durations in microseconds.
pub type Params = BTreeMap<String, f64>;

/// A parameter that a check takes.
#[derive(Clone, Copy, Debug)]
pub struct ParamInfo {
    /// Its name in the scenario.
    pub name: &'static str,
    /// Whether it is written as a duration (`"2s"`), kept in µs.
    pub duration: bool,
    /// Its value if the scenario gives none.
    pub default: f64,
    /// Least and greatest value that make sense.
    pub range: (f64, f64),
    /// What it means.
    pub doc: &'static str,
}

/// A check that a scenario can name.
#[derive(Clone, Copy, Debug)]
pub struct CheckNames {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub params: &'static [ParamInfo],
}

/// What a scenario can name of a system.
#[derive(Clone, Debug)]
pub struct SystemNames {
    /// `raft`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// The roles of its nodes; the first is the default, and clients are `client`.
    pub roles: &'static [&'static str],
    /// The operations that clients can draw, for `workload.mix`.
    pub operations: &'static [&'static str],
    /// Its events, metrics and messages.
    pub vocabulary: &'static [&'static Vocabulary],
    /// What the fault `command` can ask a node for, each as it is written: its word, and `NODE`,
    /// `[NODE]` or `NODE,NODE,…`.
    pub commands: &'static [Shown],
    /// All checks that make sense for it.
    pub checks: Vec<CheckNames>,
    /// Reads its own section of a scenario.
    pub read_settings: fn(&mut Section<'_>) -> Arc<dyn Settings>,
}

impl SystemNames {
    /// Its events, by name.
    pub fn events(&self) -> Vec<Shown> {
        let all = self.vocabulary.iter().flat_map(|part| part.events);
        all.map(|event| Shown { name: event.name, summary: event.summary }).collect()
    }

    /// Its metrics, by name.
    pub fn metrics(&self) -> Vec<Shown> {
        let shown = |metric: &MetricInfo| Shown { name: metric.name, summary: metric.summary };
        self.metric_infos().map(shown).collect()
    }

    /// Its messages, by name.
    pub fn messages(&self) -> Vec<Shown> {
        self.vocabulary.iter().flat_map(|part| part.messages).copied().flatten().copied().collect()
    }

    /// The words that a metric takes; empty for one that is a number or a node.
    pub fn metric_words(&self, metric: &str) -> Vec<&'static str> {
        let mut words = vec![];
        for info in self.metric_infos().filter(|info| info.name == metric) {
            if let Kind::OneOf(of_group) = info.kind {
                for word in of_group {
                    if !words.contains(word) {
                        words.push(word);
                    }
                }
            }
        }
        words
    }

    fn metric_infos(&self) -> impl Iterator<Item = &'static MetricInfo> + '_ {
        self.vocabulary.iter().flat_map(|part| part.metrics).copied().flatten()
    }
}
