//! The clients that are connected to a server.
//!
//! A client's requests are answered in the order in which they came. Writes are passed on to the
//! leader immediately, several at a time; a read waits until the writes before it are answered, and
//! is then served from this server's own tree, which may lag behind others.

use std::collections::VecDeque;
use std::rc::Rc;

use super::channel::Channel;
use super::defects::{Defect, Planted};
use super::host::Host;
use super::message::{Body, ConnectionId, Datagram, Packet};
use super::request::{Answer, Op, Outcome, Path, WatchEventKind};
use super::server::Server;
use super::tree::{Read, Trigger};
use super::txn::{Entry, Txn};
use super::types::{ErrorCode, SessionId, Zxid};
use super::vocabulary::{WatchFired, WriteAnswered};
use crate::node::NodeId;
use crate::time::nanos;
use crate::vocabulary::Digest64;

/// A client's connection.
#[derive(Clone, Debug)]
pub struct ClientConnection {
    pub channel: Channel,
    /// Its session, once it is ready.
    session: Option<SessionId>,
    timeout_ms: u32,
    /// Requests without an answer, in order.
    queue: VecDeque<(i32, Op)>,
}

// Connections.
impl Server {
    pub(super) fn on_new_client(&mut self, host: &mut impl Host, from: NodeId, packet: &Packet) {
        let channel =
            Channel::new(from, packet.connection, self.settings.retransmit_after, host.now());
        let client =
            ClientConnection { channel, session: None, timeout_ms: 0, queue: VecDeque::new() };
        self.clients.insert(packet.connection, client);
    }

    pub(super) fn on_client_packet(&mut self, host: &mut impl Host, packet: &Packet) {
        let (now, connection) = (host.now(), packet.connection);
        let Some(client) = self.clients.get_mut(&connection) else { return };
        for body in client.channel.on_packet(now, packet) {
            self.on_client_body(host, connection, &body);
        }
    }

    fn on_client_body(&mut self, host: &mut impl Host, connection: ConnectionId, body: &Body) {
        if let Body::Connect { session, password, timeout_ms, last_zxid } = body {
            return self.on_connect(
                host,
                connection,
                (*session, *password),
                *timeout_ms,
                *last_zxid,
            );
        }
        let Some(session) = self.clients.get(&connection).and_then(|client| client.session) else {
            return;
        };
        self.note_life(host, session);
        match body {
            Body::Request { xid, op } => self.on_request(host, connection, session, *xid, op),
            Body::SetWatches { relative_zxid, data, exists, children } => {
                data.iter().for_each(|path| {
                    self.set_again(host, connection, *relative_zxid, path, Read::Get)
                });
                exists.iter().for_each(|path| {
                    self.set_again(host, connection, *relative_zxid, path, Read::Exists)
                });
                children.iter().for_each(|path| {
                    self.set_again(host, connection, *relative_zxid, path, Read::Children)
                });
            }
            Body::ClientPing => self.tell(host, connection, Body::ClientPong),
            _ => {}
        }
    }

    /// A client with a new session or with one that it had elsewhere. One that has seen more than
    /// this server knows must look for another server.
    fn on_connect(
        &mut self,
        host: &mut impl Host,
        connection: ConnectionId,
        claim: (SessionId, u64),
        timeout_ms: u32,
        last_zxid: Zxid,
    ) {
        let (session, password) = claim;
        let Some(peer) = self.clients.get(&connection).map(|client| client.channel.peer) else {
            return;
        };
        let is_behind = self.tree.last() < last_zxid;
        if is_behind && !self.plants(Defect::ClientZxidIgnored) {
            host.send(peer, Datagram::Reset { connection }.into());
            self.drop_client(connection);
            return;
        }
        let timeout_ms = self.settings.negotiate_ms(timeout_ms);
        if session.is_none() {
            return self.ask_leader(host, connection, |connection| Body::ForwardOpen {
                connection,
                timeout_ms,
            });
        }
        // The client's last zxid is at least its session's, so that a server that may serve it has
        // seen the session begin.
        match self.tree.sessions().get(&session) {
            Some(record) if record.password == password => {
                // The leader's answer would come after all that it has committed, and hide the
                // defect.
                if is_behind && self.plants(Defect::ClientZxidIgnored) {
                    return self.on_revalidated(host, session, connection, true);
                }
                self.ask_leader(host, connection, |connection| Body::Revalidate {
                    session,
                    connection,
                });
            }
            _ => self.on_revalidated(host, session, connection, false),
        }
    }

    /// What only the leader can decide: by the connection to it, or here.
    fn ask_leader(
        &mut self,
        host: &mut impl Host,
        connection: ConnectionId,
        body: impl FnOnce(ConnectionId) -> Body,
    ) {
        let (body, owner) = (body(connection), (self.me, connection));
        if self.following.is_some() {
            return self.send_to_leader(host, body);
        }
        match body {
            Body::ForwardOpen { timeout_ms, .. } => self.on_open(host, owner, timeout_ms),
            Body::Revalidate { session, .. } => {
                let alive = self.revalidate(host, owner, session);
                self.on_revalidated(host, session, connection, alive);
            }
            Body::Forward { session, xid, op, .. } => self.on_write(host, owner, session, xid, &op),
            _ => {}
        }
    }

    pub(super) fn on_revalidated(
        &mut self,
        host: &mut impl Host,
        session: SessionId,
        connection: ConnectionId,
        alive: bool,
    ) {
        let record = self.tree.sessions().get(&session).copied().filter(|_| alive);
        match record {
            Some(record) => {
                self.welcome(host, connection, session, record.timeout_ms, record.password)
            }
            None => self.tell(
                host,
                connection,
                Body::ConnectReply { session, password: 0, timeout_ms: 0 },
            ),
        }
    }

    fn welcome(
        &mut self,
        host: &mut impl Host,
        connection: ConnectionId,
        session: SessionId,
        timeout_ms: u32,
        password: u64,
    ) {
        let Some(client) = self.clients.get_mut(&connection) else { return };
        (client.session, client.timeout_ms) = (Some(session), timeout_ms);
        if let Some(old) =
            self.by_session.insert(session, connection).filter(|old| *old != connection)
        {
            self.drop_client(old);
            self.by_session.insert(session, connection);
        }
        self.tell(host, connection, Body::ConnectReply { session, password, timeout_ms });
    }

    pub(super) fn tell(&mut self, host: &mut impl Host, connection: ConnectionId, body: Body) {
        if let Some(client) = self.clients.get_mut(&connection) {
            client.channel.send(host, body);
        }
    }

    pub(super) fn drop_client(&mut self, connection: ConnectionId) {
        let Some(client) = self.clients.remove(&connection) else { return };
        if let Some(session) = client.session
            && self.by_session.get(&session) == Some(&connection)
        {
            self.by_session.remove(&session);
        }
        self.watches.forget(connection);
        self.remember_closed(connection);
    }

    pub(super) fn send_clients_away(&mut self, host: &mut impl Host) {
        let all: Vec<(ConnectionId, NodeId)> = self
            .clients
            .iter()
            .map(|(connection, client)| (*connection, client.channel.peer))
            .collect();
        for (connection, peer) in all {
            host.send(peer, Datagram::Reset { connection }.into());
            self.drop_client(connection);
        }
    }

    /// A session has shown that it lives; the leader hears of it with the next ping.
    fn note_life(&mut self, host: &mut impl Host, session: SessionId) {
        match &mut self.following {
            Some(following) => {
                following.touched.insert(session);
            }
            None => self.touch(host, session),
        }
    }

    /// Half a tick has passed: forget connections whose client has long given up.
    pub(super) fn clients_tick(&mut self, host: &mut impl Host) {
        self.keep_no_event_back(host);
        let (now, least) = (host.now(), self.settings.ticks(self.settings.init_limit));
        let silent = |client: &ClientConnection| {
            let since = now.saturating_since(client.channel.heard);
            since > least && nanos(since) > 2_000_000 * u64::from(client.timeout_ms)
        };
        let gone: Vec<ConnectionId> = self
            .clients
            .iter()
            .filter(|(_, client)| silent(client))
            .map(|(connection, _)| *connection)
            .collect();
        gone.into_iter().for_each(|connection| self.drop_client(connection));
    }
}

/// Whether a request is answered from this server's own tree. `sync` is a transaction: only its
/// place in the order tells that all before it is applied.
fn is_answered_here(planted: Planted, op: &Op) -> bool {
    !op.is_write() || (*op == Op::Sync && planted.plants(Defect::SyncAnsweredLocally))
}

// Requests.
impl Server {
    fn on_request(
        &mut self,
        host: &mut impl Host,
        connection: ConnectionId,
        session: SessionId,
        xid: i32,
        op: &Op,
    ) {
        let Some(client) = self.clients.get_mut(&connection) else { return };
        let local = is_answered_here(self.planted, op);
        let waits = local && !client.queue.is_empty();
        if waits && self.planted.plants(Defect::ReadsOvertakeWrites) {
            return self.answer_locally(host, connection, xid, op);
        }
        client.queue.push_back((xid, op.clone()));
        if !local {
            return self.ask_leader(host, connection, |connection| Body::Forward {
                session,
                connection,
                xid,
                op: op.clone(),
            });
        }
        self.answer_reads(host, connection);
    }

    /// Answer the reads at the head of the queue: all writes before them are answered.
    fn answer_reads(&mut self, host: &mut impl Host, connection: ConnectionId) {
        let planted = self.planted;
        while let Some(client) = self.clients.get_mut(&connection)
            && client.queue.front().is_some_and(|(_, op)| is_answered_here(planted, op))
            && let Some((xid, op)) = client.queue.pop_front()
        {
            self.answer_locally(host, connection, xid, &op);
        }
    }

    fn answer_locally(
        &mut self,
        host: &mut impl Host,
        connection: ConnectionId,
        xid: i32,
        op: &Op,
    ) {
        let outcome = match op {
            Op::MultiRead(ops) => {
                Ok(Answer::Multi(ops.iter().map(|op| self.read(connection, op)).collect()))
            }
            Op::Sync => Ok(Answer::Done),
            op => self.read(connection, op),
        };
        let zxid = self.tree.last();
        self.tell(host, connection, Body::Reply { xid, zxid, outcome });
    }

    fn read(&mut self, connection: ConnectionId, op: &Op) -> Outcome {
        let (path, watch, what) = match op {
            Op::Exists { path, watch } => (path, *watch, Read::Exists),
            Op::Get { path, watch } => (path, *watch, Read::Get),
            Op::Children { path, watch } => (path, *watch, Read::Children),
            _ => return Err(ErrorCode::BadArguments),
        };
        let outcome = self.tree.read(path, what);
        // Only `exists` may wait for something that is not there.
        if watch && (outcome.is_ok() || what == Read::Exists) {
            match what {
                Read::Children => self.watches.watch_children(path, connection),
                Read::Exists | Read::Get => self.watches.watch_data(path, connection),
            }
        }
        outcome
    }

    /// A transaction was applied: tell the client that asked for it, if it is connected here.
    pub(super) fn answer(&mut self, host: &mut impl Host, entry: &Rc<Entry>, outcome: Outcome) {
        if let Txn::OpenSession { timeout_ms, password } = entry.txn {
            let connection = ConnectionId(entry.request);
            return self.welcome(host, connection, entry.session, timeout_ms, password);
        }
        let Some(connection) = self.by_session.get(&entry.session).copied() else { return };
        let Some(client) = self.clients.get_mut(&connection) else { return };
        let client_peer = client.channel.peer;
        let asked = client.queue.front().is_some_and(|(xid, _)| entry.request == *xid as u64);
        if asked && matches!(entry.txn, Txn::Error(ErrorCode::SessionMoved)) {
            // The leader has heard the servers that the client went through in another order. Let
            // it come again, and be the last.
            host.send(client_peer, Datagram::Reset { connection }.into());
            return self.drop_client(connection);
        }
        if asked && let Some((xid, _)) = client.queue.pop_front() {
            host.emit(WriteAnswered {
                session: entry.session.into(),
                xid: i64::from(xid).into(),
                zxid: entry.zxid.into(),
                kind: entry.kind().into(),
            });
            self.tell(host, connection, Body::Reply { xid, zxid: entry.zxid, outcome });
        }
        if matches!(entry.txn, Txn::CloseSession) {
            self.by_session.remove(&entry.session);
            self.watches.forget(connection);
            if let Some(client) = self.clients.get_mut(&connection) {
                client.session = None;
            }
            if !asked {
                let peer = client_peer;
                host.send(peer, Datagram::Reset { connection }.into());
                self.drop_client(connection);
            }
            return;
        }
        self.answer_reads(host, connection);
    }
}

// Watches.
impl Server {
    /// Tell who watches, before anybody is told of the new state.
    pub(super) fn fire_watches(&mut self, host: &mut impl Host, zxid: Zxid, trigger: &Trigger) {
        for (connection, kind, path) in self.watches.trigger(self.planted, trigger) {
            self.fire(host, connection, kind, path, zxid);
        }
    }

    fn fire(
        &mut self,
        host: &mut impl Host,
        connection: ConnectionId,
        kind: WatchEventKind,
        path: Path,
        zxid: Zxid,
    ) {
        let Some(session) = self.clients.get(&connection).and_then(|client| client.session) else {
            return;
        };
        host.emit(WatchFired {
            session: session.into(),
            connection: Digest64(connection.0).into(),
            kind,
            zxid: zxid.into(),
            path: path.clone(),
        });
        let event = Body::WatchEvent { kind, path, zxid };
        if self.plants(Defect::WatchAfterReply) {
            return self.defect.late_events.push((connection, event));
        }
        self.tell(host, connection, event);
    }

    /// A watch of a client that comes from another server: what changed since then is told
    /// immediately.
    fn set_again(
        &mut self,
        host: &mut impl Host,
        connection: ConnectionId,
        since: Zxid,
        path: &Path,
        what: Read,
    ) {
        let now = self.tree.last();
        let event = match (self.tree.get(path), what) {
            (Some(_), Read::Exists) => Some(WatchEventKind::Created),
            (None, Read::Exists) => None,
            (None, _) => Some(WatchEventKind::Deleted),
            (Some(node), Read::Get) => {
                (node.stat.mzxid > since).then_some(WatchEventKind::DataChanged)
            }
            (Some(node), Read::Children) => {
                (node.stat.pzxid > since).then_some(WatchEventKind::ChildrenChanged)
            }
        };
        match event {
            Some(kind) => self.fire(host, connection, kind, path.clone(), now),
            None if what == Read::Children => self.watches.watch_children(path, connection),
            None => self.watches.watch_data(path, connection),
        }
    }
}
