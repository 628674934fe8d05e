//! Checkers: pure functions from a trace to a verdict. Each is one property in its own file, named
//! as in the literature.
//!
//! Architecture invariant: a checker sees nothing but the trace, never panics whatever the trace
//! contains, and never relies on what only a typical implementation does. A false alarm on a
//! correct system costs more than a bug that one check misses, because bugs usually show in several
//! checks.
//!
//! Data that several checks derive from a trace (paired operations, decoded events, replayed logs)
//! is built once and kept in a [`Case`].

pub(crate) mod all_operations_answered;
pub(crate) mod availability;
mod case;
mod damage;
pub(crate) mod findings;
pub(crate) mod linearizable;
pub(crate) mod no_panic;
pub mod search;

pub use case::{Case, View};
pub use damage::Damage;

pub use crate::system_names::{ParamInfo, Params};
use crate::trace::{NodeId, Trace};

/// The verdict of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The property held.
    Valid,
    /// It was violated, at least as often as listed.
    Invalid(Vec<Violation>),
    /// A search hit its limit, or the trace has no evidence. Never a pass.
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

/// A check.
#[derive(Debug)]
pub struct Checker {
    /// The property's name, snake_case.
    pub name: &'static str,
    /// The property, in a sentence.
    pub summary: &'static str,
    /// Its source: `Raft §5.2; dissertation fig. 3.2`.
    pub source: &'static str,
    /// Its parameters.
    pub params: &'static [ParamInfo],
    /// Whether the property says that something happens in time, rather than that something never
    /// happens (Lamport 1977; Alpern and Schneider 1985): a violation is that the run ended and
    /// something had not happened.
    pub liveness: bool,
    /// The judgement. It never panics, whatever the trace contains. Every declared parameter is
    /// present in `params`: call it through [`Checker::judge`] or [`judge`], which ensure that.
    pub check: fn(&Case<'_>, &Params) -> Verdict,
}

impl Checker {
    /// Judge one trace with this check alone; parameters missing from `params` have their defaults.
    pub fn judge(&self, trace: &Trace, params: &Params) -> Verdict {
        self.judge_case(&Case::new(trace), params)
    }

    fn judge_case(&self, case: &Case<'_>, params: &Params) -> Verdict {
        let mut filled: Params =
            self.params.iter().map(|info| (info.name.to_owned(), info.default)).collect();
        filled.extend(params.iter().map(|(name, value)| (name.clone(), *value)));
        (self.check)(case, &filled)
    }
}

/// At most this many violations of one check are reported; the first is what matters.
pub const VIOLATIONS_MAX: usize = 10;

/// Judge a trace with several checks, in order. Shared data is built once.
pub fn judge(trace: &Trace, specs: &[(&'static Checker, Params)]) -> Vec<(&'static str, Verdict)> {
    let case = Case::new(trace);
    specs
        .iter()
        .map(|(checker, params)| (checker.name, checker.judge_case(&case, params)))
        .collect()
}

/// The verdict over several checks, ordered by precedence: one violation outweighs any number of
/// undecided checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overall {
    /// Every property held.
    Valid,
    /// None was violated, but at least one could not be decided.
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

/// The overall verdict; `Valid` if there are no checks at all.
pub fn overall<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Overall {
    verdicts.into_iter().map(Overall::from).max().unwrap_or(Overall::Valid)
}
