//! What servers, sessions and the application tell the trace: events, metrics, and their words.
//!
//! Zxids, sessions and the epochs of elected instances are numbers here: those of
//! [`Zxid`] and [`SessionId`]. A field that is
//! optional may be left out by a program that plays an instance or a worker.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::types::{Epoch, ErrorCode, SessionId, Zxid};
use crate::trace::{NodeId, Value};
use crate::vocabulary::{
    Digest64, FieldValue, Kind, MetricInfo, Metrics as _, Optional, events, metrics, words,
};

words! {
    /// What a server does at present.
    pub enum ServerRole {
        /// It looks for a leader.
        Looking "looking",
        /// It has chosen a leader and takes over its history.
        Following "following",
        /// It follows an established leader and serves clients.
        Follower "follower",
        /// It is chosen, and a majority does not have its history yet.
        Leading "leading",
        /// It is the established leader.
        Leader "leader",
    }
}

words! {
    /// What an instance is in the election.
    pub enum InstanceRole {
        /// It has no znode in the election.
        Outside "outside",
        /// It has a znode, and waits.
        Contender "contender",
        /// It leads.
        Elected "elected",
    }
}

words! {
    /// What the other nodes do.
    pub enum HelperRole {
        /// It puts sessions to the test.
        Worker "worker",
        /// It is a replica of the web tier.
        Web "web",
        /// It stands before the replicas.
        Balancer "balancer",
    }
}

words! {
    /// What a transaction does.
    pub enum TxnKind {
        /// A session begins.
        OpenSession "open_session",
        /// A session ends.
        CloseSession "close_session",
        /// Several changes, all or none.
        Multi "multi",
        /// A znode is made.
        Create "create",
        /// A znode is removed.
        Delete "delete",
        /// The content of a znode is replaced.
        Set "set",
        /// Nothing is changed; a condition held.
        Check "check",
        /// A request was refused.
        Error "error",
        /// Nothing is changed; a client waits for this place in the order.
        Sync "sync",
    }
}

words! {
    /// What a transaction does to a znode.
    pub enum ZnodeChange {
        /// It is made.
        Create "create",
        /// Its content is replaced.
        Set "set",
        /// It is removed.
        Delete "delete",
    }
}

words! {
    /// What a client asks.
    pub enum OpKind {
        /// Make a znode.
        Create "create",
        /// Remove one.
        Delete "delete",
        /// Replace its content.
        Set "set",
        /// Go on only if its version fits.
        Check "check",
        /// Is it there?
        Exists "exists",
        /// What does it hold?
        Get "get",
        /// What is below it?
        Children "children",
        /// Several changes, all or none.
        Multi "multi",
        /// Several reads of one moment.
        MultiRead "multi_read",
        /// Wait for what was acknowledged before.
        Sync "sync",
        /// End the session.
        Close "close",
    }
}

impl OpKind {
    /// Whether it is answered without a transaction.
    pub fn is_read(self) -> bool {
        matches!(self, OpKind::Exists | OpKind::Get | OpKind::Children | OpKind::MultiRead)
    }
}

words! {
    /// The three kinds of watches, after the reads that set them. An `exists` of a znode that is
    /// there sets a data watch.
    pub enum WatchKind {
        /// Set by `get`, and by `exists` of a znode that is there.
        Data "data",
        /// Set by `exists` of a znode that is not there.
        Exists "exists",
        /// Set by `children`.
        Children "children",
    }
}

words! {
    /// What a watch tells.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum WatchEventKind {
        /// The znode was made.
        Created "created",
        /// It was removed.
        Deleted "deleted",
        /// Its content was replaced.
        DataChanged "data_changed",
        /// It has other children.
        ChildrenChanged "children_changed",
    }
}

impl WatchEventKind {
    /// Whether it ends watches of this kind.
    pub fn ends(self, watch: WatchKind) -> bool {
        match watch {
            WatchKind::Data | WatchKind::Exists => self != WatchEventKind::ChildrenChanged,
            WatchKind::Children => {
                matches!(self, WatchEventKind::ChildrenChanged | WatchEventKind::Deleted)
            }
        }
    }
}

words! {
    /// What a client's session has become.
    pub enum SessionState {
        /// A server answers it.
        Connected "connected",
        /// The connection is lost; the session may live on.
        Disconnected "disconnected",
        /// The ensemble has ended it.
        Expired "expired",
        /// It was closed as asked.
        Closed "closed",
    }
}

/// How a request was answered: `ok`, or why it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered(pub Result<(), ErrorCode>);

/// The words of [`Answered`].
const ANSWERED: [&str; ErrorCode::WORDS.len() + 1] = {
    let mut words = ["ok"; ErrorCode::WORDS.len() + 1];
    let mut i = 1;
    while i < words.len() {
        words[i] = ErrorCode::WORDS[i - 1];
        i += 1;
    }
    words
};

impl Answered {
    /// The word in the trace.
    pub fn word(self) -> &'static str {
        self.0.err().map_or("ok", ErrorCode::word)
    }
}

impl FieldValue for Answered {
    const KIND: Kind = Kind::OneOf(&ANSWERED);

    fn to_value(&self) -> Value {
        Value::word(self.word())
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) if text == "ok" => Some(Answered(Ok(()))),
            value => ErrorCode::from_value(value).map(|code| Answered(Err(code))),
        }
    }
}

impl From<Zxid> for u64 {
    fn from(zxid: Zxid) -> u64 {
        zxid.0
    }
}

impl From<SessionId> for u64 {
    fn from(session: SessionId) -> u64 {
        session.0
    }
}

impl From<Epoch> for u64 {
    fn from(epoch: Epoch) -> u64 {
        epoch.0.into()
    }
}

events! {
    /// A server has started; what it found on its disk.
    ZabRecover "zab_recover" {
        /// The newest epoch that it has promised itself to.
        accepted_epoch: u64,
        /// The epoch whose history it has.
        current_epoch: u64,
        /// The zxid of its snapshot.
        snapshot: u64,
        /// The last zxid of its log.
        last: u64,
    }
    /// A server looks for a leader, follows one, or leads (or is about to).
    ZabState "zab_state" {
        state: ServerRole,
        /// Whom it follows; itself if it leads.
        leader: Optional<Option<NodeId>>,
    }
    /// A server has promised itself to an epoch.
    ZabEpoch "zab_epoch" {
        epoch: u64,
    }
    /// A leader is established: a majority has its history.
    ZabEstablished "zab_established" {
        epoch: u64,
        /// The last zxid of its history.
        last: u64,
        /// How many servers have the history, the leader included.
        quorum: Optional<usize>,
    }
    /// The leader proposes a transaction.
    ZabPropose "zab_propose" {
        zxid: u64,
        /// Of the transaction.
        digest: Digest64,
    }
    /// A server applies a committed transaction.
    ZabApply "zab_apply" {
        zxid: u64,
        /// The transaction that it applied before.
        prev: u64,
        /// Of the transaction.
        digest: Digest64,
        /// Of all transactions so far.
        chain: Digest64,
        /// Of the state.
        tree: Digest64,
        kind: Optional<TxnKind>,
    }
    /// A server has taken over a leader's tree.
    ZabSnapshot "zab_snapshot" {
        zxid: u64,
        /// Of all transactions up to it.
        chain: Digest64,
        /// Of the state.
        tree: Digest64,
    }
    /// A server applies a change of a znode; all servers tell the same of it.
    ZnodeChanged "znode" {
        zxid: u64,
        change: ZnodeChange,
        /// The owner of an ephemeral znode that is made, 0 for a persistent one; otherwise whose
        /// request it was.
        session: u64,
        /// The version after the change.
        version: i64,
        path: Rc<str>,
        /// The content, its blanks replaced.
        data: Optional<Rc<str>>,
    }
    /// A server applies the beginning of a session.
    SessionOpened "session_open" {
        session: u64,
        /// What was agreed on, µs.
        timeout_us: u64,
    }
    /// A server applies the end of a session.
    SessionClosed "session_close" {
        zxid: u64,
        session: u64,
        /// The client's number for its request; 0 if the session has expired.
        request: Optional<i64>,
    }
    /// A sign of life of a session has reached the leader.
    SessionTouched "session_touch" {
        session: u64,
    }
    /// The leader finds that a session has been silent for too long.
    SessionExpired "session_expire" {
        session: u64,
    }
    /// A server answers a write of a client that is connected to it.
    WriteAnswered "zk_reply" {
        session: u64,
        /// The client's number for its request.
        xid: Optional<i64>,
        zxid: u64,
        kind: Optional<TxnKind>,
    }
    /// A server tells a client of a change that it watches.
    WatchFired "watch_fire" {
        session: u64,
        /// The client's connection.
        connection: Optional<Digest64>,
        kind: WatchEventKind,
        zxid: u64,
        path: Rc<str>,
    }
    /// A client's session has changed its state.
    ClientSession "client_session" {
        session: u64,
        state: SessionState,
        /// The server that it is connected to, or is to try next.
        server: Optional<NodeId>,
        /// What was agreed on, µs; 0 if it is not connected.
        timeout_us: Optional<i64>,
    }
    /// A client sends a request.
    ClientRequest "client_request" {
        session: u64,
        /// The client's number for it.
        xid: i64,
        op: OpKind,
        /// The version that a conditional operation asks for, or -1.
        version: i64,
        path: Rc<str>,
    }
    /// A client has its answer.
    ClientReply "client_reply" {
        session: u64,
        /// The client's number for the request.
        xid: i64,
        op: OpKind,
        /// The state that it was answered from; 0 if the session itself gave the request up.
        zxid: u64,
        result: Answered,
    }
    /// A client's watch is set.
    ClientWatchSet "client_watch_set" {
        session: u64,
        kind: WatchKind,
        /// The state since which it is set.
        zxid: u64,
        path: Rc<str>,
    }
    /// A client is told of a change that it watches.
    ClientWatch "client_watch" {
        session: u64,
        kind: WatchEventKind,
        path: Rc<str>,
    }
    /// An instance has started.
    InstanceConfig "config" {
        /// How often it measures, µs.
        period_us: u64,
        /// The time-out that it asks for its session, µs.
        timeout_us: u64,
        /// The tick of the ensemble, µs.
        tick_us: u64,
    }
    /// An instance has its znode in the election.
    Contend "contend" {
        session: u64,
    }
    /// An instance takes itself for the leader.
    Lead "lead" {
        /// The zxid that made its znode.
        epoch: u64,
        /// The state in which it was first.
        zxid: u64,
        session: Optional<u64>,
    }
    /// An instance no longer takes itself for the leader.
    Resign "resign" {
        epoch: u64,
    }
    /// An instance has written a measurement.
    Measure "measure" {
        /// In thousandths.
        milli: i64,
    }
    /// The leader has a mean.
    Mean "mean" {
        epoch: u64,
        /// The leader's number for it.
        number: u64,
        /// The state that it is the mean of.
        zxid: u64,
        /// In thousandths.
        milli: i64,
        /// How many measurements it is the mean of.
        count: u64,
    }
    /// The leader learns what became of a mean.
    Publish "publish" {
        epoch: u64,
        number: u64,
        /// As in HTTP.
        status: u16,
    }
    /// The time series has started.
    Band "band" {
        /// Means below this are anomalies, in thousandths.
        low: i64,
        /// Means above this are anomalies, in thousandths.
        high: i64,
    }
    /// The time series has accepted a mean, durably.
    StoreMean "store_mean" {
        epoch: u64,
        number: u64,
        /// In thousandths.
        milli: i64,
        /// Its timestamp, ms since 1970.
        at_ms: Optional<i64>,
        /// Whether it lies outside of the band.
        anomaly: Optional<bool>,
    }
    /// The time series has refused a mean of an older leader.
    StoreRefuse "store_refuse" {
        epoch: u64,
        number: Optional<u64>,
        /// In thousandths.
        milli: Optional<i64>,
        /// The newest epoch that it has accepted a mean of.
        newest_epoch: Optional<u64>,
    }
}

metrics! {
    /// What a server shows.
    pub struct ServerMetrics {
        /// What a server does; `leading` and `following` are not yet established.
        role: ServerRole,
        /// The epoch of a server; under this name because targets of faults ask for it.
        current_term: u32,
        /// The counter of the last transaction that a server has applied, within its epoch.
        last_zxid_counter: u32,
        /// How many transactions a server has applied since it started, without those of a
        /// snapshot.
        applied: u64,
        /// Transactions in a server's log.
        log_entries: usize,
        /// Znodes of a server's tree.
        znodes: usize,
        /// Open sessions as a server knows them.
        sessions: usize,
        /// Clients connected to a server.
        clients: usize,
    }
}

metrics! {
    /// What an instance shows.
    pub struct InstanceMetrics {
        /// What an instance is in the election.
        role: InstanceRole,
    }
}

metrics! {
    /// What a worker, a web replica or the balancer shows.
    pub struct HelperMetrics {
        /// What the other nodes do.
        role: HelperRole,
    }
}

metrics! {
    /// What the time series shows.
    pub struct StoreMetrics {
        /// Means in the time series.
        means_stored: usize,
        /// Means in the time series that lie outside of the band.
        anomalies: usize,
    }
}

/// All metrics, by the kind of node.
pub const METRICS: &[&[MetricInfo]] =
    &[ServerMetrics::INFO, InstanceMetrics::INFO, HelperMetrics::INFO, StoreMetrics::INFO];
