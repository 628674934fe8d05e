//! Checkers: pure functions from a trace to a verdict. Each is one property in a file of its own,
//! named as in the literature.
//!
//! Architecture invariant: a checker sees nothing but the trace, never panics whatever the trace
//! holds, and never judges by what only a typical implementation does. A correct system that is
//! called wrong costs more than a mistake that goes unseen by one check, since mistakes usually
//! show in several.
//!
//! What several checks need of a trace (operations paired, events decoded, logs replayed) is made
//! once and kept in a [`Case`].

mod acknowledged_is_committed;
mod all_operations_answered;
mod answered_is_applied;
mod applied_without_gaps;
mod audio;
mod availability;
mod case;
mod commit_on_majority;
mod committed_never_truncated;
mod config_barrier;
mod config_quorum_overlap;
mod convergence;
mod cristian;
mod elected_by_majority;
mod election_safety;
mod elections;
mod exactly_once;
mod findings;
mod leader_append_only;
mod leader_completeness;
mod leader_elected;
mod lease_exclusive;
mod linear_order;
mod linearizable;
mod log_matching;
mod no_panic;
mod one_config_in_flight;
mod one_leader_at_last;
mod p2p;
mod persist_before_reply;
mod raft;
mod replication;
mod state_machine_safety;
mod term_monotonic;
mod terms_stable;
mod vote_once;
mod zookeeper;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use audio::AUDIO_CHECKS;
pub use case::Case;
pub use cristian::CRISTIAN_CHECKS;
pub use p2p::P2P_CHECKS;
pub use replication::REPLICATION_CHECKS;
pub use zookeeper::ZOOKEEPER_CHECKS;

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
#[derive(Debug)]
pub struct Checker {
    /// The property's name, snake_case.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub summary: &'static str,
    /// Where it is from: `Raft §5.2; dissertation fig. 3.2`.
    pub source: &'static str,
    /// What it takes.
    pub params: &'static [ParamInfo],
    /// The judgement. It never panics, whatever the trace holds. Every declared parameter is
    /// present in `params`: call it through [`Checker::judge`] or [`judge`], which see to that.
    pub check: fn(&Case<'_>, &Params) -> Verdict,
}

impl Checker {
    /// Whether the property says that something happens in time, in place of that something never
    /// happens (Lamport 1977; Alpern and Schneider 1985).
    pub fn is_liveness(&self) -> bool {
        LIVENESS_CHECKS.iter().any(|checker| std::ptr::eq(*checker, self))
    }

    /// Judge one trace by this check alone; parameters that `params` lacks take their defaults.
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

/// All checks, each once, in the order of the systems.
pub static CHECKERS: LazyLock<Vec<&'static Checker>> = LazyLock::new(|| {
    let mut all: Vec<&Checker> = vec![];
    for checker in [
        RAFT_CHECKS,
        AUDIO_CHECKS,
        CRISTIAN_CHECKS,
        ZOOKEEPER_CHECKS,
        REPLICATION_CHECKS,
        P2P_CHECKS,
    ]
    .concat()
    {
        if !all.iter().any(|known| std::ptr::eq(*known, checker)) {
            all.push(checker);
        }
    }
    all
});

/// The checks that make sense for Raft: what the clients saw, the safety of the protocol from its
/// events, then liveness.
pub static RAFT_CHECKS: &[&Checker] = &[
    &linearizable::CHECKER,
    &election_safety::CHECKER,
    &elected_by_majority::CHECKER,
    &vote_once::CHECKER,
    &term_monotonic::CHECKER,
    &leader_append_only::CHECKER,
    &log_matching::CHECKER,
    &leader_completeness::CHECKER,
    &state_machine_safety::CHECKER,
    &commit_on_majority::CHECKER,
    &committed_never_truncated::CHECKER,
    &applied_without_gaps::CHECKER,
    &acknowledged_is_committed::CHECKER,
    &answered_is_applied::CHECKER,
    &exactly_once::CHECKER,
    &lease_exclusive::CHECKER,
    &one_config_in_flight::CHECKER,
    &config_quorum_overlap::CHECKER,
    &config_barrier::CHECKER,
    &persist_before_reply::CHECKER,
    &no_panic::CHECKER,
    &leader_elected::CHECKER,
    &one_leader_at_last::CHECKER,
    &terms_stable::CHECKER,
    &convergence::CHECKER,
    &all_operations_answered::CHECKER,
    &availability::CHECKER,
    &elections::CHECKER,
];

/// The checks of liveness, of all systems: what they find is that the run's time was over and
/// something had not happened.
static LIVENESS_CHECKS: &[&Checker] = &[
    &leader_elected::CHECKER,
    &one_leader_at_last::CHECKER,
    &convergence::CHECKER,
    &all_operations_answered::CHECKER,
    &availability::CHECKER,
    &audio::upload_answered::CHECKER,
    &audio::playback_resumes::CHECKER,
    &audio::song_heard::CHECKER,
    &cristian::rounds_recorded::CHECKER,
    &cristian::synchronisation_goes_on::CHECKER,
    &cristian::books_keep_coming::CHECKER,
    &zookeeper::mean_cadence::CHECKER,
    &zookeeper::measurement_cadence::CHECKER,
    &zookeeper::watch_complete::CHECKER,
    &zookeeper::zk_leader_elected::CHECKER,
    &replication::replicas_converge::CHECKER,
    &p2p::answered_in_time::CHECKER,
    &p2p::ghosts_vanish::CHECKER,
];

/// The check of this name.
pub fn find(name: &str) -> Option<&'static Checker> {
    CHECKERS.iter().copied().find(|checker| checker.name == name)
}

/// Judge a trace by several checks, in their order. What they share is prepared once.
pub fn judge(trace: &Trace, specs: &[(&'static Checker, Params)]) -> Vec<(&'static str, Verdict)> {
    let case = Case::new(trace);
    specs
        .iter()
        .map(|(checker, params)| (checker.name, checker.judge_case(&case, params)))
        .collect()
}

/// The verdict over several checks. The order is the precedence: one violation outweighs any number
/// of searches without an answer.
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

/// The overall verdict; `Valid` where there is no check at all.
pub fn overall<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Overall {
    verdicts.into_iter().map(Overall::from).max().unwrap_or(Overall::Valid)
}
