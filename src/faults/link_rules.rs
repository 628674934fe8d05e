//! Rules that faults put on links.

use std::time::Duration;

use crate::language::Latency;
use crate::trace::NodeId;

/// Directed links: from any of some nodes to any of some others, several times over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkSet {
    /// (sources, destinations), each sorted; a link is in the set when one pair has both its ends.
    pub pairs: Vec<(Vec<NodeId>, Vec<NodeId>)>,
}

impl LinkSet {
    /// Whether the link is in the set.
    pub fn contains(&self, src: NodeId, dest: NodeId) -> bool {
        self.pairs
            .iter()
            .any(|(from, to)| from.binary_search(&src).is_ok() && to.binary_search(&dest).is_ok())
    }
}

/// What a rule does to the messages of its links.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEffect {
    /// Nothing passes, messages on their way included.
    Cut,
    /// Instead of the link's latency.
    Latency(Latency),
    /// In addition to the link's loss.
    Loss {
        /// Probability.
        probability: f64,
        /// Correlation with the loss of the message before.
        correlation: f64,
    },
    /// In addition to the link's duplication.
    Duplicate(f64),
    /// Instead of the link's reordering.
    Reorder {
        /// Probability.
        probability: f64,
        /// How long a message is held back.
        delay: Latency,
    },
    /// In addition to the link's corruption.
    Corrupt(f64),
    /// Instead of the link's bandwidth.
    Bandwidth {
        /// Bytes a second.
        bytes_per_second: u64,
        /// At most this many bytes wait.
        queue: u64,
    },
    /// Keep messages of this type (any, if `None`) until the rule goes; then they arrive immediately.
    Hold {
        /// Message type.
        message: Option<String>,
    },
    /// Drop messages of this type (any, if `None`): all, or only the n-th since the rule came, from
    /// 1.
    Drop {
        /// Message type.
        message: Option<String>,
        /// Which one.
        nth: Option<u64>,
    },
    /// Delay messages of this type, all or the n-th.
    Delay {
        /// Message type.
        message: Option<String>,
        /// Least and most additional delay.
        delay: (Duration, Duration),
        /// Which one.
        nth: Option<u64>,
    },
}

/// A rule in force.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkRule {
    /// Where.
    pub links: LinkSet,
    /// What.
    pub effect: LinkEffect,
}

/// Names a rule in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u64);
