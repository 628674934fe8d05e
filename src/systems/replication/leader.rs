//! What a leader does: it sends records, counts confirmations, and says what is final.
//!
//! A leader begins unacknowledged. It may acknowledge nothing before enough followers have
//! everything that it began with and the view says so (`active_epoch`): until then the in-sync set
//! of the leader before it stands, so that if this one dies too, the next is chosen among those who
//! hold all that was ever acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::defects::Defect;
use super::events;
use super::message::{Answer, Append, Confirm, ReplicationMessage, Request};
use super::node::{Cx, ReplicationTimer};
use super::replica::Replica;
use super::settings::{Mode, Transfer};
use super::view::View;
use crate::node::{LocalTime, NodeId, StreamId};

/// What a leader keeps. None of it is on the disk: a restarted leader begins as a follower.
pub struct Leading {
    /// Its epoch.
    pub(super) epoch: u64,
    /// The last record of its log at the beginning.
    pub(super) start_seq: u64,
    /// Whether the view names it as serving.
    pub(super) active: bool,
    /// When it began.
    since: LocalTime,
    /// Counts its questions whether it still leads.
    round: u64,
    followers: BTreeMap<NodeId, Progress>,
    /// Those that the view names as in sync, without itself.
    in_sync: BTreeSet<NodeId>,
    /// Clients that wait for a record to become final.
    waiting: Vec<(NodeId, u64, u64)>,
    /// Clients that wait for a read.
    reads: Vec<PendingRead>,
    /// Requests that this leader itself has seen, for the mistake of relying on that.
    seen: BTreeMap<NodeId, u64>,
    /// Copies on their way.
    pub(super) copies: BTreeMap<StreamId, NodeId>,
}

/// How far a follower is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// The next record to send.
    pub(super) next: u64,
    /// Up to here it has confirmed, in this epoch.
    pub(super) matched: u64,
    /// What it had confirmed at the heartbeat before.
    matched_before: u64,
    /// The last round that it has answered.
    round: u64,
    /// When it was last heard.
    heard: LocalTime,
    /// When it last confirmed something new, or everything.
    progressed: LocalTime,
}

struct PendingRead {
    client: NodeId,
    request: Request,
    /// Followers must have answered this round.
    round: u64,
    /// So much must be applied.
    seq: u64,
}

impl Leading {
    /// The view has changed while this leader leads.
    pub(super) fn on_view(&mut self, view: &View) {
        self.active = view.is_active();
        if self.active {
            self.in_sync = view
                .in_sync
                .iter()
                .map(|node| NodeId(*node))
                .filter(|node| self.followers.contains_key(node))
                .collect();
        }
    }

    pub(super) fn follower(&mut self, node: NodeId) -> Option<&mut Progress> {
        self.followers.get_mut(&node)
    }
}

impl Replica {
    /// Become the leader of the view's epoch.
    pub(super) fn lead(&mut self, ctx: &mut Cx<'_>, view: &View) {
        let (now, last) = (ctx.now(), self.log.last());
        (self.meta.led, self.meta.log_epoch) = (view.epoch, view.epoch);
        self.save_meta(ctx);
        let progress = Progress {
            next: last + 1,
            matched: 0,
            matched_before: 0,
            round: 0,
            heard: now,
            progressed: now,
        };
        let followers = self
            .replicas
            .iter()
            .filter(|node| **node != self.me)
            .map(|node| (*node, progress))
            .collect();
        self.leader = Some(self.me);
        self.leading = Some(Leading {
            epoch: view.epoch,
            start_seq: last,
            active: self.plants(Defect::ServesUnacknowledged) || self.plants(Defect::SelfPromotion),
            since: now,
            round: 0,
            followers,
            in_sync: BTreeSet::new(),
            waiting: vec![],
            reads: vec![],
            seen: BTreeMap::new(),
            copies: BTreeMap::new(),
        });
        events::leads(
            ctx,
            view.epoch,
            (last, self.log.last_hash()),
            self.settings.mode,
            self.settings.min_in_sync,
        );
        self.send_all(ctx);
        if self.settings.transfer == Transfer::FullCopy {
            self.copy(ctx);
        }
        self.advance(ctx);
    }

    /// Follow again. Clients that wait are told to ask somebody else; whether their writes survive
    /// is not known here.
    pub(super) fn step_down(&mut self, ctx: &mut Cx<'_>, why: &'static str) {
        let Some(leading) = self.leading.take() else { return };
        for stream in leading.copies.into_keys() {
            ctx.reset(stream);
        }
        self.leader = None;
        events::steps_down(ctx, leading.epoch, why);
        let waiting = leading.waiting.into_iter().map(|(client, req, _)| (client, req));
        for (client, req) in
            waiting.chain(leading.reads.into_iter().map(|read| (read.client, read.request.req)))
        {
            ctx.send(client, ReplicationMessage::Answer(Answer { req, body: None, leader: None }));
        }
    }

    /// Send each follower what it lacks.
    pub(super) fn send_all(&mut self, ctx: &mut Cx<'_>) {
        let (me, replicas) = (self.me, self.replicas.clone());
        replicas.iter().filter(|node| **node != me).for_each(|node| self.send_to(ctx, *node));
    }

    fn send_to(&mut self, ctx: &mut Cx<'_>, node: NodeId) {
        let (last, commit_seq, settings) =
            (self.log.last(), self.commit_seq, self.settings.clone());
        let Some(leading) = &mut self.leading else { return };
        let (epoch, start_seq, round) = (leading.epoch, leading.start_seq, leading.round);
        let left =
            leading.active && settings.mode == Mode::SyncAll && !leading.in_sync.contains(&node);
        let Some(progress) = leading.followers.get_mut(&node) else { return };
        if left && settings.planted.plants(Defect::ForgottenFollower) {
            return;
        }
        let prev_seq = progress.next.clamp(1, last + 1) - 1;
        let count =
            if settings.transfer == Transfer::Incremental { settings.max_records } else { 0 };
        let records = self.log.range(prev_seq + 1, count);
        if settings.transfer == Transfer::Incremental {
            // More is sent before this is confirmed; the heartbeat goes back to what was confirmed
            // where something was lost.
            progress.next = prev_seq + 1 + records.len() as u64;
        }
        let records: Rc<[_]> = records.iter().map(|record| record.wire()).collect();
        let prev_hash = self.log.hash_at(prev_seq).expect("the record before is there");
        ctx.send(
            node,
            ReplicationMessage::Append(Append {
                epoch,
                start_seq,
                round,
                prev_seq,
                prev_hash,
                records,
                commit_seq,
            }),
        );
    }

    /// A follower has stored something.
    pub(super) fn on_confirm(&mut self, ctx: &mut Cx<'_>, from: NodeId, confirm: Confirm) {
        let (now, last, ours) = (ctx.now(), self.log.last(), self.log.hash_at(confirm.seq));
        let forms_differ =
            confirm.applied == self.table.applied() && confirm.forms != self.table.digest();
        let planted = self.settings.planted;
        let Some(leading) = self.leading.as_mut().filter(|leading| leading.epoch == confirm.epoch)
        else {
            return;
        };
        let Some(progress) = leading.followers.get_mut(&from) else { return };
        progress.heard = now;
        progress.round = progress.round.max(confirm.round);
        if ours != Some(confirm.hash) {
            events::difference(
                ctx,
                "log",
                Some(from),
                confirm.seq,
                ours.unwrap_or(0),
                confirm.hash,
            );
            if !planted.plants(Defect::HashAfter) {
                progress.next = progress.matched + 1;
                return;
            }
        } else if forms_differ {
            events::difference(
                ctx,
                "forms",
                Some(from),
                confirm.applied,
                self.table.digest(),
                confirm.forms,
            );
        }
        if confirm.seq > progress.matched || confirm.seq >= last {
            progress.matched = progress.matched.max(confirm.seq.min(last));
            progress.progressed = now;
        }
        progress.next = progress.next.max(progress.matched + 1);
        let more = progress.next <= last && self.settings.transfer == Transfer::Incremental;
        self.advance(ctx);
        if more {
            self.send_to(ctx, from);
        }
    }

    /// A follower's log differs. It has answered all the same, so it still follows.
    pub(super) fn on_mismatch(
        &mut self,
        ctx: &mut Cx<'_>,
        from: NodeId,
        epoch: u64,
        round: u64,
        seq: u64,
    ) {
        let now = ctx.now();
        let Some(leading) = self.leading.as_mut().filter(|leading| leading.epoch == epoch) else {
            return;
        };
        let Some(progress) = leading.followers.get_mut(&from) else { return };
        progress.heard = now;
        progress.round = progress.round.max(round);
        if self.settings.transfer == Transfer::Incremental {
            // A follower that lacks what it had confirmed has lost it with its disk; then it no
            // longer counts for it.
            progress.matched = progress.matched.min(seq.max(1) - 1);
            progress.next = seq.max(1);
            self.send_to(ctx, from);
        }
        self.advance(ctx);
    }

    /// Somebody follows a later epoch: this leader is deposed.
    pub(super) fn on_refused(&mut self, ctx: &mut Cx<'_>, epoch: u64) {
        if !self.blank && !self.plants(Defect::NoEpochs) {
            self.enter(ctx, epoch);
        }
    }

    /// Whose confirmations a write or a read needs, and how many of them. In `sync-all` also those
    /// that may be in the view already, because a change that was asked for is perhaps made and
    /// only the answer is still on its way.
    fn needed(&self, leading: &Leading) -> (BTreeSet<NodeId>, usize) {
        match self.settings.mode {
            Mode::Async => (BTreeSet::new(), 0),
            Mode::SyncQuorum => {
                (leading.followers.keys().copied().collect(), self.replicas.len() / 2)
            }
            Mode::SyncAll => {
                let mut needed = leading.in_sync.clone();
                if !self.plants(Defect::EarlyInSync) {
                    let proposed =
                        self.coordination.proposal().filter(|view| view.epoch == leading.epoch);
                    let proposed = proposed
                        .into_iter()
                        .flat_map(|view| &view.in_sync)
                        .map(|node| NodeId(*node));
                    needed.extend(proposed.filter(|node| leading.followers.contains_key(node)));
                }
                let count = needed.len();
                (needed, count)
            }
        }
    }

    /// The greatest value that as many as needed have reached.
    fn reached(&self, leading: &Leading, value: impl Fn(&Progress) -> u64) -> u64 {
        let (needed, count) = self.needed(leading);
        let mut values: Vec<u64> =
            needed.iter().filter_map(|node| leading.followers.get(node)).map(value).collect();
        values.sort_unstable_by(|a, b| b.cmp(a));
        count.checked_sub(1).map_or(u64::MAX, |place| values.get(place).copied().unwrap_or(0))
    }

    /// Something has changed: is the view to be acknowledged, are records final, can reads be
    /// answered?
    pub(super) fn advance(&mut self, ctx: &mut Cx<'_>) {
        let Some(leading) = &self.leading else { return };
        if !leading.active {
            return self.acknowledge_view(ctx);
        }
        let last = self.log.last();
        let confirmed = self.reached(leading, |progress| progress.matched).min(last);
        let early = confirmed < last && self.plants(Defect::AnswerBeforeConfirm);
        let seq = if early { last } else { confirmed };
        // A record of an earlier epoch is final only with all that this leader began with: else a
        // follower that has part of it could win against one that has more.
        let begins =
            seq >= leading.start_seq && (seq > self.commit_seq || self.table.applied() < seq);
        if begins {
            let (epoch, hash) =
                (leading.epoch, self.log.hash_at(seq).expect("the log reaches there"));
            let confirmed = leading
                .followers
                .iter()
                .filter(|(_, progress)| progress.matched >= seq)
                .map(|(node, _)| *node);
            let confirmed = [self.me].into_iter().chain(confirmed).collect();
            events::finalised(ctx, epoch, seq, hash, confirmed);
            self.finish(ctx, seq);
            self.answer_writes(ctx);
        }
        self.answer_reads(ctx);
    }

    /// Enough followers have everything that this leader began with: have the view say that it
    /// serves, with them.
    fn acknowledge_view(&mut self, ctx: &mut Cx<'_>) {
        let Some(leading) = &self.leading else { return };
        let complete =
            |progress: &Progress| progress.matched >= leading.start_seq && progress.round > 0;
        let with: Vec<u32> = leading
            .followers
            .iter()
            .filter(|(_, progress)| complete(progress))
            .map(|(node, _)| node.0)
            .collect();
        let enough = match self.settings.mode {
            Mode::SyncAll => with.len() + 1 >= self.settings.min_in_sync.min(self.replicas.len()),
            Mode::SyncQuorum => with.len() >= self.replicas.len() / 2,
            Mode::Async => true,
        };
        if !enough {
            return;
        }
        let (me, epoch, all) = (self.me.0, leading.epoch, self.replicas.clone());
        let sync_all = self.settings.mode == Mode::SyncAll;
        self.coordination.propose(ctx, |view| {
            view.active_epoch = epoch;
            view.in_sync = if sync_all {
                [me].into_iter().chain(with).collect()
            } else {
                all.iter().map(|node| node.0).collect()
            };
            view.in_sync.sort_unstable();
        });
    }

    /// The heartbeat of a leader: show itself, send again, look after the in-sync set, give up
    /// where it cannot work.
    pub(super) fn beat(&mut self, ctx: &mut Cx<'_>) {
        let Some(leading) = &mut self.leading else { return };
        leading.round += 1;
        if self.settings.transfer == Transfer::Incremental {
            for progress in leading.followers.values_mut() {
                if progress.matched == progress.matched_before && progress.matched > 0 {
                    progress.next = progress.matched + 1;
                }
                progress.matched_before = progress.matched;
            }
        }
        self.send_all(ctx);
        self.look_after_followers(ctx);
        self.give_up(ctx);
    }

    /// Who is in sync is the leader's to say and the view's to keep: it is asked before a follower
    /// is left out, and before one counts again.
    fn look_after_followers(&mut self, ctx: &mut Cx<'_>) {
        let (now, settings, me, last) =
            (ctx.now(), self.settings.clone(), self.me, self.log.last());
        let Some(leading) = self
            .leading
            .as_mut()
            .filter(|leading| leading.active && settings.mode == Mode::SyncAll)
        else {
            return;
        };
        let patience = settings.confirm_timeout;
        // A copy takes until the next but one begins.
        let copies = if settings.transfer == Transfer::FullCopy {
            settings.copy_interval * 2
        } else {
            std::time::Duration::ZERO
        };
        let silent = |progress: &Progress| now.saturating_since(progress.heard) > patience;
        let stuck = |progress: &Progress| {
            progress.matched < last && now.saturating_since(progress.progressed) > patience + copies
        };
        let final_seq = self.commit_seq.max(leading.start_seq);
        let complete = |progress: &Progress| {
            progress.matched >= final_seq || settings.planted.plants(Defect::EarlyInSync)
        };
        let mut wanted = leading.in_sync.clone();
        for (node, progress) in &leading.followers {
            if silent(progress)
                || (stuck(progress) && !settings.planted.plants(Defect::EarlyInSync))
            {
                wanted.remove(node);
            } else if complete(progress) && progress.heard > leading.since {
                wanted.insert(*node);
            }
        }
        if wanted == leading.in_sync {
            return;
        }
        if wanted.is_subset(&leading.in_sync) && settings.planted.plants(Defect::SilentFallback) {
            leading.in_sync = wanted;
            return self.advance(ctx);
        }
        if wanted.len() + 1 < settings.min_in_sync {
            return;
        }
        self.coordination.propose(ctx, |view| {
            view.in_sync = wanted.iter().chain([&me]).map(|node| node.0).collect();
            view.in_sync.sort_unstable();
        });
    }

    /// A leader that hears too few followers for too long asks for another to be chosen: it may be
    /// cut off from them while the coordinator hears it well.
    fn give_up(&mut self, ctx: &mut Cx<'_>) {
        let (now, patience, me) = (ctx.now(), self.settings.session_timeout, self.me.0);
        let Some(leading) = &self.leading else { return };
        let heard = leading
            .followers
            .values()
            .filter(|progress| now.saturating_since(progress.heard) <= patience)
            .count();
        let enough = match self.settings.mode {
            Mode::SyncAll => heard + 1 >= self.settings.min_in_sync.min(self.replicas.len()),
            Mode::SyncQuorum => heard >= self.replicas.len() / 2,
            Mode::Async => true,
        };
        if !enough {
            self.coordination.propose(ctx, |view| (view.leader, view.avoid) = (None, Some(me)));
        }
    }

    /// A client waits for a record to become final.
    pub(super) fn await_final(&mut self, client: NodeId, req: u64, seq: u64) {
        let Some(leading) = &mut self.leading else { return };
        if !leading.waiting.contains(&(client, req, seq)) {
            leading.waiting.push((client, req, seq));
        }
    }

    /// A client waits for a read: until the followers have confirmed that this is still the leader,
    /// and until what was final before the question is applied.
    pub(super) fn await_read(&mut self, ctx: &mut Cx<'_>, client: NodeId, request: Request) {
        let commit_seq = self.commit_seq;
        let Some(leading) = &mut self.leading else { return };
        if leading.reads.iter().any(|read| read.client == client && read.request.req == request.req)
        {
            return;
        }
        leading.round += 1;
        let (round, seq) = (leading.round, commit_seq.max(leading.start_seq));
        leading.reads.push(PendingRead { client, request, round, seq });
        self.send_all(ctx);
        self.advance(ctx);
    }

    /// Answer the writes whose records are final.
    fn answer_writes(&mut self, ctx: &mut Cx<'_>) {
        let commit_seq = self.commit_seq;
        let Some(leading) = &mut self.leading else { return };
        let ready: Vec<_> =
            leading.waiting.extract_if(.., |(_, _, seq)| *seq <= commit_seq).collect();
        for (client, req, seq) in ready {
            self.answer_write(ctx, client, req, seq);
        }
    }

    /// Answer the reads that may be answered.
    fn answer_reads(&mut self, ctx: &mut Cx<'_>) {
        let applied = self.table.applied();
        let Some(leading) = &self.leading else { return };
        let round = self.reached(leading, |progress| progress.round);
        let Some(leading) = &mut self.leading else { return };
        let ready: Vec<PendingRead> = leading
            .reads
            .extract_if(.., |read| read.round <= round && read.seq <= applied)
            .collect();
        for read in ready {
            self.answer_read(ctx, read.client, &read.request, "confirmed");
        }
    }

    /// Whether this leader itself has seen a request; and from now on it has.
    pub(super) fn has_seen(&mut self, client: NodeId, req: u64) -> bool {
        self.leading.as_mut().is_some_and(|leading| leading.seen.insert(client, req) == Some(req))
    }

    /// Make a copy for each follower, and again after the interval.
    pub(super) fn copy(&mut self, ctx: &mut Cx<'_>) {
        let Some(leading) = &mut self.leading else { return };
        for node in leading.followers.keys() {
            if !leading.copies.values().any(|other| other == node) {
                leading.copies.insert(ctx.connect(*node, super::transfer::PORT), *node);
            }
        }
        ctx.set_timer(ReplicationTimer::Copy, self.settings.copy_interval);
    }
}
