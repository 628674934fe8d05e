//! The log in memory: what follows the last compaction, with a running hash.

use std::collections::VecDeque;
use std::rc::Rc;

use xxhash_rust::xxh3::xxh3_64;

use serde::{Deserialize, Serialize};

use super::configuration::Configuration;
use super::types::{LogIndex, Term};
use crate::codec::{Reader, Writer};
use crate::trace::NodeId;
use crate::wire;

/// Bytes that many hold and nobody changes.
pub type Bytes = Rc<[u8]>;

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Nothing: a new leader appends it to commit what its predecessors left (§5.4.2, §8).
    Noop,
    /// A configuration of the cluster, in force on each server from the moment it appends the entry
    /// (dissertation §4.1).
    Config(Rc<Configuration>),
    /// A client asks for a session, whose id will be this entry's index.
    OpenSession {
        /// Who asks.
        client: NodeId,
    },
    /// A command for the state machine.
    Command(Command),
}

/// A command with what is needed to take effect once (dissertation §6.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Who asks.
    pub client: NodeId,
    /// The client's session; [`LogIndex::ZERO`] for commands that are applied as often as they
    /// stand in the log.
    pub session: LogIndex,
    /// The client's number for this command; the same for every retry.
    pub serial: u64,
    /// The command, as the state machine reads it.
    #[serde(with = "wire::bytes")]
    pub bytes: Bytes,
}

/// An entry. Servers and messages share it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WireEntry")]
pub struct Entry {
    /// The term of the leader that made it.
    pub term: Term,
    /// What it says.
    pub payload: Payload,
    /// Hash of the payload.
    #[serde(skip)]
    pub digest: u64,
    /// Bytes of the payload on the wire and on the disk.
    #[serde(skip)]
    pub size: u32,
}

/// An entry as a program knows it; the rest follows.
#[derive(Deserialize)]
struct WireEntry {
    term: Term,
    payload: Payload,
}

impl From<WireEntry> for Entry {
    fn from(WireEntry { term, payload }: WireEntry) -> Entry {
        Entry::made(term, payload)
    }
}

impl Entry {
    /// A new entry.
    pub fn new(term: Term, payload: Payload) -> Rc<Entry> {
        Rc::new(Entry::made(term, payload))
    }

    fn made(term: Term, payload: Payload) -> Entry {
        let mut writer = Writer(Vec::with_capacity(64));
        payload.encode(&mut writer);
        let size = u32::try_from(writer.0.len()).expect("an entry is shorter than 4 GiB");
        Entry { term, digest: xxh3_64(&writer.0), payload, size }
    }
}

impl Payload {
    /// Append the bytes of this payload.
    pub fn encode(&self, writer: &mut Writer) {
        match self {
            Payload::Noop => {
                writer.byte(0);
            }
            Payload::Config(config) => {
                writer.byte(1);
                config.encode(writer);
            }
            Payload::OpenSession { client } => {
                writer.byte(2);
                writer.u32(client.0);
            }
            Payload::Command(command) => {
                writer.byte(3);
                writer.u32(command.client.0);
                writer.u64(command.session.0);
                writer.u64(command.serial);
                writer.bytes(&command.bytes);
            }
        }
    }

    /// Read what [`Payload::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Option<Payload> {
        match reader.byte()? {
            0 => Some(Payload::Noop),
            1 => Some(Payload::Config(Rc::new(Configuration::decode(reader)?))),
            2 => Some(Payload::OpenSession { client: NodeId(reader.u32()?) }),
            3 => Some(Payload::Command(Command {
                client: NodeId(reader.u32()?),
                session: LogIndex(reader.u64()?),
                serial: reader.u64()?,
                bytes: reader.bytes()?.into(),
            })),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Slot {
    entry: Rc<Entry>,
    /// Hash of all entries up to this one.
    chain: u64,
}

/// The log.
///
/// Invariant: terms never decrease along it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The last entry that is gone, because a snapshot covers it.
    base: LogIndex,
    base_term: Term,
    base_chain: u64,
    slots: VecDeque<Slot>,
}

impl Log {
    /// An empty log whose next entry follows the given one.
    pub fn after(base: LogIndex, base_term: Term, base_chain: u64) -> Log {
        Log { base, base_term, base_chain, slots: VecDeque::new() }
    }

    /// The last index that is compacted away.
    pub fn base(&self) -> LogIndex {
        self.base
    }

    /// The index of the last entry, or the base if there is no entry.
    pub fn last_index(&self) -> LogIndex {
        self.base.plus(self.slots.len())
    }

    /// The term of the last entry.
    pub fn last_term(&self) -> Term {
        self.slots.back().map_or(self.base_term, |slot| slot.entry.term)
    }

    /// How many entries are in memory.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no entry is in memory.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn slot(&self, index: LogIndex) -> Option<&Slot> {
        let position = index.0.checked_sub(self.base.0 + 1)?;
        self.slots.get(usize::try_from(position).ok()?)
    }

    /// The entry at `index`, if it is in memory.
    pub fn get(&self, index: LogIndex) -> Option<&Rc<Entry>> {
        self.slot(index).map(|slot| &slot.entry)
    }

    /// The term of the entry at `index`; known for the base too.
    pub fn term(&self, index: LogIndex) -> Option<Term> {
        if index == self.base {
            Some(self.base_term)
        } else {
            self.get(index).map(|entry| entry.term)
        }
    }

    /// The hash of all entries up to `index`; known for the base too.
    pub fn chain(&self, index: LogIndex) -> Option<u64> {
        if index == self.base {
            Some(self.base_chain)
        } else {
            self.slot(index).map(|slot| slot.chain)
        }
    }

    /// Put an entry at the end. Returns the chain hash up to it.
    pub fn append(&mut self, entry: Rc<Entry>) -> u64 {
        let before = self.slots.back().map_or(self.base_chain, |slot| slot.chain);
        let chain = chain_hash(before, &entry);
        self.slots.push_back(Slot { entry, chain });
        chain
    }

    /// Remove the entry at `from` and all after it.
    pub fn truncate(&mut self, from: LogIndex) {
        assert!(
            from > self.base,
            "the log begins after {}, so it cannot be cut at {from}",
            self.base
        );
        self.slots.truncate(from.since(self.base) - 1);
    }

    /// Forget the entries up to and with `index`.
    pub fn compact(&mut self, index: LogIndex) {
        if index <= self.base {
            return;
        }
        let (term, chain) = (self.term(index), self.chain(index));
        let (Some(term), Some(chain)) = (term, chain) else {
            panic!("no entry {index} to compact to; the last is {}", self.last_index())
        };
        self.slots.drain(..index.since(self.base));
        (self.base, self.base_term, self.base_chain) = (index, term, chain);
    }

    /// At most `max` entries from `from` on.
    pub fn entries(&self, from: LogIndex, max: usize) -> Vec<Rc<Entry>> {
        let start = from.since(self.base.next());
        self.slots
            .range(start.min(self.slots.len())..)
            .take(max)
            .map(|slot| slot.entry.clone())
            .collect()
    }

    /// All entries in memory with their indices.
    pub fn iter(&self) -> impl Iterator<Item = (LogIndex, &Rc<Entry>)> {
        self.slots
            .iter()
            .enumerate()
            .map(|(position, slot)| (self.base.plus(position + 1), &slot.entry))
    }

    /// The first index in memory whose entry has a term of at least `term`.
    pub fn first_of_term(&self, term: Term) -> LogIndex {
        self.base.plus(self.slots.partition_point(|slot| slot.entry.term < term) + 1)
    }

    /// The last index in memory whose entry has this term, if there is one.
    pub fn last_of_term(&self, term: Term) -> Option<LogIndex> {
        let index = self.base.plus(self.slots.partition_point(|slot| slot.entry.term <= term));
        (self.term(index)? == term).then_some(index)
    }
}

fn chain_hash(before: u64, entry: &Entry) -> u64 {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&before.to_le_bytes());
    bytes[8..16].copy_from_slice(&entry.term.0.to_le_bytes());
    bytes[16..].copy_from_slice(&entry.digest.to_le_bytes());
    xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(terms: &[u64]) -> Log {
        let mut log = Log::default();
        for term in terms {
            log.append(Entry::new(Term(*term), Payload::Noop));
        }
        log
    }

    /// What a compacted log says of the entries that it still has does not depend on the
    /// compaction.
    #[test]
    fn compaction_changes_nothing_that_remains() {
        let whole = log(&[1, 1, 2, 4, 4]);
        let mut cut = whole.clone();
        cut.compact(LogIndex(3));
        assert_eq!((cut.base(), cut.last_index(), cut.len()), (LogIndex(3), LogIndex(5), 2));
        for index in 3..=5 {
            assert_eq!(cut.term(LogIndex(index)), whole.term(LogIndex(index)));
            assert_eq!(cut.chain(LogIndex(index)), whole.chain(LogIndex(index)));
        }
        assert_eq!(cut.term(LogIndex(2)), None, "it was compacted away");
    }

    /// Terms never decrease along a log, so that the first and the last entry of a term are found
    /// by bisection.
    #[test]
    fn terms_are_found_by_bisection() {
        let log = log(&[1, 1, 2, 4, 4]);
        assert_eq!(log.first_of_term(Term(2)), LogIndex(3));
        assert_eq!(log.last_of_term(Term(4)), Some(LogIndex(5)));
        assert_eq!(log.last_of_term(Term(3)), None);
        assert_eq!(log.last_of_term(Term(5)), None);
    }

    /// Two logs agree on the chain hash exactly as far as they agree on all entries (Log Matching,
    /// §5.3).
    #[test]
    fn the_chain_tells_where_two_logs_part() {
        let (a, b) = (log(&[1, 1, 2, 4]), log(&[1, 1, 3, 4]));
        assert_eq!(a.chain(LogIndex(2)), b.chain(LogIndex(2)));
        assert_ne!(a.chain(LogIndex(3)), b.chain(LogIndex(3)));
        assert_ne!(
            a.chain(LogIndex(4)),
            b.chain(LogIndex(4)),
            "equal entries after different ones"
        );
    }

    /// A payload read from the disk is the one that was written.
    #[test]
    fn payloads_survive_encoding() {
        let command = Command {
            client: NodeId(7),
            session: LogIndex(3),
            serial: 9,
            bytes: b"k1".as_slice().into(),
        };
        for payload in
            [Payload::Noop, Payload::OpenSession { client: NodeId(2) }, Payload::Command(command)]
        {
            let mut writer = Writer::default();
            payload.encode(&mut writer);
            assert_eq!(Payload::decode(&mut Reader(&writer.0)), Some(payload));
        }
    }
}
