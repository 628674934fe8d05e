//! What one asks for, and what one is told.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::ctx::from_base64;

/// What has happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A server answers, for the first time or again; [`ZooKeeper::session`] tells whether it is
    /// the session of before.
    Connected,
    /// The connection is lost, and another server is tried. The session may live on, or end
    /// meanwhile; until it is connected again nobody knows. Requests under way are answered with
    /// [`Error::ConnectionLoss`] next.
    Disconnected,
    /// The ensemble has ended the session, because it heard nothing for too long. Its ephemeral
    /// znodes are gone. [`ZooKeeper::open`] begins another.
    Expired,
    /// The session was closed as asked.
    Closed,
    /// A request is answered.
    Reply {
        /// Its number.
        xid: i32,
        /// The last transaction that the server had applied: the state that the answer shows. 0 for
        /// a lost connection.
        zxid: u64,
        /// The answer, or why there is none.
        outcome: Outcome,
    },
    /// A watch tells, once; set again, it tells again. It comes before any answer that shows the
    /// change.
    Watch {
        /// `created`, `data_changed`, `deleted` or `children_changed`.
        kind: String,
        /// Of which znode.
        path: String,
    },
}

/// An answer or a refusal.
pub type Outcome = Result<Answer, Error>;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To `create`: the path of the znode, with its number if it has one.
    Created(String),
    /// It is done, and there is nothing more to say.
    Done,
    /// To `exists` and `set`.
    Stat(Stat),
    /// To `get`: the content.
    Data(#[serde(deserialize_with = "content")] String, Stat),
    /// To `children`: their names, sorted, without the parent's path.
    Children(Vec<String>, Stat),
    /// To `multi_read`: an outcome for each of its reads.
    Multi(Vec<Outcome>),
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Error {
    /// The connection was lost while the request was under way: *it may have been done or not*.
    ConnectionLoss,
    /// The session is over.
    SessionExpired,
    /// The session is used over another connection.
    SessionMoved,
    /// The path or the operation makes no sense.
    BadArguments,
    /// There is no such znode, or no parent for it.
    NoNode,
    /// There is such a znode already.
    NodeExists,
    /// The znode has another version than was asked for.
    BadVersion,
    /// The znode has children.
    NotEmpty,
    /// Ephemeral znodes have no children.
    NoChildrenForEphemerals,
}

impl Error {
    pub(super) fn word(self) -> &'static str {
        match self {
            Error::ConnectionLoss => "connection_loss",
            Error::SessionExpired => "session_expired",
            Error::SessionMoved => "session_moved",
            Error::BadArguments => "bad_arguments",
            Error::NoNode => "no_node",
            Error::NodeExists => "node_exists",
            Error::BadVersion => "bad_version",
            Error::NotEmpty => "not_empty",
            Error::NoChildrenForEphemerals => "no_children_for_ephemerals",
        }
    }
}

/// What is known of a znode besides its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Stat {
    /// The transaction that made it.
    pub czxid: u64,
    /// The transaction that changed its content last.
    pub mzxid: u64,
    /// The transaction that changed its children last.
    pub pzxid: u64,
    /// Changes of its content.
    pub version: i32,
    /// Changes of its children.
    pub cversion: i32,
    /// The session of an ephemeral one, else 0.
    pub owner: u64,
}

/// How a znode is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateMode {
    /// It stays until somebody deletes it.
    Persistent,
    /// It goes with the session that made it.
    Ephemeral,
    /// It stays, and ten digits are put behind its path that no other child of its parent has had.
    PersistentSequential,
    /// It goes with its session, and has a number.
    EphemeralSequential,
}

/// A read within [`ZooKeeper::multi_read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read<'a> {
    /// Whether there is such a znode.
    Exists(&'a str),
    /// Its content.
    Get(&'a str),
    /// The names of its children.
    Children(&'a str),
}

impl<'a> Read<'a> {
    pub(super) fn parts(self) -> (&'static str, &'a str) {
        match self {
            Read::Exists(path) => ("exists", path),
            Read::Get(path) => ("get", path),
            Read::Children(path) => ("children", path),
        }
    }

    pub(super) fn op(self, watch: bool) -> Value {
        let (word, path) = self.parts();
        json!({ word: { "path": path, "watch": watch } })
    }
}

/// What messages show in base64, because it is not printable text, as a text.
fn content<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Content {
        Text(String),
        Bytes { base64: String },
    }
    Ok(match Content::deserialize(deserializer)? {
        Content::Text(text) => text,
        Content::Bytes { base64 } => {
            String::from_utf8_lossy(&from_base64(&base64).unwrap_or_default()).into_owned()
        }
    })
}
