//! Streams as a node sees them: ends, ports, what happens on them and what can be asked of them.

use crate::trace::NodeId;

/// One end of a stream connection, unique among all ends that its node ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// A port that streams are accepted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub u16);

/// What can happen on a stream, as a socket program sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// A peer has connected to a port that this node listens on.
    Accepted {
        /// The new end.
        stream: StreamId,
        /// Who has connected.
        from: NodeId,
        /// The port.
        port: Port,
    },
    /// A connection that this node asked for stands.
    Connected(StreamId),
    /// Nobody listens there.
    Refused(StreamId),
    /// Bytes, in order; how they are cut into pieces is drawn from the seed.
    Data(StreamId, Vec<u8>),
    /// The peer has closed its direction; this node may still write.
    PeerClosed(StreamId),
    /// There is room again in a send buffer that was full.
    Writable(StreamId),
    /// The connection was broken off by the peer, or the peer does not know it (any more).
    Reset(StreamId),
    /// The peer did not answer for as long as the retransmissions last.
    TimedOut(StreamId),
}

/// What a step asks of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamOp {
    /// Accept connections on a port from now on.
    Listen(Port),
    /// Open a connection; `stream` names the new end.
    Connect {
        /// The new end.
        stream: StreamId,
        /// The node to reach.
        dest: NodeId,
        /// The port to reach.
        port: Port,
    },
    /// Append bytes to the send buffer.
    Write(StreamId, Vec<u8>),
    /// No more bytes from this side (a half-close).
    Close(StreamId),
    /// Give the node no more bytes; they fill the receive window, and then the peer has to wait.
    PauseReading(StreamId),
    /// Give the node what has come meanwhile, and what comes.
    ResumeReading(StreamId),
    /// Break the connection off immediately, and forget it.
    Reset(StreamId),
}
