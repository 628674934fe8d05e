//! Writes the trace while the run goes on. Nothing of the simulation reads it back.

use crate::time::Time;
use crate::trace::{
    Detail, Event, Fields, Message, MessageFolder, Metric, NodeId, Op, OpType, Outcome, Trace,
    Value, Word,
};

#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) trace: Trace,
    /// The order that `history` and `events` share.
    next_index: u64,
    /// Where messages are not kept: those whose fate is open, and what is left of the others.
    folding: Option<Folding>,
}

#[derive(Debug, Default)]
struct Folding {
    open: Vec<Option<Message>>,
    free: Vec<usize>,
    sent: u64,
    folder: MessageFolder,
}

/// A message in the recorder, until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record(usize);

impl Recorder {
    /// `fold`: messages are counted and enter the digest, but are not kept. Memory that is not
    /// touched is what makes a sweep fast.
    pub(crate) fn new(trace: Trace, fold: bool) -> Self {
        Recorder { trace, next_index: 0, folding: fold.then(Folding::default) }
    }

    /// A message leaves. Until [`Recorder::arrived`] or [`Recorder::stopped`] it is in flight;
    /// until [`Recorder::settle`] its fate may change.
    #[inline]
    pub(crate) fn sent(
        &mut self,
        now: Time,
        src: NodeId,
        dest: NodeId,
        kind: Word,
        bytes: u32,
        detail: Detail,
    ) -> Record {
        let id =
            self.folding.as_ref().map_or(self.trace.messages.len() as u64, |folding| folding.sent);
        let sent_us = now.as_micros();
        let message = Message {
            id,
            sent_us,
            recv_us: None,
            src,
            dest,
            kind,
            bytes,
            outcome: Outcome::InFlight,
            detail,
        };
        match &mut self.folding {
            None => {
                self.trace.messages.push(message);
                Record(id as usize)
            }
            Some(folding) => {
                folding.sent += 1;
                let place = folding.free.pop().unwrap_or_else(|| {
                    folding.open.push(None);
                    folding.open.len() - 1
                });
                folding.open[place] = Some(message);
                Record(place)
            }
        }
    }

    /// The message came to the receiver's machine.
    #[inline]
    pub(crate) fn arrived(&mut self, record: Record, now: Time, outcome: Outcome) {
        let message = self.message(record);
        message.recv_us = Some(now.as_micros());
        message.outcome = outcome;
    }

    /// The message will never come to the receiver's machine.
    pub(crate) fn stopped(&mut self, record: Record, outcome: Outcome, reason: &'static str) {
        let message = self.message(record);
        message.outcome = outcome;
        if !reason.is_empty() {
            message.detail = match std::mem::take(&mut message.detail) {
                Detail::None => Detail::Text(reason.into()),
                detail => Detail::Text(format!("{detail} ({reason})").into()),
            };
        }
        self.settle(record);
    }

    /// Nothing more happens to the message: its receiver has it, or it is gone. The record is not
    /// used any more.
    #[inline]
    pub(crate) fn settle(&mut self, record: Record) {
        if let Some(folding) = &mut self.folding {
            let message = folding.open[record.0].take().expect("a message is settled once");
            folding.free.push(record.0);
            folding.folder.add(&message);
        }
    }

    /// How many records there are so far, messages that are not kept included.
    #[inline]
    pub(crate) fn records(&self) -> u64 {
        let sent =
            self.folding.as_ref().map_or(self.trace.messages.len() as u64, |folding| folding.sent);
        sent + self.next_index + self.trace.metrics.len() as u64
    }

    /// The trace, when the run is over.
    pub(crate) fn into_trace(mut self) -> Trace {
        if let Some(mut folding) = self.folding.take() {
            folding.open.iter().flatten().for_each(|message| folding.folder.add(message));
            self.trace.folded_messages = Some(folding.folder.sum);
        }
        self.trace
    }

    #[inline]
    fn message(&mut self, record: Record) -> &mut Message {
        match &mut self.folding {
            None => &mut self.trace.messages[record.0],
            Some(folding) => folding.open[record.0].as_mut().expect("its fate is open"),
        }
    }

    pub(crate) fn event(
        &mut self,
        now: Time,
        node: NodeId,
        incarnation: u32,
        name: Word,
        fields: Fields,
    ) {
        let index = self.take_index();
        self.trace.events.push(Event {
            index,
            time_us: now.as_micros(),
            node,
            incarnation,
            name,
            fields,
        });
    }

    pub(crate) fn op(
        &mut self,
        now: Time,
        process: Word,
        op_type: OpType,
        f: Word,
        value: Word,
        error: Word,
    ) {
        let index = self.take_index();
        self.trace.history.push(Op {
            index,
            time_us: now.as_micros(),
            process,
            op_type,
            f,
            value,
            error,
        });
    }

    pub(crate) fn metric(&mut self, now: Time, node: NodeId, name: impl Into<Word>, value: Value) {
        self.trace.metrics.push(Metric {
            time_us: now.as_micros(),
            node,
            name: name.into(),
            value,
        });
    }

    fn take_index(&mut self) -> u64 {
        self.next_index += 1;
        self.next_index - 1
    }
}
