//! Requests, answers and events.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::ctx::from_base64;

/// An event of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Connected to a server, for the first time or again; [`ZooKeeper::session`] tells whether it
    /// is the same session.
    Connected,
    /// The connection is lost, and another server is tried. The session may survive or end
    /// meanwhile, which is unknown until it is connected again. Outstanding requests are answered
    /// with [`Error::ConnectionLoss`] next.
    Disconnected,
    /// The ensemble has expired the session, because it heard nothing for too long. Its ephemeral
    /// znodes are gone. [`ZooKeeper::open`] opens another.
    Expired,
    /// The session was closed on request.
    Closed,
    /// A request is answered.
    Reply {
        /// Its number.
        xid: i32,
        /// The last transaction that the server had applied: the state that the answer reflects. 0
        /// for a lost connection.
        zxid: u64,
        /// The answer, or why there is none.
        outcome: Outcome,
    },
    /// A watch has fired; it fires only once unless it is set again. It comes before any answer
    /// that reflects the change.
    Watch {
        /// `created`, `data_changed`, `deleted` or `children_changed`.
        kind: String,
        /// The znode.
        path: String,
    },
}

/// An answer or a refusal.
pub type Outcome = Result<Answer, Error>;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To `create`: the path of the znode, with its numeric suffix if it has one.
    Created(String),
    /// Done, without further details.
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

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Error {
    /// The connection was lost while the request was outstanding: *it may or may not have been
    /// done*.
    ConnectionLoss,
    /// The session is over.
    SessionExpired,
    /// The session is used over another connection.
    SessionMoved,
    /// The path or the operation makes no sense.
    BadArguments,
    /// The znode or its parent does not exist.
    NoNode,
    /// The znode already exists.
    NodeExists,
    /// The znode has a different version than requested.
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

/// The metadata of a znode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Stat {
    /// The transaction that created it.
    pub czxid: u64,
    /// The transaction that last changed its content.
    pub mzxid: u64,
    /// The transaction that last changed its children.
    pub pzxid: u64,
    /// The number of changes of its content.
    pub version: i32,
    /// The number of changes of its children.
    pub cversion: i32,
    /// The session of an ephemeral znode, otherwise 0.
    pub owner: u64,
}

/// How a znode is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateMode {
    /// It stays until it is deleted.
    Persistent,
    /// It is removed with the session that created it.
    Ephemeral,
    /// It stays, and its path gets a suffix of ten digits that no other child of its parent has
    /// had.
    PersistentSequential,
    /// It is removed with its session, and has a numeric suffix.
    EphemeralSequential,
}

/// A read within [`ZooKeeper::multi_read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read<'a> {
    /// Whether the znode exists.
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

/// The text of content that messages carry as base64 because it is not printable.
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
