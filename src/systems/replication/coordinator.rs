//! The coordinator: it knows which replicas live, keeps the view, and chooses a leader where there is none.
//!
//! It tells everybody, and it decides nothing that a leader decides: who is in sync is the leader's word. It keeps the view on its disk, so that
//! epochs never begin anew.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::election::Election;
use super::events;
use super::message::ReplicationMessage;
use super::node::{Cx, ReplicationTimer};
use super::settings::ReplicationSettings;
use super::view::View;
use crate::node::{LocalTime, NodeId, Probe};

/// Where the view is.
const FILE: &str = "view";

/// What the coordinator knows of a replica.
#[derive(Clone, Copy, Debug)]
struct Session {
    heard: LocalTime,
    /// Whether it counts as living.
    alive: bool,
}

/// The coordinator.
pub struct Coordinator {
    pub(super) settings: Arc<ReplicationSettings>,
    pub(super) replicas: Rc<[NodeId]>,
    /// Invariant: what is here is on the disk before anybody is told.
    pub(super) view: Rc<View>,
    sessions: BTreeMap<NodeId, Session>,
    pub(super) election: Option<Election>,
}

impl Coordinator {
    /// A coordinator at the beginning of a life.
    pub fn new(settings: Arc<ReplicationSettings>, replicas: Rc<[NodeId]>) -> Coordinator {
        Coordinator { settings, replicas, view: Rc::default(), sessions: BTreeMap::new(), election: None }
    }

    pub(super) fn boot(&mut self, ctx: &mut Cx<'_>) {
        let stored = ctx.read(FILE).and_then(|bytes| View::read(&bytes));
        let first = || View { in_sync: self.replicas.iter().map(|node| node.0).collect(), ..View::default() };
        self.view = Rc::new(stored.unwrap_or_else(first));
        // Nobody is taken for dead because the coordinator was away.
        let session = Session { heard: ctx.now(), alive: true };
        self.sessions = self.replicas.iter().map(|node| (*node, session)).collect();
        events::view(ctx, &self.view);
        ctx.set_timer(ReplicationTimer::Tick, self.settings.heartbeat_interval);
    }

    pub(super) fn on_message(&mut self, ctx: &mut Cx<'_>, from: NodeId, message: ReplicationMessage) {
        match message {
            ReplicationMessage::Register { nonce, .. } => self.on_register(ctx, from, nonce),
            ReplicationMessage::ProposeView(view) => self.on_proposal(ctx, from, &view),
            ReplicationMessage::Position(position) => self.on_position(ctx, from, position),
            ReplicationMessage::Refused { epoch } => self.on_later_epoch(ctx, epoch),
            _ => {}
        }
    }

    /// A replica lives, and learns the view.
    fn on_register(&mut self, ctx: &mut Cx<'_>, from: NodeId, nonce: u64) {
        let now = ctx.now();
        let Some(session) = self.sessions.get_mut(&from) else { return };
        session.heard = now;
        if !std::mem::replace(&mut session.alive, true) {
            events::registered(ctx, from);
        }
        ctx.send(from, ReplicationMessage::ViewUpdate { nonce, view: self.view.clone() });
    }

    /// The leader wants the view changed. Granted if it is the leader still and knows the view that it changes.
    fn on_proposal(&mut self, ctx: &mut Cx<'_>, from: NodeId, proposal: &View) {
        let current = &self.view;
        let own = current.leader() == Some(from) && proposal.epoch == current.epoch;
        if own && proposal.version == current.version + 1 {
            self.change(ctx, proposal.clone());
            if self.view.leader.is_none() {
                self.begin_election(ctx);
            }
        } else {
            ctx.send(from, ReplicationMessage::ViewUpdate { nonce: 0, view: self.view.clone() });
        }
    }

    /// Change the view, durably, and tell everybody.
    pub(super) fn change(&mut self, ctx: &mut Cx<'_>, view: View) {
        self.view = Rc::new(view);
        if self.settings.rules.saves_view() {
            ctx.replace(FILE, self.view.text());
        }
        events::view(ctx, &self.view);
        for replica in self.replicas.iter() {
            ctx.send(*replica, ReplicationMessage::ViewUpdate { nonce: 0, view: self.view.clone() });
        }
    }

    pub(super) fn on_timer(&mut self, ctx: &mut Cx<'_>, timer: ReplicationTimer) {
        if timer != ReplicationTimer::Tick {
            return;
        }
        ctx.set_timer(timer, self.settings.heartbeat_interval);
        self.look_who_lives(ctx);
        match self.view.leader() {
            Some(leader) if self.lives(leader) => {}
            _ if self.election.is_some() => self.go_on_with_election(ctx),
            _ => self.begin_election(ctx),
        }
    }

    fn look_who_lives(&mut self, ctx: &mut Cx<'_>) {
        let now = ctx.now();
        for (replica, session) in &mut self.sessions {
            if session.alive && now.saturating_since(session.heard) > self.settings.session_timeout {
                session.alive = false;
                events::expired(ctx, *replica);
            }
        }
    }

    /// Whether a replica counts as living.
    pub(super) fn lives(&self, replica: NodeId) -> bool {
        self.sessions.get(&replica).is_some_and(|session| session.alive)
    }

    pub(super) fn probe(&self, probe: &mut Probe<'_>) {
        probe.word("role", "coordinator");
        probe.int("current_term", self.view.epoch as i64);
        probe.int("in_sync_replicas", self.view.in_sync.len() as i64);
    }
}
