//! Writes the trace while the run goes on. Nothing of the simulation reads it back.

use crate::time::Time;
use crate::trace::{Detail, Event, Fields, Message, Metric, NodeId, Op, OpType, Outcome, Trace, Value, Word};

#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) trace: Trace,
    /// The order that `history` and `events` share.
    next_index: u64,
}

impl Recorder {
    pub(crate) fn new(trace: Trace) -> Self {
        Recorder { trace, next_index: 0 }
    }

    /// A message leaves. Until [`Recorder::arrived`] or [`Recorder::stopped`] it is in flight.
    #[inline]
    pub(crate) fn sent(&mut self, now: Time, src: NodeId, dest: NodeId, kind: &'static str, bytes: u32, detail: Detail) -> u64 {
        let id = self.trace.messages.len() as u64;
        self.trace.messages.push(Message {
            id,
            sent_us: now.as_micros(),
            recv_us: None,
            src,
            dest,
            kind: Word::Borrowed(kind),
            bytes,
            outcome: Outcome::InFlight,
            detail,
        });
        id
    }

    /// The message came to the receiver's machine.
    #[inline]
    pub(crate) fn arrived(&mut self, id: u64, now: Time, outcome: Outcome) {
        let message = &mut self.trace.messages[id as usize];
        message.recv_us = Some(now.as_micros());
        message.outcome = outcome;
    }

    /// The message will never come to the receiver's machine.
    pub(crate) fn stopped(&mut self, id: u64, outcome: Outcome, reason: &'static str) {
        let message = &mut self.trace.messages[id as usize];
        message.outcome = outcome;
        if !reason.is_empty() {
            message.detail = match std::mem::take(&mut message.detail) {
                Detail::None => Detail::Text(reason.into()),
                detail => Detail::Text(format!("{detail} ({reason})").into()),
            };
        }
    }

    pub(crate) fn event(
        &mut self,
        now: Time,
        node: NodeId,
        incarnation: u32,
        name: &'static str,
        names: &'static [&'static str],
        values: Vec<Value>,
    ) {
        let index = self.take_index();
        let fields = Fields::from_parts(names, values);
        self.trace.events.push(Event { index, time_us: now.as_micros(), node, incarnation, name: Word::Borrowed(name), fields });
    }

    pub(crate) fn op(&mut self, now: Time, process: Word, op_type: OpType, f: Word, value: Word, error: Word) {
        let index = self.take_index();
        self.trace.history.push(Op { index, time_us: now.as_micros(), process, op_type, f, value, error });
    }

    pub(crate) fn metric(&mut self, now: Time, node: NodeId, name: &'static str, value: Value) {
        self.trace.metrics.push(Metric { time_us: now.as_micros(), node, name: Word::Borrowed(name), value });
    }

    fn take_index(&mut self) -> u64 {
        self.next_index += 1;
        self.next_index - 1
    }
}
