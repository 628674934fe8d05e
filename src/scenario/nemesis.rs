//! The entries of the nemesis: when a fault begins, whom it hits, how long it lasts.

use crate::faults::{FaultSpec, TargetSpec};
use crate::language::Span;

/// When an entry begins.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// At a time of the run, drawn where a range is given.
    At(Span),
    /// This long after another entry, by name, has begun (`begin`) or healed.
    After {
        /// The other entry.
        entry: String,
        /// This much later.
        delay: Span,
        /// After its healing instead of its beginning.
        ended: bool,
    },
    /// As soon as a condition holds, first looked at when the run begins.
    Condition {
        /// What must hold.
        condition: Condition,
        /// This much later.
        delay: Span,
    },
    /// Again and again, this far apart, until `duration`.
    Every(Span),
}

/// A condition on what nodes show.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A metric of one node (or of `any`, or of `all`) is within bounds, or equal to a word.
    Metric {
        /// Its name.
        metric: String,
        /// Of which node.
        node: String,
        /// The least number.
        at_least: Option<f64>,
        /// The greatest number.
        at_most: Option<f64>,
        /// The value as the trace writes it.
        equals: Option<String>,
    },
    /// An event of this name (with these fields) was observed, for the n-th time.
    Event {
        /// Its name.
        event: String,
        /// On which node, or `any`.
        node: String,
        /// Fields that it must have, as the trace writes them.
        fields: Vec<(String, String)>,
        /// Which one, from 1.
        nth: u64,
    },
    /// A message of this type was delivered (for the n-th time).
    Message {
        /// Its type.
        message: String,
        /// Who has sent it, or `any`.
        src: String,
        /// Who gets it, or `any`.
        dest: String,
        /// Which one, from 1.
        nth: u64,
    },
}

/// How often an entry happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// At most this often.
    pub times: u64,
}

/// One `[[nemesis]]` entry.
#[derive(Clone, Debug, PartialEq)]
pub struct NemesisEntry {
    /// `name`, or the fault's name with the entry's position: `partition-1`.
    pub name: String,
    /// When it begins.
    pub when: When,
    /// How long it lasts; `None`: until `duration`.
    pub lasts: Option<Span>,
    /// `repeat`: how often at most. A `when` condition is armed again after each healing.
    pub repeat: Repeat,
    /// Probability that it happens at all when its time has come, 0 to 1.
    pub probability: f64,
    /// Whom it hits.
    pub targets: TargetSpec,
    /// What it does.
    pub fault: FaultSpec,
}
