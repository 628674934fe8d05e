//! A trace under judgement, with what several checks need of it.

use std::any::{Any, TypeId};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::history::History;
use crate::systems::p2p::checks::P2pTrace;
use crate::systems::zookeeper::checks::ZkTrace;
use crate::trace::Trace;

/// What several checks of a system need of a trace: its events decoded, its logs replayed. It
/// follows from the trace alone.
pub trait View: 'static {
    /// The view of this trace.
    fn new(trace: &Trace) -> Self;
}

/// A trace with its shared views, each made when the first check asks for it.
pub struct Case<'a> {
    /// The trace itself.
    pub trace: &'a Trace,
    history: OnceCell<History<'a>>,
    views: RefCell<BTreeMap<TypeId, Rc<dyn Any>>>,
    p2p: OnceCell<P2pTrace<'a>>,
    zookeeper: OnceCell<ZkTrace<'a>>,
}

impl<'a> Case<'a> {
    /// A trace of which nothing is prepared yet.
    pub fn new(trace: &'a Trace) -> Self {
        Case {
            trace,
            history: OnceCell::new(),
            views: RefCell::default(),
            p2p: OnceCell::new(),
            zookeeper: OnceCell::new(),
        }
    }

    /// The operations of the clients, invocations paired with completions.
    pub fn history(&self) -> &History<'a> {
        self.history.get_or_init(|| History::new(&self.trace.history))
    }

    /// The view of this type, made once.
    pub fn view<V: View>(&self) -> Rc<V> {
        let known = self.views.borrow().get(&TypeId::of::<V>()).cloned();
        let view = known.unwrap_or_else(|| {
            // Not made under the borrow: a view may ask for another.
            let made: Rc<dyn Any> = Rc::new(V::new(self.trace));
            self.views.borrow_mut().insert(TypeId::of::<V>(), made.clone());
            made
        });
        view.downcast().expect("a view is kept under its own type")
    }

    /// The operations of file sharing, and who was away when.
    pub(crate) fn p2p(&self) -> &P2pTrace<'a> {
        self.p2p.get_or_init(|| P2pTrace::new(self))
    }

    /// The events of the coordination service, decoded.
    pub(crate) fn zookeeper(&self) -> &ZkTrace<'a> {
        self.zookeeper.get_or_init(|| ZkTrace::new(self.trace))
    }
}
