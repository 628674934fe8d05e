//! Streams in a dialogue: without a window and without loss, each operation one delivery.

use std::collections::{BTreeMap, BTreeSet};

use crate::node::{Message, Port, StreamEvent, StreamId, StreamOp};
use crate::trace::NodeId;

/// What is in flight. `to` and `from` are the ends of a stream, each in the words of its node.
#[derive(Clone)]
pub(super) enum Parcel<M> {
    Message(M),
    Open { from: StreamId, port: Port },
    Opened { to: StreamId, from: StreamId },
    Refused { to: StreamId },
    Data { to: StreamId, from: StreamId, bytes: Vec<u8> },
    Fin { to: StreamId },
    Reset { to: StreamId },
}

impl<M: Message> Parcel<M> {
    /// The type by which a script selects it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Parcel::Message(message) => message.name(),
            Parcel::Open { .. } => "Open",
            Parcel::Opened { .. } => "Opened",
            Parcel::Refused { .. } => "Refused",
            Parcel::Data { .. } => "Data",
            Parcel::Fin { .. } => "Fin",
            Parcel::Reset { .. } => "Reset",
        }
    }

    /// What the machine of a process that is down sends back.
    pub(super) fn answer_of_nobody(&self) -> Option<Parcel<M>> {
        match self {
            Parcel::Open { from, .. } => Some(Parcel::Refused { to: *from }),
            Parcel::Data { from, .. } => Some(Parcel::Reset { to: *from }),
            _ => None,
        }
    }
}

/// One end of a stream.
struct End {
    peer: NodeId,
    /// The peer's end, once it is known.
    other: Option<StreamId>,
    /// What was written before that.
    early: Vec<Vec<u8>>,
    closed_early: bool,
}

/// The streams of a node.
#[derive(Default)]
pub(super) struct Sockets {
    listens: BTreeSet<Port>,
    ends: BTreeMap<StreamId, End>,
}

impl Sockets {
    /// Carry out an operation of the node. Returns what leaves it, and to whom.
    pub(super) fn operate<M>(&mut self, op: StreamOp) -> Vec<(NodeId, Parcel<M>)> {
        match op {
            StreamOp::Listen(port) => {
                self.listens.insert(port);
                vec![]
            }
            StreamOp::Connect { stream, dest, port } => {
                let end = End { peer: dest, other: None, early: vec![], closed_early: false };
                self.ends.insert(stream, end);
                vec![(dest, Parcel::Open { from: stream, port })]
            }
            StreamOp::Write(stream, bytes) => {
                let Some(end) = self.ends.get_mut(&stream) else { return vec![] };
                match end.other {
                    Some(to) => vec![(end.peer, Parcel::Data { to, from: stream, bytes })],
                    None => {
                        end.early.push(bytes);
                        vec![]
                    }
                }
            }
            StreamOp::Close(stream) => {
                let Some(end) = self.ends.get_mut(&stream) else { return vec![] };
                end.closed_early = end.other.is_none();
                end.other.map(|to| (end.peer, Parcel::Fin { to })).into_iter().collect()
            }
            StreamOp::Reset(stream) => {
                let end = self.ends.remove(&stream);
                let reset = end.and_then(|end| Some((end.peer, Parcel::Reset { to: end.other? })));
                reset.into_iter().collect()
            }
            // A script delivers when it likes, so that a reader who pauses needs no help.
            StreamOp::PauseReading(_) | StreamOp::ResumeReading(_) => vec![],
        }
    }

    /// Something has arrived. Returns the event for the node, and what its machine sends back.
    pub(super) fn arrive<M>(
        &mut self,
        from: NodeId,
        parcel: Parcel<M>,
        next_stream: &mut u64,
    ) -> (Option<StreamEvent>, Vec<Parcel<M>>) {
        match parcel {
            Parcel::Message(_) => unreachable!("datagrams go to the node itself"),
            Parcel::Open { from: theirs, port } if self.listens.contains(&port) => {
                let stream = StreamId(*next_stream);
                *next_stream += 1;
                let end =
                    End { peer: from, other: Some(theirs), early: vec![], closed_early: false };
                self.ends.insert(stream, end);
                let opened = Parcel::Opened { to: theirs, from: stream };
                (Some(StreamEvent::Accepted { stream, from, port }), vec![opened])
            }
            Parcel::Open { from: theirs, .. } => (None, vec![Parcel::Refused { to: theirs }]),
            Parcel::Opened { to, from: theirs } => {
                let Some(end) = self.ends.get_mut(&to) else {
                    return (None, vec![Parcel::Reset { to: theirs }]);
                };
                end.other = Some(theirs);
                let data = |bytes| Parcel::Data { to: theirs, from: to, bytes };
                let mut early: Vec<_> = end.early.drain(..).map(data).collect();
                early.extend(end.closed_early.then_some(Parcel::Fin { to: theirs }));
                (Some(StreamEvent::Connected(to)), early)
            }
            Parcel::Refused { to } => {
                (self.ends.remove(&to).map(|_| StreamEvent::Refused(to)), vec![])
            }
            Parcel::Data { to, from: theirs, bytes } => {
                if self.ends.contains_key(&to) {
                    (Some(StreamEvent::Data(to, bytes)), vec![])
                } else {
                    (None, vec![Parcel::Reset { to: theirs }])
                }
            }
            Parcel::Fin { to } => {
                (self.ends.contains_key(&to).then_some(StreamEvent::PeerClosed(to)), vec![])
            }
            Parcel::Reset { to } => (self.ends.remove(&to).map(|_| StreamEvent::Reset(to)), vec![]),
        }
    }

    /// Forget all streams to a peer, and return them.
    pub(super) fn forget(&mut self, peer: NodeId) -> Vec<StreamId> {
        let all = self.ends.iter().filter(|(_, end)| end.peer == peer);
        let lost: Vec<StreamId> = all.map(|(stream, _)| *stream).collect();
        for stream in &lost {
            self.ends.remove(stream);
        }
        lost
    }
}
