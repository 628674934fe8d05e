//! The view: who leads in which epoch, and which replicas hold all that was acknowledged. The one
//! thing that everybody has to agree on.
//!
//! It is changed only by compare-and-set on its version. That is what makes the rest simple: a
//! leader that takes a silent follower out of the in-sync set, and a coordinator that at the same
//! moment promotes that follower, cannot both succeed.

use serde::{Deserialize, Serialize};

use crate::node::NodeId;

/// A view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The epoch of the last leader that served: the in-sync set is the one that it has stated.
    ///
    /// Invariant: `active_epoch <= epoch`; while it is lower, the leader of `epoch` acknowledges
    /// nothing.
    pub active_epoch: u64,
    /// A leader that gave up because it could not reach enough followers; another is preferred.
    pub avoid: Option<u32>,
    /// The epoch. Each has at most one leader.
    pub epoch: u64,
    /// The replicas that hold all that was acknowledged.
    pub in_sync: Vec<u32>,
    /// The leader; `None` while one is being chosen.
    pub leader: Option<u32>,
    /// The hash of the last record of the leader's log when it was chosen. A disk that was emptied
    /// since then shows.
    pub start_hash: u64,
    /// The number of that record.
    pub start_seq: u64,
    /// How often the view was changed.
    pub version: u64,
}

impl View {
    /// The leader.
    pub fn leader(&self) -> Option<NodeId> {
        self.leader.map(NodeId)
    }

    /// Whether the leader of the epoch serves.
    pub fn is_active(&self) -> bool {
        self.leader.is_some() && self.active_epoch == self.epoch
    }

    /// Whether a replica holds all that was acknowledged.
    pub fn has(&self, node: NodeId) -> bool {
        self.in_sync.contains(&node.0)
    }

    /// A changed view, which can take the place of this one.
    pub fn next(&self, change: impl FnOnce(&mut View)) -> View {
        let mut next = self.clone();
        next.version += 1;
        change(&mut next);
        next
    }

    /// The view of a text.
    pub fn read(bytes: &[u8]) -> Option<View> {
        serde_json::from_slice(bytes).ok()
    }

    /// Its text.
    pub fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a view is JSON")
    }
}
