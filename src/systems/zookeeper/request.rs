//! What clients ask and what they are answered. Nothing here knows how it travels.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::jute::{JuteReader, JuteWriter, Reader, Writer};
use super::types::{ErrorCode, SessionId, Zxid};
use super::vocabulary::OpKind;
pub use super::vocabulary::{WatchEventKind, WatchKind};
use crate::wire;

/// The path of a znode: `/`, `/election/n_0000000003`.
pub type Path = Rc<str>;
/// The content of a znode.
pub type Data = Rc<[u8]>;

/// The version of a conditional operation that fits every version.
pub const ANY_VERSION: i32 = -1;

/// How a znode is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreateMode {
    /// It stays until somebody deletes it.
    Persistent,
    /// It goes with the session that made it.
    Ephemeral,
    /// It stays, and its name ends in ten digits that count the parent's children.
    PersistentSequential,
    /// It goes with its session, and has a number.
    EphemeralSequential,
}

impl CreateMode {
    /// Whether it goes with its session.
    pub fn is_ephemeral(self) -> bool {
        matches!(self, CreateMode::Ephemeral | CreateMode::EphemeralSequential)
    }

    /// Whether its name gets a number.
    pub fn is_sequential(self) -> bool {
        matches!(self, CreateMode::PersistentSequential | CreateMode::EphemeralSequential)
    }
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Make a znode.
    Create {
        /// Its path, without the number of a sequential one.
        path: Path,
        /// Its content.
        #[serde(with = "wire::bytes")]
        data: Data,
        /// How.
        mode: CreateMode,
    },
    /// Remove a znode without children, if it has this version.
    Delete {
        /// Which.
        path: Path,
        /// The version, or [`ANY_VERSION`].
        version: i32,
    },
    /// Replace a znode's content, if it has this version.
    Set {
        /// Which.
        path: Path,
        /// The new content.
        #[serde(with = "wire::bytes")]
        data: Data,
        /// The version, or [`ANY_VERSION`].
        version: i32,
    },
    /// Within a `multi`: go on only if the znode has this version.
    Check {
        /// Which.
        path: Path,
        /// The version, or [`ANY_VERSION`].
        version: i32,
    },
    /// Whether there is such a znode.
    Exists {
        /// Which.
        path: Path,
        /// Whether to be told when it is made, changed or removed.
        watch: bool,
    },
    /// A znode's content.
    Get {
        /// Which.
        path: Path,
        /// Whether to be told when it is changed or removed.
        watch: bool,
    },
    /// The names of a znode's children.
    Children {
        /// Whose.
        path: Path,
        /// Whether to be told when the set of children changes, or the znode is removed.
        watch: bool,
    },
    /// All of these changes, or none.
    Multi(Vec<Op>),
    /// Several reads of one moment.
    MultiRead(Vec<Op>),
    /// Answered when the server has applied everything that was acknowledged to anybody before it
    /// was asked.
    Sync,
    /// The end of the session.
    Close,
}

impl Op {
    /// Whether it has to go through the broadcast.
    pub fn is_write(&self) -> bool {
        !self.kind().is_read()
    }

    /// What kind of operation it is.
    pub fn kind(&self) -> OpKind {
        match self {
            Op::Create { .. } => OpKind::Create,
            Op::Delete { .. } => OpKind::Delete,
            Op::Set { .. } => OpKind::Set,
            Op::Check { .. } => OpKind::Check,
            Op::Exists { .. } => OpKind::Exists,
            Op::Get { .. } => OpKind::Get,
            Op::Children { .. } => OpKind::Children,
            Op::Multi(_) => OpKind::Multi,
            Op::MultiRead(_) => OpKind::MultiRead,
            Op::Sync => OpKind::Sync,
            Op::Close => OpKind::Close,
        }
    }

    /// What it is about; `/` for what is about nothing in particular.
    pub fn path(&self) -> &str {
        match self {
            Op::Create { path, .. }
            | Op::Delete { path, .. }
            | Op::Set { path, .. }
            | Op::Check { path, .. }
            | Op::Exists { path, .. }
            | Op::Get { path, .. }
            | Op::Children { path, .. } => path,
            Op::Multi(ops) | Op::MultiRead(ops) => ops.first().map_or("/", Op::path),
            Op::Sync | Op::Close => "/",
        }
    }

    /// Bytes on the wire.
    pub fn size(&self) -> u32 {
        match self {
            Op::Create { path, data, .. } | Op::Set { path, data, .. } => {
                12 + path.len() as u32 + data.len() as u32
            }
            Op::Multi(ops) | Op::MultiRead(ops) => 4 + ops.iter().map(Op::size).sum::<u32>(),
            other => 9 + other.path().len() as u32,
        }
    }
}

/// What is known of a znode besides its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// The transaction that made it.
    pub czxid: Zxid,
    /// The transaction that changed its content last.
    pub mzxid: Zxid,
    /// The transaction that changed its children last.
    pub pzxid: Zxid,
    /// When it was made, by the leader's wall clock, ms since 1970.
    pub ctime_ms: i64,
    /// When it was changed, by the leader's wall clock, ms since 1970.
    pub mtime_ms: i64,
    /// Changes of its content.
    pub version: i32,
    /// Children that it ever had: the next sequential child has this number.
    pub cversion: i32,
    /// The session it goes with.
    pub owner: SessionId,
}

impl Stat {
    /// Append it.
    pub fn write(&self, writer: &mut Writer) {
        for zxid in [self.czxid, self.mzxid, self.pzxid] {
            writer.long(zxid.0);
        }
        writer.long(self.ctime_ms as u64);
        writer.long(self.mtime_ms as u64);
        writer.int(self.version);
        writer.int(self.cversion);
        writer.long(self.owner.0);
    }

    /// Take it.
    pub fn read(reader: &mut Reader<'_>) -> Option<Stat> {
        Some(Stat {
            czxid: Zxid(reader.long()?),
            mzxid: Zxid(reader.long()?),
            pzxid: Zxid(reader.long()?),
            ctime_ms: reader.long()? as i64,
            mtime_ms: reader.long()? as i64,
            version: reader.int()?,
            cversion: reader.int()?,
            owner: SessionId(reader.long()?),
        })
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A znode was made; its path, with the number.
    Created(Path),
    /// Done; there is nothing more to say.
    Done,
    /// What is known of the znode, after the change where there was one.
    Stat(Stat),
    /// The content.
    Data(#[serde(with = "wire::bytes")] Data, Stat),
    /// The children, sorted.
    Children(Vec<Rc<str>>, Stat),
    /// The answers of a `multi`; those of a `multi_read` may be refusals each.
    Multi(Vec<Outcome>),
}

/// An answer or a refusal.
pub type Outcome = Result<Answer, ErrorCode>;

/// Bytes of an outcome on the wire.
pub fn outcome_size(outcome: &Outcome) -> u32 {
    match outcome {
        Ok(Answer::Created(path)) => 4 + path.len() as u32,
        Ok(Answer::Stat(_)) => 68,
        Ok(Answer::Data(data, _)) => 72 + data.len() as u32,
        Ok(Answer::Children(names, _)) => {
            72 + names.iter().map(|name| 4 + name.len() as u32).sum::<u32>()
        }
        Ok(Answer::Multi(outcomes)) => outcomes.iter().map(|each| 9 + outcome_size(each)).sum(),
        Ok(Answer::Done) | Err(_) => 0,
    }
}

/// The parent of a path; `None` for the root.
pub fn parent(path: &str) -> Option<&str> {
    match path.rfind('/')? {
        0 if path.len() == 1 => None,
        0 => Some("/"),
        at => Some(&path[..at]),
    }
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A path below another.
pub fn join(parent: &str, name: &str) -> Path {
    if parent == "/" { format!("/{name}").into() } else { format!("{parent}/{name}").into() }
}

/// Whether a path begins with a slash, ends without one and has no empty part.
pub fn is_path(path: &str) -> bool {
    path == "/"
        || (path.starts_with('/')
            && path[1..].split('/').all(|part| !part.is_empty() && part != "." && part != ".."))
}
