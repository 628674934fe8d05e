//! The directory: it takes requests off streams, executes them one after the other, and answers.
//!
//! Connections are independent of each other: each has its own buffer and its own limit of time, so
//! that one which is slow, silent or full of nonsense is a nuisance to nobody else. A request is
//! executed in one step when its last byte has come, and the answer leaves when the journal is
//! durable. A connected user has a lease, which its peer's heartbeats renew: of a peer that has
//! crashed nothing more comes, and its users are taken for disconnected; at once, where a request
//! shows that the peer's program has started again. Leases are no part of the journal; after a
//! start of the directory all of them begin anew.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use super::defects::Planted;
use super::events;
use super::executed::{Executed, Known};
use super::framing::{Malformed, Strings, encode};
use super::journal::{Entry, Journal, Request, RequestId};
use super::message::{LogLine, P2pMessage};
use super::node::{P2pTimer, Step};
use super::outbox::Outbox;
use super::service::{Operation, Reply, Service};
use super::settings::P2pSettings;
use super::tables::Tables;
use crate::node::{LocalTime, NodeId, Port, Probe, StreamEvent, StreamId};
use crate::time::nanos;

/// Where it listens.
pub const PORT: Port = Port(4_000);

/// Leases are looked at so often in the time of one.
const SWEEPS_A_LEASE: u32 = 4;

/// A connection whose request has not come yet, or not as a whole.
struct Connection {
    from: NodeId,
    strings: Strings,
    words: Vec<String>,
}

/// The state of the directory.
pub struct Directory {
    settings: Arc<P2pSettings>,
    planted: Planted,
    tables: Tables,
    executed: Executed,
    journal: Journal,
    outbox: Outbox,
    logger: Option<NodeId>,
    connections: BTreeMap<StreamId, Connection>,
    /// When each connected user was last heard of.
    heard: BTreeMap<String, LocalTime>,
    /// Users who were connected last until their leases were over.
    expired: BTreeSet<String>,
    swept: LocalTime,
    /// With a mistake: connections in the order in which they came.
    turns: VecDeque<StreamId>,
    /// With a mistake: requests that wait for the logging server, and the answer that does.
    waiting: VecDeque<(StreamId, NodeId, Request)>,
    withheld: Option<(StreamId, Vec<u8>)>,
}

impl Directory {
    pub fn new(settings: Arc<P2pSettings>, logger: Option<NodeId>) -> Directory {
        Directory {
            planted: settings.planted,
            settings,
            tables: Tables::default(),
            executed: Executed::default(),
            journal: Journal::default(),
            outbox: Outbox::default(),
            logger,
            connections: BTreeMap::new(),
            heard: BTreeMap::new(),
            expired: BTreeSet::new(),
            swept: LocalTime::ZERO,
            turns: VecDeque::new(),
            waiting: VecDeque::new(),
            withheld: None,
        }
    }

    pub fn boot(&mut self, ctx: &mut Step<'_>) {
        for entry in self.journal.recover(ctx, self.planted) {
            self.apply(&entry);
        }
        let now = ctx.now();
        self.heard = self.tables.connected().map(|(user, _)| (user.clone(), now)).collect();
        events::tables(
            ctx,
            self.tables.counts().0,
            self.outbox.last(),
            nanos(self.settings.lease) / 1_000,
        );
        self.tell_tables(ctx);
        ctx.listen(PORT);
        self.swept = now;
        ctx.set_timer(P2pTimer::Sweep, self.settings.lease / SWEEPS_A_LEASE);
        self.outbox.report(ctx, &self.settings, self.logger);
    }

    pub fn on_message(&mut self, ctx: &mut Step<'_>, from: NodeId, message: P2pMessage) {
        match message {
            P2pMessage::Heartbeat { user, port } => {
                let address = self.tables.user(&user).and_then(|user| user.address.as_ref());
                let known = address
                    .is_some_and(|address| address.port == port && address.host == ctx.name(from));
                if known {
                    self.heard.insert(user.clone(), ctx.now());
                }
                ctx.send(from, P2pMessage::HeartbeatAck { user, port, known });
            }
            P2pMessage::ReportAck { upto } => {
                self.outbox.on_ack(ctx, &self.settings, self.logger, upto);
                self.release(ctx);
            }
            _ => {}
        }
    }

    pub fn on_stream(&mut self, ctx: &mut Step<'_>, event: StreamEvent) {
        match event {
            StreamEvent::Accepted { stream, from, .. } => {
                self.connections.insert(
                    stream,
                    Connection { from, strings: Strings::default(), words: vec![] },
                );
                if self.planted.serves_in_turn() {
                    self.turns.push_back(stream);
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

    fn on_data(&mut self, ctx: &mut Step<'_>, stream: StreamId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&stream) else { return };
        if self.planted.trusts_reads() && bytes.last() != Some(&0) {
            connection.strings.push(&[bytes, &[0]].concat());
        } else {
            connection.strings.push(bytes);
        }
        if !self.planted.serves_in_turn() || self.turns.front() == Some(&stream) {
            self.proceed(ctx, stream);
        }
    }

    /// Read as far as the bytes go, and execute what is whole.
    fn proceed(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        let Some(connection) = self.connections.get_mut(&stream) else { return };
        let from = connection.from;
        match connection.request() {
            Ok(None) => {}
            Ok(Some(request)) => {
                self.forget(ctx, stream);
                self.on_request(ctx, stream, from, request);
            }
            Err(why) => self.refuse(ctx, stream, why),
        }
    }

    /// The peer says no more, and has not said a whole request.
    fn on_end(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        let Some(connection) = self.connections.get(&stream) else { return };
        if connection.words.is_empty() && connection.strings.is_empty() {
            ctx.close(stream);
            return self.forget(ctx, stream);
        }
        self.refuse(ctx, stream, Malformed::NoRequest);
    }

    /// Bytes that are no request get the status of failure where they name a service, and else
    /// nothing.
    fn refuse(&mut self, ctx: &mut Step<'_>, stream: StreamId, why: Malformed) {
        let Some(connection) = self.connections.get(&stream) else { return };
        events::malformed(ctx, connection.from, why.word());
        assert!(!self.planted.dies_of_malformed(), "a malformed request: {why:?}");
        match connection.words.first().and_then(|word| Service::of_wire(word)) {
            Some(service) => {
                ctx.write(stream, vec![b'0' + service.fail()]);
                ctx.close(stream);
            }
            None => ctx.reset(stream),
        }
        self.forget(ctx, stream);
    }

    /// No whole request has come in time.
    pub fn on_idle(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        if self.connections.contains_key(&stream) {
            ctx.reset(stream);
            self.forget(ctx, stream);
        }
    }

    fn forget(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        self.connections.remove(&stream);
        ctx.cancel_timer(P2pTimer::Idle(stream));
        if self.planted.serves_in_turn() {
            let was_first = self.turns.front() == Some(&stream);
            self.turns.retain(|other| *other != stream);
            if let Some(next) = self.turns.front().copied().filter(|_| was_first) {
                self.proceed(ctx, next);
            }
        }
    }

    fn on_request(&mut self, ctx: &mut Step<'_>, stream: StreamId, from: NodeId, request: Request) {
        if self.withheld.is_some() {
            return self.waiting.push_back((stream, from, request));
        }
        if self.planted.reports_first() {
            return self.report_first(ctx, stream, from, request);
        }
        self.perform(ctx, stream, from, request);
    }

    fn perform(&mut self, ctx: &mut Step<'_>, stream: StreamId, from: NodeId, request: Request) {
        let host = ctx.name(from).to_owned();
        if !self.planted.repeats_requests() {
            match self.executed.look_up(&host, &request.id) {
                Known::New => {}
                Known::Answered(reply) => {
                    return answer(ctx, stream, request.operation.service, &reply);
                }
                Known::Late => return ctx.reset(stream),
            }
        }
        self.end_former_start(ctx, &host, &request.id);
        let (date, operation) = (request.date.clone(), request.operation.clone());
        let before = self.tables.user(operation.user()).cloned();
        let entry = Entry::Executed(host, request);
        let reply = self.apply(&entry).expect("a request has a reply");
        self.journal.append(ctx, self.planted, &entry);
        events::executed(ctx, from, self.outbox.last(), &date, &operation, reply.status);
        self.tell_changes(ctx, &operation, before);
        self.outbox.report(ctx, &self.settings, self.logger);
        if self.planted.waits_for_logger() {
            self.withheld = Some((stream, reply_bytes(operation.service, &reply)));
        } else {
            answer(ctx, stream, operation.service, &reply);
        }
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
                let reply = Rc::new(self.tables.execute(self.planted, host, operation));
                if operation.service == Service::Connect && reply.status == 0 {
                    self.expired.remove(operation.user());
                }
                self.executed.note(host, &request.id, &reply);
                self.outbox.push(line(self.outbox.last() + 1, request));
                Some(reply)
            }
        }
    }

    fn tell_changes(
        &mut self,
        ctx: &mut Step<'_>,
        operation: &Operation,
        before: Option<super::tables::User>,
    ) {
        let user = operation.user();
        let before = before.unwrap_or_default();
        let after = self.tables.user(user).cloned().unwrap_or_default();
        if before.files.len() != after.files.len() {
            events::offered(ctx, user, after.files.len());
        }
        match (&before.address, &after.address) {
            (None, Some(address)) => {
                events::online(ctx, user, ctx.find(&address.host), address.port);
                self.heard.insert(user.to_owned(), ctx.now());
            }
            (Some(_), None) => {
                events::offline(ctx, user, operation.service.name());
                self.heard.remove(user);
            }
            _ => {}
        }
    }

    /// After a start: what a crash may have kept from being told, although it was durable.
    fn tell_tables(&mut self, ctx: &mut Step<'_>) {
        for user in &self.expired {
            events::offline(ctx, user, "expired");
        }
        for (user, address) in self.tables.connected() {
            events::online(ctx, user, ctx.find(&address.host), address.port);
            events::offered(ctx, user, self.tables.user(user).map_or(0, |user| user.files.len()));
        }
    }

    /// Look for connections whose leases are over.
    pub fn on_sweep(&mut self, ctx: &mut Step<'_>) {
        let (now, lease) = (ctx.now(), self.settings.lease);
        let period = lease / SWEEPS_A_LEASE;
        ctx.set_timer(P2pTimer::Sweep, period);
        // A directory that was asleep has heard nobody meanwhile, and may not blame the others for
        // it.
        if now.saturating_since(self.swept) > 2 * period {
            self.heard.values_mut().for_each(|heard| *heard = now);
        }
        self.swept = now;
        if self.planted.keeps_ghosts() {
            return;
        }
        let silent: Vec<String> = self
            .heard
            .iter()
            .filter(|(_, heard)| now.saturating_since(**heard) > lease)
            .map(|(user, _)| user.clone())
            .collect();
        for user in silent {
            self.expire(ctx, user);
        }
    }

    /// A peer that has started again has none of its former connections: there is no need to wait
    /// for their leases.
    fn end_former_start(&mut self, ctx: &mut Step<'_>, host: &str, id: &RequestId) {
        if self.planted.keeps_ghosts() || !self.executed.is_restarted(host, id) {
            return;
        }
        let gone: Vec<String> = self
            .tables
            .connected()
            .filter(|(_, address)| address.host == host)
            .map(|(user, _)| user.clone())
            .collect();
        for user in gone {
            self.expire(ctx, user);
        }
    }

    fn expire(&mut self, ctx: &mut Step<'_>, user: String) {
        self.heard.remove(&user);
        if self.tables.user(&user).is_some_and(|user| !user.files.is_empty()) {
            events::offered(ctx, &user, 0);
        }
        events::offline(ctx, &user, "expired");
        let entry = Entry::Expired(user);
        self.apply(&entry);
        self.journal.append(ctx, self.planted, &entry);
    }

    pub fn on_report_timer(&mut self, ctx: &mut Step<'_>) {
        self.outbox.on_timer(ctx, &self.settings, self.logger);
    }

    pub fn probe(&self, probe: &mut Probe<'_>) {
        let (users, connected, published) = self.tables.counts();
        probe.int("users", users as i64);
        probe.int("connected", connected as i64);
        probe.int("published", published as i64);
        probe.int("executed", self.outbox.last() as i64);
        probe.int("reported", self.outbox.confirmed() as i64);
    }

    // With mistakes.

    /// The logging server has answered: give the answer that waited for it, and go on with the next
    /// request.
    fn release(&mut self, ctx: &mut Step<'_>) {
        if self.outbox.confirmed() < self.outbox.last() {
            return;
        }
        if let Some((stream, bytes)) = self.withheld.take() {
            ctx.write(stream, bytes);
            ctx.close(stream);
            if let Some((stream, from, request)) = self.waiting.pop_front() {
                self.on_request(ctx, stream, from, request);
            }
        }
    }

    /// Call the logging server, and do what was asked for when the call should have returned.
    fn report_first(
        &mut self,
        ctx: &mut Step<'_>,
        stream: StreamId,
        from: NodeId,
        request: Request,
    ) {
        let sequence = self.outbox.last() + self.waiting.len() as u64 + 1;
        if let Some(logger) = self.logger {
            ctx.send(logger, P2pMessage::Report { lines: [line(sequence, &request)].into() });
        }
        self.waiting.push_back((stream, from, request));
        ctx.set_timer(P2pTimer::Execute, CALL);
    }

    pub fn on_execute(&mut self, ctx: &mut Step<'_>) {
        while let Some((stream, from, request)) = self.waiting.pop_front() {
            self.perform(ctx, stream, from, request);
        }
    }
}

/// How long a call of the logging server takes, more or less.
const CALL: std::time::Duration = std::time::Duration::from_millis(15);

impl Connection {
    /// The request, once it is whole: service, date, number, and what the service takes.
    fn request(&mut self) -> Result<Option<Request>, Malformed> {
        while let Some(word) = self.strings.string()? {
            self.words.push(word);
            let service = Service::of_wire(&self.words[0]).ok_or(Malformed::NoRequest)?;
            if self.words.len() == 3 + service.arity() {
                let id = RequestId::of_wire(&self.words[2]).ok_or(Malformed::NoRequest)?;
                let operation = Operation { service, strings: self.words.split_off(3) };
                return Ok(Some(Request { date: self.words[1].clone(), id, operation }));
            }
        }
        Ok(None)
    }
}

fn line(sequence: u64, request: &Request) -> LogLine {
    let operation = &request.operation;
    LogLine {
        sequence,
        user: operation.user().to_owned(),
        operation: operation.service.name().into(),
        date: request.date.clone(),
        file: operation.file().to_owned(),
    }
}

/// A digit; behind that of a list how many entries follow, and they.
fn reply_bytes(service: Service, reply: &Reply) -> Vec<u8> {
    let mut bytes = vec![b'0' + reply.status];
    let width = service.width();
    if width > 0 && reply.status == 0 {
        bytes.extend(encode([(reply.items.len() / width).to_string().as_str()]));
        bytes.extend(encode(reply.items.iter().map(String::as_str)));
    }
    bytes
}

fn answer(ctx: &mut Step<'_>, stream: StreamId, service: Service, reply: &Reply) {
    ctx.write(stream, reply_bytes(service, reply));
    ctx.close(stream);
}
