//! What a follower does: it stores what the leader sends, in the leader's order, and confirms it
//! with a digest of its file.

use std::rc::Rc;

use super::defects::Defect;
use super::events;
use super::log;
use super::message::{Append, Confirm, ReplicationMessage};
use super::node::Cx;
use super::record::Record;
use super::replica::Replica;
use crate::node::NodeId;

impl Replica {
    /// The leader sends records, or shows itself.
    pub(super) fn on_append(&mut self, ctx: &mut Cx<'_>, from: NodeId, append: Append) {
        let planted = self.settings.planted;
        if self.blank {
            return;
        }
        if append.epoch < self.meta.epoch && !planted.plants(Defect::NoEpochs) {
            events::refused(ctx, from, append.epoch, self.meta.epoch);
            return ctx.send(from, ReplicationMessage::Refused { epoch: self.meta.epoch });
        }
        self.enter(ctx, append.epoch);
        if self.leading.is_some() {
            // Two leaders of one epoch: only a defect makes them.
            return;
        }
        (self.leader, self.leader_heard) = (Some(from), ctx.now());
        let (epoch, round) = (append.epoch, append.round);
        if self.log.hash_at(append.prev_seq) != Some(append.prev_hash)
            && !planted.plants(Defect::GapAccepted)
        {
            let from_seq = self.first_difference(append.prev_seq);
            return ctx.send(from, ReplicationMessage::Mismatch { epoch, round, from: from_seq });
        }
        if planted.plants(Defect::AckBeforeSync) {
            ctx.without_sync();
        }
        let matched = self.store_all(ctx, &append);
        self.note_order(ctx, append.start_seq, matched);
        self.current = true;
        self.finish(ctx, append.commit_seq.min(matched));
        self.confirm(ctx, from, epoch, round, matched);
    }

    /// From where on the leader should send, when its record `seq` is not here or is another.
    fn first_difference(&self, seq: u64) -> u64 {
        if seq > self.log.last() {
            self.log.last() + 1
        } else {
            self.log.epoch_begins(seq).max(self.commit_seq + 1)
        }
    }

    /// Store the records of a message, as far as they are good. Gives up to where this log equals
    /// the leader's.
    fn store_all(&mut self, ctx: &mut Cx<'_>, append: &Append) -> u64 {
        let planted = self.settings.planted;
        let mut matched = append.prev_seq;
        for wire in append.records.iter() {
            let seq = matched + 1;
            if self.log.hash_at(seq) == Some(wire.hash) {
                matched = seq;
                continue;
            }
            // The predecessor must be there, and be the same. Only a gap makes a difference.
            let gap = matched != self.log.last() && planted.plants(Defect::GapAccepted);
            let place = if gap { self.log.last() } else { matched };
            let prev = self.log.hash_at(place).unwrap_or(0);
            let Some(mut record) = wire.read(prev).filter(|record| {
                record.hash == wire.hash || place != matched || planted.plants(Defect::HashAfter)
            }) else {
                // Damaged on its way. What is good so far is confirmed, and the leader sends the
                // rest again.
                events::difference(ctx, "record", None, seq, 0, wire.hash);
                break;
            };
            if place != matched {
                // The mistake of taking whatever comes: it gets the next free place.
                record =
                    Record::new(super::record::Content { seq: place + 1, ..record.content }, prev);
            }
            if record.content.seq != place + 1 {
                break;
            }
            self.cut(ctx, place + 1);
            events::stored(ctx, append.epoch, &record);
            let line = self.log.push(Rc::new(record));
            ctx.append(log::FILE, line);
            matched = seq;
        }
        matched
    }

    /// Remove the records from a number on: they are of a leader that was deposed before they were
    /// final.
    pub(super) fn cut(&mut self, ctx: &mut Cx<'_>, from: u64) {
        if from > self.log.last() {
            return;
        }
        let applied_hash = self.log.hash_at(self.table.applied());
        let len = self.log.cut(from);
        ctx.truncate(log::FILE, len);
        events::cut(ctx, from);
        self.look_at_table(ctx, applied_hash);
        self.commit_seq = self.commit_seq.min(self.log.last());
    }

    /// Once this log has everything that the leader of the epoch began with, it speaks for the
    /// epoch: a later coordinator may rely on it.
    fn note_order(&mut self, ctx: &mut Cx<'_>, start_seq: u64, matched: u64) {
        if matched < start_seq || self.meta.log_epoch >= self.meta.epoch {
            return;
        }
        // What stands behind that is of an earlier epoch and not the leader's. If it stayed, this
        // log would look longer than it is.
        self.cut(ctx, matched + 1);
        self.meta.log_epoch = self.meta.epoch;
        self.save_meta(ctx);
        events::in_order(ctx, self.meta.epoch, matched);
    }

    /// Tell the leader what is stored, with a digest of the file up to there and of the forms.
    pub(super) fn confirm(
        &mut self,
        ctx: &mut Cx<'_>,
        leader: NodeId,
        epoch: u64,
        round: u64,
        seq: u64,
    ) {
        let hash = self.log.hash_at(seq).unwrap_or(0);
        let (applied, forms) = (self.table.applied(), self.table.digest());
        ctx.send(
            leader,
            ReplicationMessage::Confirm(Confirm { epoch, round, seq, hash, applied, forms }),
        );
    }
}
