//! What travels between two hosts: the segments of a stream.

use crate::node::{Detail, Port, StreamId};
use crate::time::Time;

/// The headers of IP (20 bytes) and TCP (20), and the timestamps option with its padding (12).
const HEADER_BYTES: u32 = 52;

/// One segment. It names both ends by ids that no node ever gives twice, so that a segment of a
/// dead incarnation fits no living end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The sender's end; `None` only where a host refuses a connection, for which it made no end.
    pub(crate) src: Option<StreamId>,
    /// The receiver's end; `None` only in a SYN, whose sender cannot know it yet.
    pub(crate) dest: Option<StreamId>,
    /// What it is for.
    pub(crate) kind: Kind,
    /// How many bytes of the other direction have arrived without a gap, plus one for a FIN after
    /// them.
    pub(crate) ack: u64,
    /// How many more bytes than `ack` the sender of this segment has room for.
    pub(crate) window: u32,
    /// When it was sent: the timestamps option of RFC 7323, of which only the sender makes use.
    pub(crate) stamp: Time,
    /// The `stamp` of the segment that is acknowledged.
    pub(crate) echo: Time,
}

/// The kinds of segments. A FIN carries no bytes of its own: it is the position after the last
/// byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Open a connection.
    Syn {
        /// To this port.
        port: Port,
    },
    /// The answer to a SYN.
    SynAck,
    /// Nothing but the acknowledgement.
    Ack,
    /// Bytes.
    Data {
        /// The position of the first one in the stream, from 0. Positions have 64 bits and never
        /// wrap.
        seq: u64,
        /// At least one.
        bytes: Vec<u8>,
    },
    /// No more bytes.
    Fin {
        /// The length of the whole stream.
        seq: u64,
    },
    /// There is no such connection, or no longer.
    Rst,
}

impl Segment {
    /// The message type in the trace.
    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Syn { .. } => "SYN",
            Kind::SynAck => "SYN-ACK",
            Kind::Ack => "ACK",
            Kind::Data { .. } => "DATA",
            Kind::Fin { .. } => "FIN",
            Kind::Rst => "RST",
        }
    }

    /// Bytes on the wire, headers included.
    pub(crate) fn size(&self) -> u32 {
        let payload = match &self.kind {
            Kind::Data { bytes, .. } => u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            _ => 0,
        };
        payload.saturating_add(HEADER_BYTES)
    }

    /// What `messages.csv` says of it; `stream` is the sender's end.
    pub(crate) fn detail(&self) -> Detail {
        let stream = self.src.map_or(-1, |id| number(id.0));
        match &self.kind {
            Kind::Syn { port } => Detail::Numbers(
                &["stream", "port", "window"],
                [stream, i64::from(port.0), i64::from(self.window)],
            ),
            Kind::SynAck | Kind::Ack => Detail::Numbers(
                &["stream", "ack", "window"],
                [stream, number(self.ack), i64::from(self.window)],
            ),
            Kind::Data { seq, bytes } => Detail::Numbers(
                &["stream", "seq", "len"],
                [stream, number(*seq), number(bytes.len() as u64)],
            ),
            Kind::Fin { seq } => {
                Detail::Numbers(&["stream", "seq", "ack"], [stream, number(*seq), number(self.ack)])
            }
            Kind::Rst => Detail::Numbers(
                &["stream", "peer_stream", "ack"],
                [stream, self.dest.map_or(-1, |id| number(id.0)), number(self.ack)],
            ),
        }
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
