//! A replica's side of the coordination: it shows that it lives, learns the view, and asks for changes of it.

use std::rc::Rc;

use super::events;
use super::message::ReplicationMessage;
use super::node::Cx;
use super::view::View;
use crate::node::NodeId;

/// What a replica knows of the view, and what it wants changed.
pub struct Coordination {
    /// The node that keeps the view.
    keeper: NodeId,
    /// Drawn at the start of this life.
    nonce: u64,
    view: Option<Rc<View>>,
    /// Whether the view was told in answer to this life's own question, so that it is no older than this life.
    fresh: bool,
    /// The change that was asked for and not yet seen, granted or not.
    proposal: Option<Rc<View>>,
}

impl Coordination {
    /// One that asks this node.
    pub fn with(keeper: NodeId) -> Coordination {
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
        self.register(ctx);
    }

    /// Show that this replica lives, and ask again for what was not granted yet.
    pub fn register(&mut self, ctx: &mut Cx<'_>) {
        let version = self.view.as_ref().map_or(0, |view| view.version);
        ctx.send(self.keeper, ReplicationMessage::Register { nonce: self.nonce, version });
        if let Some(proposal) = &self.proposal {
            ctx.send(self.keeper, ReplicationMessage::ProposeView(proposal.clone()));
        }
    }

    /// The coordinator tells a view. Gives it where it is news.
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
        let proposal = Rc::new(view.next(change));
        ctx.send(self.keeper, ReplicationMessage::ProposeView(proposal.clone()));
        self.proposal = Some(proposal);
    }
}
