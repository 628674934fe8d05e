//! The replicated state machine: the interface, and the key-value store.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::log::Bytes;
use crate::codec::{Reader, Writer};

/// What Raft replicates. The same commands in the same order must give the same state and the same
/// outputs on every server, so an implementation reads no clock and draws no numbers.
pub trait StateMachine: 'static {
    /// Execute a committed command. The output goes to the client.
    fn apply(&mut self, command: &[u8]) -> Bytes;

    /// Answer a question without changing anything.
    fn query(&self, query: &[u8]) -> Bytes;

    /// The whole state, for [`StateMachine::restore`]; equal states give equal bytes.
    fn snapshot(&self) -> Vec<u8>;

    /// Replace the whole state.
    fn restore(&mut self, snapshot: &[u8]);
}

/// An operation of the store. A key that was never written has the value `nil`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KvOp {
    /// Its value.
    Read,
    /// A new value.
    Write(Rc<str>),
    /// A value put behind the present one and a comma, or alone instead of `nil`.
    Append(Rc<str>),
    /// A new value if the present one is as expected.
    Cas {
        /// What must be there.
        expected: Rc<str>,
        /// What is put there.
        new: Rc<str>,
    },
}

/// The value of a key that nobody has written.
pub const NIL: &str = "nil";
/// The output of a compare-and-set that found another value.
pub const MISMATCH: &[u8] = b"mismatch";
/// The output of every other change.
pub const DONE: &[u8] = b"ok";

impl KvOp {
    /// The bytes of the operation on a key.
    pub fn encode(&self, key: u32) -> Bytes {
        let mut writer = Writer(Vec::with_capacity(32));
        let (tag, texts): (u8, [Option<&str>; 2]) = match self {
            KvOp::Read => (0, [None, None]),
            KvOp::Write(value) => (1, [Some(value), None]),
            KvOp::Append(value) => (2, [Some(value), None]),
            KvOp::Cas { expected, new } => (3, [Some(expected), Some(new)]),
        };
        writer.byte(tag);
        writer.u32(key);
        for text in texts.into_iter().flatten() {
            writer.bytes(text.as_bytes());
        }
        writer.0.into()
    }

    /// The key and the operation, or `None` if the bytes are not one.
    pub fn decode(bytes: &[u8]) -> Option<(u32, KvOp)> {
        let mut reader = Reader(bytes);
        let (tag, key) = (reader.byte()?, reader.u32()?);
        let op = match tag {
            0 => KvOp::Read,
            1 => KvOp::Write(reader.text()?.into()),
            2 => KvOp::Append(reader.text()?.into()),
            3 => KvOp::Cas { expected: reader.text()?.into(), new: reader.text()?.into() },
            _ => return None,
        };
        Some((key, op))
    }
}

/// Texts by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvStore {
    values: BTreeMap<u32, Rc<str>>,
}

impl KvStore {
    fn value(&self, key: u32) -> &str {
        self.values.get(&key).map_or(NIL, |value| value)
    }
}

impl StateMachine for KvStore {
    fn apply(&mut self, command: &[u8]) -> Bytes {
        let (key, op) = KvOp::decode(command).expect("only operations are proposed");
        match op {
            KvOp::Read => return self.query(command),
            KvOp::Write(value) => {
                self.values.insert(key, value);
            }
            KvOp::Append(value) => {
                let joined = match self.values.get(&key) {
                    Some(present) => format!("{present},{value}").into(),
                    None => value,
                };
                self.values.insert(key, joined);
            }
            KvOp::Cas { expected, new } => {
                if *self.value(key) != *expected {
                    return MISMATCH.into();
                }
                self.values.insert(key, new);
            }
        }
        DONE.into()
    }

    fn query(&self, query: &[u8]) -> Bytes {
        let (key, _) = KvOp::decode(query).expect("only operations are asked");
        self.value(key).as_bytes().into()
    }

    fn snapshot(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u32(self.values.len() as u32);
        for (key, value) in &self.values {
            writer.u32(*key);
            writer.bytes(value.as_bytes());
        }
        writer.0
    }

    fn restore(&mut self, snapshot: &[u8]) {
        self.values =
            read_values(snapshot).expect("a snapshot with a valid checksum holds a store");
    }
}

fn read_values(snapshot: &[u8]) -> Option<BTreeMap<u32, Rc<str>>> {
    let mut reader = Reader(snapshot);
    let count = reader.u32()?;
    (0..count).map(|_| Some((reader.u32()?, reader.text()?.into()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(store: &mut KvStore, op: KvOp) -> String {
        String::from_utf8(store.apply(&op.encode(1)).to_vec()).expect("outputs are text")
    }

    /// The four operations as the workload's model has them.
    #[test]
    fn operations_do_what_their_names_say() {
        let mut store = KvStore::default();
        assert_eq!(apply(&mut store, KvOp::Read), "nil");
        assert_eq!(apply(&mut store, KvOp::Cas { expected: "nil".into(), new: "7".into() }), "ok");
        assert_eq!(apply(&mut store, KvOp::Append("9".into())), "ok");
        assert_eq!(
            apply(&mut store, KvOp::Cas { expected: "7".into(), new: "8".into() }),
            "mismatch"
        );
        assert_eq!(apply(&mut store, KvOp::Read), "7,9");
    }

    /// A restored store is the one that was saved.
    #[test]
    fn a_snapshot_holds_everything() {
        let mut store = KvStore::default();
        apply(&mut store, KvOp::Append("3".into()));
        let mut other = KvStore::default();
        other.restore(&store.snapshot());
        assert_eq!(store, other);
    }
}
