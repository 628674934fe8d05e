//! The directory: it takes requests off streams, executes them one after the other, and answers.
//!
//! Connections are independent of each other: each has its own buffer and its own time limit, so
//! one that is slow, silent or full of nonsense is a nuisance to nobody else. A request is executed
//! in one step when its last byte has come, and the answer leaves when the journal is durable. A
//! connected user has a lease, which its peer's heartbeats renew: nothing more comes from a peer
//! that has crashed, so its users stop counting as connected. If a request shows that the peer's
//! program has started again, they do so immediately. Leases are not in the journal; when the
//! directory starts, all of them begin anew.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::defects::{Defect, DefectState, Planted};
use super::executed::{ExecutedRequests, Lookup};
use super::framing::{Strings, encode};
use super::journal::{self, Entry, Request, RequestId};
use super::message::P2pMessage;
use super::node::{Ctx, P2pTimer};
use super::outbox::{self, Outbox};
use super::service::{Operation, Reply, Service};
use super::settings::P2pSettings;
use super::tables::{Tables, User};
use super::vocabulary::{self, DateText, DirectoryMetrics, MalformedReason, OfflineReason, word};
use crate::node::{LocalTime, NodeId, Port, Probe, StreamEvent, StreamId};
use crate::time::nanos;
use crate::vocabulary::Metrics as _;

/// Where it listens.
pub const PORT: Port = Port(4_000);

/// Leases are looked at this often in the time of one.
const SWEEPS_A_LEASE: u32 = 4;

/// A connection whose request has not come yet, or not as a whole.
struct Connection {
    from: NodeId,
    strings: Strings,
    words: Vec<String>,
}

/// A request that has come as a whole.
#[derive(Debug)]
pub struct Arrived {
    /// Where the answer goes.
    pub stream: StreamId,
    /// The host that asks.
    pub from: NodeId,
    /// What it asks.
    pub request: Request,
}

/// The directory's node.
pub struct Directory {
    settings: Arc<P2pSettings>,
    planted: Planted,
    tables: Tables,
    executed: ExecutedRequests,
    outbox: Outbox,
    logger: Option<NodeId>,
    connections: BTreeMap<StreamId, Connection>,
    /// When each connected user was last heard of.
    heard: BTreeMap<String, LocalTime>,
    /// Users that have not connected again since their leases ended.
    expired: BTreeSet<String>,
    /// When leases were looked at last.
    swept: LocalTime,
    defect: DefectState,
}

impl Directory {
    pub fn new(settings: Arc<P2pSettings>, logger: Option<NodeId>) -> Directory {
        let planted = settings.planted;
        Directory {
            planted,
            settings,
            tables: Tables::new(planted),
            executed: ExecutedRequests::new(planted),
            outbox: Outbox::default(),
            logger,
            connections: BTreeMap::new(),
            heard: BTreeMap::new(),
            expired: BTreeSet::new(),
            swept: LocalTime::ZERO,
            defect: DefectState::default(),
        }
    }

    fn plants(&self, defect: Defect) -> bool {
        self.planted.plants(defect)
    }

    // Boot.

    pub fn boot(&mut self, ctx: &mut Ctx<'_>) {
        let entries = if self.planted.holds(Defect::LostOnCrash) {
            self.defect.recover_tables(ctx)
        } else {
            journal::recover(ctx)
        };
        for entry in entries {
            self.apply(&entry);
        }
        let now = ctx.now();
        self.heard = self.tables.connected().map(|(user, _)| (user.clone(), now)).collect();
        ctx.emit(vocabulary::Tables {
            users: self.tables.counts().0 as u64,
            executed: self.outbox.last(),
            lease_us: nanos(self.settings.lease) / 1_000,
        });
        self.tell_tables(ctx);
        ctx.listen(PORT);
        self.swept = now;
        ctx.set_timer(P2pTimer::Sweep, self.settings.lease / SWEEPS_A_LEASE);
        self.outbox.report(ctx, &self.settings, self.logger);
    }

    /// At the start: what a crash may have kept from being told, although it was durable.
    fn tell_tables(&self, ctx: &mut Ctx<'_>) {
        for user in &self.expired {
            ctx.emit(vocabulary::Offline { reason: OfflineReason::Expired, user: word(user) });
        }
        for (user, address) in self.tables.connected() {
            let files = self.tables.user(user).map_or(0, |user| user.files.len());
            let host = ctx.find(&address.host);
            ctx.emit(vocabulary::Online { host, port: address.port, user: word(user) });
            ctx.emit(vocabulary::Offered { files: files as u64, user: word(user) });
        }
    }

    // Datagrams.

    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, message: P2pMessage) {
        match message {
            P2pMessage::Heartbeat { user, port } => {
                let address = self.tables.user(&user).and_then(|user| user.address.as_ref());
                // A heartbeat that was late names a port of an earlier connection: it must not
                // renew the lease of this one.
                let known = address
                    .is_some_and(|address| address.port == port && address.host == ctx.name(from));
                if known {
                    self.heard.insert(user.clone(), ctx.now());
                }
                ctx.send(from, P2pMessage::HeartbeatAck { user, port, known });
            }
            P2pMessage::ReportAck { upto } => {
                self.outbox.on_ack(ctx, &self.settings, self.logger, upto);
                if let Some(next) = self.defect.answer_withheld(ctx, &self.outbox) {
                    self.on_request(ctx, next);
                }
            }
            _ => {}
        }
    }

    // Connections.

    pub fn on_stream(&mut self, ctx: &mut Ctx<'_>, event: StreamEvent) {
        match event {
            StreamEvent::Accepted { stream, from, .. } => {
                self.connections.insert(
                    stream,
                    Connection { from, strings: Strings::default(), words: vec![] },
                );
                if self.plants(Defect::OneAtATime) {
                    self.defect.queue(stream);
                } else {
                    ctx.set_timer(P2pTimer::Idle(stream), self.settings.idle_timeout);
                }
            }
            StreamEvent::Data(stream, bytes) => self.on_data(ctx, stream, &bytes),
            StreamEvent::PeerClosed(stream) => self.on_end(ctx, stream),
            StreamEvent::Reset(stream) | StreamEvent::TimedOut(stream) => self.forget(ctx, stream),
            _ => {}
        }
    }

    fn on_data(&mut self, ctx: &mut Ctx<'_>, stream: StreamId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&stream) else { return };
        connection.strings.push(bytes);
        if bytes.last() != Some(&0) && self.planted.plants(Defect::OneRead) {
            connection.strings.push(&[0]);
        }
        if self.defect.has_turn(stream) || !self.plants(Defect::OneAtATime) {
            self.proceed(ctx, stream);
        }
    }

    /// Read as far as the bytes go, and execute what is whole.
    fn proceed(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
        let Some(connection) = self.connections.get_mut(&stream) else { return };
        let from = connection.from;
        match connection.request() {
            Ok(None) => {}
            Ok(Some(request)) => {
                self.forget(ctx, stream);
                self.on_request(ctx, Arrived { stream, from, request });
            }
            Err(reason) => self.refuse(ctx, stream, reason),
        }
    }

    /// The peer says no more, and has not said a whole request.
    fn on_end(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
        let Some(connection) = self.connections.get(&stream) else { return };
        if connection.words.is_empty() && connection.strings.is_empty() {
            ctx.close(stream);
            return self.forget(ctx, stream);
        }
        self.refuse(ctx, stream, MalformedReason::NoRequest);
    }

    /// Bytes that are not a request get the status of failure if they name a service, and otherwise
    /// a reset.
    fn refuse(&mut self, ctx: &mut Ctx<'_>, stream: StreamId, reason: MalformedReason) {
        let Some(connection) = self.connections.get(&stream) else { return };
        ctx.emit(vocabulary::Malformed { origin: connection.from, reason });
        if self.plants(Defect::MalformedKills) {
            panic!("a malformed request: {reason:?}");
        }
        match connection.words.first().and_then(|word| Service::of_wire(word)) {
            Some(service) => {
                ctx.write(stream, vec![b'0' + service.fail()]);
                ctx.close(stream);
            }
            None => ctx.reset(stream),
        }
        self.forget(ctx, stream);
    }

    fn forget(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
        self.connections.remove(&stream);
        ctx.cancel_timer(P2pTimer::Idle(stream));
        if let Some(next) = self.defect.next_turn(stream) {
            self.proceed(ctx, next);
        }
    }

    // Requests.

    fn on_request(&mut self, ctx: &mut Ctx<'_>, arrived: Arrived) {
        let now = self.defect.executed_now(ctx, self.planted, &self.outbox, self.logger, arrived);
        if let Some(arrived) = now {
            self.execute(ctx, arrived);
        }
    }

    /// Execute a request in one step. What this step sends waits until the journal is durable.
    fn execute(&mut self, ctx: &mut Ctx<'_>, arrived: Arrived) {
        let Arrived { stream, from, request } = arrived;
        let host = ctx.name(from).to_owned();
        match self.executed.look_up(&host, &request.id) {
            Lookup::New => {}
            // Its answer was lost, or came too late for the peer.
            Lookup::Answered(reply) if !self.plants(Defect::RetryNotIdempotent) => {
                return answer(ctx, stream, reply_bytes(request.operation.service, &reply));
            }
            // A copy that was overtaken by the next request: executed again, it would undo that.
            Lookup::Late if !self.plants(Defect::RetryNotIdempotent) => return ctx.reset(stream),
            Lookup::Answered(_) | Lookup::Late => {}
        }
        self.end_former_start(ctx, &host, &request.id);
        let (date, operation) = (request.date.clone(), request.operation.clone());
        let before = self.tables.user(operation.user()).cloned();
        let entry = Entry::Executed(host, request);
        let reply = self.apply(&entry).expect("a request has a reply");
        self.append(ctx, &entry);
        ctx.emit(vocabulary::Executed {
            sequence: self.outbox.last(),
            origin: from,
            operation: operation.service,
            status: u16::from(reply.status),
            date: DateText(date),
            user: word(operation.user()),
            argument: word(operation.argument()),
        });
        self.tell_changes(ctx, &operation, before);
        self.outbox.report(ctx, &self.settings, self.logger);
        let bytes = reply_bytes(operation.service, &reply);
        if self.plants(Defect::LoggerBlocks) {
            return self.defect.withhold(stream, bytes);
        }
        answer(ctx, stream, bytes);
    }

    /// Do what an entry says, now or when the journal is read again: the same entries give the same
    /// tables and replies.
    fn apply(&mut self, entry: &Entry) -> Option<Rc<Reply>> {
        match entry {
            Entry::Expired(user) => {
                self.tables.expire(user);
                self.expired.insert(user.clone());
                None
            }
            Entry::Executed(host, request) => {
                let operation = &request.operation;
                let reply = Rc::new(self.tables.execute(host, operation));
                if operation.service == Service::Connect && reply.status == 0 {
                    self.expired.remove(operation.user());
                }
                self.executed.note(host, &request.id, &reply);
                self.outbox.push(outbox::line(self.outbox.last() + 1, request));
                Some(reply)
            }
        }
    }

    /// Make an entry durable before anything that this step sends.
    fn append(&mut self, ctx: &mut Ctx<'_>, entry: &Entry) {
        if self.plants(Defect::EarlyAnswer) {
            ctx.without_sync();
        }
        if self.plants(Defect::LostOnCrash) {
            return self.defect.overwrite_tables(ctx, entry);
        }
        journal::append(ctx, entry);
    }

    fn tell_changes(&mut self, ctx: &mut Ctx<'_>, operation: &Operation, before: Option<User>) {
        let user = operation.user();
        let before = before.unwrap_or_default();
        let after = self.tables.user(user).cloned().unwrap_or_default();
        if before.files.len() != after.files.len() {
            let files = after.files.len() as u64;
            ctx.emit(vocabulary::Offered { files, user: word(user) });
        }
        match (&before.address, &after.address) {
            (None, Some(address)) => {
                let host = ctx.find(&address.host);
                ctx.emit(vocabulary::Online { host, port: address.port, user: word(user) });
                self.heard.insert(user.to_owned(), ctx.now());
            }
            (Some(_), None) => {
                let reason = match operation.service {
                    Service::Unregister => OfflineReason::Unregister,
                    _ => OfflineReason::Disconnect,
                };
                ctx.emit(vocabulary::Offline { reason, user: word(user) });
                self.heard.remove(user);
            }
            _ => {}
        }
    }

    // Leases.

    /// A peer that has started again has none of its former connections: there is no need to wait
    /// for their leases.
    fn end_former_start(&mut self, ctx: &mut Ctx<'_>, host: &str, id: &RequestId) {
        if !self.executed.is_restarted(host, id) {
            return;
        }
        let gone: Vec<String> = self
            .tables
            .connected()
            .filter(|(_, address)| address.host == host)
            .map(|(user, _)| user.clone())
            .collect();
        self.expire(ctx, gone);
    }

    /// The leases of these users have ended.
    fn expire(&mut self, ctx: &mut Ctx<'_>, users: Vec<String>) {
        if users.is_empty() || self.plants(Defect::GhostUser) {
            return;
        }
        for user in users {
            self.heard.remove(&user);
            if self.tables.user(&user).is_some_and(|user| !user.files.is_empty()) {
                ctx.emit(vocabulary::Offered { files: 0, user: word(&user) });
            }
            ctx.emit(vocabulary::Offline { reason: OfflineReason::Expired, user: word(&user) });
            let entry = Entry::Expired(user);
            self.apply(&entry);
            self.append(ctx, &entry);
        }
    }

    // Timers.

    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: P2pTimer) {
        match timer {
            P2pTimer::Idle(stream) => self.on_idle(ctx, stream),
            P2pTimer::Sweep => self.on_sweep(ctx),
            P2pTimer::Report => self.outbox.on_timer(ctx, &self.settings, self.logger),
            P2pTimer::Execute => {
                for arrived in self.defect.reported_first() {
                    self.execute(ctx, arrived);
                }
            }
            _ => {}
        }
    }

    /// No whole request has come in time.
    fn on_idle(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
        if self.connections.contains_key(&stream) {
            ctx.reset(stream);
            self.forget(ctx, stream);
        }
    }

    /// Look for leases that have ended.
    fn on_sweep(&mut self, ctx: &mut Ctx<'_>) {
        let (now, lease) = (ctx.now(), self.settings.lease);
        let period = lease / SWEEPS_A_LEASE;
        ctx.set_timer(P2pTimer::Sweep, period);
        // A directory that was paused has heard nobody meanwhile, and must not hold that against
        // the others: their heartbeats wait behind this timer.
        if now.saturating_since(self.swept) > 2 * period {
            self.heard.values_mut().for_each(|heard| *heard = now);
        }
        self.swept = now;
        let silent = self
            .heard
            .iter()
            .filter(|(_, heard)| now.saturating_since(**heard) > lease)
            .map(|(user, _)| user.clone())
            .collect();
        self.expire(ctx, silent);
    }

    // Probe.

    pub fn probe(&self, probe: &mut Probe<'_>) {
        let (users, connected, published) = self.tables.counts();
        DirectoryMetrics {
            users,
            connected,
            published,
            executed: self.outbox.last(),
            reported: self.outbox.confirmed(),
        }
        .show(probe);
    }
}

impl Connection {
    /// The request, once it is whole: service, date, number, and what the service takes.
    fn request(&mut self) -> Result<Option<Request>, MalformedReason> {
        while let Some(word) = self.strings.string()? {
            self.words.push(word);
            let service = Service::of_wire(&self.words[0]).ok_or(MalformedReason::NoRequest)?;
            if self.words.len() == 3 + service.arity() {
                let id = RequestId::of_wire(&self.words[2]).ok_or(MalformedReason::NoRequest)?;
                let operation = Operation { service, strings: self.words.split_off(3) };
                return Ok(Some(Request { date: self.words[1].clone(), id, operation }));
            }
        }
        Ok(None)
    }
}

/// A digit; after that of a list the number of its entries, and the entries.
fn reply_bytes(service: Service, reply: &Reply) -> Vec<u8> {
    let mut bytes = vec![b'0' + reply.status];
    let width = service.width();
    if width > 0 && reply.status == 0 {
        bytes.extend(encode([(reply.items.len() / width).to_string().as_str()]));
        bytes.extend(encode(reply.items.iter().map(String::as_str)));
    }
    bytes
}

fn answer(ctx: &mut Ctx<'_>, stream: StreamId, bytes: Vec<u8>) {
    ctx.write(stream, bytes);
    ctx.close(stream);
}
