//! The views, in the order of their versions as far as they are known yet.

use std::collections::BTreeMap;

use super::record::{Kind, Record};
use crate::trace::NodeId;

/// A view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub epoch: u64,
    pub leader: Option<NodeId>,
    pub active_epoch: u64,
    pub in_sync: Vec<NodeId>,
}

impl View {
    /// Whether its leader has acknowledged it.
    pub fn is_active(&self) -> bool {
        self.leader.is_some() && self.active_epoch == self.epoch
    }
}

/// All views that somebody has told of, by version.
#[derive(Clone, Debug, Default)]
pub struct Views {
    views: BTreeMap<u64, View>,
}

impl Views {
    /// Take note of a record. Gives the version where it is a view that was not known yet.
    pub fn see(&mut self, record: &Record) -> Option<u64> {
        let Kind::View { version, epoch, leader, active_epoch, in_sync } = &record.kind else {
            return None;
        };
        if self.views.contains_key(version) {
            return None;
        }
        let view = View {
            epoch: *epoch,
            leader: *leader,
            active_epoch: *active_epoch,
            in_sync: in_sync.clone(),
        };
        self.views.insert(*version, view);
        Some(*version)
    }

    pub fn get(&self, version: u64) -> Option<&View> {
        self.views.get(&version)
    }

    /// The last active view of an epoch.
    pub fn active_in(&self, epoch: u64) -> Option<&View> {
        self.views.values().rev().find(|view| view.epoch == epoch && view.is_active())
    }

    /// Consecutive views: those whose versions follow each other.
    pub fn pairs(&self) -> impl Iterator<Item = (u64, &View, &View)> {
        let later = |(version, view)| Some((version, self.views.get(&(version + 1))?, view));
        self.views
            .iter()
            .filter(|(version, _)| **version < u64::MAX)
            .map(|(version, view)| (*version, view))
            .filter_map(later)
            .map(|(version, later, view)| (version + 1, view, later))
    }
}
