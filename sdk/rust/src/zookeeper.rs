//! A ZooKeeper client: a session with the ensemble of the system `zookeeper`, znodes and watches.
//!
//! A node has a [`ZooKeeper`], passes it every message and timer first, and then takes its events:
//!
//! ```no_run
//! use seedbed_node::zookeeper::{CreateMode, Event, ZooKeeper};
//! use seedbed_node::{run, Ctx, Node, Value};
//!
//! struct Contender {
//!     zk: ZooKeeper,
//! }
//!
//! impl Contender {
//!     fn handle_events(&mut self, ctx: &mut Ctx) {
//!         while let Some(event) = self.zk.next_event() {
//!             match event {
//!                 Event::Connected => {
//!                     let name = ctx.name().to_owned();
//!                     self.zk.create(ctx, "/election/n_", &name, CreateMode::EphemeralSequential);
//!                 }
//!                 Event::Reply { xid, zxid, outcome } => {
//!                     ctx.log(format!("request {xid}, at {zxid}: {outcome:?}"));
//!                 }
//!                 Event::Watch { kind, path } => ctx.log(format!("{path} was {kind}")),
//!                 Event::Disconnected | Event::Expired | Event::Closed => {}
//!             }
//!         }
//!     }
//! }
//!
//! impl Node for Contender {
//!     type Message = Value;
//!
//!     fn on_init(&mut self, ctx: &mut Ctx) {
//!         self.zk.open(ctx);
//!     }
//!
//!     fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Value) {
//!         if self.zk.on_message(ctx, src, &message) {
//!             self.handle_events(ctx);
//!         }
//!     }
//!
//!     fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
//!         if self.zk.on_timer(ctx, name) {
//!             self.handle_events(ctx);
//!         }
//!     }
//! }
//!
//! fn main() {
//!     run(|_start| Contender { zk: ZooKeeper::new(&["zk1", "zk2", "zk3"], 2.0) });
//! }
//! ```
//!
//! Nothing here blocks. Each request has a number, its `xid`, and is answered later by
//! [`Event::Reply`], in the order of the requests. Requests made while there is no connection wait
//! for the next one. The underlying messages are in `sdk/MESSAGES.md`, under `zookeeper`.

mod channel;
mod types;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Ctx;
use channel::Channel;
pub use types::{Answer, CreateMode, Error, Event, Outcome, Read, Stat};

/// Matches any version.
pub const ANY_VERSION: i32 = -1;

const TIMER: &str = "zookeeper";
const MS: u64 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Connecting,
    /// Between two servers.
    Pausing,
    Connected,
}

/// A request without an answer.
#[derive(Clone, Debug)]
struct Request {
    xid: i32,
    word: &'static str,
    path: String,
    op: Value,
    version: i32,
    /// The kind of watch it sets if the znode exists, and if it does not.
    watches: Option<(&'static str, Option<&'static str>)>,
}

/// A session with an ensemble; after its end another one can be opened.
#[derive(Clone, Debug)]
pub struct ZooKeeper {
    servers: Vec<String>,
    /// The requested and the granted timeout, ns.
    wished: u64,
    timeout: u64,
    /// The index of the current server.
    at: usize,
    state: State,
    /// When the current attempt, pause or silence ends, ns.
    deadline: u64,
    ping_at: u64,
    channel: Option<Channel>,
    session: u64,
    password: u64,
    last_zxid: u64,
    next_xid: i32,
    /// Sent, in order.
    sent: VecDeque<Request>,
    /// Requested while there was no connection.
    waiting: VecDeque<Request>,
    watches: BTreeMap<&'static str, BTreeSet<String>>,
    events: VecDeque<Event>,
}

// The session.
impl ZooKeeper {
    /// A session that is not open yet, with the ensemble of these nodes. Servers grant a timeout of
    /// 2 to 20 of their ticks.
    ///
    /// Panics without a server.
    #[track_caller]
    pub fn new(servers: &[&str], timeout_s: f64) -> ZooKeeper {
        assert!(!servers.is_empty(), "name the servers, as in &[\"zk1\", \"zk2\", \"zk3\"]");
        let wished = (timeout_s * 1e9).round() as u64;
        ZooKeeper {
            servers: servers.iter().map(|name| (*name).to_owned()).collect(),
            wished,
            timeout: wished,
            at: 0,
            state: State::Idle,
            deadline: 0,
            ping_at: 0,
            channel: None,
            session: 0,
            password: 0,
            last_zxid: 0,
            next_xid: 1,
            sent: VecDeque::new(),
            waiting: VecDeque::new(),
            watches: ["data", "exists", "children"].map(|kind| (kind, BTreeSet::new())).into(),
            events: VecDeque::new(),
        }
    }

    /// Its number; 0 when there is none.
    pub fn session(&self) -> u64 {
        self.session
    }

    /// Whether it is connected to a server.
    pub fn is_connected(&self) -> bool {
        self.state == State::Connected
    }

    /// The newest state that this session has seen.
    pub fn last_zxid(&self) -> u64 {
        self.last_zxid
    }

    /// The next event, in order. Call it until there are no more, after every message, timer and
    /// request.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Open a session, possibly after the end of an earlier one. No effect if one is open.
    pub fn open(&mut self, ctx: &mut Ctx) {
        if self.state == State::Idle {
            self.at = ctx.random().range(0..self.servers.len() as u64) as usize;
            self.connect(ctx);
            self.end_step(ctx);
        }
    }

    /// Close the session: its ephemeral znodes are removed immediately, and [`Event::Closed`]
    /// follows.
    pub fn close(&mut self, ctx: &mut Ctx) -> i32 {
        self.request(ctx, "close", "", json!("close"), ANY_VERSION, None)
    }

    /// Handle a message: `true` if it belongs to a connection with the ensemble and has been
    /// handled.
    pub fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: &Value) -> bool {
        let number = |name: &str| message[name].as_u64();
        let kind = message["type"].as_str().unwrap_or_default();
        let (connection, seq) = match kind {
            "PacketAck" | "Reset" => (number("connection"), None),
            _ => (number("channel"), number("seq")),
        };
        let (Some(connection), true) =
            (connection, seq.is_some() || matches!(kind, "PacketAck" | "Reset"))
        else {
            return false;
        };
        let now = ctx.now_ns();
        let Some(channel) = self.channel.as_mut().filter(|channel| channel.number == connection)
        else {
            // An earlier connection; the server need not keep it.
            if seq.is_some() {
                ctx.send(src, &json!({ "type": "Reset", "connection": connection }));
            }
            return true;
        };
        if kind == "Reset" {
            self.lose_connection(ctx);
        } else {
            channel.on_ack(now, number("ack").unwrap_or(0));
            let ready = seq.map_or_else(Vec::new, |seq| channel.on_packet(seq, message));
            self.heard(now);
            for body in ready {
                // Ignore what follows the end of a connection in the same packet.
                if self.channel.as_ref().is_some_and(|channel| channel.number == connection) {
                    self.on_body(ctx, &body);
                }
            }
        }
        self.end_step(ctx);
        true
    }

    /// Handle an expired timer: `true` if it was the session's, which is named `zookeeper`.
    pub fn on_timer(&mut self, ctx: &mut Ctx, name: &str) -> bool {
        if name != TIMER {
            return false;
        }
        let now = ctx.now_ns();
        if let Some(channel) = &mut self.channel {
            channel.resend(ctx);
        }
        match self.state {
            State::Connecting | State::Connected if now >= self.deadline => {
                self.lose_connection(ctx)
            }
            State::Pausing if now >= self.deadline => self.connect(ctx),
            State::Connected if now >= self.ping_at => {
                self.ping_at = now + self.timeout / 3;
                self.send(ctx, json!({ "type": "ClientPing" }));
            }
            _ => {}
        }
        self.end_step(ctx);
        true
    }
}

// Requests. Each returns its number.
impl ZooKeeper {
    /// Create a znode below an existing one that is not ephemeral.
    pub fn create(&mut self, ctx: &mut Ctx, path: &str, data: &str, mode: CreateMode) -> i32 {
        let mode = match mode {
            CreateMode::Persistent => "persistent",
            CreateMode::Ephemeral => "ephemeral",
            CreateMode::PersistentSequential => "persistent_sequential",
            CreateMode::EphemeralSequential => "ephemeral_sequential",
        };
        let op = json!({ "create": { "path": path, "data": data, "mode": mode } });
        self.request(ctx, "create", path, op, ANY_VERSION, None)
    }

    /// Delete a znode without children, if it has this version; [`ANY_VERSION`] matches any.
    pub fn delete(&mut self, ctx: &mut Ctx, path: &str, version: i32) -> i32 {
        self.request(
            ctx,
            "delete",
            path,
            json!({ "delete": { "path": path, "version": version } }),
            version,
            None,
        )
    }

    /// Replace the content of a znode, if it has this version; [`ANY_VERSION`] matches any.
    pub fn set(&mut self, ctx: &mut Ctx, path: &str, data: &str, version: i32) -> i32 {
        self.request(
            ctx,
            "set",
            path,
            json!({ "set": { "path": path, "data": data, "version": version } }),
            version,
            None,
        )
    }

    /// Whether the znode exists: [`Answer::Stat`] or [`Error::NoNode`]. A watch reports when it is
    /// created, changed or deleted.
    pub fn exists(&mut self, ctx: &mut Ctx, path: &str, watch: bool) -> i32 {
        self.read(ctx, Read::Exists(path), watch, ("data", Some("exists")))
    }

    /// The content of a znode. A watch reports when it is changed or deleted; no watch is set if
    /// the znode does not exist.
    pub fn get(&mut self, ctx: &mut Ctx, path: &str, watch: bool) -> i32 {
        self.read(ctx, Read::Get(path), watch, ("data", None))
    }

    /// The names of a znode's children. A watch reports when one is created or deleted, and when
    /// the znode itself is deleted.
    pub fn children(&mut self, ctx: &mut Ctx, path: &str, watch: bool) -> i32 {
        self.read(ctx, Read::Children(path), watch, ("children", None))
    }

    /// Several reads at the same zxid.
    pub fn multi_read(&mut self, ctx: &mut Ctx, reads: &[Read<'_>]) -> i32 {
        let operations: Vec<Value> = reads.iter().map(|read| read.op(false)).collect();
        self.request(ctx, "multi_read", "", json!({ "multi_read": operations }), ANY_VERSION, None)
    }

    /// Answered when the server has applied everything acknowledged before: a read that follows is
    /// not stale.
    pub fn sync(&mut self, ctx: &mut Ctx) -> i32 {
        self.request(ctx, "sync", "", json!("sync"), ANY_VERSION, None)
    }

    fn read(
        &mut self,
        ctx: &mut Ctx,
        read: Read<'_>,
        watch: bool,
        watches: (&'static str, Option<&'static str>),
    ) -> i32 {
        let (word, path) = read.parts();
        self.request(ctx, word, path, read.op(watch), ANY_VERSION, watch.then_some(watches))
    }

    fn request(
        &mut self,
        ctx: &mut Ctx,
        word: &'static str,
        path: &str,
        op: Value,
        version: i32,
        watches: Option<(&'static str, Option<&'static str>)>,
    ) -> i32 {
        let xid = self.next_xid;
        self.next_xid += 1;
        let request = Request { xid, word, path: path.to_owned(), op, version, watches };
        if self.state == State::Connected {
            self.send_request(ctx, request);
            self.end_step(ctx);
        } else {
            self.waiting.push_back(request);
        }
        xid
    }

    fn send_request(&mut self, ctx: &mut Ctx, request: Request) {
        let path = if request.path.is_empty() { "/" } else { &request.path };
        let fields = json!({
            "session": self.session,
            "xid": request.xid,
            "op": request.word,
            "version": request.version,
            "path": path,
        });
        ctx.observe("client_request", fields);
        // A request renews the session as well as a ping.
        self.ping_at = ctx.now_ns() + self.timeout / 3;
        self.send(ctx, json!({ "type": "Request", "xid": request.xid, "op": request.op }));
        self.sent.push_back(request);
    }
}

// Connections.
impl ZooKeeper {
    fn connect(&mut self, ctx: &mut Ctx) {
        self.channel = Some(Channel::open(ctx, &self.servers[self.at]));
        self.state = State::Connecting;
        // Short enough to try all servers within the session timeout.
        self.deadline = ctx.now_ns() + self.timeout / self.servers.len() as u64;
        let (session, password, last_zxid) = (self.session, self.password, self.last_zxid);
        let timeout_ms = self.wished / MS;
        let body = json!({
            "type": "Connect",
            "session": session,
            "password": password,
            "timeout_ms": timeout_ms,
            "last_zxid": last_zxid,
        });
        self.send(ctx, body);
    }

    fn send(&mut self, ctx: &mut Ctx, body: Value) {
        if let Some(channel) = &mut self.channel {
            channel.send(ctx, body);
        }
    }

    fn lose_connection(&mut self, ctx: &mut Ctx) {
        let was_connected = self.state == State::Connected;
        let server = self.servers[self.at].clone();
        self.channel = None;
        self.at = (self.at + 1) % self.servers.len();
        self.state = State::Pausing;
        let longest = self.timeout / 20;
        self.deadline = ctx.now_ns() + longest / 2 + ctx.random().range(0..longest / 2 + 1);
        if was_connected {
            self.show(ctx, "disconnected", &server);
            self.events.push_back(Event::Disconnected);
        }
        let lost = std::mem::take(&mut self.sent);
        self.give_up(ctx, lost, Error::ConnectionLoss);
    }

    /// The session is over: another one can be opened.
    fn end(&mut self, ctx: &mut Ctx, state: &str, event: Event) {
        let server = self.servers[self.at].clone();
        self.show(ctx, state, &server);
        self.events.push_back(event);
        let mut lost = std::mem::take(&mut self.sent);
        lost.append(&mut self.waiting);
        self.give_up(ctx, lost, Error::SessionExpired);
        self.state = State::Idle;
        self.channel = None;
        // The next session may see an older state: never going back is promised only within a
        // session.
        (self.session, self.password, self.last_zxid) = (0, 0, 0);
        self.watches.values_mut().for_each(BTreeSet::clear);
    }

    fn give_up(&mut self, ctx: &mut Ctx, requests: VecDeque<Request>, error: Error) {
        for request in requests {
            self.answer(ctx, &request, 0, Err(error));
        }
    }

    fn heard(&mut self, now: u64) {
        if self.state == State::Connected {
            self.deadline = now + self.timeout * 2 / 3;
        }
    }

    fn end_step(&mut self, ctx: &mut Ctx) {
        if let Some(channel) = &mut self.channel {
            channel.flush(ctx);
        }
        let own = match self.state {
            State::Idle => return,
            State::Connected => self.deadline.min(self.ping_at),
            State::Connecting | State::Pausing => self.deadline,
        };
        let until = self.channel.as_ref().map_or(own, |channel| channel.resend_at.min(own));
        ctx.set_timer(TIMER, until.saturating_sub(ctx.now_ns()) as f64 / 1e9);
    }

    fn show(&self, ctx: &mut Ctx, state: &str, server: &str) {
        let timeout_us = if state == "connected" { self.timeout / 1_000 } else { 0 };
        let fields = json!({
            "session": self.session,
            "state": state,
            "server": server,
            "timeout_us": timeout_us,
        });
        ctx.observe("client_session", fields);
    }
}

// What servers say.
impl ZooKeeper {
    fn on_body(&mut self, ctx: &mut Ctx, body: &Value) {
        let number = |name: &str| body[name].as_u64().unwrap_or(0);
        match body["type"].as_str().unwrap_or_default() {
            "Reply" => self.on_reply(ctx, body),
            "WatchEvent" => self.on_watch(ctx, body),
            "ConnectReply" if number("timeout_ms") == 0 => self.end(ctx, "expired", Event::Expired),
            "ConnectReply" => self.on_connected(
                ctx,
                number("session"),
                number("password"),
                number("timeout_ms") * MS,
            ),
            _ => {}
        }
    }

    fn on_connected(&mut self, ctx: &mut Ctx, session: u64, password: u64, timeout: u64) {
        let is_new = self.session == 0;
        (self.session, self.password, self.timeout) = (session, password, timeout);
        // A session's number is the transaction that opened it.
        self.last_zxid = self.last_zxid.max(session);
        self.state = State::Connected;
        self.ping_at = ctx.now_ns() + self.timeout / 3;
        self.heard(ctx.now_ns());
        let server = self.servers[self.at].clone();
        self.show(ctx, "connected", &server);
        self.events.push_back(Event::Connected);
        if !is_new && self.watches.values().any(|paths| !paths.is_empty()) {
            let mut body = json!({ "type": "SetWatches", "relative_zxid": self.last_zxid });
            for (kind, paths) in &self.watches {
                body[*kind] = json!(paths);
            }
            self.send(ctx, body);
        }
        for request in std::mem::take(&mut self.waiting) {
            self.send_request(ctx, request);
        }
    }

    fn on_reply(&mut self, ctx: &mut Ctx, body: &Value) {
        let xid = body["xid"].as_i64();
        let Some(at) = self.sent.iter().position(|request| Some(i64::from(request.xid)) == xid)
        else {
            return;
        };
        let Some(request) = self.sent.remove(at) else { return };
        let zxid = body["zxid"].as_u64().unwrap_or(0);
        self.last_zxid = self.last_zxid.max(zxid);
        // An unknown outcome cannot belong to a request of this crate.
        let outcome = Outcome::deserialize(&body["outcome"]).unwrap_or(Err(Error::BadArguments));
        let is_closed = request.word == "close" && outcome.is_ok();
        self.note_watch(ctx, &request, zxid, &outcome);
        self.answer(ctx, &request, zxid, outcome);
        if is_closed {
            self.end(ctx, "closed", Event::Closed);
        }
    }

    /// A read with a watch was answered: the watch is set at the server, and the session must keep
    /// it.
    fn note_watch(&mut self, ctx: &mut Ctx, request: &Request, zxid: u64, outcome: &Outcome) {
        let kind = match (request.watches, outcome) {
            (Some((kind, _)), Ok(_)) | (Some((_, Some(kind))), Err(Error::NoNode)) => kind,
            _ => return,
        };
        self.watches.entry(kind).or_default().insert(request.path.clone());
        ctx.observe(
            "client_watch_set",
            json!({ "session": self.session, "kind": kind, "zxid": zxid, "path": request.path }),
        );
    }

    fn on_watch(&mut self, ctx: &mut Ctx, body: &Value) {
        let word = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (kind, path) = (word("kind"), word("path"));
        let told: &[&str] = match &*kind {
            "created" | "data_changed" => &["data", "exists"],
            "deleted" => &["data", "exists", "children"],
            _ => &["children"],
        };
        for each in told {
            if let Some(paths) = self.watches.get_mut(each) {
                paths.remove(&path);
            }
        }
        ctx.observe("client_watch", json!({ "session": self.session, "kind": kind, "path": path }));
        self.events.push_back(Event::Watch { kind, path });
    }

    fn answer(&mut self, ctx: &mut Ctx, request: &Request, zxid: u64, outcome: Outcome) {
        let result = outcome.as_ref().err().map_or("ok", |error| error.word());
        let fields = json!({
            "session": self.session,
            "xid": request.xid,
            "op": request.word,
            "zxid": zxid,
            "result": result,
        });
        ctx.observe("client_reply", fields);
        self.events.push_back(Event::Reply { xid: request.xid, zxid, outcome });
    }
}
