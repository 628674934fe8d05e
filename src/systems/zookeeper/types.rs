//! Numbers that must not be confused: zxids, epochs, sessions, and the codes of refusals.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vocabulary::words;

/// The number of a transaction: the epoch of the leader that proposed it above its counter within
/// the epoch.
///
/// The order of these numbers is the order of the transactions. Zxid 0 stands for "nothing yet";
/// counter 0 of an epoch is never used.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Zxid(pub u64);

impl Zxid {
    /// Nothing yet.
    pub const ZERO: Zxid = Zxid(0);

    /// The transaction `counter` of `epoch`.
    pub fn new(epoch: Epoch, counter: u32) -> Zxid {
        Zxid(u64::from(epoch.0) << 32 | u64::from(counter))
    }

    /// The leader that proposed it.
    pub fn epoch(self) -> Epoch {
        Epoch((self.0 >> 32) as u32)
    }

    /// Its position within the epoch, from 1.
    pub fn counter(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Display for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch().0, self.counter())
    }
}

/// The number of a leadership. At most one leader is ever established in an epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The next one.
    pub fn next(self) -> Epoch {
        Epoch(self.0 + 1)
    }
}

/// A session: the zxid of the transaction that opened it, and therefore unique. 0 stands for none.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SessionId(pub u64);

impl SessionId {
    /// No session.
    pub const NONE: SessionId = SessionId(0);

    /// Whether it stands for no session.
    pub fn is_none(self) -> bool {
        self == SessionId::NONE
    }
}

words! {
    /// Why an operation was refused, with the numbers of the wire protocol.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ErrorCode {
        /// The connection was lost while the operation was under way: it may have happened.
        ConnectionLoss "connection_loss",
        /// The path or the operation makes no sense.
        BadArguments "bad_arguments",
        /// There is no such znode.
        NoNode "no_node",
        /// The znode has another version than was asked for.
        BadVersion "bad_version",
        /// Ephemeral znodes have no children.
        NoChildrenForEphemerals "no_children_for_ephemerals",
        /// There is such a znode already.
        NodeExists "node_exists",
        /// The znode has children.
        NotEmpty "not_empty",
        /// The session is over.
        SessionExpired "session_expired",
        /// The session has moved to another server.
        SessionMoved "session_moved",
    }
}

impl ErrorCode {
    /// The number on the wire.
    pub fn number(self) -> i32 {
        match self {
            ErrorCode::ConnectionLoss => -4,
            ErrorCode::BadArguments => -8,
            ErrorCode::NoNode => -101,
            ErrorCode::BadVersion => -103,
            ErrorCode::NoChildrenForEphemerals => -108,
            ErrorCode::NodeExists => -110,
            ErrorCode::NotEmpty => -111,
            ErrorCode::SessionExpired => -112,
            ErrorCode::SessionMoved => -118,
        }
    }

    /// The code of a number.
    pub fn from_number(number: i32) -> Option<ErrorCode> {
        let mut all = ErrorCode::WORDS.iter().filter_map(|word| ErrorCode::from_word(word));
        all.find(|code| code.number() == number)
    }
}
