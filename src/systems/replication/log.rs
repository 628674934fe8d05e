//! The log of a replica: in memory, with what can be looked up in it, and as a file of lines.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::record::Record;
use crate::node::NodeId;

/// The file.
pub const FILE: &str = "log";

/// The records from 1 on, and what follows from them.
///
/// Invariant: the record at position `i` has the number `i + 1` and the hash of its predecessor as
/// `prev`.
#[derive(Clone, Debug, Default)]
pub struct ReplicaLog {
    records: Vec<Rc<Record>>,
    /// Where the line of each record ends in the file, bytes.
    ends: Vec<u64>,
    /// The last request of each client, by its number and its place. Clients ask one thing at a
    /// time, so the last one is enough.
    latest: BTreeMap<NodeId, (u64, u64)>,
    /// The ids of the forms that exist when all records are applied.
    keys: BTreeSet<Rc<str>>,
}

/// What a recovery found in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of whole records that fit together, from the beginning on.
    pub kept: u64,
    /// Bytes behind them.
    pub discarded: u64,
    /// Whether a whole line was no valid record: then it was not a crash that left the rest, but
    /// damage.
    pub damaged: bool,
}

impl ReplicaLog {
    /// Read the file. Verification accepts exactly the untampered beginning: records whose hashes
    /// follow from each other. A last line without an end is what a crash leaves of a write; nobody
    /// was told of it, so it is cut off in silence.
    pub fn recover(bytes: &[u8], accepts: impl Fn(&Record, u64) -> bool) -> (ReplicaLog, Recovery) {
        let mut log = ReplicaLog::default();
        let mut damaged = false;
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = std::str::from_utf8(&rest[..end]).ok();
            let read = line.and_then(|line| Record::parse(line, log.last_hash()));
            match read.filter(|(record, _)| record.content.seq == log.last() + 1) {
                Some((record, claimed)) if accepts(&record, claimed) => {
                    log.put(Rc::new(record), end as u64 + 1)
                }
                _ => {
                    damaged = true;
                    break;
                }
            }
            rest = &rest[end + 1..];
        }
        // A whole record whose line end alone is wrong was not torn: a torn line lacks at least its
        // last byte.
        let all_but_end =
            rest.len().checked_sub(1).and_then(|len| std::str::from_utf8(&rest[..len]).ok());
        damaged |= all_but_end.is_some_and(|line| Record::parse(line, log.last_hash()).is_some());
        let kept = log.file_len();
        (log, Recovery { kept, discarded: bytes.len() as u64 - kept, damaged })
    }

    /// The number of the last record; 0 where there is none.
    pub fn last(&self) -> u64 {
        self.records.len() as u64
    }

    /// The hash of the last record, a digest of the whole log; 0 where there is none.
    pub fn last_hash(&self) -> u64 {
        self.records.last().map_or(0, |record| record.hash)
    }

    /// The hash of a record; 0 is that of the empty log.
    pub fn hash_at(&self, seq: u64) -> Option<u64> {
        if seq == 0 { Some(0) } else { self.get(seq).map(|record| record.hash) }
    }

    /// A record by its number.
    pub fn get(&self, seq: u64) -> Option<&Rc<Record>> {
        self.records.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    /// The records of some numbers, as far as there are any.
    pub fn range(&self, from: u64, count: usize) -> &[Rc<Record>] {
        let begin = (from.max(1) as usize - 1).min(self.records.len());
        &self.records[begin..(begin + count).min(self.records.len())]
    }

    /// The file's length, bytes.
    pub fn file_len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The file's content.
    pub fn bytes(&self) -> Vec<u8> {
        self.records.iter().flat_map(|record| record.line()).collect()
    }

    /// Whether a form exists when all records are applied.
    pub fn has_form(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// The last request of a client: its number, and the record that holds it.
    pub fn latest(&self, client: NodeId) -> Option<(u64, u64)> {
        self.latest.get(&client).copied()
    }

    /// Append a record; gives its line.
    pub fn push(&mut self, record: Rc<Record>) -> Vec<u8> {
        assert_eq!(record.content.seq, self.last() + 1, "a log has no gaps");
        assert_eq!(record.prev, self.last_hash(), "a record is chained to the one before it");
        let line = record.line();
        self.put(record, line.len() as u64);
        line
    }

    fn put(&mut self, record: Rc<Record>, bytes: u64) {
        self.ends.push(self.file_len() + bytes);
        self.index(&record);
        self.records.push(record);
    }

    fn index(&mut self, record: &Record) {
        let (client, req) = record.request();
        self.latest.insert(client, (req, record.content.seq));
        if record.content.done {
            match record.content.value {
                Some(_) => self.keys.insert(record.content.key.clone()),
                None => self.keys.remove(&record.content.key),
            };
        }
    }

    /// Remove the records from a number on; gives the file's new length.
    pub fn cut(&mut self, from: u64) -> u64 {
        let kept = from.max(1) as usize - 1;
        self.records.truncate(kept);
        self.ends.truncate(kept);
        self.latest.clear();
        self.keys.clear();
        for record in self.records.clone() {
            self.index(&record);
        }
        self.file_len()
    }

    /// The first record of the epoch that the record at `seq` is of: where a leader looks next when
    /// the two logs differ there.
    pub fn epoch_begins(&self, seq: u64) -> u64 {
        let Some(epoch) = self.get(seq).map(|record| record.content.epoch) else { return seq };
        let before = self.records[..seq as usize]
            .iter()
            .rev()
            .take_while(|record| record.content.epoch == epoch);
        seq + 1 - before.count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Content, Operation};
    use super::*;

    fn log(records: u64) -> ReplicaLog {
        let mut log = ReplicaLog::default();
        for seq in 1..=records {
            let (key, operation) = (format!("k{seq}").into(), Operation::Delete);
            let content = Content {
                client: 1,
                done: true,
                epoch: 1 + seq / 3,
                key,
                operation,
                req: seq,
                seq,
                value: None,
            };
            log.push(Rc::new(Record::new(content, log.last_hash())));
        }
        log
    }

    fn recover(bytes: &[u8]) -> (u64, Recovery) {
        let (log, recovery) = ReplicaLog::recover(bytes, |record, claimed| record.hash == claimed);
        (log.last(), recovery)
    }

    /// Wherever a crash cuts the last write, the whole records before it stay, and it is no damage.
    #[test]
    fn a_torn_tail_is_cut_off() {
        let (whole, three) = (log(4).bytes(), log(3).bytes().len());
        for len in three..whole.len() {
            let (last, recovery) = recover(&whole[..len]);
            assert_eq!(
                (last, recovery.damaged, recovery.kept),
                (3, false, three as u64),
                "{len} bytes"
            );
        }
        assert_eq!(
            recover(&whole),
            (4, Recovery { kept: whole.len() as u64, discarded: 0, damaged: false })
        );
    }

    /// Whatever bit of an older record is wrong, what comes before it is accepted and nothing else.
    #[test]
    fn exactly_the_untampered_beginning_is_accepted() {
        let (whole, one, two) = (log(4).bytes(), log(1).bytes().len(), log(2).bytes().len());
        for place in one..two {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[place] ^= 1 << bit;
                let (last, recovery) = recover(&bytes);
                assert_eq!((last, recovery.damaged), (1, true), "bit {bit} of byte {place}");
            }
        }
    }

    /// A follower tells where the epoch of its own record begins, so that the leader need not go
    /// back one by one.
    #[test]
    fn the_beginning_of_an_epoch_is_found() {
        let log = log(7);
        assert_eq!([1, 2, 3, 5, 6, 7, 9].map(|seq| log.epoch_begins(seq)), [1, 1, 3, 3, 6, 6, 9]);
    }
}
