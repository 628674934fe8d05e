//! A replica's side of the coordination: it shows that it lives, learns the view, and asks for
//! changes of it.
//!
//! The view is kept by the one coordinator on its disk, or by an ensemble of coordination servers
//! in a znode. A replica does the same in both cases.

use std::rc::Rc;

use super::ensemble::{Ensemble, News};
use super::events;
use super::message::ReplicationMessage;
use super::node::Cx;
use super::view::View;
use crate::node::NodeId;
use crate::systems::zookeeper::{ZkMessage, ZkTimer};

/// Who keeps the view.
pub enum Keeper {
    /// The coordinator, on its disk.
    Coordinator(NodeId),
    /// An ensemble, in a znode.
    Ensemble(Box<Ensemble>),
}

/// What a replica knows of the view, and what it wants changed.
pub struct Coordination {
    keeper: Keeper,
    /// Drawn at the start of this life.
    nonce: u64,
    view: Option<Rc<View>>,
    /// Whether the view was told in answer to this life's own question, so that it is no older than
    /// this life.
    fresh: bool,
    /// The change that was asked for and not yet seen, granted or not.
    proposal: Option<Rc<View>>,
}

impl Coordination {
    /// One with this keeper of the view.
    pub fn with(keeper: Keeper) -> Coordination {
        Coordination { keeper, nonce: 0, view: None, fresh: false, proposal: None }
    }

    /// The view, as far as it is known.
    pub fn view(&self) -> Option<&Rc<View>> {
        self.view.as_ref()
    }

    /// Whether a view of this life is known.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The change that is on its way.
    pub fn proposal(&self) -> Option<&View> {
        self.proposal.as_deref()
    }

    /// A life begins.
    pub fn boot(&mut self, ctx: &mut Cx<'_>) {
        self.nonce = ctx.rng().bits() | 1;
        match &mut self.keeper {
            Keeper::Coordinator(_) => self.register(ctx),
            Keeper::Ensemble(ensemble) => ensemble.boot(ctx),
        }
    }

    /// Show that this replica lives, and ask again for what was not granted yet.
    pub fn register(&mut self, ctx: &mut Cx<'_>) {
        let version = self.view.as_ref().map_or(0, |view| view.version);
        match &mut self.keeper {
            Keeper::Coordinator(node) => {
                ctx.send(*node, ReplicationMessage::Register { nonce: self.nonce, version })
            }
            Keeper::Ensemble(ensemble) => ensemble.tick(ctx),
        }
        self.send_proposal(ctx);
    }

    fn send_proposal(&mut self, ctx: &mut Cx<'_>) {
        let Some(proposal) = &self.proposal else { return };
        match &mut self.keeper {
            Keeper::Coordinator(node) => {
                ctx.send(*node, ReplicationMessage::ProposeView(proposal.clone()))
            }
            Keeper::Ensemble(ensemble) => ensemble.set(ctx, proposal),
        }
    }

    /// Something of the session with the ensemble. Gives the view where it is news.
    pub fn on_session(&mut self, ctx: &mut Cx<'_>, input: SessionInput) -> Option<Rc<View>> {
        let Keeper::Ensemble(ensemble) = &mut self.keeper else { return None };
        match input {
            SessionInput::Message(from, message) => ensemble.on_message(ctx, from, &message),
            SessionInput::Timer(timer) => ensemble.on_timer(ctx, timer),
        }
        self.take_news(ctx)
    }

    /// What the ensemble has told meanwhile.
    pub fn take_news(&mut self, ctx: &mut Cx<'_>) -> Option<Rc<View>> {
        let Keeper::Ensemble(ensemble) = &mut self.keeper else { return None };
        let mut latest = None;
        for news in ensemble.take_news() {
            if let News::View(view) = news {
                latest = self.on_view(ctx, self.nonce, view).or(latest);
            }
        }
        latest
    }

    /// A view is told. Gives it where it is news.
    pub fn on_view(&mut self, ctx: &mut Cx<'_>, nonce: u64, view: Rc<View>) -> Option<Rc<View>> {
        let fresher = nonce == self.nonce && !self.fresh;
        self.fresh |= fresher;
        let known = self.view.as_ref().map(|view| view.version);
        if known.is_some_and(|known| known >= view.version) {
            return self.view.clone().filter(|_| fresher);
        }
        // Whatever the new view is, the proposal's version is taken.
        self.proposal = None;
        self.view = Some(view.clone());
        events::view(ctx, &view);
        Some(view)
    }

    /// Ask for a change, unless another is still on its way.
    pub fn propose(&mut self, ctx: &mut Cx<'_>, change: impl FnOnce(&mut View)) {
        let (None, Some(view)) = (&self.proposal, &self.view) else { return };
        self.proposal = Some(Rc::new(view.next(change)));
        self.send_proposal(ctx);
    }
}

/// What concerns the session with the ensemble.
pub enum SessionInput {
    /// A packet.
    Message(NodeId, ZkMessage),
    /// Its timer.
    Timer(ZkTimer),
}
