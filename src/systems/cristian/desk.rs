//! Where users ask for books: an application server's part in the library.
//!
//! With `reservation = "queue"` a server puts the wish on the queue and answers when it has polled
//! its own statement back: the order of the queue decides who gets the book. The answer takes up to
//! one polling interval, and needs the queue.
//!
//! With `reservation = "owner"` each book of a session belongs to one server, which gives it out by
//! itself, answers at once and tells the queue afterwards, for the other databases. A server whose
//! own books are gone sends the user on. While an owner is down, its books wait for it. Sessions
//! end and begin in the order of the queue in both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::defects::Defect;
use super::events::{self, Line};
use super::library::{Answer, Body, Library, Statement};
use super::message::CristianMessage;
use super::process::{Context, CristianTimer};
use super::queue_server::BATCH;
use super::settings::{CristianSettings, Reservation};
use crate::codec::{Reader, Writer};
use crate::node::record_log;
use crate::node::{LocalTime, NodeId};

const FILE: &str = "library";
const APPLIED: u8 = 1;
const GRANTED: u8 = 2;
const TOLD: u8 = 3;

/// So many lines are told again after a start: a crash may have kept the last ones on the disk and
/// yet taken back that they were told.
const RETOLD: usize = 128;

/// A queue that has not answered for so many polls is silent.
const SILENT_POLLS: u32 = 4;

/// See the module.
pub struct Desk {
    settings: Arc<CristianSettings>,
    /// All servers, in the scenario's order, by which books have owners.
    servers: Vec<NodeId>,
    queue: NodeId,
    pub library: Library,
    /// Books that this server has given out by itself. On the disk.
    mine: BTreeSet<(u32, u8)>,
    /// The last request of each user that this server has answered by itself. On the disk.
    told: BTreeMap<NodeId, (u64, Answer)>,
    /// Statements that the queue has not confirmed, by digest.
    unconfirmed: BTreeMap<u64, Statement>,
    /// Requests that are answered when their statement comes back.
    asking: BTreeMap<NodeId, u64>,
    /// When the queue answered last.
    heard: LocalTime,
    /// The last session after which this server has begun to pause.
    paused_after: u32,
}

impl Desk {
    pub fn boot(
        ctx: &mut Context<'_>,
        settings: Arc<CristianSettings>,
        servers: Vec<NodeId>,
        queue: NodeId,
    ) -> Desk {
        let library = Library::new(settings.books, settings.planted);
        let (mine, told) = (BTreeSet::new(), BTreeMap::new());
        let (unconfirmed, asking) = (BTreeMap::new(), BTreeMap::new());
        let mut desk = Desk {
            settings,
            servers,
            queue,
            library,
            mine,
            told,
            unconfirmed,
            asking,
            heard: ctx.now(),
            paused_after: 0,
        };
        let (mut applied, mut granted) = (Vec::new(), Vec::new());
        for record in record_log::recover(ctx, FILE) {
            let mut reader = Reader(&record);
            match reader.byte() {
                Some(APPLIED) => applied.extend(Statement::decode(&mut reader)),
                Some(GRANTED) => {
                    if let Some(statement) = Statement::decode(&mut reader) {
                        desk.remember_grant(&statement);
                        granted.push(statement);
                    }
                }
                Some(TOLD) => {
                    if let (Some(client), Some(serial), Some(answer)) =
                        (reader.i64(), reader.i64(), decode_answer(&mut reader))
                    {
                        desk.told.insert(NodeId(client as u32), (serial as u64, answer));
                    }
                }
                _ => {}
            }
        }
        events::recover(ctx, applied.len() as u64, granted.len() as u64);
        let untold = applied.len().saturating_sub(RETOLD);
        for (i, statement) in applied.iter().enumerate() {
            desk.apply(ctx, statement, i >= untold);
        }
        for (i, statement) in granted.iter().enumerate() {
            let Body::Grant { session, book } = statement.body else { continue };
            if !desk.library.holds(session, book, statement.client, statement.serial) {
                events::line(ctx, "grant", &line(statement, i as u64 + 1, session, book, true));
                desk.unconfirmed.insert(statement.digest(), *statement);
            }
        }
        desk.on_poll_timer(ctx);
        desk.watch_session(ctx);
        desk
    }

    /// Statements that the queue has not confirmed.
    pub fn waiting(&self) -> usize {
        self.unconfirmed.len()
    }

    fn remember_grant(&mut self, statement: &Statement) {
        let Body::Grant { session, book } = statement.body else { return };
        self.mine.insert((session, book));
        self.told.insert(statement.client, (statement.serial, Answer::Book { session, book }));
    }

    // Users.

    /// A user asks for a book, or for a new session. `hour` is this server's.
    pub fn on_request(
        &mut self,
        ctx: &mut Context<'_>,
        client: NodeId,
        serial: u64,
        restart: bool,
        hour: i64,
    ) {
        let planted = self.settings.planted;
        let seen = [self.library.last(client), self.told.get(&client).copied()]
            .into_iter()
            .flatten()
            .max_by_key(|(serial, _)| *serial);
        if let Some((last, answer)) = seen
            .filter(|(last, _)| serial <= *last && !planted.plants(Defect::NoDuplicateDetection))
        {
            if serial == last {
                self.reply(ctx, client, serial, answer);
            }
            return;
        }
        if self.asking.get(&client).is_some_and(|asked| serial <= *asked)
            && !planted.plants(Defect::NoDuplicateDetection)
        {
            return;
        }
        let hour_us = hour.div_euclid(1_000);
        let statement = |server, body| Statement { server, client, serial, hour_us, body };
        if restart {
            self.asking.insert(client, serial);
            let body = Body::Open { after: self.library.session, forced: true };
            return self.put_on_queue(ctx, statement(ctx.id(), body));
        }
        let silence =
            ctx.now().saturating_since(self.heard) > self.settings.poll_interval * SILENT_POLLS;
        // What only the queue can decide, no server decides by its own table.
        let alone =
            planted.plants(Defect::QueueRace) || (silence && planted.plants(Defect::LocalFallback));
        if self.settings.reservation == Reservation::Queue && !alone {
            let free: Vec<u8> = self.library.free().collect();
            let wish = ctx.rng().pick(&free).copied().unwrap_or(1);
            self.asking.insert(client, serial);
            return self.put_on_queue(ctx, statement(ctx.id(), Body::Ask { wish }));
        }
        let own: Vec<u8> = self.own_free(ctx.id(), alone).collect();
        match ctx.rng().pick(&own).copied().filter(|_| !self.library.ended) {
            Some(book) => {
                let session = self.library.session;
                self.grant(ctx, statement(ctx.id(), Body::Grant { session, book }));
            }
            None => self.send_on(ctx, client, serial),
        }
    }

    /// Books of this session that this server may give out by itself.
    fn own_free(&self, id: NodeId, all: bool) -> impl Iterator<Item = u8> + '_ {
        let session = self.library.session;
        self.library.free().filter(move |book| {
            (all || self.owner(*book) == id) && !self.mine.contains(&(session, *book))
        })
    }

    fn owner(&self, book: u8) -> NodeId {
        self.servers[(usize::from(book) - 1) % self.servers.len()]
    }

    /// What a server has decided is on its disk before its answer leaves.
    fn sync_decision(&self, ctx: &mut Context<'_>) {
        if self.settings.planted.plants(Defect::AnswerBeforeSave) {
            ctx.without_sync();
        }
    }

    /// Give out a book: it is on the disk before the user hears of it.
    fn grant(&mut self, ctx: &mut Context<'_>, statement: Statement) {
        let Body::Grant { session, book } = statement.body else { return };
        self.sync_decision(ctx);
        ctx.append(FILE, record_log::record(&statement.encode(Writer::default().byte(GRANTED)).0));
        self.remember_grant(&statement);
        events::line(ctx, "grant", &line(&statement, self.mine.len() as u64, session, book, true));
        self.reply(ctx, statement.client, statement.serial, Answer::Book { session, book });
        self.put_on_queue(ctx, statement);
    }

    /// None of this server's own is left: say who may have one, or that nobody has. That is
    /// remembered, too, because the same request must not get a book here later.
    fn send_on(&mut self, ctx: &mut Context<'_>, client: NodeId, serial: u64) {
        let session = self.library.session;
        let mut left: BTreeMap<NodeId, usize> = BTreeMap::new();
        for book in self.library.free().filter(|book| !self.mine.contains(&(session, *book))) {
            *left.entry(self.owner(book)).or_default() += 1;
        }
        let other = left
            .into_iter()
            .filter(|(server, _)| *server != ctx.id())
            .max_by_key(|(_, books)| *books);
        let answer = match other
            .filter(|_| !self.library.ended && !self.settings.planted.plants(Defect::SpeaksForAll))
        {
            Some((server, _)) => Answer::Elsewhere(server),
            None => Answer::NoneLeft { session },
        };
        let mut record = Writer::default();
        record.byte(TOLD).i64(client.0.into()).i64(serial as i64);
        encode_answer(&mut record, answer);
        ctx.append(FILE, record_log::record(&record.0));
        self.told.insert(client, (serial, answer));
        self.reply(ctx, client, serial, answer);
    }

    fn reply(&mut self, ctx: &mut Context<'_>, client: NodeId, serial: u64, answer: Answer) {
        let (word, session, book) = match answer {
            Answer::Book { session, book } => ("book", session, book),
            Answer::NoneLeft { session } => ("none_left", session, 0),
            Answer::Opened { session } => ("opened", session, 0),
            Answer::Elsewhere(_) => ("elsewhere", self.library.session, 0),
        };
        events::reply(ctx, client, serial, word, session, book);
        ctx.send(client, CristianMessage::BookReply { serial, answer });
    }

    // The queue.

    fn put_on_queue(&mut self, ctx: &mut Context<'_>, statement: Statement) {
        self.unconfirmed.insert(statement.digest(), statement);
        ctx.send(self.queue, CristianMessage::Enqueue { statements: vec![statement] });
    }

    /// Every half second: what is new? And once more what the queue has not confirmed.
    pub fn on_poll_timer(&mut self, ctx: &mut Context<'_>) {
        ctx.send(self.queue, CristianMessage::Poll { from: self.library.position });
        if !self.unconfirmed.is_empty() {
            let statements = self.unconfirmed.values().take(BATCH).copied().collect();
            ctx.send(self.queue, CristianMessage::Enqueue { statements });
        }
        ctx.set_timer(CristianTimer::Poll, self.settings.poll_interval);
    }

    pub fn on_message(&mut self, ctx: &mut Context<'_>, message: CristianMessage) {
        match message {
            CristianMessage::EnqueueAck { digests } => digests.iter().for_each(|digest| {
                self.unconfirmed.remove(digest);
            }),
            CristianMessage::PollReply { from, statements } => {
                self.on_statements(ctx, from, &statements)
            }
            _ => {}
        }
    }

    fn on_statements(&mut self, ctx: &mut Context<'_>, from: u64, statements: &[Statement]) {
        self.heard = ctx.now();
        self.sync_decision(ctx);
        let mut bytes = Vec::new();
        for (position, statement) in (from..).zip(statements) {
            if position < self.library.position {
                continue;
            }
            if position > self.library.position {
                if !self.settings.planted.plants(Defect::DequeueOnSend) {
                    break;
                }
                self.library.position = position;
            }
            bytes.extend(record_log::record(&statement.encode(Writer::default().byte(APPLIED)).0));
            self.apply(ctx, statement, true);
        }
        if bytes.is_empty() {
            return;
        }
        ctx.append(FILE, bytes);
        self.watch_session(ctx);
        if statements.len() == BATCH {
            ctx.send(self.queue, CristianMessage::Poll { from: self.library.position });
        }
    }

    fn apply(&mut self, ctx: &mut Context<'_>, statement: &Statement, tell: bool) {
        // Every server applies every statement.
        let first = self.servers[0];
        if statement.server == first
            && ctx.id() != first
            && self.settings.planted.plants(Defect::OneWayQueue)
        {
            self.library.position += 1;
            return;
        }
        let first = (self.library.position == 0).then_some(self.library.session);
        let applied = self.library.apply(statement);
        if !tell {
            return;
        }
        let at = (self.library.position, statement.hour_us);
        if let Some(session) = first {
            events::session_open(ctx, at, session, self.settings.books);
        }
        events::line(
            ctx,
            "apply",
            &line(statement, at.0, applied.session, applied.book, applied.effect),
        );
        if let Some((session, given, reason)) = applied.ended {
            events::session_end(ctx, at, session, given, reason);
        }
        if let Some(session) = applied.opened {
            events::session_open(ctx, at, session, self.settings.books);
        }
        // The user may have turned to this server although another one put the statement on the
        // queue.
        if let Some(answer) = applied.answer
            && self.asking.get(&statement.client) == Some(&statement.serial)
        {
            self.asking.remove(&statement.client);
            self.reply(ctx, statement.client, statement.serial, answer);
        }
    }

    // Sessions.

    /// Once the last book is gone, another session begins after a pause.
    fn watch_session(&mut self, ctx: &mut Context<'_>) {
        if self.library.ended
            && self.paused_after < self.library.session
            && !self.settings.planted.plants(Defect::NeverFollowed)
        {
            self.paused_after = self.library.session;
            ctx.set_timer(CristianTimer::SessionPause, self.settings.session_pause);
        }
    }

    /// The pause is over. Every server says so; the queue's order makes it one session.
    pub fn on_session_pause(&mut self, ctx: &mut Context<'_>, hour: i64) {
        if self.library.ended {
            self.open_next(ctx, hour, false);
        }
    }

    /// Somebody asks for a new session by a command.
    pub fn restart(&mut self, ctx: &mut Context<'_>, hour: i64) {
        self.open_next(ctx, hour, true);
    }

    fn open_next(&mut self, ctx: &mut Context<'_>, hour: i64, forced: bool) {
        let body = Body::Open { after: self.library.session, forced };
        let id = ctx.id();
        self.put_on_queue(
            ctx,
            Statement { server: id, client: id, serial: 0, hour_us: hour.div_euclid(1_000), body },
        );
    }
}

fn line(statement: &Statement, position: u64, session: u32, book: u8, effect: bool) -> Line {
    Line {
        position,
        server: statement.server,
        client: statement.client,
        serial: statement.serial,
        hour_us: statement.hour_us,
        kind: statement.kind(),
        session,
        book,
        effect,
    }
}

fn encode_answer(writer: &mut Writer, answer: Answer) {
    let (kind, a, b) = match answer {
        Answer::Book { session, book } => (0, session, book),
        Answer::NoneLeft { session } => (1, session, 0),
        Answer::Opened { session } => (2, session, 0),
        Answer::Elsewhere(server) => (3, server.0, 0),
    };
    writer.byte(kind).i64(a.into()).i64(b.into());
}

fn decode_answer(reader: &mut Reader<'_>) -> Option<Answer> {
    let (kind, a, b) = (reader.byte()?, reader.i64()? as u32, reader.i64()? as u8);
    Some(match kind {
        0 => Answer::Book { session: a, book: b },
        1 => Answer::NoneLeft { session: a },
        2 => Answer::Opened { session: a },
        _ => Answer::Elsewhere(NodeId(a)),
    })
}
