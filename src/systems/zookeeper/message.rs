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
use crate::vocabulary::{Shown, messages};
use crate::wire;

/// A connection, by a random number that its initiator has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConnectionId(pub u64);

messages! {
    /// A datagram by itself.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum Datagram {
        /// A vote in the election of a leader, or who leads.
        Notification(Notification),
        /// Packets of a connection have arrived.
        PacketAck {
            /// Which connection.
            connection: ConnectionId,
            /// The last packet that has arrived without a gap.
            ack: u64,
        },
        /// The sender does not know a connection (any more).
        Reset {
            /// Which connection.
            connection: ConnectionId,
        },
    }
}

/// What servers and sessions send.
#[derive(Clone, Debug)]
pub enum ZkMessage {
    /// A datagram by itself.
    Bare(Datagram),
    /// A packet of a connection.
    Packet(Packet),
}

impl From<Datagram> for ZkMessage {
    fn from(datagram: Datagram) -> ZkMessage {
        ZkMessage::Bare(datagram)
    }
}

/// The messages of servers and sessions; a system that embeds them sends them too.
pub const MESSAGES: [&[Shown]; 3] = {
    // The election comes first, what serves connections last.
    let (notification, of_connections) = Datagram::SHOWN.split_at(1);
    [notification, Body::SHOWN, of_connections]
};

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

messages! {
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
        /// The follower promises the epoch, and says what it has.
        AckEpoch {
            /// The epoch whose history it has; `None` if it has promised this very epoch before, so
            /// that it does not count twice.
            current_epoch: Option<Epoch>,
            /// The last transaction of its log.
            last_zxid: Zxid,
        },
        // Synchronisation.
        /// The transactions that a follower lacks.
        Diff {
            /// They follow its last one.
            entries: Vec<Rc<Entry>>,
        },
        /// What a follower has to cut off, and what follows.
        Trunc {
            /// The last one that it may keep.
            zxid: Zxid,
            /// What follows it.
            entries: Vec<Rc<Entry>>,
        },
        /// The whole tree.
        Snap {
            /// The tree.
            #[serde(with = "wire::bytes")]
            tree: Rc<[u8]>,
            /// What follows it.
            entries: Vec<Rc<Entry>>,
        },
        /// The follower has the leader's whole history.
        NewLeader {
            /// The epoch.
            epoch: Epoch,
        },
        /// The follower has it on its disk.
        AckNewLeader {
            /// The last transaction of its log.
            zxid: Zxid,
        },
        /// A majority has it: serve clients.
        UpToDate {
            /// What is committed.
            commit: Zxid,
        },
        // Broadcast.
        /// A transaction is proposed.
        Proposal(Rc<Entry>),
        /// It is logged.
        Ack {
            /// Its number.
            zxid: Zxid,
        },
        /// It is committed.
        Commit {
            /// Its number.
            zxid: Zxid,
        },
        /// The leader lives.
        Ping,
        /// The follower lives, and so do these sessions.
        PingReply {
            /// The sessions.
            touched: Vec<SessionId>,
        },
        // Requests that only the leader can decide.
        /// A write of a follower's client.
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
        /// A follower's client wants a session.
        ForwardOpen {
            /// The client's connection.
            connection: ConnectionId,
            /// The time-out that was negotiated, ms.
            timeout_ms: u32,
        },
        /// A client has moved to this follower.
        Revalidate {
            /// The session.
            session: SessionId,
            /// The client's connection.
            connection: ConnectionId,
        },
        /// Whether its session lives.
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
        /// Its session is ready, or over.
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
        /// Its answer.
        Reply {
            /// The client's number.
            xid: i32,
            /// The state of the server when it answered.
            zxid: Zxid,
            /// The answer.
            outcome: Outcome,
        },
        /// Something that a client watches has changed.
        WatchEvent {
            /// What happened.
            kind: WatchEventKind,
            /// Where.
            path: Path,
            /// In which transaction; the wire protocol has no such field, the trace wants it.
            zxid: Zxid,
        },
        /// A client that has moved sets its watches again.
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
        /// Its server lives.
        ClientPong,
    }
}

/// Connection, number, acknowledgement, kind, length, checksum.
const HEADER_BYTES: u32 = 40;

fn entries_size(entries: &[Rc<Entry>]) -> u32 {
    entries.iter().map(|entry| 4 + entry.size).sum()
}

impl Body {
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

impl Message for ZkMessage {
    /// A packet has the `type` of its body, whose fields stand beside `channel` (its connection),
    /// `seq` and `ack`.
    fn to_json(&self, names: &[String]) -> Option<Value> {
        match self {
            ZkMessage::Packet(packet) => wire::to_json(packet, names),
            ZkMessage::Bare(datagram) => wire::to_json(datagram, names),
        }
    }

    fn from_json(body: &Value, names: &[String]) -> Result<ZkMessage, String> {
        if Datagram::SHOWN.iter().any(|shown| body["type"] == shown.name) {
            wire::from_json(body, names).map(ZkMessage::Bare)
        } else {
            wire::from_json(body, names).map(ZkMessage::Packet)
        }
    }

    fn name(&self) -> &'static str {
        match self {
            ZkMessage::Packet(packet) => packet.body.kind_name(),
            ZkMessage::Bare(datagram) => datagram.kind_name(),
        }
    }

    fn size(&self) -> u32 {
        match self {
            ZkMessage::Packet(packet) => HEADER_BYTES + packet.body.size(),
            ZkMessage::Bare(_) => HEADER_BYTES,
        }
    }

    fn detail(&self) -> Detail {
        match self {
            ZkMessage::Bare(Datagram::Notification(Notification { vote, round, .. })) => {
                Detail::Numbers(
                    &["leader", "epoch", "round"],
                    [i64::from(vote.leader.0), i64::from(vote.epoch.0), *round as i64],
                )
            }
            ZkMessage::Bare(_) => Detail::None,
            ZkMessage::Packet(packet) => packet.body.detail(),
        }
    }
}
