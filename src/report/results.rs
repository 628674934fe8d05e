//! `results.json`: verdicts and statistics of a run, and what is needed to read the CSV files next
//! to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::statistics::Statistics;
use crate::checkers::{Overall, Verdict, Violation};
use crate::run::{Judgement, Run};
use crate::scenario::Scenario;
use crate::trace::{self, NodeInfo, Trace};

/// The version of the format of `results.json`. It is increased by every change that an older
/// program would misread; `docs/formats.md` has the table of all formats.
pub const FORMAT: u32 = 2;

/// The oldest version that is read. Version 1 does not state the version of the CSV files.
pub const FORMAT_OLDEST: u32 = 1;

/// The content of `results.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the CSV files beside it ([`crate::trace::FORMAT`]).
    #[serde(default = "first_trace_format")]
    pub trace_format: u32,
    /// The version of the program that wrote it.
    pub version: String,
    /// The scenario's name.
    pub scenario: String,
    /// Its claim.
    pub description: String,
    /// The system.
    pub system: String,
    /// The seed.
    pub seed: u64,
    /// The planted defects.
    pub defects: Vec<String>,
    /// `valid`, `unknown` or `invalid`: the worst of all checks.
    pub verdict: String,
    /// Why the run was aborted, if it was; its verdict is then `unknown`.
    pub aborted: Option<String>,
    /// The digest of the trace, 32 hexadecimal digits.
    pub digest: String,
    /// XXH3 of `scenario.toml`, 16 hexadecimal digits.
    pub scenario_digest: String,
    /// The command that repeats the run.
    pub command: String,
    /// When faults and load ended, µs.
    pub duration_us: u64,
    /// When the run ended, µs.
    pub end_us: u64,
    /// Nodes, then clients.
    pub nodes: Vec<NodeEntry>,
    /// Every check, in the order of the scenario.
    pub checks: Vec<CheckResult>,
    /// Statistics.
    pub statistics: Statistics,
}

/// The version of reports that do not state one.
fn first_trace_format() -> u32 {
    1
}

/// A node or client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEntry {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: String,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub check: String,
    /// Its parameters, durations in µs.
    pub params: BTreeMap<String, f64>,
    /// `valid`, `unknown` or `invalid`.
    pub verdict: String,
    /// Why it is unknown.
    pub reason: Option<String>,
    /// The violations, the first ones if there are many.
    pub violations: Vec<ViolationEntry>,
}

/// A violation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViolationEntry {
    /// When it first became visible, µs.
    pub time_us: u64,
    /// The nodes concerned, by name.
    pub nodes: Vec<String>,
    /// What is wrong.
    pub message: String,
}

/// The command line arguments needed to repeat a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeat {
    /// The scenario, as the user wrote it.
    pub path: String,
    /// Overrides (`--set`).
    pub overrides: Vec<(String, String)>,
    /// Defects (`--defect`).
    pub defects: Vec<String>,
}

impl Repeat {
    /// The command that repeats the run.
    pub fn command(&self, seed: u64) -> String {
        let mut command = format!("seedbed run {} --seed {seed}", quoted(&self.path));
        for defect in &self.defects {
            command.push_str(&format!(" --defect {}", quoted(defect)));
        }
        for (key, value) in &self.overrides {
            command.push_str(&format!(" --set {}", quoted(&format!("{key}={value}"))));
        }
        command
    }

    /// The same without paths of this machine: an absolute path is reduced to its last component.
    fn portable(&self) -> Repeat {
        let path = std::path::Path::new(&self.path);
        let relative = path.is_relative() && !self.path.contains("..");
        let last =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Repeat { path: if relative { self.path.clone() } else { last }, ..self.clone() }
    }
}

/// A word of a command, quoted for a shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

impl Results {
    /// The results of a run.
    pub fn of(run: &Run, scenario: &Scenario, repeat: &Repeat) -> Results {
        let trace = &run.trace;
        Results {
            format: FORMAT,
            trace_format: trace::FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: trace.scenario.clone(),
            description: scenario.description.clone(),
            system: trace.system.clone(),
            seed: trace.seed,
            defects: defects_of(scenario),
            verdict: run.verdict().word().to_owned(),
            aborted: run.aborted.clone(),
            digest: run.digest.to_string(),
            scenario_digest: digest_of_scenario(&scenario.resolved_with_seed(trace.seed)),
            command: repeat.portable().command(trace.seed),
            duration_us: trace.duration_us,
            end_us: trace.end_us,
            nodes: trace
                .nodes
                .iter()
                .map(|node| NodeEntry {
                    name: node.name.clone(),
                    role: node.role.clone().into_owned(),
                })
                .collect(),
            checks: run
                .judgements
                .iter()
                .map(|judgement| CheckResult::of(judgement, trace))
                .collect(),
            statistics: Statistics::of(trace),
        }
    }

    /// The text of the file.
    pub fn to_json(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("strings and numbers can be written as JSON");
        text.push('\n');
        text
    }

    /// A trace without its lists, for [`crate::trace::read_csv`].
    pub fn header(&self) -> Trace {
        Trace {
            scenario: self.scenario.clone(),
            system: self.system.clone(),
            seed: self.seed,
            duration_us: self.duration_us,
            end_us: self.end_us,
            nodes: self
                .nodes
                .iter()
                .map(|node| NodeInfo { name: node.name.clone(), role: node.role.clone().into() })
                .collect(),
            ..Trace::default()
        }
    }
}

impl CheckResult {
    fn of(judgement: &Judgement, trace: &Trace) -> CheckResult {
        let (reason, violations) = match &judgement.verdict {
            Verdict::Valid => (None, &[] as &[Violation]),
            Verdict::Unknown(reason) => (Some(reason.clone()), &[] as &[Violation]),
            Verdict::Invalid(violations) => (None, violations.as_slice()),
        };
        let entry = |violation: &Violation| ViolationEntry {
            time_us: violation.time_us,
            nodes: violation.nodes.iter().map(|node| trace.name(*node).to_owned()).collect(),
            message: violation.message.clone(),
        };
        CheckResult {
            check: judgement.check.to_owned(),
            params: judgement.params.clone(),
            verdict: Overall::from(&judgement.verdict).word().to_owned(),
            reason,
            violations: violations.iter().map(entry).collect(),
        }
    }
}

/// The [`Results::scenario_digest`] of a text.
pub(super) fn digest_of_scenario(text: &str) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
}

/// The defects planted by a resolved scenario: the list `defects` in its system's section.
fn defects_of(scenario: &Scenario) -> Vec<String> {
    let table: toml::Table = scenario.resolved.parse().unwrap_or_default();
    let listed = table
        .get(&scenario.system)
        .and_then(|section| section.get("defects"))
        .and_then(toml::Value::as_array);
    listed.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
}
