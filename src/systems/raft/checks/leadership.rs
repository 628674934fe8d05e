//! Who leads, and in which term each node is, while the records are gone through.

use super::RaftTrace;
use super::record::{Kind, RaftEvent, Role};
use crate::trace::NodeId;

/// The term that each node leads, if it does.
pub struct Leadership(Vec<Option<u64>>);

impl Leadership {
    pub fn new(raft: &RaftTrace) -> Self {
        Leadership(raft.per_node())
    }

    /// The term that this node leads.
    pub fn of(&self, node: NodeId) -> Option<u64> {
        self.0[node.index()]
    }

    /// All leaders with their terms: two may lead at the same time, in different terms, until the
    /// older hears of it.
    pub fn all(&self) -> impl Iterator<Item = (NodeId, u64)> {
        (0u32..).map(NodeId).zip(&self.0).filter_map(|(node, term)| Some((node, (*term)?)))
    }

    pub fn replay(&mut self, record: &RaftEvent) {
        let led = &mut self.0[record.node.index()];
        match record.kind {
            Kind::Leader { term, .. } => *led = Some(term),
            Kind::Role(Role::Leader) => {}
            Kind::Role(_) | Kind::Recover { .. } | Kind::Start | Kind::Crash => *led = None,
            Kind::Term { term } if led.is_some_and(|led| term > led) => *led = None,
            _ => {}
        }
    }
}

/// The current term of each node, as far as it has shown it.
pub struct Terms(Vec<u64>);

impl Terms {
    pub fn new(raft: &RaftTrace) -> Self {
        Terms(raft.per_node())
    }

    pub fn of(&self, node: NodeId) -> u64 {
        self.0[node.index()]
    }

    pub fn replay(&mut self, record: &RaftEvent) {
        let current = &mut self.0[record.node.index()];
        match record.kind {
            // What the disk says counts, even where it is less: the node goes on from there.
            Kind::Recover { term, .. } => *current = term,
            Kind::Term { term } | Kind::Vote { term, .. } | Kind::Leader { term, .. } => {
                *current = (*current).max(term)
            }
            _ => {}
        }
    }
}
