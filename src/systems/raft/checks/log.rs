//! The logs of all nodes, replayed from their events.
//!
//! An `append` is durable at the time of its event, because observations wait for the sync of their
//! step; a replayed log is therefore what the node has promised. A crash may leave a little more on
//! the disk than was observed (the crash policies `prefix` and `torn`), which the next `recover`
//! shows: what may have changed unseen is from then on covered, not known.

use super::record::{Kind, RaftEvent};

/// An entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub term: u64,
    pub digest: u64,
    /// Hash of the entry and of everything before it: equal chains are equal logs.
    pub chain: u64,
}

/// What a replayed log has at an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// This entry.
    Entry(Entry),
    /// Something, within a snapshot or recovered unseen.
    Covered,
    /// Nothing: the log ends before.
    Absent,
}

/// The log of one node.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Everything at or below is covered.
    base: u64,
    /// The entries after `base`. Entries that the node has compacted stay known.
    entries: Vec<Entry>,
}

impl Log {
    /// The last index.
    pub fn last(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    pub fn at(&self, index: u64) -> Held {
        if index <= self.base {
            return Held::Covered;
        }
        match self.entries.get((index - self.base - 1) as usize) {
            Some(entry) => Held::Entry(*entry),
            None => Held::Absent,
        }
    }

    /// The entry, where it is known.
    pub fn entry(&self, index: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(index.checked_sub(self.base + 1)?).ok()?)
    }

    /// The known entries from `first` on, with their indices.
    pub fn known_from(&self, first: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let skipped = first.saturating_sub(self.base + 1);
        (self.base + 1 + skipped..).zip(self.entries.get(skipped as usize..).unwrap_or_default())
    }

    fn cover(&mut self, index: u64) {
        self.base = index;
        self.entries.clear();
    }

    fn truncate(&mut self, last: u64) {
        if last < self.base {
            self.cover(last);
        } else {
            self.entries.truncate(usize::try_from(last - self.base).unwrap_or(usize::MAX));
        }
    }

    fn append(&mut self, index: u64, entry: Entry) {
        if index > self.last() + 1 {
            self.cover(index - 1);
        }
        if index <= self.base {
            return;
        }
        let position = (index - self.base - 1) as usize;
        match self.entries.get_mut(position) {
            // Without a `truncate` the rest stays, which is a mistake of the node that
            // `log_matching` looks for.
            Some(slot) => *slot = entry,
            None => self.entries.push(entry),
        }
    }

    /// Whether a snapshot leaves what comes after it: with the same entry in its log a follower
    /// keeps the rest (Raft §7).
    pub fn keeps(&self, index: u64, chain: u64) -> bool {
        match self.at(index) {
            Held::Covered => true,
            Held::Entry(entry) => entry.chain == chain,
            Held::Absent => false,
        }
    }

    fn recover(&mut self, snapshot_index: u64, last_index: u64, last_term: u64) {
        let last_index = last_index.max(snapshot_index);
        if last_index > self.last() {
            self.cover(last_index);
            return;
        }
        self.truncate(last_index);
        let same = match self.at(last_index) {
            Held::Entry(entry) => entry.term == last_term || last_index == snapshot_index,
            Held::Covered | Held::Absent => true,
        };
        if !same {
            self.cover(last_index);
        }
    }
}

/// The logs of all nodes while the records are gone through.
pub struct Logs(Vec<Log>);

impl Logs {
    /// Empty logs of this many participants.
    pub fn new(nodes: usize) -> Self {
        Logs(vec![Log::default(); nodes])
    }

    /// The log of a node of this trace.
    pub fn of(&self, node: crate::trace::NodeId) -> &Log {
        &self.0[node.index()]
    }

    /// Replay a record; those that concern no log change nothing.
    pub fn replay(&mut self, record: &RaftEvent) {
        let log = &mut self.0[record.node.index()];
        match record.kind {
            Kind::Append { index, term, digest, chain } => {
                log.append(index, Entry { term, digest, chain })
            }
            Kind::Truncate { from } => log.truncate(from.saturating_sub(1)),
            Kind::SnapshotTake { index, .. } if index > log.last() => log.cover(index),
            Kind::SnapshotInstall { index, chain, .. } if !log.keeps(index, chain) => {
                log.cover(index)
            }
            Kind::Recover { snapshot_index, last_index, last_term, .. } => {
                log.recover(snapshot_index, last_index, last_term)
            }
            _ => {}
        }
    }
}
