//! A client's session: it connects to one server of a list, keeps the session alive, and takes it
//! to another server when the first one is silent.
//!
//! Requests are numbered and sent without waiting for answers, and are answered in that order.
//! When the connection breaks, those under way end with `ConnectionLoss`: they may have happened.
//! Watches survive that; they are set again at the next server. Only the ensemble decides that a
//! session is over, and the client learns it when it reaches a server again; until then it does not
//! know, and must not act as if it still held what its session gave it.
//!
//! What happens comes out of [`Session::take_events`], in order.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::channel::Channel;
use super::defects::Defect;
use super::ensemble::SessionSettings;
use super::host::{Link, ZkTimer};
use super::message::{Body, Datagram, Packet, ZkMessage};
use super::request::{Answer, Op, Outcome, Path, WatchEventKind, WatchKind};
use super::types::{ErrorCode, SessionId, Zxid};
use super::vocabulary::{
    Answered, ClientReply, ClientRequest, ClientSession, ClientWatch, ClientWatchSet, OpKind,
    SessionState,
};
use crate::node::{LocalTime, NodeId};

/// What a session tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// It is connected: for the first time, or again.
    Connected,
    /// The connection is lost. The session may live on; its owner must not act any more on what it
    /// holds by the session.
    Disconnected,
    /// The ensemble has ended the session; its ephemeral znodes are gone. [`Session::open`] begins
    /// another.
    Expired,
    /// The session was closed as asked.
    Closed,
    /// An answer.
    Reply {
        /// The number of the request.
        xid: i32,
        /// The state that it was answered from; zero for a lost connection.
        zxid: Zxid,
        /// The answer.
        outcome: Outcome,
    },
    /// A watch tells.
    Watch {
        /// What happened.
        kind: WatchEventKind,
        /// Where.
        path: Path,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectionState {
    /// Nothing is wanted.
    Idle,
    /// It waits for a server's answer to `Connect`.
    Connecting,
    /// Between two servers.
    Pausing,
    Connected,
}

/// A request without an answer.
#[derive(Clone, Debug)]
struct Pending {
    xid: i32,
    op: Op,
}

/// A client's session.
#[derive(Clone, Debug)]
pub struct Session {
    settings: SessionSettings,
    servers: Vec<NodeId>,
    /// The position of the present server.
    at: usize,
    state: ConnectionState,
    /// When the present attempt, pause or silence ends.
    deadline: LocalTime,
    ping_at: LocalTime,
    channel: Option<Channel>,
    id: SessionId,
    password: u64,
    /// What was agreed on.
    timeout: Duration,
    /// The newest state seen.
    last_zxid: Zxid,
    next_xid: i32,
    /// Sent, in order.
    sent: VecDeque<Pending>,
    /// Asked for while there was no connection.
    waiting: VecDeque<Pending>,
    watches: BTreeSet<(WatchKind, Path)>,
    events: VecDeque<SessionEvent>,
}

/// The pause before another server is tried, as a part of the time-out.
const PAUSE_PART: u32 = 20;

impl Session {
    /// A session that is not open yet.
    pub fn new(settings: SessionSettings, servers: Vec<NodeId>) -> Session {
        Session {
            timeout: settings.timeout,
            settings,
            servers,
            at: 0,
            state: ConnectionState::Idle,
            deadline: LocalTime::ZERO,
            ping_at: LocalTime::ZERO,
            channel: None,
            id: SessionId::NONE,
            password: 0,
            last_zxid: Zxid::ZERO,
            next_xid: 1,
            sent: VecDeque::new(),
            waiting: VecDeque::new(),
            watches: BTreeSet::new(),
            events: VecDeque::new(),
        }
    }

    /// Its number; none before it is connected for the first time.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whether a server answers it at present.
    pub fn is_connected(&self) -> bool {
        self.state == ConnectionState::Connected
    }

    /// The newest state that it has seen.
    pub fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    /// What happened since the last call, in order.
    pub fn take_events(&mut self) -> VecDeque<SessionEvent> {
        std::mem::take(&mut self.events)
    }

    /// Connect: begin a session, after the end of an earlier one too. The first server is a random
    /// one.
    pub fn open(&mut self, link: &mut impl Link) {
        if self.state == ConnectionState::Idle && !self.servers.is_empty() {
            self.at = link.below(self.servers.len() as u64) as usize;
            self.connect(link);
            self.end_step(link);
        }
    }

    /// Ask. The answer comes as an event under the number that is given back.
    pub fn request(&mut self, link: &mut impl Link, op: Op) -> i32 {
        let xid = self.next_xid;
        self.next_xid += 1;
        let pending = Pending { xid, op };
        if self.state == ConnectionState::Connected {
            self.send_request(link, pending)
        } else {
            self.waiting.push_back(pending)
        }
        self.end_step(link);
        xid
    }

    /// End the session; `Closed` follows when the ensemble has done so.
    pub fn close(&mut self, link: &mut impl Link) {
        self.request(link, Op::Close);
    }

    /// A datagram arrived. `false` if it does not belong to this session.
    pub fn on_message(&mut self, link: &mut impl Link, message: &ZkMessage) -> bool {
        let connection = match message {
            ZkMessage::Packet(packet) => packet.connection,
            ZkMessage::Bare(
                Datagram::PacketAck { connection, .. } | Datagram::Reset { connection },
            ) => *connection,
            ZkMessage::Bare(Datagram::Notification(_)) => return false,
        };
        let now = link.now();
        let Some(channel) = self.channel.as_mut().filter(|channel| channel.id == connection) else {
            return false;
        };
        match message {
            ZkMessage::Packet(packet) => self.on_packet(link, packet),
            ZkMessage::Bare(Datagram::PacketAck { ack, .. }) => {
                channel.on_ack(now, *ack);
                self.heard(now);
            }
            ZkMessage::Bare(_) => self.lose_connection(link),
        }
        self.end_step(link);
        true
    }

    /// Say that a connection is unknown; for a node whose sessions and servers have all refused a
    /// packet.
    pub fn refuse(link: &mut impl Link, from: NodeId, message: &ZkMessage) {
        if let ZkMessage::Packet(packet) = message {
            link.send(from, Datagram::Reset { connection: packet.connection }.into());
        }
    }

    /// [`ZkTimer::Session`] ran out.
    pub fn on_timer(&mut self, link: &mut impl Link) {
        let now = link.now();
        if let Some(channel) = &mut self.channel {
            channel.resend(link);
        }
        match self.state {
            ConnectionState::Connecting | ConnectionState::Connected if now >= self.deadline => {
                self.lose_connection(link)
            }
            ConnectionState::Pausing if now >= self.deadline => self.connect(link),
            ConnectionState::Connected if now >= self.ping_at => {
                self.ping_at = now + self.timeout / 3;
                self.send(link, Body::ClientPing);
            }
            _ => {}
        }
        self.end_step(link);
    }

    fn end_step(&mut self, link: &mut impl Link) {
        let resend = self.channel.as_mut().and_then(|channel| {
            channel.flush(link);
            channel.deadline()
        });
        let own = match self.state {
            ConnectionState::Idle => return,
            ConnectionState::Connected => self.deadline.min(self.ping_at),
            ConnectionState::Connecting | ConnectionState::Pausing => self.deadline,
        };
        let next = resend.map_or(own, |resend| resend.min(own));
        link.set_timer(ZkTimer::Session, next.saturating_since(link.now()));
    }
}

// What the trace is told.
impl Session {
    fn show_state(&self, link: &mut impl Link, state: SessionState, timeout_ms: u32) {
        link.emit(ClientSession {
            session: self.id.into(),
            state,
            server: self.server().into(),
            timeout_us: (i64::from(timeout_ms) * 1_000).into(),
        });
    }

    fn show_reply(
        &self,
        link: &mut impl Link,
        xid: i32,
        op: OpKind,
        zxid: Zxid,
        outcome: &Outcome,
    ) {
        link.emit(ClientReply {
            session: self.id.into(),
            xid: xid.into(),
            op,
            zxid: zxid.into(),
            result: Answered(outcome.as_ref().map(|_| ()).map_err(|code| *code)),
        });
    }
}

// Connecting.
impl Session {
    fn plants(&self, defect: Defect) -> bool {
        self.settings.planted.plants(defect)
    }

    fn server(&self) -> NodeId {
        self.servers[self.at]
    }

    fn connect(&mut self, link: &mut impl Link) {
        let mut channel = Channel::open(link, self.server(), self.settings.retransmit_after);
        let timeout_ms = u32::try_from(self.settings.timeout.as_millis()).unwrap_or(u32::MAX);
        channel.send(
            link,
            Body::Connect {
                session: self.id,
                password: self.password,
                timeout_ms,
                last_zxid: self.last_zxid,
            },
        );
        self.channel = Some(channel);
        self.state = ConnectionState::Connecting;
        // So that all servers can be tried within the time-out.
        self.deadline = link.now() + self.timeout / self.servers.len() as u32;
    }

    fn lose_connection(&mut self, link: &mut impl Link) {
        let was_connected = self.state == ConnectionState::Connected;
        self.channel = None;
        self.at = (self.at + 1) % self.servers.len();
        self.state = ConnectionState::Pausing;
        let most = crate::time::nanos(self.timeout / PAUSE_PART).max(2);
        self.deadline = link.now() + Duration::from_nanos(most / 2 + link.below(most / 2 + 1));
        if was_connected {
            self.show_state(link, SessionState::Disconnected, 0);
            self.events.push_back(SessionEvent::Disconnected);
        }
        let lost = std::mem::take(&mut self.sent);
        self.give_up(link, lost, ErrorCode::ConnectionLoss);
    }

    fn give_up(&mut self, link: &mut impl Link, requests: VecDeque<Pending>, code: ErrorCode) {
        for Pending { xid, op } in requests {
            let outcome = Err(code);
            self.show_reply(link, xid, op.kind(), Zxid::ZERO, &outcome);
            self.events.push_back(SessionEvent::Reply { xid, zxid: Zxid::ZERO, outcome });
        }
    }

    /// The session is over: another one can be opened.
    fn end(&mut self, link: &mut impl Link, state: SessionState, event: SessionEvent) {
        self.show_state(link, state, 0);
        self.channel = None;
        self.state = ConnectionState::Idle;
        let mut open = std::mem::take(&mut self.sent);
        open.append(&mut self.waiting);
        self.give_up(link, open, ErrorCode::SessionExpired);
        // The next session may see an older state than this one: the guarantee is one session's.
        (self.id, self.password, self.last_zxid) = (SessionId::NONE, 0, Zxid::ZERO);
        self.watches.clear();
        self.events.push_back(event);
    }

    fn heard(&mut self, now: LocalTime) {
        if self.state == ConnectionState::Connected {
            self.deadline = now + self.timeout * 2 / 3;
        }
    }

    fn on_packet(&mut self, link: &mut impl Link, packet: &Packet) {
        let now = link.now();
        self.heard(now);
        let Some(channel) = &mut self.channel else { return };
        for body in channel.on_packet(now, packet) {
            self.on_body(link, &body);
        }
    }

    fn on_body(&mut self, link: &mut impl Link, body: &Body) {
        // What follows the end of a session in the same packet belongs to no session.
        if self.state == ConnectionState::Idle {
            return;
        }
        match body {
            Body::ConnectReply { timeout_ms: 0, .. } => {
                self.end(link, SessionState::Expired, SessionEvent::Expired)
            }
            Body::ConnectReply { session, password, timeout_ms } => {
                self.on_connected(link, *session, *password, *timeout_ms)
            }
            Body::Reply { xid, zxid, outcome } => self.on_reply(link, *xid, *zxid, outcome),
            Body::WatchEvent { kind, path, .. } => self.on_watch(link, *kind, path),
            _ => {}
        }
    }

    fn on_connected(
        &mut self,
        link: &mut impl Link,
        session: SessionId,
        password: u64,
        timeout_ms: u32,
    ) {
        let now = link.now();
        let is_new = self.id.is_none();
        (self.id, self.password) = (session, password);
        self.timeout = Duration::from_millis(timeout_ms.into());
        self.last_zxid = self.last_zxid.max(Zxid(session.0));
        self.state = ConnectionState::Connected;
        self.ping_at = now + self.timeout / 3;
        self.heard(now);
        self.show_state(link, SessionState::Connected, timeout_ms);
        self.events.push_back(SessionEvent::Connected);
        let lost_watches = !is_new && !self.watches.is_empty();
        if lost_watches && !self.plants(Defect::WatchesLostOnReconnect) {
            let of = |kind: WatchKind| {
                self.watches
                    .iter()
                    .filter(|(each, _)| *each == kind)
                    .map(|(_, path)| path.clone())
                    .collect()
            };
            let body = Body::SetWatches {
                relative_zxid: self.last_zxid,
                data: of(WatchKind::Data),
                exists: of(WatchKind::Exists),
                children: of(WatchKind::Children),
            };
            self.send(link, body);
        }
        for pending in std::mem::take(&mut self.waiting) {
            self.send_request(link, pending);
        }
    }
}

// Requests and watches.
impl Session {
    fn send(&mut self, link: &mut impl Link, body: Body) {
        if let Some(channel) = &mut self.channel {
            channel.send(link, body);
        }
    }

    fn send_request(&mut self, link: &mut impl Link, pending: Pending) {
        let version = match &pending.op {
            Op::Set { version, .. } | Op::Delete { version, .. } => *version,
            _ => super::request::ANY_VERSION,
        };
        link.emit(ClientRequest {
            session: self.id.into(),
            xid: pending.xid.into(),
            op: pending.op.kind(),
            version: version.into(),
            path: pending.op.path().into(),
        });
        // A request is a sign of life as good as a ping.
        self.ping_at = link.now() + self.timeout / 3;
        self.send(link, Body::Request { xid: pending.xid, op: pending.op.clone() });
        self.sent.push_back(pending);
    }

    fn on_reply(&mut self, link: &mut impl Link, xid: i32, zxid: Zxid, outcome: &Outcome) {
        let Some(position) = self.sent.iter().position(|pending| pending.xid == xid) else {
            return;
        };
        let Some(Pending { op, .. }) = self.sent.remove(position) else { return };
        self.last_zxid = self.last_zxid.max(zxid);
        self.show_reply(link, xid, op.kind(), zxid, outcome);
        self.note_watch(link, &op, zxid, outcome);
        if op == Op::Close && outcome.is_ok() {
            return self.end(link, SessionState::Closed, SessionEvent::Closed);
        }
        self.events.push_back(SessionEvent::Reply { xid, zxid, outcome: outcome.clone() });
    }

    /// A read with a watch was answered: the watch is set at the server, and is this session's to
    /// keep.
    fn note_watch(&mut self, link: &mut impl Link, op: &Op, zxid: Zxid, outcome: &Outcome) {
        let (kind, path) = match (op, outcome) {
            (Op::Exists { path, watch: true }, Ok(_)) | (Op::Get { path, watch: true }, Ok(_)) => {
                (WatchKind::Data, path)
            }
            (Op::Exists { path, watch: true }, Err(ErrorCode::NoNode)) => (WatchKind::Exists, path),
            (Op::Children { path, watch: true }, Ok(Answer::Children(..))) => {
                (WatchKind::Children, path)
            }
            _ => return,
        };
        self.watches.insert((kind, path.clone()));
        let session = self.id.into();
        link.emit(ClientWatchSet { session, kind, zxid: zxid.into(), path: path.clone() });
    }

    fn on_watch(&mut self, link: &mut impl Link, kind: WatchEventKind, path: &Path) {
        for watch in [WatchKind::Data, WatchKind::Exists, WatchKind::Children] {
            if kind.ends(watch) {
                self.watches.remove(&(watch, path.clone()));
            }
        }
        link.emit(ClientWatch { session: self.id.into(), kind, path: path.clone() });
        self.events.push_back(SessionEvent::Watch { kind, path: path.clone() });
    }
}
