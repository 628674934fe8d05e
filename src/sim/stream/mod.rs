//! Streams: TCP over the simulated datagrams, as a socket program sees it.
//!
//! [`Streams`] holds all ends that one machine has. It is a pure state machine: the driver tells it
//! what the node asks, what arrives and which timer has run out, and carries its segments over the
//! same links as datagrams, with their loss, duplication, reordering, partitions and bandwidth.
//! What a corrupted link damages, the checksum finds, and it is as good as lost.
//!
//! As in TCP: a handshake of three segments, of which the accepting node hears with the third;
//! bytes that arrive in order and exactly once, or not at all; cumulative acknowledgements;
//! windows; fast retransmission after three duplicate acknowledgements, else after a time-out that
//! adapts to the round trip (RFC 6298, RFC 7323) and doubles; closing each direction by itself; a
//! reset for whoever speaks to a connection that is not there. A crashed machine tells nobody: its
//! peer finds out when it sends something, and never otherwise, because there are no keep-alives.
//!
//! Other than in TCP:
//! - No congestion control. The receiver's window and a fixed number of segments in flight are the
//!   only limits.
//! - No Nagle, no delayed acknowledgements, no selective ones. A write leaves immediately if the
//!   window permits, so that, on a network without loss and with `fragment = 0`, a write of up to a
//!   segment arrives as one piece: the friendly case, on which programs must not rely.
//! - Positions are 64 bits from 0, and an end's id is never given again; so old segments need no
//!   quiet time to be told from new ones.
//! - The send buffer takes everything. [`StreamEvent::Writable`] follows when one that had exceeded
//!   `window` has fallen to half of it; a program that writes on without waiting for it only uses
//!   memory.
//! - Bytes are given to the node when they arrive. So the receive window holds what is out of
//!   order, what fragmentation keeps back, what comes after [`StreamOp::PauseReading`], and what
//!   waits in the backlog of a node that is paused or busy. When that fills the window, the sender
//!   stops, and asks for room as RFC 9293 (3.8.6.1) says.
//!
//! A crash of the machine is silent. When only the process ends (an exit, a panic, an orderly
//! stop), the machine closes its connections and refuses new ones, as an operating system does.

mod end;
mod receive;
mod rto;
mod segment;
mod send;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use end::{End, Fate, State};
pub(crate) use segment::{Kind, Segment};

use crate::node::{NodeId, Port, StreamEvent, StreamId, StreamOp};
use crate::rng::Rng;
use crate::scenario::StreamSpec;
use crate::time::Time;

/// Connections that may wait for the third segment of their handshake; a SYN beyond is not
/// answered, as with a backlog that is full.
const HALF_OPEN_MAX: usize = 1_024;

/// What the streams want done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StreamOut {
    /// Send this.
    Segment { dest: NodeId, segment: Segment },
    /// Tell the node.
    Event(StreamEvent),
    /// Call [`Streams::on_timer`] at this time.
    Timer { at: Time, token: Token },
}

/// Names a timer. [`Streams`] ignores those that were replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token {
    stream: StreamId,
    serial: u32,
}

/// All stream ends of a machine.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    spec: StreamSpec,
    /// The id of the next end. It goes on counting over crashes: ids that never return tell a
    /// segment of a dead incarnation from one of a living.
    pub(crate) next_stream: u64,
    powered: bool,
    listening: BTreeSet<Port>,
    ends: BTreeMap<StreamId, End>,
    /// The ends that a SYN made, by the node and end that it came from, so that its copies make no
    /// others.
    answered: BTreeMap<(NodeId, StreamId), StreamId>,
    /// How many ends wait for the third segment of their handshake.
    half_open: usize,
}

impl Streams {
    /// Those of a machine that is off.
    pub(crate) fn new(spec: &StreamSpec) -> Self {
        Streams {
            spec: spec.clone(),
            next_stream: 1,
            powered: false,
            listening: BTreeSet::new(),
            ends: BTreeMap::new(),
            answered: BTreeMap::new(),
            half_open: 0,
        }
    }

    /// The machine is switched on, if it was off.
    pub(crate) fn power_on(&mut self) {
        self.powered = true;
    }

    /// The machine crashes: all is forgotten, and nobody is told.
    pub(crate) fn power_off(&mut self) {
        *self = Streams { next_stream: self.next_stream, ..Streams::new(&self.spec) };
    }

    /// Whether the machine is on: then it answers, also when no process runs on it.
    pub(crate) fn is_powered(&self) -> bool {
        self.powered
    }

    /// Do what the node asks. An operation on an end that is gone does nothing: the node was told,
    /// or will read it next.
    pub(crate) fn op(&mut self, now: Time, op: StreamOp, out: &mut Vec<StreamOut>) {
        match op {
            StreamOp::Listen(port) => {
                self.listening.insert(port);
            }
            StreamOp::Connect { stream, dest, port } => {
                let mut end = End::connect(now, stream, dest, port, &self.spec, out);
                end.arm(out);
                let before = self.ends.insert(stream, end);
                assert!(before.is_none(), "the stream {stream:?} exists already");
            }
            StreamOp::Write(stream, bytes) => self.with(stream, out, |end, out| {
                end.write(now, &bytes, out);
                Fate::Kept
            }),
            StreamOp::Close(stream) => self.with(stream, out, |end, out| {
                end.close(now, out);
                Fate::Kept
            }),
            StreamOp::PauseReading(stream) => self.with(stream, out, |end, _| {
                end.pause();
                Fate::Kept
            }),
            StreamOp::ResumeReading(stream) => {
                self.with(stream, out, |end, out| end.resume(now, out))
            }
            StreamOp::Reset(stream) => self.with(stream, out, |end, out| {
                end.reset(now, out);
                Fate::Forgotten
            }),
        }
    }

    /// A segment arrived. `rng` draws how bytes are cut into pieces.
    pub(crate) fn on_segment(
        &mut self,
        now: Time,
        from: NodeId,
        segment: Segment,
        rng: &mut Rng,
        out: &mut Vec<StreamOut>,
    ) {
        if let Kind::Syn { port } = segment.kind {
            return self.on_syn(now, from, &segment, port, out);
        }
        let known = segment.dest.and_then(|id| self.ends.get(&id)).filter(|end| end.peer == from);
        // The first answer to a SYN names the peer's end; from then on only that one fits. A
        // refusal comes from no end at all.
        let fits = known.is_some_and(|end| match (end.state, &segment.kind) {
            (State::SynSent(_), Kind::SynAck) => segment.src.is_some(),
            (State::SynSent(_), Kind::Rst) => segment.src.is_none(),
            (State::SynSent(_), _) => false,
            _ => segment.src == end.peer_end,
        });
        match segment.dest {
            Some(id) if fits => {
                self.with(id, out, |end, out| end.on_segment(now, segment, rng, out))
            }
            _ => refuse(now, from, &segment, out),
        }
    }

    /// A timer ran out.
    pub(crate) fn on_timer(&mut self, now: Time, token: Token, out: &mut Vec<StreamOut>) {
        self.with(token.stream, out, |end, out| end.on_timer(now, token, out));
    }

    /// Bytes that the node was given wait in its backlog: they take room in the window.
    pub(crate) fn queued(&mut self, stream: StreamId, bytes: u64) {
        if let Some(end) = self.ends.get_mut(&stream) {
            end.queued(bytes);
        }
    }

    /// The node has taken such bytes.
    pub(crate) fn taken(
        &mut self,
        now: Time,
        stream: StreamId,
        bytes: u64,
        out: &mut Vec<StreamOut>,
    ) {
        self.with(stream, out, |end, out| {
            end.taken(now, bytes, out);
            Fate::Kept
        });
    }

    /// The process has ended and the machine goes on, as after an exit: nobody listens any more,
    /// what was written is still delivered, and each connection is closed, or reset where bytes are
    /// left that nobody will read. The node hears nothing more of them.
    pub(crate) fn process_ended(&mut self, now: Time, out: &mut Vec<StreamOut>) {
        self.listening.clear();
        let ids: Vec<StreamId> = self.ends.keys().copied().collect();
        for id in ids {
            self.with(id, out, |end, out| end.abandon(now, out));
        }
    }

    fn on_syn(
        &mut self,
        now: Time,
        from: NodeId,
        syn: &Segment,
        port: Port,
        out: &mut Vec<StreamOut>,
    ) {
        let Some(peer_end) = syn.src else { return };
        if let Some(id) = self.answered.get(&(from, peer_end)) {
            return self.with(*id, out, |end, out| {
                end.on_syn_again(now, out);
                Fate::Kept
            });
        }
        if !self.listening.contains(&port) {
            return refuse(now, from, syn, out);
        }
        if self.half_open >= HALF_OPEN_MAX {
            return;
        }
        self.half_open += 1;
        let id = StreamId(self.next_stream);
        self.next_stream += 1;
        let mut end = End::answer(now, id, from, syn, port, &self.spec, out);
        end.arm(out);
        self.ends.insert(id, end);
        self.answered.insert((from, peer_end), id);
    }

    /// Do something with an end, if it is there, and afterwards what always follows.
    fn with(
        &mut self,
        id: StreamId,
        out: &mut Vec<StreamOut>,
        act: impl FnOnce(&mut End, &mut Vec<StreamOut>) -> Fate,
    ) {
        let Some(end) = self.ends.get_mut(&id) else { return };
        let was_half_open = matches!(end.state, State::SynReceived(_));
        let fate = act(end, out);
        if was_half_open && (fate == Fate::Forgotten || end.state == State::Open) {
            self.half_open -= 1;
        }
        match fate {
            Fate::Kept => end.arm(out),
            Fate::Forgotten => {
                if let Some(peer_end) = end.peer_end {
                    self.answered.remove(&(end.peer, peer_end));
                }
                self.ends.remove(&id);
            }
        }
    }
}

/// Answer a segment that fits no end. A reset is never answered, else two hosts would answer each
/// other for ever.
fn refuse(now: Time, from: NodeId, segment: &Segment, out: &mut Vec<StreamOut>) {
    if segment.kind == Kind::Rst {
        return;
    }
    let reset = Segment {
        src: segment.dest,
        dest: segment.src,
        kind: Kind::Rst,
        ack: 0,
        window: 0,
        stamp: now,
        echo: segment.stamp,
    };
    out.push(StreamOut::Segment { dest: from, segment: reset });
}
