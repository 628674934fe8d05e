//! Transactions: what requests have become when they are broadcast.
//!
//! A request depends on the state ("if the version is 3", "with the next number"); a transaction
//! does not: the leader has worked it out, and every server that applies it comes to the same
//! state. A refused request is a transaction too, so that its refusal has a place in the order.

use std::rc::Rc;

use xxhash_rust::xxh3::xxh3_64;

use serde::{Deserialize, Serialize};

use super::jute::{JuteReader, JuteWriter, Reader, Writer};
use super::request::{Data, Path};
use super::types::{ErrorCode, SessionId, Zxid};
use super::vocabulary::TxnKind;
use crate::wire;

/// One change of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A znode is made.
    Create {
        /// Its path, with its number where it is sequential.
        path: Path,
        /// Its content.
        #[serde(with = "wire::bytes")]
        data: Data,
        /// The session it goes with, if it is ephemeral.
        owner: SessionId,
        /// The parent's `cversion` after it.
        parent_cversion: i32,
    },
    /// A znode is removed.
    Delete {
        /// Which.
        path: Path,
    },
    /// A znode's content is replaced.
    Set {
        /// Which.
        path: Path,
        /// The new content.
        #[serde(with = "wire::bytes")]
        data: Data,
        /// The version after it.
        version: i32,
    },
    /// A condition of a `multi` that held.
    Checked,
}

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Txn {
    /// A session begins; its id is the zxid.
    OpenSession {
        /// What was agreed on, ms.
        timeout_ms: u32,
        /// What a client must know to take the session to another server.
        password: u64,
    },
    /// A session ends, and its ephemeral znodes with it.
    CloseSession,
    /// One change, or those of a `multi`.
    Changes {
        /// The changes, in order.
        changes: Vec<Change>,
        /// Whether they are a `multi`.
        multi: bool,
    },
    /// A refusal.
    Error(ErrorCode),
    /// Nothing: a `sync` that takes its place in the order.
    Sync,
}

/// A transaction with its number and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WireEntry")]
pub struct Entry {
    /// Its number.
    pub zxid: Zxid,
    /// The session that asked, or the one that opens or ends.
    pub session: SessionId,
    /// The session's number for the request; for `OpenSession` the client's connection.
    pub request: u64,
    /// The leader's wall clock, ms since 1970.
    pub time_ms: i64,
    /// What it does.
    pub txn: Txn,
    /// A digest of all of this.
    #[serde(skip)]
    pub digest: u64,
    /// Bytes on the disk and on the wire.
    #[serde(skip)]
    pub size: u32,
}

/// An entry as a program knows it; the rest follows.
#[derive(Deserialize)]
struct WireEntry {
    zxid: Zxid,
    session: SessionId,
    request: u64,
    time_ms: i64,
    txn: Txn,
}

impl From<WireEntry> for Entry {
    fn from(wire: WireEntry) -> Entry {
        Entry::made(wire.zxid, wire.session, wire.request, wire.time_ms, wire.txn)
    }
}

impl Entry {
    /// An entry with its digest.
    pub fn new(zxid: Zxid, session: SessionId, request: u64, time_ms: i64, txn: Txn) -> Rc<Entry> {
        Rc::new(Entry::made(zxid, session, request, time_ms, txn))
    }

    fn made(zxid: Zxid, session: SessionId, request: u64, time_ms: i64, txn: Txn) -> Entry {
        let mut entry = Entry { zxid, session, request, time_ms, txn, digest: 0, size: 0 };
        let mut writer = Writer(Vec::with_capacity(96));
        entry.write(&mut writer);
        entry.digest = xxh3_64(&writer.0);
        entry.size = writer.0.len() as u32;
        entry
    }

    /// What kind of transaction it is.
    pub fn kind(&self) -> TxnKind {
        match &self.txn {
            Txn::OpenSession { .. } => TxnKind::OpenSession,
            Txn::CloseSession => TxnKind::CloseSession,
            Txn::Changes { multi: true, .. } => TxnKind::Multi,
            Txn::Changes { changes, .. } => match changes.first() {
                Some(Change::Create { .. }) => TxnKind::Create,
                Some(Change::Delete { .. }) => TxnKind::Delete,
                Some(Change::Set { .. }) => TxnKind::Set,
                _ => TxnKind::Check,
            },
            Txn::Error(_) => TxnKind::Error,
            Txn::Sync => TxnKind::Sync,
        }
    }

    /// Append it.
    pub fn write(&self, writer: &mut Writer) {
        writer.long(self.zxid.0);
        writer.long(self.session.0);
        writer.long(self.request);
        writer.long(self.time_ms as u64);
        match &self.txn {
            Txn::OpenSession { timeout_ms, password } => {
                writer.byte(0);
                writer.int(*timeout_ms as i32);
                writer.long(*password);
            }
            Txn::CloseSession => {
                writer.byte(1);
            }
            Txn::Changes { changes, multi } => {
                writer.byte(if *multi { 3 } else { 2 });
                writer.int(changes.len() as i32);
                changes.iter().for_each(|change| change.write(writer));
            }
            Txn::Error(code) => {
                writer.byte(4);
                writer.int(code.number());
            }
            Txn::Sync => {
                writer.byte(5);
            }
        }
    }

    /// Take it, or `None` where the bytes are none.
    pub fn read(reader: &mut Reader<'_>) -> Option<Rc<Entry>> {
        let (zxid, session, request) =
            (Zxid(reader.long()?), SessionId(reader.long()?), reader.long()?);
        let time_ms = reader.long()? as i64;
        let txn = match reader.byte()? {
            0 => Txn::OpenSession { timeout_ms: reader.int()? as u32, password: reader.long()? },
            1 => Txn::CloseSession,
            tag @ (2 | 3) => {
                let count = reader.int()?;
                let changes =
                    (0..count).map(|_| Change::read(reader)).collect::<Option<Vec<Change>>>()?;
                Txn::Changes { changes, multi: tag == 3 }
            }
            4 => Txn::Error(ErrorCode::from_number(reader.int()?)?),
            5 => Txn::Sync,
            _ => return None,
        };
        Some(Entry::new(zxid, session, request, time_ms, txn))
    }
}

impl Change {
    fn write(&self, writer: &mut Writer) {
        match self {
            Change::Create { path, data, owner, parent_cversion } => {
                writer.byte(0);
                writer.string(path);
                writer.buffer(data);
                writer.long(owner.0);
                writer.int(*parent_cversion);
            }
            Change::Delete { path } => {
                writer.byte(1);
                writer.string(path);
            }
            Change::Set { path, data, version } => {
                writer.byte(2);
                writer.string(path);
                writer.buffer(data);
                writer.int(*version);
            }
            Change::Checked => {
                writer.byte(3);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Change> {
        Some(match reader.byte()? {
            0 => Change::Create {
                path: reader.string()?.into(),
                data: reader.buffer()?.into(),
                owner: SessionId(reader.long()?),
                parent_cversion: reader.int()?,
            },
            1 => Change::Delete { path: reader.string()?.into() },
            2 => Change::Set {
                path: reader.string()?.into(),
                data: reader.buffer()?.into(),
                version: reader.int()?,
            },
            3 => Change::Checked,
            _ => return None,
        })
    }
}
