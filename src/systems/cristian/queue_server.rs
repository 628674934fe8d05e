//! The queue: one order for the statements of all servers, on one disk.
//!
//! It decides nothing but the order, and that is all that is needed: databases that apply the same
//! statements in the same order agree. A statement is confirmed when it is on the disk, and stays;
//! whoever polls says from where on.

use std::collections::{BTreeMap, BTreeSet};

use super::defects::{Defect, Planted};
use super::events::{self, Line};
use super::library::{Body, Statement};
use super::message::CristianMessage;
use super::process::Context;
use crate::codec::{Reader, Writer};
use crate::node::NodeId;
use crate::node::record_log;

const FILE: &str = "queue";
/// Statements of one message.
pub const BATCH: usize = 32;

/// See the module.
pub struct QueueServer {
    planted: Planted,
    log: Vec<Statement>,
    /// The digests of the log's statements.
    known: BTreeSet<u64>,
    /// How much each server was sent.
    sent: BTreeMap<NodeId, u64>,
}

impl QueueServer {
    pub fn boot(ctx: &mut Context<'_>, planted: Planted) -> QueueServer {
        let log: Vec<Statement> = record_log::recover(ctx, FILE)
            .iter()
            .filter_map(|record| Statement::decode(&mut Reader(record)))
            .collect();
        events::recover(ctx, log.len() as u64, 0);
        let known = log.iter().map(Statement::digest).collect();
        QueueServer { planted, log, known, sent: BTreeMap::new() }
    }

    pub fn len(&self) -> usize {
        self.log.len()
    }

    pub fn on_message(&mut self, ctx: &mut Context<'_>, from: NodeId, message: CristianMessage) {
        match message {
            CristianMessage::Enqueue { statements } => self.enqueue(ctx, from, &statements),
            CristianMessage::Poll { from: position } => self.poll(ctx, from, position),
            _ => {}
        }
    }

    fn enqueue(&mut self, ctx: &mut Context<'_>, from: NodeId, statements: &[Statement]) {
        // What the queue takes is on its disk before it is confirmed.
        if self.planted.plants(Defect::QueueNotSynced) {
            ctx.without_sync();
        }
        for statement in statements {
            if !self.known.insert(statement.digest()) {
                continue;
            }
            ctx.append(FILE, record_log::record(&statement.encode(&mut Writer::default()).0));
            self.log.push(*statement);
            let (session, book) = match statement.body {
                Body::Ask { wish } => (0, wish),
                Body::Grant { session, book } => (session, book),
                Body::Open { after, .. } => (after, 0),
            };
            let line = Line {
                position: self.log.len() as u64,
                server: statement.server,
                client: statement.client,
                serial: statement.serial,
                hour_us: statement.hour_us,
                kind: statement.kind(),
                session,
                book,
                effect: true,
            };
            events::line(ctx, "enqueue", &line);
        }
        // Also for those that were there: the confirmation may have been lost.
        ctx.send(
            from,
            CristianMessage::EnqueueAck {
                digests: statements.iter().map(Statement::digest).collect(),
            },
        );
    }

    fn poll(&mut self, ctx: &mut Context<'_>, server: NodeId, position: u64) {
        let sent = self.sent.entry(server).or_default();
        // Where a server goes on is what it has applied, not what it was sent.
        let skips = *sent != position && self.planted.plants(Defect::DequeueOnSend);
        let from = if skips { *sent } else { position };
        let start = usize::try_from(from).unwrap_or(usize::MAX).min(self.log.len());
        let statements = self.log[start..self.log.len().min(start + BATCH)].to_vec();
        *sent = from + statements.len() as u64;
        ctx.send(server, CristianMessage::PollReply { from, statements });
    }
}
