//! The logs of the replicas, replayed from what they say: for each a list of hashes.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::record::{Kind, Record};
use crate::trace::NodeId;

/// A log longer than this is no log of a run that ends; a damaged trace may claim any length.
const LEN_MAX: u64 = 10_000_000;

/// The durable logs.
#[derive(Clone)]
pub struct Logs {
    /// The hash of each record of each node's log, from 1 on; 0 where it is not known.
    logs: Vec<Vec<u64>>,
    /// The hash before each hash, as far as anybody has told.
    prev: Rc<BTreeMap<u64, u64>>,
}

impl Logs {
    pub fn new(nodes: usize, records: &[Record]) -> Logs {
        let told = records.iter().filter_map(|record| match record.kind {
            Kind::Stored { prev, hash, .. } | Kind::Kept { prev, hash, .. } => Some((hash, prev)),
            _ => None,
        });
        Logs { logs: vec![Vec::new(); nodes], prev: Rc::new(told.collect()) }
    }

    /// The hashes of a node's log.
    pub fn of(&self, node: NodeId) -> &[u64] {
        self.logs.get(node.index()).map_or(&[], Vec::as_slice)
    }

    /// The number and the hash of a node's last record.
    pub fn head(&self, node: NodeId) -> (u64, u64) {
        let log = self.of(node);
        (log.len() as u64, log.last().copied().unwrap_or(0))
    }

    /// Whether a node has this record in this place. What is not known counts as being there.
    pub fn has(&self, node: NodeId, seq: u64, hash: u64) -> bool {
        let Some(place) = seq.checked_sub(1) else { return true };
        self.of(node)
            .get(usize::try_from(place).unwrap_or(usize::MAX))
            .is_some_and(|own| *own == hash || *own == 0)
    }

    /// The hashes of a log that ends with this record; 0 where they are not known.
    pub fn ending(&self, seq: u64, hash: u64) -> Vec<u64> {
        let mut log = vec![0; usize::try_from(seq.min(LEN_MAX)).unwrap_or(0)];
        let mut hash = hash;
        for place in log.iter_mut().rev() {
            *place = hash;
            match self.prev.get(&hash) {
                Some(prev) => hash = *prev,
                None => break,
            }
        }
        log
    }

    /// What a record does to the log of its node.
    pub fn replay(&mut self, record: &Record) {
        let Some(log) = self.logs.get_mut(record.node.index()) else { return };
        match record.kind {
            Kind::Stored { seq, hash, .. } => {
                let before = usize::try_from(seq.saturating_sub(1).min(LEN_MAX)).unwrap_or(0);
                log.resize(before, 0);
                log.push(hash);
            }
            Kind::Cut { from } => {
                log.truncate(usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX))
            }
            Kind::Emptied => log.clear(),
            Kind::Copied { seq, hash, .. } | Kind::Recovered { seq, hash, .. } => {
                let as_before = usize::try_from(seq)
                    .is_ok_and(|len| len <= log.len() && len > 0 && log[len - 1] == hash);
                if as_before {
                    log.truncate(seq as usize);
                } else {
                    let mut ending = self.ending(seq, hash);
                    let log = &mut self.logs[record.node.index()];
                    // What was not told again is what it was.
                    for (place, own) in ending.iter_mut().zip(log.iter()) {
                        if *place == 0 {
                            *place = *own;
                        }
                    }
                    *log = ending;
                }
            }
            _ => {}
        }
    }
}
