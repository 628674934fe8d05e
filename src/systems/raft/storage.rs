//! What a server keeps on its disk, and how it finds it again.
//!
//! Three files. `state` holds `current_term` and `voted_for` and is replaced as a whole; so is
//! `snapshot`. `log` is a [`record_log`]: what a crash has torn at its end was never answered for,
//! and is cut off. Anything else that does not fit was durable once and is damaged, and a server
//! that has lost what it promised must not take part: it refuses to start.
//!
//! A snapshot is written before the log that it shortens. A crash in between leaves the new
//! snapshot and the old log, which still fits: what the snapshot covers is skipped.

use std::collections::VecDeque;
use std::rc::Rc;

use xxhash_rust::xxh3::xxh3_64;

use super::defects::{Defect, Planted};
use super::host::Host;
use super::log::{Entry, Log, Payload};
use super::snapshot::Snapshot;
use super::types::{LogIndex, Term};
use crate::codec::{Reader, Writer};
use crate::node::record_log::{self, Record, Records, refuse_to_start};
use crate::trace::NodeId;

/// The file of `current_term` and `voted_for`.
pub const STATE: &str = "state";
/// The file of the entries.
pub const LOG: &str = "log";
/// The file of the last snapshot.
pub const SNAPSHOT: &str = "snapshot";

/// A record that says after which entry the log begins.
const BASE: u8 = 0;
/// A record of an entry.
const ENTRY: u8 = 1;

/// Where the entries stand in the log file.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    /// The index before the first record of an entry.
    base: LogIndex,
    /// Where the first record of an entry begins.
    start: u64,
    /// Where each record of an entry ends.
    ends: VecDeque<u64>,
}

/// What a server finds at boot.
#[derive(Debug, Default)]
pub struct Recovered {
    /// `current_term`.
    pub term: Term,
    /// `voted_for`.
    pub voted_for: Option<NodeId>,
    /// The last snapshot.
    pub snapshot: Option<Rc<Snapshot>>,
    /// The log, which reaches back at least to the snapshot.
    pub log: Log,
}

impl Storage {
    /// Save `current_term` and `voted_for`.
    pub fn save_state(host: &mut impl Host, term: Term, voted_for: Option<NodeId>) {
        let mut writer = Writer(Vec::with_capacity(24));
        writer.u64(term.0);
        writer.u64(voted_for.map_or(0, |node| u64::from(node.0) + 1));
        writer.u64(xxh3_64(&writer.0));
        host.replace(STATE, writer.0);
    }

    /// Save entries behind the last one.
    pub fn append(&mut self, host: &mut impl Host, entries: &[Rc<Entry>]) {
        let mut writer = Writer(Vec::with_capacity(entries.len() * 96));
        let end = self.end();
        for entry in entries {
            let index = self.base.plus(self.ends.len() + 1);
            write_entry(&mut writer, index, entry);
            self.ends.push_back(end + writer.0.len() as u64);
        }
        host.append(LOG, writer.0);
    }

    /// Remove the entry at `from` and all after it.
    pub fn truncate(&mut self, host: &mut impl Host, from: LogIndex) {
        self.ends.truncate(from.since(self.base) - 1);
        host.truncate(LOG, self.end());
    }

    /// Save a snapshot; the log follows with [`Storage::rewrite_log`].
    pub fn save_snapshot(host: &mut impl Host, snapshot: &Snapshot) {
        host.replace(SNAPSHOT, snapshot.encoded.to_vec());
    }

    /// Replace the whole log.
    pub fn rewrite_log(&mut self, host: &mut impl Host, log: &Log) {
        let mut writer = Writer::default();
        let (term, chain) = (log.term(log.base()), log.chain(log.base()));
        record_log::write(&mut writer, |writer| {
            writer.byte(BASE);
            writer.u64(log.base().0);
            writer.u64(term.expect("a log knows its base").0);
            writer.u64(chain.expect("a log knows its base"));
        });
        *self = Storage { base: log.base(), start: writer.0.len() as u64, ends: VecDeque::new() };
        for (index, entry) in log.iter() {
            write_entry(&mut writer, index, entry);
            self.ends.push_back(writer.0.len() as u64);
        }
        host.replace(LOG, writer.0);
    }

    fn end(&self) -> u64 {
        self.ends.back().copied().unwrap_or(self.start)
    }

    /// Read everything back. Panics, and so refuses to start, where something is damaged that was
    /// durable.
    pub fn recover(host: &mut impl Host, planted: Planted) -> (Storage, Recovered) {
        let mut recovered = Recovered::default();
        let state = host.read(STATE);
        if state.is_some() && planted.plants(Defect::BlankDisk) {
            host.truncate(LOG, 0);
            return (Storage::default(), recovered);
        }
        if let Some(bytes) = state {
            (recovered.term, recovered.voted_for) = read_state(&bytes)
                .unwrap_or_else(|| refuse_to_start(STATE, "its checksum does not fit"));
        }
        recovered.snapshot = host.read(SNAPSHOT).map(|bytes| {
            let snapshot = Snapshot::decode(bytes.into());
            Rc::new(
                snapshot.unwrap_or_else(|| refuse_to_start(SNAPSHOT, "its checksum does not fit")),
            )
        });
        let bytes = host.read(LOG).unwrap_or_default();
        let (mut storage, intact) = recovered.read_log(&bytes);
        if intact < bytes.len() {
            host.log(|| {
                format!(
                    "cut {} bytes of an unfinished append from the end of the log",
                    bytes.len() - intact
                )
            });
            host.truncate(LOG, intact as u64);
        }
        let stored = recovered.log.base();
        recovered.fit_log_to_snapshot(planted);
        if recovered.log.base() != stored {
            storage.rewrite_log(host, &recovered.log);
        }
        (storage, recovered)
    }
}

impl Recovered {
    /// Take over all whole records. Returns where they stand and how many bytes are intact.
    fn read_log(&mut self, bytes: &[u8]) -> (Storage, usize) {
        let mut storage = Storage::default();
        let mut records = Records::new(bytes);
        for record in records.by_ref() {
            let Record { at, end, body } =
                record.unwrap_or_else(|damage| refuse_to_start(LOG, damage));
            match read_body(body) {
                Some(Body::Base(log)) if at == 0 => {
                    let start = end as u64;
                    storage = Storage { base: log.base(), start, ends: VecDeque::new() };
                    self.log = log;
                }
                Some(Body::Entry(index, entry)) if index == self.log.last_index().next() => {
                    self.log.append(entry);
                    storage.ends.push_back(end as u64);
                }
                _ => refuse_to_start(
                    LOG,
                    format_args!("the record at byte {at} does not follow the one before it"),
                ),
            }
        }
        (storage, records.intact())
    }

    /// Drop what the snapshot replaces: all, where the log ends before it or contradicts it.
    fn fit_log_to_snapshot(&mut self, planted: Planted) {
        let covered = self.snapshot.as_ref().map_or(LogIndex::ZERO, |snapshot| snapshot.index);
        if self.log.base() > covered {
            let is_damage = !planted.plants(Defect::CompactionBeforeSnapshot)
                && !planted.plants(Defect::SnapshotOffByOne);
            if is_damage {
                refuse_to_start(
                    LOG,
                    format_args!(
                        "it begins after entry {}, but the snapshot ends at {covered}",
                        self.log.base()
                    ),
                );
            }
            return;
        }
        let Some(snapshot) = &self.snapshot else { return };
        if self.log.term(snapshot.index) != Some(snapshot.term) {
            self.log = Log::after(snapshot.index, snapshot.term, snapshot.chain);
        }
    }
}

fn write_entry(writer: &mut Writer, index: LogIndex, entry: &Entry) {
    record_log::write(writer, |writer| {
        writer.byte(ENTRY);
        writer.u64(index.0);
        writer.u64(entry.term.0);
        entry.payload.encode(writer);
    });
}

enum Body {
    Base(Log),
    Entry(LogIndex, Rc<Entry>),
}

fn read_body(body: &[u8]) -> Option<Body> {
    let mut reader = Reader(body);
    match reader.byte()? {
        BASE => Some(Body::Base(Log::after(
            LogIndex(reader.u64()?),
            Term(reader.u64()?),
            reader.u64()?,
        ))),
        ENTRY => {
            let (index, term) = (LogIndex(reader.u64()?), Term(reader.u64()?));
            Some(Body::Entry(index, Entry::new(term, Payload::decode(&mut reader)?)))
        }
        _ => None,
    }
}

fn read_state(bytes: &[u8]) -> Option<(Term, Option<NodeId>)> {
    let mut reader = Reader(bytes);
    let (term, vote, checksum) = (reader.u64()?, reader.u64()?, reader.u64()?);
    let intact = reader.0.is_empty() && checksum == xxh3_64(&bytes[..16]);
    let voted_for = vote.checked_sub(1).map(|id| NodeId(id as u32));
    intact.then_some((Term(term), voted_for))
}
