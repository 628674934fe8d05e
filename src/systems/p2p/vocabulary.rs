//! The vocabulary of file sharing: its services by name, and what its nodes show of themselves.

use crate::node::NodeId;
use crate::trace::{Value, Word};
use crate::vocabulary::{Digest64, FieldValue, Kind, Metrics, Vocabulary, events, metrics, words};

/// What the system shows of itself.
pub static VOCABULARY: Vocabulary = Vocabulary {
    events: EVENTS,
    metrics: &[
        DirectoryMetrics::INFO,
        LoggerMetrics::INFO,
        DateServiceMetrics::INFO,
        PeerMetrics::INFO,
    ],
    messages: &[super::message::P2pMessage::SHOWN],
};

words! {
    /// A service of the assignment's table.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Service {
        /// Take a new user name.
        Register "register",
        /// Give a user name up, with everything that it has published.
        Unregister "unregister",
        /// From now on the user can be reached at an address.
        Connect "connect",
        /// The user can no longer be reached; what it has published is forgotten.
        Disconnect "disconnect",
        /// Offer a file.
        Publish "publish",
        /// Withdraw a file.
        Delete "delete",
        /// Ask who is connected, and where.
        ListUsers "list_users",
        /// Ask what a user has published.
        ListContent "list_content",
        /// Fetch a file from the user that has published it; the directory takes no part.
        GetFile "get_file",
    }
}

words! {
    /// Why a user is no longer connected.
    pub enum OfflineReason {
        /// The user has disconnected.
        Disconnect "disconnect",
        /// The user has given its name up.
        Unregister "unregister",
        /// The lease has ended, or the peer's program has started again.
        Expired "expired",
    }
}

words! {
    /// Why a peer no longer shares for a user.
    pub enum SessionEndReason {
        /// The user has asked for it.
        ByUser "asked",
        /// The directory does not know the connection any more.
        Expired "expired",
    }
}

words! {
    /// Why bytes are not a request.
    pub enum MalformedReason {
        /// 256 bytes without a zero among them.
        TooLong "too_long",
        /// Not UTF-8.
        NotText "not_text",
        /// Strings that are not a request.
        NoRequest "no_request",
    }
}

words! {
    /// How a file came to lie at a path.
    pub enum FileOrigin {
        /// The scene was set so.
        Created "created",
        /// It was there when the peer started.
        Found "found",
        /// It was transferred.
        Fetched "fetched",
    }
}

words! {
    /// How a transfer ended.
    pub enum TransferOutcome {
        /// The whole file has arrived.
        Ok "ok",
        /// The sharing peer has no such file to give.
        Missing "missing",
        /// Nobody listens there.
        Refused "refused",
        /// The connection ended too early, or what came was not an answer.
        Broken "broken",
        /// Nothing came for too long.
        Stalled "stalled",
        /// Length or digest differ from those announced.
        Damaged "damaged",
    }
}

/// Date and time as the assignment writes them, `dd/mm/yyyy hh:mm:ss`. In the trace an underscore
/// stands for the blank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateText(pub String);

impl FieldValue for DateText {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        Value::Text(self.0.replace(' ', "_").into())
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(DateText(text.replace('_', " "))),
            _ => None,
        }
    }
}

/// A text that a node was told, as a field.
pub fn word(text: &str) -> Word {
    text.to_owned().into()
}

events! {
    /// The directory has started and has read what is on its disk.
    Tables "tables" {
        /// Registered users.
        users: u64,
        /// Operations in the journal.
        executed: u64,
        /// The length of a lease, µs.
        lease_us: u64,
    }
    /// The directory has executed an operation.
    Executed "executed" {
        /// Its number in the operation log, from 1.
        sequence: u64,
        /// The host that asked.
        origin: NodeId,
        operation: Service,
        /// The digit of the answer.
        status: u16,
        /// Date and time that came with the request.
        date: DateText,
        user: Word,
        /// A port, a file or another user; empty if the service takes none.
        argument: Word,
    }
    /// The directory counts a user as connected.
    Online "online" {
        /// The peer at which the user can be reached.
        host: Option<NodeId>,
        port: u16,
        user: Word,
    }
    /// The directory no longer counts a user as connected.
    Offline "offline" {
        reason: OfflineReason,
        user: Word,
    }
    /// How many files the directory knows of a user from now on.
    Offered "offered" {
        files: u64,
        user: Word,
    }
    /// The directory has received bytes that are not a request.
    Malformed "malformed" {
        /// The host that sent them.
        origin: NodeId,
        reason: MalformedReason,
    }
    /// The logging server has confirmed all lines up to this one.
    Reported "reported" {
        /// The sequence number of the line.
        upto: u64,
    }
    /// The logging server has started.
    LogFound "log_found" {
        /// Lines on its disk; each follows as `log_line`.
        lines: u64,
    }
    /// A line that the logging server found at its start.
    FoundLine "log_line" {
        /// From 1, without gaps.
        sequence: u64,
        operation: Word,
        /// Date and time that came with the request.
        date: DateText,
        user: Word,
        /// Empty if the operation is not about a file.
        file: Word,
    }
    /// A line is in the operation log, durably.
    Logged "logged" {
        /// From 1, without gaps.
        sequence: u64,
        operation: Word,
        /// Date and time that came with the request.
        date: DateText,
        user: Word,
        /// Empty if the operation is not about a file.
        file: Word,
    }
    /// The date service has told a node date and time.
    Dated "dated" {
        to: NodeId,
        date: DateText,
    }
    /// A user is connected at this peer, which listens on the port.
    SessionOpen "session_open" {
        port: u16,
        user: Word,
    }
    /// A user is no longer connected at this peer.
    SessionEnd "session_end" {
        port: u16,
        reason: SessionEndReason,
        user: Word,
    }
    /// A file is on the peer's own list of what a user has published.
    Shared "share" {
        user: Word,
        file: Word,
    }
    /// A file is taken from that list.
    Unshared "unshare" {
        user: Word,
        file: Word,
    }
    /// A file lies at a path.
    FileAt "file" {
        how: FileOrigin,
        /// Its length.
        bytes: u64,
        digest: Digest64,
        /// Below the peer's own folder.
        path: Word,
    }
    /// A sharing peer answers a request for a file.
    Served "serve" {
        to: NodeId,
        /// 0: it sends the file. 1: it has no such file to give.
        status: u16,
        bytes: u64,
        digest: Digest64,
        user: Word,
        /// What was opened, below the peer's own folder.
        path: Word,
    }
    /// A peer begins a transfer.
    FetchBegun "fetch" {
        from: Option<NodeId>,
        port: u16,
        /// 1, or 2 after the list of users was asked for again.
        attempt: u32,
        /// The name of the file at its owner.
        file: Word,
        /// The name that it gets here.
        name: Word,
    }
    /// A transfer has ended.
    Fetched "fetched" {
        from: Option<NodeId>,
        outcome: TransferOutcome,
        /// How much has come.
        bytes: u64,
        digest: Digest64,
        /// The name of the file at its owner.
        file: Word,
        /// The name that it gets here.
        name: Word,
    }
    /// What lies under the final name after a transfer that failed.
    Kept "kept" {
        /// Whether a file lies there at all.
        present: bool,
        bytes: u64,
        digest: Digest64,
        path: Word,
    }
}

metrics! {
    /// What the directory shows.
    pub struct DirectoryMetrics {
        /// Registered users (directory).
        users: usize,
        /// Connected users (directory).
        connected: usize,
        /// Published files (directory).
        published: usize,
        /// Operations that the directory has executed.
        executed: u64,
        /// Operations that the logging server has confirmed (directory).
        reported: u64,
    }
}

metrics! {
    /// What the logging server shows.
    pub struct LoggerMetrics {
        /// Lines of the operation log (logging server).
        logged: u64,
    }
}

metrics! {
    /// What the date service shows.
    pub struct DateServiceMetrics {
        /// Dates told (date service).
        dates: u64,
    }
}

metrics! {
    /// What a peer shows.
    pub struct PeerMetrics {
        /// Users connected at the peer.
        sessions: usize,
        /// Files on the peer's own lists.
        published: usize,
        /// 1 while the peer works on a command.
        busy: bool,
    }
}
