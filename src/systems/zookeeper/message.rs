//! What crosses the network.
//!
//! Votes of an election are datagrams of their own. Everything else travels in connections
//! ([`super::channel`]), which ZooKeeper has from TCP: each packet has its connection, its number
//! there, and the number of the last packet received.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::{Op, Outcome, Path, WatchEventKind, outcome_size};
use super::txn::Entry;
use super::types::{Epoch, SessionId, Zxid};
use crate::node::{Detail, Message, NodeId};
use crate::wire;

/// A connection, by a random number that its initiator has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConnectionId(pub u64);

/// A datagram.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ZkMessage {
    /// A vote in the election of a leader, or the news that there is one.
    Notification(Notification),
    /// A packet of a connection.
    #[serde(skip)]
    Packet(Packet),
    /// Packets have arrived, and there is nothing to say back.
    PacketAck {
        /// Which connection.
        connection: ConnectionId,
        /// The last packet that has arrived without a gap.
        ack: u64,
    },
    /// The sender does not know this connection (any more).
    Reset {
        /// Which connection.
        connection: ConnectionId,
    },
}

/// A packet of a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Packet {
    /// Which connection.
    #[serde(rename = "channel")]
    pub connection: ConnectionId,
    /// Its number in this direction, from 1.
    pub seq: u64,
    /// The last packet of the other direction that has arrived without a gap.
    pub ack: u64,
    /// What it carries.
    #[serde(flatten)]
    pub body: Rc<Body>,
}

/// Whom a server would have lead, and why: the first field that differs decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Vote {
    /// The epoch whose history the proposed leader has.
    pub epoch: Epoch,
    /// The last transaction of its log.
    pub zxid: Zxid,
    /// Who it is; only to decide between equals.
    pub leader: NodeId,
}

/// The state of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// It knows no leader.
    Looking,
    /// It follows one.
    Following,
    /// It leads, or is about to.
    Leading,
}

/// A message of fast leader election.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Notification {
    /// The sender's vote.
    pub vote: Vote,
    /// The election that it votes in, by its own count.
    pub round: u64,
    /// What it is doing.
    pub state: ServerState,
}

/// What a packet carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Body {
    // Discovery.
    /// A follower reports to its prospective leader.
    FollowerInfo {
        /// The newest epoch that it has promised itself to.
        accepted_epoch: Epoch,
    },
    /// The leader proposes an epoch.
    LeaderInfo {
        /// The epoch.
        epoch: Epoch,
    },
    /// The follower promises to follow nobody of an earlier epoch, and says what it has.
    AckEpoch {
        /// The epoch whose history it has; `None` where it has promised this very epoch before, so
        /// that it does not count twice.
        current_epoch: Option<Epoch>,
        /// The last transaction of its log.
        last_zxid: Zxid,
    },
    // Synchronisation.
    /// The transactions that the follower lacks.
    Diff {
        /// They follow its last one.
        entries: Vec<Rc<Entry>>,
    },
    /// The follower has transactions that no leader ever committed.
    Trunc {
        /// The last one that it may keep.
        zxid: Zxid,
        /// What follows it.
        entries: Vec<Rc<Entry>>,
    },
    /// The whole tree: the leader's log does not reach back far enough.
    Snap {
        /// The tree.
        #[serde(with = "wire::bytes")]
        tree: Rc<[u8]>,
        /// What follows it.
        entries: Vec<Rc<Entry>>,
    },
    /// The follower has the leader's whole history now.
    NewLeader {
        /// The epoch.
        epoch: Epoch,
    },
    /// And has it on its disk.
    AckNewLeader {
        /// The last transaction of its log.
        zxid: Zxid,
    },
    /// A majority has: serve clients.
    UpToDate {
        /// What is committed.
        commit: Zxid,
    },
    // Broadcast.
    /// The leader proposes a transaction.
    Proposal(Rc<Entry>),
    /// The follower has it and all before it on its disk.
    Ack {
        /// Its number.
        zxid: Zxid,
    },
    /// It and all before it are committed.
    Commit {
        /// Its number.
        zxid: Zxid,
    },
    /// The leader lives.
    Ping,
    /// So does the follower, and these sessions were heard of.
    PingReply {
        /// The sessions.
        touched: Vec<SessionId>,
    },
    // Requests that only the leader can decide.
    /// A client's write.
    Forward {
        /// Whose.
        session: SessionId,
        /// The client's connection.
        connection: ConnectionId,
        /// Its number.
        xid: i32,
        /// What it asks.
        op: Op,
    },
    /// A client wants a session.
    ForwardOpen {
        /// The client's connection.
        connection: ConnectionId,
        /// The time-out that was negotiated, ms.
        timeout_ms: u32,
    },
    /// A client comes with a session that it had at another server.
    Revalidate {
        /// The session.
        session: SessionId,
        /// The client's connection.
        connection: ConnectionId,
    },
    /// Whether it still exists.
    RevalidateReply {
        /// The session.
        session: SessionId,
        /// The client's connection.
        connection: ConnectionId,
        /// Whether it does.
        alive: bool,
    },
    // Clients.
    /// A client connects.
    Connect {
        /// Its session, if it has one.
        session: SessionId,
        /// What proves that it is its own.
        password: u64,
        /// The time-out that it wishes, ms.
        timeout_ms: u32,
        /// The newest state that it has seen.
        last_zxid: Zxid,
    },
    /// The session is ready.
    ConnectReply {
        /// The session.
        session: SessionId,
        /// What proves it elsewhere.
        password: u64,
        /// The time-out agreed on, ms; 0: the session is over.
        timeout_ms: u32,
    },
    /// A client asks.
    Request {
        /// The client's number for it.
        xid: i32,
        /// What.
        op: Op,
    },
    /// The answer.
    Reply {
        /// The client's number.
        xid: i32,
        /// The state of the server when it answered.
        zxid: Zxid,
        /// The answer.
        outcome: Outcome,
    },
    /// A watch has something to tell.
    WatchEvent {
        /// What happened.
        kind: WatchEventKind,
        /// Where.
        path: Path,
        /// In which transaction; the wire protocol has no such field, the trace wants it.
        zxid: Zxid,
    },
    /// A client that has moved sets its watches anew.
    SetWatches {
        /// The state that it has seen.
        relative_zxid: Zxid,
        /// Data watches.
        data: Vec<Path>,
        /// Watches for znodes that were not there.
        exists: Vec<Path>,
        /// Child watches.
        children: Vec<Path>,
    },
    /// A client lives.
    ClientPing,
    /// So does its server.
    ClientPong,
}

/// Connection, number, acknowledgement, kind, length, checksum.
const HEADER_BYTES: u32 = 40;

fn entries_size(entries: &[Rc<Entry>]) -> u32 {
    entries.iter().map(|entry| 4 + entry.size).sum()
}

impl Body {
    /// The message type in traces.
    pub fn name(&self) -> &'static str {
        match self {
            Body::FollowerInfo { .. } => "FollowerInfo",
            Body::LeaderInfo { .. } => "LeaderInfo",
            Body::AckEpoch { .. } => "AckEpoch",
            Body::Diff { .. } => "Diff",
            Body::Trunc { .. } => "Trunc",
            Body::Snap { .. } => "Snap",
            Body::NewLeader { .. } => "NewLeader",
            Body::AckNewLeader { .. } => "AckNewLeader",
            Body::UpToDate { .. } => "UpToDate",
            Body::Proposal(_) => "Proposal",
            Body::Ack { .. } => "Ack",
            Body::Commit { .. } => "Commit",
            Body::Ping => "Ping",
            Body::PingReply { .. } => "PingReply",
            Body::Forward { .. } => "Forward",
            Body::ForwardOpen { .. } => "ForwardOpen",
            Body::Revalidate { .. } => "Revalidate",
            Body::RevalidateReply { .. } => "RevalidateReply",
            Body::Connect { .. } => "Connect",
            Body::ConnectReply { .. } => "ConnectReply",
            Body::Request { .. } => "Request",
            Body::Reply { .. } => "Reply",
            Body::WatchEvent { .. } => "WatchEvent",
            Body::SetWatches { .. } => "SetWatches",
            Body::ClientPing => "ClientPing",
            Body::ClientPong => "ClientPong",
        }
    }

    fn size(&self) -> u32 {
        match self {
            Body::Diff { entries } => entries_size(entries),
            Body::Trunc { entries, .. } => 8 + entries_size(entries),
            Body::Snap { tree, entries } => tree.len() as u32 + entries_size(entries),
            Body::Proposal(entry) => entry.size,
            Body::PingReply { touched } => 8 * touched.len() as u32,
            Body::Forward { op, .. } => 20 + op.size(),
            Body::Request { op, .. } => 4 + op.size(),
            Body::Reply { outcome, .. } => 16 + outcome_size(outcome),
            Body::WatchEvent { path, .. } => 16 + path.len() as u32,
            Body::SetWatches { data, exists, children, .. } => {
                8 + [data, exists, children]
                    .into_iter()
                    .flatten()
                    .map(|path| 4 + path.len() as u32)
                    .sum::<u32>()
            }
            Body::Connect { .. } => 28,
            _ => 16,
        }
    }

    fn detail(&self) -> Detail {
        let zxid = |names, zxid: Zxid| {
            Detail::Numbers(names, [i64::from(zxid.epoch().0), i64::from(zxid.counter()), 0])
        };
        const ZXID: &[&str] = &["epoch", "counter"];
        match self {
            Body::FollowerInfo { accepted_epoch } => {
                Detail::Numbers(&["accepted_epoch"], [i64::from(accepted_epoch.0), 0, 0])
            }
            Body::LeaderInfo { epoch } | Body::NewLeader { epoch } => {
                Detail::Numbers(&["epoch"], [i64::from(epoch.0), 0, 0])
            }
            Body::AckEpoch { last_zxid, .. } => zxid(&["last_epoch", "last_counter"], *last_zxid),
            Body::Diff { entries } | Body::Snap { entries, .. } => {
                Detail::Numbers(&["entries"], [entries.len() as i64, 0, 0])
            }
            Body::Trunc { zxid: to, .. } => zxid(ZXID, *to),
            Body::AckNewLeader { zxid: at }
            | Body::Ack { zxid: at }
            | Body::Commit { zxid: at }
            | Body::UpToDate { commit: at } => zxid(ZXID, *at),
            Body::Proposal(entry) => zxid(ZXID, entry.zxid),
            Body::Forward { xid, .. } | Body::Request { xid, .. } => {
                Detail::Numbers(&["xid"], [i64::from(*xid), 0, 0])
            }
            Body::Reply { xid, zxid, .. } => Detail::Numbers(
                &["xid", "epoch", "counter"],
                [i64::from(*xid), i64::from(zxid.epoch().0), i64::from(zxid.counter())],
            ),
            _ => Detail::None,
        }
    }
}

/// The messages that are not packets of a connection.
const BARE: &[&str] = &["Notification", "PacketAck", "Reset"];

impl Message for ZkMessage {
    /// A packet has the `type` of its body, whose fields stand beside `channel` (its connection),
    /// `seq` and `ack`.
    fn to_json(&self, names: &[String]) -> Option<Value> {
        match self {
            ZkMessage::Packet(packet) => wire::to_json(packet, names),
            bare => wire::to_json(bare, names),
        }
    }

    fn from_json(body: &Value, names: &[String]) -> Result<ZkMessage, String> {
        if wire::is_one_of(body, BARE) {
            wire::from_json(body, names)
        } else {
            wire::from_json(body, names).map(ZkMessage::Packet)
        }
    }

    fn name(&self) -> &'static str {
        match self {
            ZkMessage::Notification(_) => "Notification",
            ZkMessage::Packet(packet) => packet.body.name(),
            ZkMessage::PacketAck { .. } => "PacketAck",
            ZkMessage::Reset { .. } => "Reset",
        }
    }

    fn size(&self) -> u32 {
        match self {
            ZkMessage::Packet(packet) => HEADER_BYTES + packet.body.size(),
            _ => HEADER_BYTES,
        }
    }

    fn detail(&self) -> Detail {
        match self {
            ZkMessage::Notification(Notification { vote, round, .. }) => Detail::Numbers(
                &["leader", "epoch", "round"],
                [i64::from(vote.leader.0), i64::from(vote.epoch.0), *round as i64],
            ),
            ZkMessage::Packet(packet) => packet.body.detail(),
            _ => Detail::None,
        }
    }
}
