//! The coordinator: it knows which replicas live, keeps the view, and chooses a leader where there
//! is none.
//!
//! It tells everybody, and it decides nothing that a leader decides: who is in sync is the leader's
//! word. It keeps the view on its disk, so that epochs never begin anew; or an ensemble keeps it,
//! and then there may be several coordinators, of which one is in office.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::coordination::SessionInput;
use super::defects::Defect;
use super::election::Election;
use super::ensemble::{Ensemble, News};
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
struct Registered {
    heard: LocalTime,
    /// Whether it counts as living.
    alive: bool,
    /// Whether this coordinator has ever heard of it.
    known: bool,
}

/// The coordinator.
pub struct Coordinator {
    pub(super) settings: Arc<ReplicationSettings>,
    pub(super) replicas: Rc<[NodeId]>,
    /// Where the view is kept, if not on the own disk.
    ensemble: Option<Box<Ensemble>>,
    /// Invariant: what is here is durable before anybody is told.
    pub(super) view: Rc<View>,
    /// Whether the view is known: an ensemble has to be asked first.
    known: bool,
    /// The change that the ensemble was asked for.
    wanted: Option<View>,
    registered: BTreeMap<NodeId, Registered>,
    pub(super) election: Option<Election>,
}

/// The view of a store that is new.
pub fn first_view(replicas: &[NodeId]) -> View {
    View { in_sync: replicas.iter().map(|node| node.0).collect(), ..View::default() }
}

impl Coordinator {
    /// Whether a defect is planted, and acts here.
    pub(super) fn plants(&self, defect: Defect) -> bool {
        self.settings.planted.plants(defect)
    }

    /// A coordinator at the beginning of a life.
    pub fn new(
        settings: Arc<ReplicationSettings>,
        replicas: Rc<[NodeId]>,
        ensemble: Option<Box<Ensemble>>,
    ) -> Coordinator {
        Coordinator {
            settings,
            replicas,
            ensemble,
            view: Rc::default(),
            known: false,
            wanted: None,
            registered: BTreeMap::new(),
            election: None,
        }
    }

    pub(super) fn boot(&mut self, ctx: &mut Cx<'_>) {
        ctx.set_timer(ReplicationTimer::Tick, self.settings.heartbeat_interval);
        // Nobody is taken for dead because the coordinator was away.
        let registered = Registered { heard: ctx.now(), alive: true, known: false };
        self.registered = self.replicas.iter().map(|node| (*node, registered)).collect();
        if let Some(ensemble) = &mut self.ensemble {
            return ensemble.boot(ctx);
        }
        let stored = ctx.read(FILE).and_then(|bytes| View::read(&bytes));
        self.known = true;
        self.view = Rc::new(stored.unwrap_or_else(|| first_view(&self.replicas)));
        events::view(ctx, &self.view);
    }

    pub(super) fn on_message(
        &mut self,
        ctx: &mut Cx<'_>,
        from: NodeId,
        message: ReplicationMessage,
    ) {
        match message {
            ReplicationMessage::Register { nonce, .. } => self.on_register(ctx, from, nonce),
            ReplicationMessage::ProposeView(view) => self.on_proposal(ctx, from, &view),
            ReplicationMessage::Position(position) => self.on_position(ctx, from, position),
            ReplicationMessage::Refused { epoch } => self.on_later_epoch(ctx, epoch),
            ReplicationMessage::Zk(message) => {
                self.on_session(ctx, SessionInput::Message(from, message))
            }
            _ => {}
        }
    }

    /// A replica lives, and learns the view.
    fn on_register(&mut self, ctx: &mut Cx<'_>, from: NodeId, nonce: u64) {
        let now = ctx.now();
        let Some(registered) = self.registered.get_mut(&from) else { return };
        registered.heard = now;
        if !std::mem::replace(&mut registered.alive, true)
            || !std::mem::replace(&mut registered.known, true)
        {
            events::registered(ctx, from);
        }
        ctx.send(from, ReplicationMessage::ViewUpdate { nonce, view: self.view.clone() });
    }

    /// The leader wants the view changed. Granted if it is the leader still and knows the view that
    /// it changes.
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

    /// Change the view, durably, and tell everybody. With an ensemble it is a request, and done
    /// once it is seen.
    pub(super) fn change(&mut self, ctx: &mut Cx<'_>, view: View) {
        if let Some(ensemble) = &mut self.ensemble {
            ensemble.set(ctx, &view);
            self.wanted = Some(view);
            return;
        }
        self.view = Rc::new(view);
        if !self.plants(Defect::EpochInMemory) {
            ctx.replace(FILE, self.view.text());
        }
        events::view(ctx, &self.view);
        for replica in self.replicas.iter() {
            ctx.send(
                *replica,
                ReplicationMessage::ViewUpdate { nonce: 0, view: self.view.clone() },
            );
        }
    }

    /// Whether a change is still on its way.
    pub(super) fn is_waiting(&self) -> bool {
        self.wanted.is_some()
    }

    /// Something of the session with the ensemble.
    fn on_session(&mut self, ctx: &mut Cx<'_>, input: SessionInput) {
        let Some(ensemble) = &mut self.ensemble else { return };
        match input {
            SessionInput::Message(from, message) => ensemble.on_message(ctx, from, &message),
            SessionInput::Timer(timer) => ensemble.on_timer(ctx, timer),
        }
        self.take_news(ctx);
    }

    fn take_news(&mut self, ctx: &mut Cx<'_>) {
        let news = self.ensemble.as_mut().map_or(vec![], |ensemble| ensemble.take_news());
        for each in news {
            match each {
                News::View(view) => self.on_view(ctx, view),
                News::Living(names) => self.on_living(ctx, &names),
                News::Refused => self.wanted = None,
            }
        }
    }

    /// The ensemble tells the view. If it is the one that was wanted, what was to be done with it
    /// is done now.
    fn on_view(&mut self, ctx: &mut Cx<'_>, view: Rc<View>) {
        if self.known && view.version <= self.view.version {
            return;
        }
        let own = self.wanted.as_ref() == Some(&*view);
        if self.wanted.as_ref().is_some_and(|wanted| wanted.version <= view.version) {
            self.wanted = None;
        }
        (self.view, self.known) = (view, true);
        events::view(ctx, &self.view);
        self.election = None;
        if own && self.view.leader.is_none() {
            self.open_election(ctx, self.view.epoch);
        }
    }

    fn on_living(&mut self, ctx: &mut Cx<'_>, names: &[String]) {
        for replica in self.replicas.clone().iter() {
            let lives = names.iter().any(|name| name == ctx.name(*replica));
            let Some(registered) = self.registered.get_mut(replica) else { continue };
            match (std::mem::replace(&mut registered.alive, lives) && registered.known, lives) {
                (false, true) => {
                    registered.known = true;
                    events::registered(ctx, *replica);
                }
                (true, false) => events::expired(ctx, *replica),
                _ => {}
            }
        }
    }

    pub(super) fn on_timer(&mut self, ctx: &mut Cx<'_>, timer: ReplicationTimer) {
        match timer {
            ReplicationTimer::Zk(timer) => return self.on_session(ctx, SessionInput::Timer(timer)),
            ReplicationTimer::Tick => {}
            _ => return,
        }
        ctx.set_timer(timer, self.settings.heartbeat_interval);
        if let Some(ensemble) = &mut self.ensemble {
            ensemble.tick(ctx);
            if let Some(wanted) = &self.wanted {
                ensemble.set(ctx, wanted);
            }
            let in_office = ensemble.is_in_office();
            self.take_news(ctx);
            if !in_office || !self.known {
                return;
            }
        } else {
            self.look_who_lives(ctx);
        }
        match self.view.leader() {
            Some(leader) if self.lives(leader) => {}
            _ if self.election.is_some() => self.go_on_with_election(ctx),
            _ => self.begin_election(ctx),
        }
    }

    fn look_who_lives(&mut self, ctx: &mut Cx<'_>) {
        let now = ctx.now();
        for (replica, registered) in &mut self.registered {
            if registered.alive
                && now.saturating_since(registered.heard) > self.settings.session_timeout
            {
                registered.alive = false;
                events::expired(ctx, *replica);
            }
        }
    }

    /// Whether a replica counts as living.
    pub(super) fn lives(&self, replica: NodeId) -> bool {
        self.registered.get(&replica).is_some_and(|registered| registered.alive)
    }

    pub(super) fn probe(&self, probe: &mut Probe<'_>) {
        probe.word("role", "coordinator");
        probe.int("current_term", self.view.epoch as i64);
        probe.int("in_sync_replicas", self.view.in_sync.len() as i64);
    }
}
