//! A replica: its state, what survives on its disk, and where its inputs go.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::coordination::{Coordination, SessionInput};
use super::defects::{Defect, hash_when_read};
use super::events;
use super::leader::Leading;
use super::log::{self, ReplicaLog};
use super::message::{Position, ReplicationMessage};
use super::node::{Cx, ReplicationTimer};
use super::settings::{ReplicationSettings, Transfer};
use super::table::{self, Table};
use super::transfer;
use super::view::View;
use crate::node::disk::DiskOp;
use crate::node::{LocalTime, NodeId, Probe, StreamId};

/// What a replica must not forget, besides its log. In the file `meta`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meta {
    /// It takes nothing from a leader of an earlier epoch.
    pub epoch: u64,
    /// The last epoch in which it had everything that the leader began with; 0 on a new or damaged
    /// disk.
    pub log_epoch: u64,
    /// The last epoch in which it led. It does not lead in it again after a restart.
    pub led: u64,
}

/// Where the forms are.
pub(super) const FOLDER: &str = "formularios/";

/// So many records are shown again after a restart: more are never on their way to the disk at a
/// time.
const KEPT_SHOWN: usize = 128;

/// A replica.
pub struct Replica {
    pub(super) settings: Arc<ReplicationSettings>,
    pub(super) me: NodeId,
    /// All replicas, this one included.
    pub(super) replicas: Rc<[NodeId]>,
    pub(super) coordination: Coordination,
    /// Invariant: what is here is on the disk before any message of the step leaves.
    pub(super) meta: Meta,
    /// Whether the disk was empty, or damaged: what it had promised is forgotten, so it takes no
    /// part before it knows the view.
    pub(super) blank: bool,
    pub(super) log: ReplicaLog,
    /// Invariant: `table.applied() <= commit_seq <= log.last()`.
    pub(super) table: Table,
    /// The digest of each form's file.
    files: BTreeMap<Rc<str>, u64>,
    /// Up to here the records are known to be final.
    pub(super) commit_seq: u64,
    /// Who leads in `meta.epoch`, as far as is known.
    pub(super) leader: Option<NodeId>,
    /// When the leader was last heard.
    pub(super) leader_heard: LocalTime,
    /// Whether the leader of this epoch has told in this life what is final, so that the forms are
    /// worth reading.
    pub(super) current: bool,
    pub(super) leading: Option<Leading>,
    /// Copies that are arriving: from whom, and what has come.
    pub(super) incoming: BTreeMap<StreamId, (NodeId, Vec<u8>)>,
}

impl Replica {
    /// Whether a defect is planted, and acts here.
    pub(super) fn plants(&self, defect: Defect) -> bool {
        self.settings.planted.plants(defect)
    }

    /// A replica at the beginning of a life.
    pub fn new(
        settings: Arc<ReplicationSettings>,
        me: NodeId,
        replicas: Rc<[NodeId]>,
        coordination: Coordination,
    ) -> Replica {
        Replica {
            settings,
            me,
            replicas,
            coordination,
            meta: Meta::default(),
            blank: false,
            log: ReplicaLog::default(),
            table: Table::default(),
            files: BTreeMap::new(),
            commit_seq: 0,
            leader: None,
            leader_heard: LocalTime::ZERO,
            current: false,
            leading: None,
            incoming: BTreeMap::new(),
        }
    }

    pub(super) fn boot(&mut self, ctx: &mut Cx<'_>) {
        let meta = ctx.read("meta").and_then(|bytes| serde_json::from_slice(&bytes).ok());
        self.blank = meta.is_none();
        self.meta = meta.unwrap_or_default();
        self.recover_log(ctx);
        self.look_at_files(ctx);
        self.leader_heard = ctx.now();
        if self.settings.transfer == Transfer::FullCopy {
            ctx.listen(transfer::PORT);
        }
        self.coordination.boot(ctx);
        ctx.set_timer(ReplicationTimer::Register, self.settings.session_timeout / 4);
        ctx.set_timer(ReplicationTimer::Heartbeat, self.settings.heartbeat_interval);
    }

    /// Read the log, and cut off what is no part of it.
    fn recover_log(&mut self, ctx: &mut Cx<'_>) {
        let planted = self.settings.planted;
        let bytes = ctx.read(log::FILE).unwrap_or_default();
        let (mut log, mut recovery) = ReplicaLog::recover(&bytes, |record, claimed| {
            hash_when_read(planted, record) == claimed || planted.plants(Defect::UnverifiedRecovery)
        });
        let torn = recovery.discarded > 0 && !recovery.damaged;
        if torn && planted.plants(Defect::TornDropsAll) {
            log = ReplicaLog::default();
        }
        if planted.plants(Defect::TruncateToFinal) {
            // What was final when it crashed is not on the disk; the defect takes a little less for
            // safe.
            log.cut(log.last().saturating_sub(2) + 1);
        }
        if log.file_len() < bytes.len() as u64 {
            recovery.discarded = bytes.len() as u64 - log.file_len();
            ctx.truncate(log::FILE, log.file_len());
        }
        self.log = log;
        if recovery.damaged || (self.blank && self.log.last() > 0) {
            // What is gone may have been acknowledged. Until a leader has brought the log up to
            // date it proves nothing.
            events::difference(ctx, "log", None, self.log.last() + 1, 0, 0);
            self.meta.log_epoch = 0;
            self.save_meta(ctx);
        }
        let last = (self.log.last(), self.log.last_hash());
        for record in
            self.log.range((self.log.last() + 1).saturating_sub(KEPT_SHOWN as u64), KEPT_SHOWN)
        {
            events::kept(ctx, record);
        }
        events::recovered(
            ctx,
            self.meta.epoch,
            self.meta.log_epoch,
            last,
            recovery.discarded,
            recovery.damaged,
        );
    }

    /// Compare each form's file with its own digest. A damaged one is deleted; it is written again
    /// when its record is applied again.
    fn look_at_files(&mut self, ctx: &mut Cx<'_>) {
        for name in ctx.files() {
            let Some(key) = name.strip_prefix(FOLDER) else { continue };
            match ctx.read(&name).as_deref().and_then(table::verified) {
                Some(digest) => {
                    self.files.insert(key.into(), digest);
                }
                None => {
                    events::difference(ctx, "file", None, 0, 0, 0);
                    ctx.save(DiskOp::Remove { file: name.into() });
                }
            }
        }
    }

    pub(super) fn on_message(
        &mut self,
        ctx: &mut Cx<'_>,
        from: NodeId,
        message: ReplicationMessage,
    ) {
        match message {
            ReplicationMessage::Request(request) => self.on_request(ctx, from, request),
            ReplicationMessage::Append(append) => self.on_append(ctx, from, append),
            ReplicationMessage::Confirm(confirm) => self.on_confirm(ctx, from, confirm),
            ReplicationMessage::Mismatch { epoch, round, from: seq } => {
                self.on_mismatch(ctx, from, epoch, round, seq)
            }
            ReplicationMessage::Refused { epoch } => self.on_refused(ctx, epoch),
            ReplicationMessage::Fence { epoch } => self.on_fence(ctx, from, epoch),
            ReplicationMessage::ViewUpdate { nonce, view } => {
                if let Some(view) = self.coordination.on_view(ctx, nonce, view) {
                    self.on_view(ctx, &view);
                }
            }
            ReplicationMessage::Zk(message) => {
                self.on_session(ctx, SessionInput::Message(from, message))
            }
            _ => {}
        }
    }

    pub(super) fn on_timer(&mut self, ctx: &mut Cx<'_>, timer: ReplicationTimer) {
        match timer {
            ReplicationTimer::Register => {
                ctx.set_timer(timer, self.settings.session_timeout / 4);
                self.coordination.register(ctx);
                if let Some(view) = self.coordination.take_news(ctx) {
                    self.on_view(ctx, &view);
                }
                self.give_back_leadership(ctx);
                self.maybe_promote_itself(ctx);
            }
            ReplicationTimer::Heartbeat => {
                ctx.set_timer(timer, self.settings.heartbeat_interval);
                self.beat(ctx);
            }
            ReplicationTimer::Copy => self.copy(ctx),
            ReplicationTimer::Zk(timer) => self.on_session(ctx, SessionInput::Timer(timer)),
            ReplicationTimer::Tick => {}
        }
    }

    fn on_session(&mut self, ctx: &mut Cx<'_>, input: SessionInput) {
        if let Some(view) = self.coordination.on_session(ctx, input) {
            self.on_view(ctx, &view);
        }
    }

    /// A new view is known.
    fn on_view(&mut self, ctx: &mut Cx<'_>, view: &View) {
        if self.blank {
            if !self.coordination.is_fresh() {
                return;
            }
            // Whatever was promised before the disk was lost, it was to no later epoch than this.
            self.blank = false;
            self.meta.epoch = self.meta.epoch.max(view.epoch);
            // If it is the leader by the view, then of a log that is gone.
            self.meta.led = self.meta.epoch;
            self.save_meta(ctx);
            events::epoch(ctx, self.meta.epoch);
        }
        if view.epoch < self.meta.epoch {
            return;
        }
        self.enter(ctx, view.epoch);
        if view.leader() == Some(self.me) {
            match &mut self.leading {
                Some(leading) if leading.epoch == view.epoch => {
                    leading.on_view(view);
                    self.advance(ctx);
                }
                _ if self.meta.led < view.epoch
                    && (self.log.last(), self.log.last_hash())
                        == (view.start_seq, view.start_hash) =>
                {
                    self.lead(ctx, view);
                }
                _ => self.give_back_leadership(ctx),
            }
            return;
        }
        if self.leading.is_some() {
            self.step_down(ctx, "another view");
        }
        self.leader = view.leader();
    }

    /// The view says that this replica leads, and it does not: it was restarted, or its disk is no
    /// longer what it was when it was chosen. What a leader knows of its followers is not on its
    /// disk, so it does not go on; a new leader is chosen, perhaps the same.
    fn give_back_leadership(&mut self, ctx: &mut Cx<'_>) {
        let Some(view) = self.coordination.view() else { return };
        if self.leading.is_none() && view.leader() == Some(self.me) && view.epoch == self.meta.epoch
        {
            self.coordination.propose(ctx, |view| view.leader = None);
        }
    }

    /// Only the coordinator promotes. [`Defect::SelfPromotion`]: a replica that hears no leader
    /// decides alone.
    fn maybe_promote_itself(&mut self, ctx: &mut Cx<'_>) {
        let patience = self.settings.session_timeout * 2;
        let alone = ctx.now().saturating_since(self.leader_heard) > patience;
        if !alone || self.leading.is_some() || self.blank {
            return;
        }
        let Some(view) = self.coordination.view().cloned() else { return };
        if !self.plants(Defect::SelfPromotion) {
            return;
        }
        self.enter(ctx, self.meta.epoch + 1);
        self.lead(ctx, &View { epoch: self.meta.epoch, ..(*view).clone() });
    }

    /// The coordinator closes all epochs before this one.
    fn on_fence(&mut self, ctx: &mut Cx<'_>, from: NodeId, epoch: u64) {
        // What a blank replica promises is not on its disk, and it has nothing to offer.
        if self.blank {
            return;
        }
        if epoch < self.meta.epoch {
            return ctx.send(from, ReplicationMessage::Refused { epoch: self.meta.epoch });
        }
        self.enter(ctx, epoch);
        let position = Position {
            epoch,
            log_epoch: self.meta.log_epoch,
            seq: self.log.last(),
            hash: self.log.last_hash(),
        };
        ctx.send(from, ReplicationMessage::Position(position));
    }

    /// Follow no earlier epoch from now on.
    pub(super) fn enter(&mut self, ctx: &mut Cx<'_>, epoch: u64) {
        if epoch <= self.meta.epoch {
            return;
        }
        if self.leading.is_some() {
            self.step_down(ctx, "a later epoch");
        }
        self.meta.epoch = epoch;
        self.save_meta(ctx);
        events::epoch(ctx, epoch);
        (self.leader, self.current) = (None, false);
    }

    pub(super) fn save_meta(&self, ctx: &mut Cx<'_>) {
        // A disk that was lost is not written to before the view is known: should there be another
        // crash, it would look as if nothing had been lost.
        if !self.blank {
            ctx.replace("meta", serde_json::to_vec(&self.meta).expect("plain numbers are JSON"));
        }
    }

    /// Everything up to here is final: apply it.
    pub(super) fn finish(&mut self, ctx: &mut Cx<'_>, seq: u64) {
        self.commit_seq = self.commit_seq.max(seq.min(self.log.last()));
        while self.table.applied() < self.commit_seq {
            let record = self
                .log
                .get(self.table.applied() + 1)
                .expect("the log reaches beyond what is final")
                .clone();
            self.apply(ctx, &record);
        }
    }

    /// Apply the next record to the forms and their files.
    pub(super) fn apply(&mut self, ctx: &mut Cx<'_>, record: &super::record::Record) {
        self.table.apply(record);
        let (key, done) = (&record.content.key, record.content.done);
        events::applied(ctx, record, done, self.table.digest());
        if !done {
            return;
        }
        match &record.content.value {
            Some(form) => {
                let digest = table::digest_of(form);
                if self.files.insert(key.clone(), digest) != Some(digest) {
                    ctx.save(DiskOp::Replace {
                        file: format!("{FOLDER}{key}").into(),
                        bytes: table::file_of(form),
                    });
                }
            }
            None => {
                if self.files.remove(key).is_some() {
                    ctx.save(DiskOp::Remove { file: format!("{FOLDER}{key}").into() });
                }
            }
        }
    }

    /// The log was cut or replaced: where applied records are gone, fold the forms anew. In the
    /// synchronous modes that cannot be.
    pub(super) fn look_at_table(&mut self, ctx: &mut Cx<'_>, applied_hash: Option<u64>) {
        if self.log.hash_at(self.table.applied()) == applied_hash {
            return;
        }
        self.commit_seq = 0;
        self.table = Table::default();
        events::difference(ctx, "forms", None, self.log.last(), 0, 0);
    }

    pub(super) fn probe(&self, probe: &mut Probe<'_>) {
        let role = match &self.leading {
            Some(_) => "leader",
            None if self.blank => "blank",
            None => "follower",
        };
        probe.word("role", role);
        probe.int("current_term", self.meta.epoch as i64);
        probe.int("last_index", self.log.last() as i64);
        probe.int("commit_index", self.commit_seq as i64);
        probe.int("last_applied", self.table.applied() as i64);
        probe.int(
            "in_sync_replicas",
            self.coordination.view().map_or(0, |view| view.in_sync.len() as i64),
        );
        probe
            .int("serving", i64::from(self.leading.as_ref().is_some_and(|leading| leading.active)));
    }
}
