//! Full copies: the leader's whole log over a stream, every `copy_interval`, as the assignment's
//! code copies its folder.
//!
//! The copy is collected beside the old log and takes its place in one step, when it is whole and
//! its hashes are right. The assignment deletes the follower's folder first; a crash between the
//! two leaves nothing.

use serde::{Deserialize, Serialize};

use super::defects::Defect;
use super::events;
use super::log::{self, ReplicaLog};
use super::message::ReplicationMessage;
use super::node::Cx;
use super::replica::Replica;
use crate::node::{NodeId, Port, StreamEvent, StreamId};

/// Where followers wait for copies.
pub const PORT: Port = Port(7_000);

/// The first line of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    /// The leader's epoch.
    epoch: u64,
    /// What it had when it became leader.
    start_seq: u64,
    /// The last record of the copy.
    seq: u64,
    /// Its hash.
    hash: u64,
    /// The bytes that follow.
    bytes: u64,
}

impl Replica {
    /// Something happened on a stream, be it a copy that is sent or one that is received.
    pub(super) fn on_stream(&mut self, ctx: &mut Cx<'_>, event: StreamEvent) {
        match event {
            StreamEvent::Accepted { stream, from, .. } => {
                self.incoming.insert(stream, (from, vec![]));
                if self.leading.is_none() && !self.blank && self.plants(Defect::FullCopyWindow) {
                    self.empty(ctx);
                }
            }
            StreamEvent::Connected(stream) => self.send_copy(ctx, stream),
            StreamEvent::Data(stream, bytes) => {
                if let Some((_, received)) = self.incoming.get_mut(&stream) {
                    received.extend_from_slice(&bytes);
                }
            }
            StreamEvent::PeerClosed(stream) => {
                ctx.close(stream);
                if let Some((from, bytes)) = self.incoming.remove(&stream) {
                    self.on_copy(ctx, from, &bytes);
                }
                self.copy_ended(stream);
            }
            StreamEvent::Refused(stream)
            | StreamEvent::Reset(stream)
            | StreamEvent::TimedOut(stream) => {
                self.incoming.remove(&stream);
                self.copy_ended(stream);
            }
            StreamEvent::Writable(_) => {}
        }
    }

    fn copy_ended(&mut self, stream: StreamId) {
        if let Some(leading) = &mut self.leading {
            leading.copies.remove(&stream);
        }
    }

    /// A follower has taken the call: send it everything.
    fn send_copy(&mut self, ctx: &mut Cx<'_>, stream: StreamId) {
        let (seq, hash, epoch) = (self.log.last(), self.log.last_hash(), self.meta.epoch);
        let Some(leading) = &mut self.leading else { return ctx.reset(stream) };
        let Some(node) = leading.copies.get(&stream).copied() else { return ctx.reset(stream) };
        let bytes = self.log.bytes();
        let header =
            Header { epoch, start_seq: leading.start_seq, seq, hash, bytes: bytes.len() as u64 };
        let mut text = serde_json::to_vec(&header).expect("plain numbers are JSON");
        text.push(b'\n');
        text.extend(bytes);
        if let Some(progress) = leading.follower(node) {
            // Heartbeats ask from here on whether the copy has arrived.
            progress.next = seq + 1;
        }
        ctx.write(stream, text);
        ctx.close(stream);
    }

    /// The mistake of the assignment: the folder is deleted before the copy is there.
    fn empty(&mut self, ctx: &mut Cx<'_>) {
        ctx.remove(log::FILE);
        self.log = ReplicaLog::default();
        events::emptied(ctx);
    }

    /// A copy has arrived as a whole, or broken off.
    fn on_copy(&mut self, ctx: &mut Cx<'_>, from: NodeId, bytes: &[u8]) {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
        let (head, body) = (&bytes[..end], &bytes[end + 1..]);
        let Ok(header) = serde_json::from_slice::<Header>(head) else { return };
        if header.bytes != body.len() as u64 || self.blank {
            return;
        }
        if header.epoch < self.meta.epoch && !self.plants(Defect::NoEpochs) {
            events::refused(ctx, from, header.epoch, self.meta.epoch);
            return ctx.send(from, ReplicationMessage::Refused { epoch: self.meta.epoch });
        }
        self.enter(ctx, header.epoch);
        let (log, recovery) = ReplicaLog::recover(body, |record, claimed| record.hash == claimed);
        if recovery.discarded > 0 || (log.last(), log.last_hash()) != (header.seq, header.hash) {
            return events::difference(
                ctx,
                "copy",
                Some(from),
                log.last(),
                log.last_hash(),
                header.hash,
            );
        }
        // A late copy of this epoch holds less than what was confirmed since.
        let late = self.meta.log_epoch == header.epoch && header.seq < self.log.last();
        if self.leading.is_some() || late {
            return;
        }
        self.install(ctx, header, log, body);
        self.leader = Some(from);
        self.confirm(ctx, from, header.epoch, 0, header.seq);
    }

    fn install(&mut self, ctx: &mut Cx<'_>, header: Header, log: ReplicaLog, body: &[u8]) {
        let applied_hash = self.log.hash_at(self.table.applied());
        ctx.replace(log::FILE, body.to_vec());
        for seq in 1..=log.last() {
            let record = log.get(seq).expect("within the log");
            if self.log.hash_at(seq) != Some(record.hash) {
                events::kept(ctx, record);
            }
        }
        self.log = log;
        events::copied(ctx, header.epoch, (header.seq, header.hash), body.len());
        self.look_at_table(ctx, applied_hash);
        self.commit_seq = self.commit_seq.min(self.log.last());
        if self.meta.log_epoch < header.epoch && header.seq >= header.start_seq {
            self.meta.log_epoch = header.epoch;
            self.save_meta(ctx);
            events::in_order(ctx, header.epoch, header.seq);
        }
    }
}
