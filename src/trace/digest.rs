//! The digest of a trace.
//!
//! Each record becomes a few words of 64 bits, and XXH3 runs over all words. A text enters as its
//! own hash. While a trace is in memory most texts are literals, of which there are few; their
//! hashes are remembered by address, so that a record costs some nanoseconds and a digest does not
//! slow a sweep. Addresses decide only what is computed anew, never a result.

use std::borrow::Cow;
use std::fmt;

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

use super::{Detail, FieldNames, Fields, Message, Trace, Value, Word};

/// 128 bits over the nodes and every record of a trace: two traces with the same digest hold the
/// same.
///
/// The names of scenario and system and the seed are not in it: they name a run, and are not what
/// happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub u128);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Digest {
    /// The digest of a trace, the same for one in memory and for one read back from its files.
    pub fn of(trace: &Trace) -> Digest {
        let mut folder = Folder::default();
        folder.words([trace.duration_us, trace.end_us, trace.nodes.len() as u64]);
        for node in &trace.nodes {
            let words = [xxh3_64(node.name.as_bytes()), folder.word(&node.role)];
            folder.words(words);
        }
        folder.words([trace.history.len() as u64]);
        for op in &trace.history {
            let words = [
                op.index,
                op.time_us,
                op.op_type as u64,
                folder.word(&op.process),
                folder.word(&op.f),
                folder.word(&op.value),
                folder.word(&op.error),
            ];
            folder.words(words);
        }
        folder.words([trace.events.len() as u64]);
        for event in &trace.events {
            let node = u64::from(event.node.0) << 32 | u64::from(event.incarnation);
            let words = [
                event.index,
                event.time_us,
                node,
                folder.word(&event.name),
                folder.names(&event.fields),
            ];
            folder.words(words);
            for value in &event.fields.values {
                folder.value(value);
            }
        }
        let sum = match &trace.folded_messages {
            Some(sum) => *sum,
            None => {
                let mut messages = MessageFolder::default();
                trace.messages.iter().for_each(|message| messages.add(message));
                messages.sum
            }
        };
        folder.words([sum.count, sum.hashes as u64, (sum.hashes >> 64) as u64]);
        folder.words([trace.metrics.len() as u64]);
        for metric in &trace.metrics {
            let words = [metric.time_us, u64::from(metric.node.0), folder.word(&metric.name)];
            folder.words(words);
            folder.value(&metric.value);
        }
        folder.finish()
    }
}

/// What is left of messages that were not kept: how many, and the sum of their hashes. A sum,
/// because messages end in another order than they began in; each hash covers the message's number,
/// so that nothing can change places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageSum {
    /// How many messages were sent, copies included.
    pub count: u64,
    hashes: u128,
}

/// Folds messages one by one.
#[derive(Default)]
pub(crate) struct MessageFolder {
    folder: Folder,
    pub(crate) sum: MessageSum,
}

impl std::fmt::Debug for MessageFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sum.fmt(f)
    }
}

impl MessageFolder {
    pub(crate) fn add(&mut self, message: &Message) {
        let folder = &mut self.folder;
        folder.chunk.clear();
        let ends = u64::from(message.src.0) << 32 | u64::from(message.dest.0);
        let rest = (message.outcome as u64) << 33
            | u64::from(message.recv_us.is_some()) << 32
            | u64::from(message.bytes);
        let kind = folder.word(&message.kind);
        folder.words([message.id, message.sent_us, message.recv_us.unwrap_or(0), ends, rest, kind]);
        folder.detail(&message.detail);
        self.sum.count += 1;
        self.sum.hashes = self.sum.hashes.wrapping_add(xxh3_128(&folder.chunk));
    }
}

/// Bytes that are collected before XXH3 gets them: it is quickest on long pieces.
const CHUNK: usize = 4_096;
/// Places of the memory of hashes; a power of two.
const PLACES: usize = 256;

/// Where a literal lies, and the hash of what it says.
#[derive(Clone, Copy, Default)]
struct Remembered {
    address: usize,
    len: usize,
    hash: u64,
}

struct Folder {
    hasher: Xxh3,
    chunk: Vec<u8>,
    words: Vec<Remembered>,
    names: Vec<Remembered>,
}

impl Default for Folder {
    fn default() -> Self {
        let empty = || vec![Remembered::default(); PLACES];
        Folder {
            hasher: Xxh3::new(),
            chunk: Vec::with_capacity(CHUNK + 256),
            words: empty(),
            names: empty(),
        }
    }
}

/// What `slice` hashes to: remembered, where the same literal was met before. It is borrowed for as
/// long as the folder lives or for ever, so the same address and length always mean the same
/// content.
fn remembered<T>(memory: &mut [Remembered], slice: &[T], hash: impl FnOnce() -> u64) -> u64 {
    let (address, len) = (slice.as_ptr() as usize, slice.len());
    // Neighbouring literals differ in the low bits, lists of names from the fourth bit on.
    let place = &mut memory[(address ^ address >> 8) % PLACES];
    if place.address != address || place.len != len {
        *place = Remembered { address, len, hash: hash() };
    }
    place.hash
}

impl Folder {
    fn words<const N: usize>(&mut self, words: [u64; N]) {
        for word in words {
            self.chunk.extend_from_slice(&word.to_le_bytes());
        }
        if self.chunk.len() >= CHUNK {
            self.hasher.update(&self.chunk);
            self.chunk.clear();
        }
    }

    fn word(&mut self, word: &Word) -> u64 {
        match word {
            Cow::Borrowed(literal) => {
                remembered(&mut self.words, literal.as_bytes(), || xxh3_64(literal.as_bytes()))
            }
            Cow::Owned(text) => xxh3_64(text.as_bytes()),
        }
    }

    fn names(&mut self, fields: &Fields) -> u64 {
        match &fields.names {
            FieldNames::Static(names) => {
                remembered(&mut self.names, names, || hash_of_names(names.iter().copied()))
            }
            FieldNames::Shared(names) => remembered(&mut self.names, names, || {
                hash_of_names(names.iter().map(String::as_str))
            }),
        }
    }

    fn value(&mut self, value: &Value) {
        let words = match value {
            Value::Int(number) => [0, *number as u64],
            Value::Node(node) => [1, u64::from(node.0)],
            Value::Hash(hash) => [2, *hash],
            Value::Text(text) => [3, self.word(text)],
        };
        self.words(words);
    }

    /// A detail read back is text, which must count as the numbers that it was made from.
    fn detail(&mut self, detail: &Detail) {
        match detail {
            Detail::Numbers(names, [a, b, c]) => {
                // As many as are printed.
                let names = &names[..names.len().min(3)];
                let hash =
                    remembered(&mut self.names, names, || hash_of_names(names.iter().copied()));
                match names.len() {
                    0 => self.words([0]),
                    1 => self.words([1, hash, *a as u64]),
                    2 => self.words([2, hash, *a as u64, *b as u64]),
                    _ => self.words([3, hash, *a as u64, *b as u64, *c as u64]),
                }
            }
            Detail::None => self.words([0]),
            Detail::Text(text) if text.is_empty() => self.words([0]),
            Detail::Text(text) => match numbers_of(text) {
                Some((names, values)) => {
                    self.words([names.len() as u64, hash_of_names(names.iter().copied())]);
                    for value in values {
                        self.words([value as u64]);
                    }
                }
                None => {
                    let hash = self.word(text);
                    self.words([4, hash]);
                }
            },
        }
    }

    fn finish(mut self) -> Digest {
        self.hasher.update(&self.chunk);
        Digest(self.hasher.digest128())
    }
}

/// Order and borders of the names count.
fn hash_of_names<'a>(names: impl Iterator<Item = &'a str>) -> u64 {
    let hashes: Vec<u8> = names.flat_map(|name| xxh3_64(name.as_bytes()).to_le_bytes()).collect();
    xxh3_64(&hashes)
}

/// Names and values of a text that is one to three `name=number`, exactly as [`Detail::Numbers`]
/// prints them.
fn numbers_of(text: &str) -> Option<(Vec<&str>, Vec<i64>)> {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for field in text.split(' ') {
        let (name, digits) = field.split_once('=')?;
        let value: i64 = digits.parse().ok()?;
        // `+1`, `01` and `-0` are numbers too, but are never printed so.
        let printed = digits == "0"
            || !digits.trim_start_matches('-').starts_with(['0', '+']) && !digits.starts_with('+');
        if !printed || names.len() == 3 {
            return None;
        }
        names.push(name);
        values.push(value);
    }
    Some((names, values))
}
