//! Streams over the links: between the machines' streams, which know no driver, and the driver.
//!
//! A segment is handled where it arrives, by the machine: also while its process is paused, busy or
//! gone. What the process is to hear of it becomes an input like any other.

use std::fmt;

use super::Cluster;
use super::driver::{Driver, Due, Msg, Timer};
use super::host::Input;
use super::stream::{Segment, StreamOut, Token};
use crate::node::{Message, ProgramMessage, StreamEvent, StreamOp};
use crate::rng::Rng;
use crate::trace::{Detail, NodeId, Word};

/// What the links carry.
#[derive(Clone)]
pub(crate) enum Packet<M> {
    /// A message of the system.
    Datagram(M),
    /// A part of a stream.
    Segment(Box<Segment>),
    /// A message of a program for a program.
    ProgramMessage(Box<ProgramMessage>),
}

impl<M: Message> Packet<M> {
    /// The message type as the trace shows it.
    #[inline]
    pub(crate) fn kind(&self) -> Word {
        match self {
            Packet::ProgramMessage(message) => message.kind.clone(),
            other => Word::Borrowed(other.name()),
        }
    }
}

impl<M: Message> Message for Packet<M> {
    #[inline]
    fn name(&self) -> &'static str {
        match self {
            Packet::Datagram(message) => message.name(),
            Packet::Segment(segment) => segment.name(),
            Packet::ProgramMessage(_) => "ProgramMessage",
        }
    }

    #[inline]
    fn size(&self) -> u32 {
        match self {
            Packet::Datagram(message) => message.size(),
            Packet::Segment(segment) => segment.size(),
            Packet::ProgramMessage(message) => message.bytes,
        }
    }

    #[inline]
    fn detail(&self) -> Detail {
        match self {
            Packet::Datagram(message) => message.detail(),
            Packet::Segment(segment) => segment.detail(),
            Packet::ProgramMessage(message) => message.detail(),
        }
    }

    /// The checksum of a segment finds every damage, and so does that of a program's message.
    fn corrupt(&mut self, rng: &mut Rng) -> bool {
        match self {
            Packet::Datagram(message) => message.corrupt(rng),
            Packet::Segment(_) | Packet::ProgramMessage(_) => false,
        }
    }
}

impl<M: fmt::Debug> fmt::Debug for Packet<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Packet::Datagram(message) => message.fmt(f),
            Packet::Segment(segment) => write!(f, "{} {}", segment.name(), segment.detail()),
            Packet::ProgramMessage(message) => message.fmt(f),
        }
    }
}

impl<C: Cluster> Driver<'_, C> {
    /// A node asks something of its streams.
    pub(super) fn stream_op(&mut self, node: NodeId, op: StreamOp) {
        let mut out = Vec::new();
        self.hosts[node.index()].streams.op(self.now, op, &mut out);
        self.stream_out(node, out);
    }

    /// A segment comes to a machine.
    pub(super) fn segment_arrives(&mut self, from: NodeId, dest: NodeId, segment: Segment) {
        self.log(dest, "stream", |driver| {
            format!("<- {}: {} {}", driver.node_name(from), segment.name(), segment.detail())
        });
        let mut out = Vec::new();
        let host = &mut self.hosts[dest.index()];
        host.streams.on_segment(self.now, from, segment, &mut host.stream_rng, &mut out);
        self.stream_out(dest, out);
    }

    /// A timer of a machine's streams ran out.
    pub(super) fn stream_timer(&mut self, node: NodeId, token: Token) {
        let mut out = Vec::new();
        self.hosts[node.index()].streams.on_timer(self.now, token, &mut out);
        self.stream_out(node, out);
    }

    /// Tell a node what happened on a stream, if it is still the process that it happened to.
    pub(super) fn stream_event(&mut self, node: NodeId, incarnation: u32, event: StreamEvent) {
        if self.hosts[node.index()].identity.incarnation == incarnation {
            self.input(node, Input::Stream(event));
        }
    }

    /// An input of a node has to wait: bytes among them take room in their stream's window.
    pub(super) fn put_into_backlog(&mut self, node: NodeId, input: Input<Msg<C>, Timer<C>>) {
        let host = &mut self.hosts[node.index()];
        if let Input::Stream(StreamEvent::Data(stream, bytes)) = &input {
            host.streams.queued(*stream, bytes.len() as u64);
        }
        host.backlog.push_back(input);
    }

    /// The next input that waits; the room of its bytes is free again.
    pub(super) fn take_from_backlog(&mut self, node: NodeId) -> Option<Input<Msg<C>, Timer<C>>> {
        let host = &mut self.hosts[node.index()];
        let input = host.backlog.pop_front()?;
        if let Input::Stream(StreamEvent::Data(stream, bytes)) = &input {
            let mut out = Vec::new();
            host.streams.taken(self.now, *stream, bytes.len() as u64, &mut out);
            self.stream_out(node, out);
        }
        Some(input)
    }

    /// A process ends. A kill is taken for a crash of the whole machine, the harder case: nobody is
    /// told. Else the machine goes on, and closes what the process had open.
    pub(super) fn drop_streams(&mut self, node: NodeId, reason: &'static str) {
        let host = &mut self.hosts[node.index()];
        if reason == "kill" {
            return host.streams.power_off();
        }
        let mut out = Vec::new();
        host.streams.process_ended(self.now, &mut out);
        self.stream_out(node, out);
    }

    /// Events become inputs through the heap, in the same instant: so a step that asks for
    /// something is over before it is told of it.
    fn stream_out(&mut self, node: NodeId, out: Vec<StreamOut>) {
        for each in out {
            match each {
                StreamOut::Segment { dest, segment } => {
                    self.send_packet(node, dest, Packet::Segment(Box::new(segment)))
                }
                StreamOut::Timer { at, token } => {
                    self.queue.push(at, Due::StreamTimer { node, token })
                }
                StreamOut::Event(event) => {
                    let incarnation = self.hosts[node.index()].identity.incarnation;
                    self.queue.push(
                        self.now,
                        Due::StreamEvent { node, incarnation, event: Box::new(event) },
                    );
                }
            }
        }
    }
}

/// A stream event for the log: bytes are counted, not shown.
pub(super) fn describe(event: &StreamEvent) -> String {
    match event {
        StreamEvent::Data(stream, bytes) => format!("Data({stream:?}, {} bytes)", bytes.len()),
        other => format!("{other:?}"),
    }
}
