//! A trace under judgement, with derived data that several checks share.

use std::any::{Any, TypeId};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::history::History;
use crate::trace::Trace;

/// Data derived from a trace that several checks of a system share: decoded events, replayed logs.
/// It depends on the trace alone.
pub trait View: 'static {
    /// Derive the view from a trace.
    fn new(trace: &Trace) -> Self;
}

/// A trace with its shared views, each built when the first check asks for it.
pub struct Case<'a> {
    /// The trace itself.
    pub trace: &'a Trace,
    history: OnceCell<History<'a>>,
    views: RefCell<BTreeMap<TypeId, Rc<dyn Any>>>,
}

impl<'a> Case<'a> {
    /// A trace without any views yet.
    pub fn new(trace: &'a Trace) -> Self {
        Case { trace, history: OnceCell::new(), views: RefCell::default() }
    }

    /// The clients' operations, with invocations paired with completions.
    pub fn history(&self) -> &History<'a> {
        self.history.get_or_init(|| History::new(&self.trace.history))
    }

    /// The view of this type, built once.
    pub fn view<V: View>(&self) -> Rc<V> {
        let known = self.views.borrow().get(&TypeId::of::<V>()).cloned();
        let view = known.unwrap_or_else(|| {
            // Built outside the borrow, because a view may ask for another one.
            let made: Rc<dyn Any> = Rc::new(V::new(self.trace));
            self.views.borrow_mut().insert(TypeId::of::<V>(), made.clone());
            made
        });
        view.downcast().expect("a view is stored under its own type")
    }
}
