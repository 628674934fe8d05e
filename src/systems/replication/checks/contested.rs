//! What a crash may rightly leave of a log other than what was told: a later leader was having
//! records replaced, and the removal has reached the disk, perhaps with some of the new records,
//! before anybody could hear of it.

use super::Replication;
use super::record::{Kind, Record};
use crate::trace::NodeId;

/// A node that led a later epoch, with its log as it was at the beginning of that and what it has
/// stored since.
struct Later {
    node: NodeId,
    log: Vec<u64>,
}

impl Replication {
    /// Whether the record with this hash, which the node had stored at this place, may have been
    /// removed before the node recovered: a later leader whose epoch the node had entered did not
    /// have it there.
    pub(super) fn may_be_removed(&self, recovered: &Record, place: u64, hash: u64) -> bool {
        self.later_leaders(recovered, hash)
            .iter()
            .any(|leader| at(&leader.log, place) != Some(hash))
    }

    /// Whether the record with the hash `new` may have come to this place instead of the one that
    /// the node had stored there: a later leader whose epoch the node had entered had it there.
    pub(super) fn may_be_replaced(
        &self,
        recovered: &Record,
        place: u64,
        (hash, new): (u64, u64),
    ) -> bool {
        let has = |leader: &Later| {
            let stores = |record: &Record| {
                record.node == leader.node
                    && matches!(record.kind, Kind::Stored { seq, hash, .. } if (seq, hash) == (place, new))
            };
            at(&leader.log, place) == Some(new) || self.before(recovered).any(stores)
        };
        self.later_leaders(recovered, hash).iter().any(has)
    }

    fn before<'a>(&'a self, record: &Record) -> impl Iterator<Item = &'a Record> + use<'a> {
        let order = record.order;
        self.records().iter().take_while(move |each| each.order < order)
    }

    /// The epoch in which the node had stored this record. Where a crash has kept it from telling
    /// that it had, the one that it knew when it first found the record after a start, which is not
    /// earlier.
    fn epoch_of(&self, recovered: &Record, hash: u64) -> Option<u64> {
        let own = || self.before(recovered).filter(|record| record.node == recovered.node);
        let stored = own().filter_map(|record| match record.kind {
            Kind::Stored { epoch, hash: stored, .. } if stored == hash => Some(epoch),
            Kind::Copied { epoch, .. } => Some(epoch),
            _ => None,
        });
        let found = || {
            let since = own().skip_while(
                |record| !matches!(record.kind, Kind::Kept { hash: kept, .. } if kept == hash),
            );
            since.into_iter().find_map(|record| match record.kind {
                Kind::Recovered { epoch, .. } => Some(epoch),
                _ => None,
            })
        };
        stored.last().or_else(found)
    }

    /// Who has led epochs after the one in which the node stored this record, up to the one that it
    /// knew when it recovered.
    fn later_leaders(&self, recovered: &Record, hash: u64) -> Vec<Later> {
        let Kind::Recovered { epoch: known, .. } = recovered.kind else { return vec![] };
        let Some(stored) = self.epoch_of(recovered, hash) else { return vec![] };
        let mut logs = self.logs();
        let mut leaders = vec![];
        for record in self.before(recovered) {
            logs.replay(record);
            if let Kind::Leads { epoch, .. } = record.kind
                && record.node != recovered.node
                && stored < epoch
                && epoch <= known
            {
                leaders.push(Later { node: record.node, log: logs.of(record.node).to_vec() });
            }
        }
        leaders
    }
}

fn at(log: &[u64], place: u64) -> Option<u64> {
    log.get(usize::try_from(place.checked_sub(1)?).ok()?).copied()
}
