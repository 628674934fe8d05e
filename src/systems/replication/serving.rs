//! Requests of clients and their answers.

use std::rc::Rc;

use super::defects::Defect;
use super::events;
use super::log;
use super::message::{Answer, ReplicationMessage, Request};
use super::node::Cx;
use super::record::{Content, Operation, Record};
use super::replica::Replica;
use super::rest;
use super::settings::{Mode, Reads};
use super::table::Table;
use crate::node::NodeId;

impl Replica {
    /// A client asks.
    pub(super) fn on_request(&mut self, ctx: &mut Cx<'_>, client: NodeId, request: Request) {
        let serves = self.leading.as_ref().is_some_and(|leading| leading.active);
        let reads = request.verb.writes().is_none();
        if reads && self.current && !serves && self.plants(Defect::AnyoneServes) {
            return self.answer_read(ctx, client, &request, "confirmed");
        }
        if reads && self.settings.reads == Reads::Anyone && (serves || self.current) {
            return self.answer_read(ctx, client, &request, "anyone");
        }
        if !serves {
            let leader = self.leader.filter(|leader| *leader != self.me);
            return ctx.send(
                client,
                ReplicationMessage::Answer(Answer { req: request.req, body: None, leader }),
            );
        }
        match request.verb.writes() {
            Some(operation) => self.write(ctx, client, operation, &request),
            None if self.plants(Defect::DirtyReads) => {
                self.answer_read(ctx, client, &request, "confirmed")
            }
            None if self.settings.mode == Mode::Async || self.settings.reads == Reads::Local => {
                self.answer_read(ctx, client, &request, "local");
            }
            None if self.plants(Defect::LocalReads) => {
                self.answer_read(ctx, client, &request, "confirmed")
            }
            None => self.await_read(ctx, client, request),
        }
    }

    /// Take a write into the own log and send it to the followers; or find it there, where the
    /// client asks again.
    fn write(&mut self, ctx: &mut Cx<'_>, client: NodeId, operation: Operation, request: &Request) {
        let (key, value) = match rest::parse_write(operation, &request.body) {
            Ok(parsed) => parsed,
            Err(message) => return self.answer(ctx, client, request.req, rest::refusal(&message)),
        };
        let seen = self.has_seen(client, request.req);
        // Whoever executed the request, the log remembers it (and so does every later leader).
        let known = self
            .log
            .latest(client)
            .filter(|_| !self.plants(Defect::NoDeduplication))
            .filter(|_| seen || !self.plants(Defect::RetryDuplicates));
        match known {
            // A late copy of a request that its client has long given up or had answered.
            Some((req, _)) if req > request.req => return,
            Some((req, seq)) if req == request.req => {
                if seq <= self.commit_seq {
                    return self.answer_write(ctx, client, req, seq);
                }
                return self.await_final(client, req, seq);
            }
            _ => {}
        }
        let done = self.log.has_form(&key) != (operation == Operation::Insert);
        let epoch = self.meta.epoch;
        let content = Content {
            client: client.0,
            done,
            epoch,
            key,
            operation,
            req: request.req,
            seq: self.log.last() + 1,
            value,
        };
        let record = Rc::new(Record::new(content, self.log.last_hash()));
        let seq = record.content.seq;
        events::stored(ctx, epoch, &record);
        let line = self.log.push(record);
        ctx.append(log::FILE, line);
        self.await_final(client, request.req, seq);
        self.send_all(ctx);
        self.advance(ctx);
    }

    /// Answer a write whose record is final.
    pub(super) fn answer_write(&mut self, ctx: &mut Cx<'_>, client: NodeId, req: u64, seq: u64) {
        let record = self.log.get(seq).expect("what is final is in the log").clone();
        let (operation, done) = (record.content.operation, record.content.done);
        events::answered(ctx, self.meta.epoch, &record, done);
        self.answer(ctx, client, req, rest::written(operation, done));
    }

    /// Answer a read from the forms as they are.
    pub(super) fn answer_read(
        &mut self,
        ctx: &mut Cx<'_>,
        client: NodeId,
        request: &Request,
        mode: &'static str,
    ) {
        events::read(ctx, client, request.req, self.meta.epoch, self.table.applied(), mode);
        let body = if self.plants(Defect::DirtyReads) {
            rest::read(request.verb, &request.body, &self.unconfirmed())
        } else {
            rest::read(request.verb, &request.body, &self.table)
        };
        self.answer(ctx, client, request.req, body);
    }

    /// The forms with everything that is in the log, final or not: what [`Defect::DirtyReads`]
    /// shows.
    fn unconfirmed(&self) -> Table {
        let mut table = self.table.clone();
        for seq in table.applied() + 1..=self.log.last() {
            table.apply(self.log.get(seq).expect("within the log"));
        }
        table
    }

    fn answer(&self, ctx: &mut Cx<'_>, client: NodeId, req: u64, body: Rc<str>) {
        let leader = self.leader;
        ctx.send(client, ReplicationMessage::Answer(Answer { req, body: Some(body), leader }));
    }
}
