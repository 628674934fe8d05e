//! Where a node shows its metrics.

use crate::trace::{NodeId, Value, Word};
use crate::vocabulary::{FieldValue, MetricSink, Metrics};

/// Where [`Node::probe`](super::Node::probe) puts its metrics. Only changes are recorded.
pub struct Probe<'a> {
    pub(crate) last: &'a mut Vec<(Word, Value)>,
    pub(crate) position: usize,
    pub(crate) changed: &'a mut Vec<usize>,
}

impl Probe<'_> {
    /// All metrics of a node, as its vocabulary declares them.
    pub fn show(&mut self, metrics: &impl Metrics) {
        metrics.show(self);
    }

    /// A number.
    pub fn int(&mut self, name: &'static str, value: i64) {
        self.set(
            name,
            |last| matches!(last, Value::Int(old) if *old == value),
            || Value::Int(value),
        );
    }

    /// A word: a role, a state.
    pub fn word(&mut self, name: &'static str, value: &'static str) {
        self.set(
            name,
            |last| matches!(last, Value::Text(old) if old == value),
            || Value::Text(value.into()),
        );
    }

    /// A node, or `none`.
    pub fn node(&mut self, name: &'static str, value: Option<NodeId>) {
        match value {
            Some(node) => self.set(name, |last| *last == Value::Node(node), || Value::Node(node)),
            None => self.word(name, "none"),
        }
    }

    fn set(
        &mut self,
        name: &'static str,
        same: impl Fn(&Value) -> bool,
        value: impl Fn() -> Value,
    ) {
        let position = self.position;
        self.position += 1;
        match self.last.get_mut(position) {
            Some((_, last)) if same(last) => return,
            Some(slot) => *slot = (Word::Borrowed(name), value()),
            None => self.last.push((Word::Borrowed(name), value())),
        }
        self.changed.push(position);
    }
}

impl MetricSink for Probe<'_> {
    fn metric<T: FieldValue>(&mut self, name: &'static str, value: &T) {
        self.set(name, |last| value.equals(last), || value.to_value());
    }
}
