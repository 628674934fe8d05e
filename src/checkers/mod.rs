//! Checkers: pure functions from a trace to a verdict. Each is one property, named as in the literature.

use std::collections::BTreeMap;

use crate::trace::{NodeId, Trace};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The property held.
    Valid,
    /// It was violated, at least so often as listed.
    Invalid(Vec<Violation>),
    /// A search met its limit, or the trace has nothing to judge by. Never a pass.
    Unknown(String),
}

/// One violation, which prints in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The check.
    pub check: &'static str,
    /// The first moment at which it is visible, µs.
    pub time_us: u64,
    /// The nodes concerned.
    pub nodes: Vec<NodeId>,
    /// What is wrong, as a sentence with the numbers: `n1 and n3 both lead term 4`.
    pub message: String,
}

/// Parameters of a check, numbers by name; durations in microseconds.
pub type Params = BTreeMap<String, f64>;

/// A parameter that a check takes.
#[derive(Clone, Copy, Debug)]
pub struct ParamInfo {
    /// Its name in the scenario.
    pub name: &'static str,
    /// Whether it is written as a duration (`"2s"`), kept in µs.
    pub duration: bool,
    /// Its value where the scenario gives none.
    pub default: f64,
    /// Least and greatest value that make sense.
    pub range: (f64, f64),
    /// What it means.
    pub doc: &'static str,
}

/// A check.
pub struct Checker {
    /// The property's name, snake_case.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub summary: &'static str,
    /// Where it is from: `Raft §5.2; dissertation fig. 3.2`.
    pub source: &'static str,
    /// What it takes.
    pub params: &'static [ParamInfo],
    /// The judgement. It never panics, whatever the trace holds. Every declared parameter is present in `params`.
    pub check: fn(&Trace, &Params) -> Verdict,
}

/// At most this many violations of one check are reported; the first is what matters.
pub const VIOLATIONS_MAX: usize = 10;

/// SHIM
pub fn judge(trace: &Trace, specs: &[(&'static Checker, Params)]) -> Vec<(&'static str, Verdict)> {
    specs.iter().map(|(checker, params)| (checker.name, (checker.check)(trace, params))).collect()
}

/// SHIM
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overall {
    /// Every property held.
    Valid,
    /// None was seen violated, but at least one could not be decided.
    Unknown,
    /// At least one was violated.
    Invalid,
}

impl From<&Verdict> for Overall {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Valid => Overall::Valid,
            Verdict::Unknown(_) => Overall::Unknown,
            Verdict::Invalid(_) => Overall::Invalid,
        }
    }
}

/// SHIM
pub fn overall<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Overall {
    verdicts.into_iter().map(Overall::from).max().unwrap_or(Overall::Valid)
}
