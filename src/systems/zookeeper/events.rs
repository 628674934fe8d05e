//! What servers, sessions and the application show of themselves: the one place that knows the
//! names of events and their fields.

use super::host::{Host, Link};
use super::message::ConnectionId;
use super::request::{Outcome, WatchEventKind};
use super::txn::Entry;
use super::types::{Epoch, SessionId, Zxid};
use crate::trace::{NodeId, Value};
use crate::vocabulary::{EventInfo, Kind, MetricInfo};

/// All events, for the reference.
pub const EVENTS: &[EventInfo] = &[
    EventInfo {
        fields: &[],
        name: "zab_recover",
        summary: "A server has started; what it found on its disk.",
    },
    EventInfo {
        fields: &[],
        name: "zab_state",
        summary: "A server looks for a leader, follows one, or leads (or is about to).",
    },
    EventInfo {
        fields: &[],
        name: "zab_epoch",
        summary: "A server has promised itself to an epoch.",
    },
    EventInfo {
        fields: &[],
        name: "zab_established",
        summary: "A leader is established: a majority has its history; `last` is the end of that.",
    },
    EventInfo { fields: &[], name: "zab_propose", summary: "The leader proposes a transaction." },
    EventInfo {
        fields: &[],
        name: "zab_apply",
        summary: "A server applies a committed transaction; `prev` is the one it applied before, \
            `chain` and `tree` are digests of all of them and of the state.",
    },
    EventInfo {
        fields: &[],
        name: "zab_snapshot",
        summary: "A server has taken over a leader's tree.",
    },
    EventInfo {
        fields: &[],
        name: "znode",
        summary: "A server applies a change of a znode; servers tell the same of it.",
    },
    EventInfo {
        fields: &[],
        name: "session_open",
        summary: "A server applies the beginning of a session.",
    },
    EventInfo {
        fields: &[],
        name: "session_close",
        summary: "A server applies the end of a session; `request` is 0 where it has expired.",
    },
    EventInfo {
        fields: &[],
        name: "session_touch",
        summary: "A sign of life of a session has reached the leader.",
    },
    EventInfo {
        fields: &[],
        name: "session_expire",
        summary: "The leader finds that a session has been silent for too long.",
    },
    EventInfo {
        fields: &[],
        name: "zk_reply",
        summary: "A server answers a write of a client that is connected to it.",
    },
    EventInfo {
        fields: &[],
        name: "watch_fire",
        summary: "A server tells a client of a change that it watches.",
    },
    EventInfo {
        fields: &[],
        name: "client_session",
        summary: "A session of a client has become `connected`, `disconnected`, `expired` or \
            `closed`.",
    },
    EventInfo { fields: &[], name: "client_request", summary: "A client sends a request." },
    EventInfo {
        fields: &[],
        name: "client_reply",
        summary: "A client has its answer; `zxid` is the state that it was given from.",
    },
    EventInfo {
        fields: &[],
        name: "client_watch_set",
        summary: "A client's watch is set, since the state `zxid`.",
    },
    EventInfo {
        fields: &[],
        name: "client_watch",
        summary: "A client is told of a change that it watches.",
    },
    EventInfo {
        fields: &[],
        name: "config",
        summary: "An instance has started; its period and the time-out that it wishes, µs.",
    },
    EventInfo {
        fields: &[],
        name: "contend",
        summary: "An instance has its znode in the election.",
    },
    EventInfo {
        fields: &[],
        name: "lead",
        summary: "An instance takes itself for the leader, by the children it read at `zxid`; \
            `epoch` is its znode's number in the order.",
    },
    EventInfo {
        fields: &[],
        name: "resign",
        summary: "An instance does not take itself for the leader any more.",
    },
    EventInfo {
        fields: &[],
        name: "measure",
        summary: "An instance has written a measurement, in thousandths.",
    },
    EventInfo {
        fields: &[],
        name: "mean",
        summary: "The leader has a mean, in thousandths, of `count` measurements as they were at \
            `zxid`.",
    },
    EventInfo {
        fields: &[],
        name: "publish",
        summary: "The leader learns what became of a mean: the status of the answer.",
    },
    EventInfo {
        fields: &[],
        name: "band",
        summary: "The time series has started; means outside of this are anomalies, in \
            thousandths.",
    },
    EventInfo {
        fields: &[],
        name: "store_mean",
        summary: "The time series has accepted a mean, durably; `at_ms` is its timestamp.",
    },
    EventInfo {
        fields: &[],
        name: "store_refuse",
        summary: "The time series has refused a mean of an older leader.",
    },
];

/// All metrics, for the reference.
pub const METRICS: &[MetricInfo] = &[
    MetricInfo {
        kind: Kind::OneOf(ROLES),
        name: "role",
        summary: "Of a server: `looking`, `following`, `leading` (not yet established), `leader`, \
            `follower`; of an instance: `contender`, `elected`, `outside`; of the others their \
            work.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "current_term",
        summary: "The epoch of a server; under this name because targets of faults ask for it.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "last_zxid_counter",
        summary: "The counter of the last transaction that a server has applied, within its epoch.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "applied",
        summary: "How many transactions a server has applied since it started, those of a snapshot \
            not counted.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "log_entries",
        summary: "Transactions in a server's log.",
    },
    MetricInfo { kind: Kind::Number, name: "znodes", summary: "Znodes of a server's tree." },
    MetricInfo {
        kind: Kind::Number,
        name: "sessions",
        summary: "Open sessions as a server knows them.",
    },
    MetricInfo { kind: Kind::Number, name: "clients", summary: "Clients connected to a server." },
    MetricInfo { kind: Kind::Number, name: "means_stored", summary: "Means in the time series." },
    MetricInfo {
        kind: Kind::Number,
        name: "anomalies",
        summary: "Means in the time series that lie outside of the band.",
    },
];

pub fn recover(host: &mut impl Host, accepted: Epoch, current: Epoch, snapshot: Zxid, last: Zxid) {
    host.observe(
        "zab_recover",
        &["accepted_epoch", "current_epoch", "snapshot", "last"],
        &[accepted.into(), current.into(), snapshot.into(), last.into()],
    );
}

pub fn state(host: &mut impl Host, state: &'static str, leader: Option<NodeId>) {
    let leader = leader.map_or(Value::word("none"), Value::Node);
    host.observe("zab_state", &["state", "leader"], &[Value::word(state), leader]);
}

pub fn epoch(host: &mut impl Host, epoch: Epoch) {
    host.observe("zab_epoch", &["epoch"], &[epoch.into()]);
}

pub fn established(host: &mut impl Host, epoch: Epoch, last: Zxid, quorum: usize) {
    host.observe(
        "zab_established",
        &["epoch", "last", "quorum"],
        &[epoch.into(), last.into(), Value::Int(quorum as i64)],
    );
}

pub fn propose(host: &mut impl Host, entry: &Entry) {
    host.observe(
        "zab_propose",
        &["zxid", "digest"],
        &[entry.zxid.into(), Value::Hash(entry.digest)],
    );
}

pub fn apply(host: &mut impl Host, entry: &Entry, prev: Zxid, chain: u64, tree: u64) {
    host.observe(
        "zab_apply",
        &["zxid", "prev", "digest", "chain", "tree", "kind"],
        &[
            entry.zxid.into(),
            prev.into(),
            Value::Hash(entry.digest),
            Value::Hash(chain),
            Value::Hash(tree),
            Value::word(entry.word()),
        ],
    );
}

pub fn snapshot(host: &mut impl Host, zxid: Zxid, chain: u64, tree: u64) {
    host.observe(
        "zab_snapshot",
        &["zxid", "chain", "tree"],
        &[zxid.into(), Value::Hash(chain), Value::Hash(tree)],
    );
}

/// A change of a znode; `version` is that after it, `expected` what the request asked for where it
/// is known.
pub fn znode(
    host: &mut impl Host,
    zxid: Zxid,
    change: &'static str,
    session: SessionId,
    version: i32,
    at: &str,
    data: &[u8],
) {
    let data = String::from_utf8_lossy(data).replace(char::is_whitespace, "_");
    host.observe(
        "znode",
        &["zxid", "change", "session", "version", "path", "data"],
        &[
            zxid.into(),
            Value::word(change),
            session.into(),
            Value::Int(version.into()),
            Value::text(at),
            Value::Text(data.into()),
        ],
    );
}

pub fn session_open(host: &mut impl Host, session: SessionId, timeout_ms: u32) {
    host.observe(
        "session_open",
        &["session", "timeout_us"],
        &[session.into(), Value::Int(i64::from(timeout_ms) * 1_000)],
    );
}

pub fn session_close(host: &mut impl Host, zxid: Zxid, session: SessionId, request: u64) {
    host.observe(
        "session_close",
        &["zxid", "session", "request"],
        &[zxid.into(), session.into(), Value::Int(request as i64)],
    );
}

pub fn session_touch(host: &mut impl Host, session: SessionId) {
    host.observe("session_touch", &["session"], &[session.into()]);
}

pub fn session_expire(host: &mut impl Host, session: SessionId) {
    host.observe("session_expire", &["session"], &[session.into()]);
}

pub fn reply(host: &mut impl Host, session: SessionId, xid: i32, entry: &Entry) {
    host.observe(
        "zk_reply",
        &["session", "xid", "zxid", "kind"],
        &[session.into(), Value::Int(xid.into()), entry.zxid.into(), Value::word(entry.word())],
    );
}

pub fn watch_fire(
    host: &mut impl Host,
    session: SessionId,
    connection: ConnectionId,
    kind: WatchEventKind,
    zxid: Zxid,
    at: &str,
) {
    host.observe(
        "watch_fire",
        &["session", "connection", "kind", "zxid", "path"],
        &[
            session.into(),
            Value::Hash(connection.0),
            Value::word(kind.word()),
            zxid.into(),
            Value::text(at),
        ],
    );
}

pub fn client_session(
    link: &mut impl Link,
    session: SessionId,
    state: &'static str,
    server: NodeId,
    timeout_ms: u32,
) {
    link.observe(
        "client_session",
        &["session", "state", "server", "timeout_us"],
        &[
            session.into(),
            Value::word(state),
            Value::Node(server),
            Value::Int(i64::from(timeout_ms) * 1_000),
        ],
    );
}

/// `version` is what a conditional operation asks for.
pub fn client_request(
    link: &mut impl Link,
    session: SessionId,
    xid: i32,
    op: &'static str,
    version: i32,
    at: &str,
) {
    link.observe(
        "client_request",
        &["session", "xid", "op", "version", "path"],
        &[
            session.into(),
            Value::Int(xid.into()),
            Value::word(op),
            Value::Int(version.into()),
            Value::text(at),
        ],
    );
}

pub fn client_reply(
    link: &mut impl Link,
    session: SessionId,
    xid: i32,
    op: &'static str,
    zxid: Zxid,
    outcome: &Outcome,
) {
    let result = outcome.as_ref().err().map_or("ok", |code| code.word());
    link.observe(
        "client_reply",
        &["session", "xid", "op", "zxid", "result"],
        &[
            session.into(),
            Value::Int(xid.into()),
            Value::word(op),
            zxid.into(),
            Value::word(result),
        ],
    );
}

pub fn client_watch_set(
    link: &mut impl Link,
    session: SessionId,
    kind: &'static str,
    zxid: Zxid,
    at: &str,
) {
    link.observe(
        "client_watch_set",
        &["session", "kind", "zxid", "path"],
        &[session.into(), Value::word(kind), zxid.into(), Value::text(at)],
    );
}

pub fn client_watch(link: &mut impl Link, session: SessionId, kind: WatchEventKind, at: &str) {
    link.observe(
        "client_watch",
        &["session", "kind", "path"],
        &[session.into(), Value::word(kind.word()), Value::text(at)],
    );
}

/// The words of the metric `role`.
const ROLES: &[&str] = &[
    "looking",
    "following",
    "follower",
    "leading",
    "leader",
    "outside",
    "contender",
    "elected",
    "worker",
    "web",
    "balancer",
];
