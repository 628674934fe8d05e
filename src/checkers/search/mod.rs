//! The search for an order: whether a sequential object, serving one operation after the other,
//! would have given the answers that clients saw.
//!
//! A history is linearizable if every operation can be given a moment between its invocation and
//! its completion such that, in the order of these moments, each answer is the one that the object
//! gives (Herlihy and Wing 1990). To decide it is NP-complete (Gibbons and Korach 1997), so every
//! decision procedure is a search, and what matters is how little of it is done.
//!
//! **The search.** Wing and Gong (1993) walk through the history and choose, depth first, the
//! operation that comes next; where none fits they go back. Lowe (2017) adds the two ideas that
//! make it practical, and both are here:
//!
//! - *A cache of configurations.* Two orders of the same operations that leave the object in the
//!   same state have the same future, so the second one is given up ([`visited`]).
//! - *Just in time.* An operation is placed only when one must be: at the completion of an
//!   operation that has no place yet, either this operation is placed, or first some other that is
//!   pending. Configurations are therefore compared only at completions, where they differ in
//!   pending operations alone.
//!
//! So a configuration is a completion, the state, and the *pending* operations that have a place
//! already: a bitset over a window of concurrent operations, however long the history is. Each
//! operation has a bit from its invocation to its completion, and the next one gets the bit
//! afterwards ([`window`]).
//!
//! **What makes it short.** At a completion, the operation itself is tried first; then those after
//! which it fits; then the others. And an object may say more than its transitions, which cuts off
//! what can never be needed: operations that cost nothing where they stand
//! ([`Sequential::is_free`]), that nobody sees because the next one overwrites them
//! ([`Sequential::hides`]), and states that must not be left yet, because somebody is still to see
//! them ([`Sequential::may_leave`]). All three are optional, and change how long a search takes but
//! never what it finds.
//!
//! **Limits.** A search ends after a number of steps (evaluations of the object) or at a number of
//! bytes of the cache. Both are counted, not measured, so that they are met at the same place on
//! every machine. A search that met its limit still says how far it came: it has found an order
//! for the whole beginning of the history up to there.
//!
//! Split a history first if the object consists of several: it is linearizable if each part is
//! (locality; Horn and Kroening 2015 call it P-compositionality), and the cost is that of each.
//!
//! Wing, Gong: Testing and verifying concurrent objects, 1993. Lowe: Testing for linearizability,
//! 2017.

mod depth_first;
mod visited;
mod window;

use std::hash::Hash;

use super::{ParamInfo, Params};
use depth_first::DepthFirst;

/// An object that serves one operation after the other.
pub trait Sequential {
    /// What it remembers.
    type State: Clone + Eq + Hash;
    /// An operation together with what was seen of its result.
    type Effect;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// The state after the operation, or `None` if it cannot show this result in this state.
    fn step(&self, state: &Self::State, effect: &Self::Effect) -> Option<Self::State>;

    /// Whether the operation may be placed here at no cost: it is possible in this state, leaves it
    /// as it is, and every order in which it stands later remains one without it. Reads whose
    /// result fits are of this kind.
    fn is_free(&self, _state: &Self::State, _effect: &Self::Effect) -> bool {
        false
    }

    /// Whether `earlier` may be placed immediately before `effect` in whatever state, since nobody
    /// can tell, and every order in which it stands later remains one without it.
    fn hides(&self, _effect: &Self::Effect, _earlier: &Self::Effect) -> bool {
        false
    }

    /// Whether the object may leave this state, given that everything invoked at `now` or earlier
    /// is in the window. `false` only if an operation that is invoked later has certainly seen this
    /// state, and the object cannot come back to it.
    fn may_leave(&self, _state: &Self::State, _now: u64) -> bool {
        true
    }

    /// About how many bytes a state takes, for the limit; the same on every machine.
    fn state_bytes(&self, _state: &Self::State) -> u64 {
        8
    }
}

/// An operation with its times in the order that all share. Operations that touch (the one ends
/// when the other begins) are concurrent.
#[derive(Clone, Copy, Debug)]
pub struct Timed<E> {
    /// What it does, and what was seen of it.
    pub effect: E,
    /// When it was invoked.
    pub invoked: u64,
    /// When it was completed; at `invoked` at the earliest. `None`: it may take effect at any later
    /// time, or never.
    pub completed: Option<u64>,
}

/// How much a search may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Evaluations of the object.
    pub steps: u64,
    /// Bytes of the cache.
    pub cache_bytes: u64,
}

impl Limits {
    /// The parameters of a check that searches.
    pub(crate) const PARAMS: &'static [ParamInfo] = &[
        ParamInfo {
            name: "steps",
            duration: false,
            default: 2_000_000.0,
            range: (1.0, 1e9),
            doc: "steps of the search over one key (one user, one form) before the verdict is \
                unknown",
        },
        ParamInfo {
            name: "cache_mib",
            duration: false,
            default: 64.0,
            range: (1.0, 65_536.0),
            doc: "mebibytes of the search's cache before the verdict is unknown",
        },
    ];

    /// The limits that a check was given.
    pub(crate) fn of(params: &Params) -> Limits {
        let whole = |name| super::findings::whole(params, name);
        Limits { steps: whole("steps"), cache_bytes: whole("cache_mib") << 20 }
    }
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Some order explains the history.
    Legal,
    /// No order does.
    Illegal {
        /// Every beginning of the history that ends before this time has an order. Without
        /// [`Sequential::may_leave`] and the like, the operation that was completed then is the one
        /// that no order explains; with them it may be a later one.
        at: u64,
    },
    /// The search was given up.
    LimitMet {
        /// The beginning of the history up to this completion has an order; of the rest nothing
        /// is known. `None`: it has not come to the first completion.
        proven: Option<u64>,
        /// Whether the cache was full, rather than that the steps were used up.
        cache_full: bool,
    },
}

impl Answer {
    /// Whether it is certain that no order explains the history.
    pub fn is_illegal(self) -> bool {
        matches!(self, Answer::Illegal { .. })
    }
}

/// Whether some order of the operations explains them.
pub fn linearizable<S: Sequential>(
    object: &S,
    operations: &[Timed<S::Effect>],
    limits: Limits,
) -> Answer {
    DepthFirst::new(object, operations, limits).run()
}

/// The end of the shortest beginning of a history that no order explains, given the ends of its
/// operations, the time before which every beginning has an order, and what a search finds of the
/// history up to a moment. `None` if nothing in it has ended.
pub fn first_illegal_end(
    mut ends: Vec<u64>,
    legal_before: u64,
    until: impl Fn(u64) -> Answer,
) -> Option<u64> {
    ends.sort_unstable();
    ends.dedup();
    let open = &ends[ends.partition_point(|end| *end < legal_before)..];
    // Mostly it is the first one that is in doubt.
    if let Some(first) = open.first().filter(|first| until(**first).is_illegal()) {
        return Some(*first);
    }
    // A longer history is never more linearizable than its beginning, so the shortest bad one is
    // found by halving.
    let first = open.partition_point(|end| !until(*end).is_illegal());
    open.get(first).or(ends.last()).copied()
}

/// What a check says of a search that met a limit: what was searched, and how much of it is proven.
/// `completions` are the times of completion, in the shared order and in µs, of what was searched.
pub(crate) fn undecided(
    what: &str,
    limits: Limits,
    answer: Answer,
    completions: impl Iterator<Item = (u64, u64)>,
) -> Option<String> {
    let Answer::LimitMet { proven, cache_full } = answer else { return None };
    let limit = if cache_full {
        format!("{} MiB of cache", limits.cache_bytes >> 20)
    } else {
        format!("{} steps", limits.steps)
    };
    let (mut all, mut explained, mut until_us) = (0, 0, 0);
    for (completed, completed_us) in completions {
        all += 1;
        if proven.is_some_and(|proven| completed <= proven) {
            explained += 1;
            until_us = completed_us.max(until_us);
        }
    }
    let proven = match explained {
        0 => "nothing is proven".to_owned(),
        _ => format!(
            "proven are the first {explained} of {all} completed operations, up to {}",
            super::findings::seconds(until_us)
        ),
    };
    Some(format!("the search over {what} met its limit of {limit}; {proven}"))
}

#[cfg(test)]
mod tests;
