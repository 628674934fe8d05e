//! What a server keeps on its disk, and how it finds it again.
//!
//! Three files. `epoch` holds `accepted_epoch` (the newest epoch promised to a prospective leader)
//! and `current_epoch` (the epoch whose leader's history this server has taken over), and is
//! replaced as a whole; so is `snapshot`, the tree at some committed transaction. `txnlog` is a
//! [`record_log`]: what a crash has torn at its end is cut off, because nobody was told of it;
//! anything else that does not fit is damage to what was durable, and a server that has lost what
//! it promised must not take part.
//!
//! A snapshot is written before the log that it shortens, so that a crash in between leaves a log
//! that reaches back too far, never too short.

use std::collections::VecDeque;
use std::rc::Rc;

use xxhash_rust::xxh3::xxh3_64;

use super::host::Host;
use super::jute::{JuteReader, JuteWriter, Reader, Writer};
use super::tree::DataTree;
use super::txn::Entry;
use super::types::{Epoch, Zxid};
use crate::node::record_log::{self, Record, Records, refuse_to_start};

/// The file of the epochs.
pub const EPOCH: &str = "epoch";
/// The file of the transactions.
pub const LOG: &str = "txnlog";
/// The file of the last snapshot.
pub const SNAPSHOT: &str = "snapshot";

/// A record that says after which transaction the log begins.
const BASE: u8 = 0;
/// A record of a transaction.
const ENTRY: u8 = 1;

/// The transaction log, in memory and on the disk alike.
#[derive(Clone, Debug, Default)]
pub struct TxnLog {
    /// The transaction before the first one of the log.
    base: Zxid,
    entries: VecDeque<Rc<Entry>>,
    /// Where the first record begins.
    start: u64,
    /// Where each record ends.
    ends: VecDeque<u64>,
}

/// What a server finds at boot.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The newest epoch it has promised itself to.
    pub accepted_epoch: Epoch,
    /// The epoch whose history it has.
    pub current_epoch: Epoch,
    /// The tree of the last snapshot.
    pub tree: DataTree,
    /// The transactions after it, and perhaps some before.
    pub log: TxnLog,
}

/// Save the epochs.
pub fn save_epochs(host: &mut impl Host, accepted: Epoch, current: Epoch) {
    let mut writer = Writer(Vec::with_capacity(16));
    writer.int(accepted.0 as i32);
    writer.int(current.0 as i32);
    writer.long(xxh3_64(&writer.0));
    host.replace(EPOCH, writer.0);
}

impl TxnLog {
    /// The transaction before the first one.
    pub fn base(&self) -> Zxid {
        self.base
    }

    /// The last transaction, or the base of an empty log.
    pub fn last(&self) -> Zxid {
        self.entries.back().map_or(self.base, |entry| entry.zxid)
    }

    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether this is a transaction of the log, or its base.
    pub fn has(&self, zxid: Zxid) -> bool {
        zxid == self.base || self.entries.binary_search_by_key(&zxid, |entry| entry.zxid).is_ok()
    }

    /// The last transaction that is not after this one.
    pub fn floor(&self, zxid: Zxid) -> Zxid {
        match self.position_after(zxid) {
            0 => self.base,
            at => self.entries[at - 1].zxid,
        }
    }

    /// The transactions after this one.
    pub fn after(&self, zxid: Zxid) -> impl Iterator<Item = &Rc<Entry>> {
        self.entries.range(self.position_after(zxid)..)
    }

    /// The transaction after this one.
    pub fn next(&self, zxid: Zxid) -> Option<Rc<Entry>> {
        self.entries.get(self.position_after(zxid)).cloned()
    }

    fn position_after(&self, zxid: Zxid) -> usize {
        self.entries.partition_point(|entry| entry.zxid <= zxid)
    }

    /// Append transactions, and save them.
    pub fn append(&mut self, host: &mut impl Host, entries: &[Rc<Entry>]) {
        let mut writer = Writer(Vec::with_capacity(entries.len() * 128));
        let end = self.end();
        for entry in entries {
            assert!(
                entry.zxid > self.last(),
                "transaction {} does not follow {}",
                entry.zxid,
                self.last()
            );
            write_entry(&mut writer, entry);
            self.ends.push_back(end + writer.0.len() as u64);
            self.entries.push_back(entry.clone());
        }
        host.append(LOG, writer.0);
    }

    /// Remove all transactions after this one.
    pub fn truncate(&mut self, host: &mut impl Host, zxid: Zxid) {
        let kept = self.position_after(zxid);
        self.entries.truncate(kept);
        self.ends.truncate(kept);
        host.truncate(LOG, self.end());
    }

    /// Save a snapshot, and shorten the log to `trailing` transactions before it and all after it.
    pub fn compact(&mut self, host: &mut impl Host, tree: &DataTree, trailing: usize) {
        host.replace(SNAPSHOT, tree.encode());
        let dropped = self.position_after(tree.last()).saturating_sub(trailing);
        for entry in self.entries.drain(..dropped) {
            self.base = entry.zxid;
        }
        self.rewrite(host);
    }

    /// Replace everything by a leader's snapshot.
    pub fn reset(&mut self, host: &mut impl Host, tree: &DataTree) {
        host.replace(SNAPSHOT, tree.encode());
        self.entries.clear();
        self.base = tree.last();
        self.rewrite(host);
    }

    fn rewrite(&mut self, host: &mut impl Host) {
        let mut writer = Writer::default();
        record_log::write(&mut writer, |writer| {
            writer.byte(BASE);
            writer.long(self.base.0);
        });
        self.start = writer.0.len() as u64;
        self.ends.clear();
        for entry in &self.entries {
            write_entry(&mut writer, entry);
            self.ends.push_back(writer.0.len() as u64);
        }
        host.replace(LOG, writer.0);
    }

    fn end(&self) -> u64 {
        self.ends.back().copied().unwrap_or(self.start)
    }

    /// Take over all whole records. Gives how many bytes are intact.
    fn read(&mut self, bytes: &[u8]) -> usize {
        let mut records = Records::new(bytes);
        for record in records.by_ref() {
            let Record { at, end, body } =
                record.unwrap_or_else(|damage| refuse_to_start(LOG, damage));
            let mut reader = Reader(body);
            match reader.byte() {
                Some(BASE) if at == 0 => {
                    self.base = reader
                        .long()
                        .map(Zxid)
                        .unwrap_or_else(|| refuse_to_start(LOG, "its first record ends too early"));
                    self.start = end as u64;
                }
                Some(ENTRY) => match Entry::read(&mut reader) {
                    Some(entry) if entry.zxid > self.last() => {
                        self.entries.push_back(entry);
                        self.ends.push_back(end as u64);
                    }
                    _ => refuse_to_start(
                        LOG,
                        format_args!("the record at byte {at} does not follow the one before it"),
                    ),
                },
                _ => refuse_to_start(LOG, format_args!("the record at byte {at} is none of a log")),
            }
        }
        records.intact()
    }
}

/// Read everything back. Panics, and so refuses to start, where something is damaged that was
/// durable.
pub fn recover(host: &mut impl Host) -> Recovered {
    let mut recovered = Recovered::default();
    if let Some(bytes) = host.read(EPOCH) {
        let (accepted, current) = read_epochs(&bytes)
            .unwrap_or_else(|| refuse_to_start(EPOCH, "its checksum does not fit"));
        (recovered.accepted_epoch, recovered.current_epoch) = (accepted, current);
    }
    if let Some(bytes) = host.read(SNAPSHOT) {
        recovered.tree = DataTree::decode(&bytes)
            .unwrap_or_else(|| refuse_to_start(SNAPSHOT, "its checksum does not fit"));
    }
    let bytes = host.read(LOG).unwrap_or_default();
    let intact = recovered.log.read(&bytes);
    if intact < bytes.len() {
        host.log(|| {
            format!(
                "cut {} bytes of an unfinished append from the end of the log",
                bytes.len() - intact
            )
        });
        host.truncate(LOG, intact as u64);
    }
    // A crash between the snapshot of a leader and the log that goes with it: the log before it is
    // of no use any more.
    if recovered.log.base() > recovered.tree.last() {
        refuse_to_start(
            LOG,
            format_args!(
                "it begins after {}, but the snapshot ends at {}",
                recovered.log.base(),
                recovered.tree.last()
            ),
        );
    }
    if !recovered.log.has(recovered.tree.last()) {
        let tree = std::mem::take(&mut recovered.tree);
        recovered.log.reset(host, &tree);
        recovered.tree = tree;
    }
    recovered
}

fn read_epochs(bytes: &[u8]) -> Option<(Epoch, Epoch)> {
    let mut reader = Reader(bytes);
    let (accepted, current, checksum) = (reader.int()?, reader.int()?, reader.long()?);
    (reader.0.is_empty() && checksum == xxh3_64(&bytes[..8]))
        .then_some((Epoch(accepted as u32), Epoch(current as u32)))
}

fn write_entry(writer: &mut Writer, entry: &Entry) {
    record_log::write(writer, |writer| {
        writer.byte(ENTRY);
        entry.write(writer);
    });
}
