//! What the nodes say to each other in datagrams. Uploads go over streams, see `upload`.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::node::{Detail, Message, NodeId};
use crate::rng::Rng;
use crate::systems::raft::RaftMessage;
use crate::wire;

/// A datagram.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum AudioMessage {
    /// Between streamers: the replicated log.
    #[serde(skip)]
    Raft(RaftMessage),
    /// A streamer sends a listener a piece of sound.
    Frame(Frame),
    /// A listener wants to hear. Repeated, because a streamer forgets those that it does not hear
    /// of.
    Subscribe,
    /// The leader has noted the listener.
    Subscribed {
        /// The leader's term.
        term: u64,
    },
    /// A streamer that does not lead says who does, as far as it knows.
    NotLeader {
        /// The leader.
        leader: NodeId,
    },
    /// A listener lacks these frames.
    Nack {
        /// The session.
        session: u32,
        /// The frames, counted from the beginning of the session.
        frames: Vec<u32>,
    },
}

/// How the samples of a session are to be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// Samples a second of each channel.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Samples of a frame in each channel.
    pub frame_samples: u32,
}

/// A piece of sound, with a header after the model of RTP (RFC 3550 §5.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frame {
    /// Which playout of which song.
    pub session: u32,
    /// The term of the leader that sends it.
    pub term: u64,
    /// Counts frames, modulo 2^16.
    pub sequence: u16,
    /// The sequence number of the session's first frame, which is drawn.
    pub first_sequence: u16,
    /// Frames of the session: where it ends is said in every frame, and not by a mark in the sound.
    pub frames: u32,
    /// The media time of its first sample, in samples since the beginning of the session.
    pub timestamp: u32,
    /// How it is to be played.
    pub format: Format,
    /// Whether it is sent when its media time has come: not one that was asked for, nor one of the
    /// burst at a start. Only these tell about jitter.
    pub paced: bool,
    /// The checksum of the samples: XXH3, or what the scenario says.
    pub digest: u64,
    /// The samples.
    pub payload: Payload,
}

/// Samples that many frames share, or a damaged copy of some.
#[derive(Clone, Debug)]
pub struct Payload {
    bytes: Arc<[u8]>,
    range: Range<usize>,
}

impl Payload {
    /// A part of the samples of a song.
    pub fn new(bytes: Arc<[u8]>, range: Range<usize>) -> Payload {
        Payload { bytes, range }
    }

    /// The samples.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.range.clone()]
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        wire::bytes::serialize(&self.bytes(), serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        let bytes: Arc<[u8]> = wire::bytes::deserialize(deserializer)?;
        Ok(Payload { range: 0..bytes.len(), bytes })
    }
}

/// Bytes of a frame besides its samples: those of an RTP header with an extension, and the digest.
const HEADER_BYTES: u32 = 44;

/// The messages that are not the replicated log's.
const OWN: &[&str] = &["Frame", "Subscribe", "Subscribed", "NotLeader", "Nack"];

impl Message for AudioMessage {
    fn to_json(&self, names: &[String]) -> Option<Value> {
        match self {
            AudioMessage::Raft(message) => wire::to_json(message, names),
            own => wire::to_json(own, names),
        }
    }

    fn from_json(body: &Value, names: &[String]) -> Result<AudioMessage, String> {
        if wire::is_one_of(body, OWN) {
            wire::from_json(body, names)
        } else {
            wire::from_json(body, names).map(AudioMessage::Raft)
        }
    }

    fn name(&self) -> &'static str {
        match self {
            AudioMessage::Raft(message) => message.name(),
            AudioMessage::Frame(_) => "Frame",
            AudioMessage::Subscribe => "Subscribe",
            AudioMessage::Subscribed { .. } => "Subscribed",
            AudioMessage::NotLeader { .. } => "NotLeader",
            AudioMessage::Nack { .. } => "Nack",
        }
    }

    fn size(&self) -> u32 {
        match self {
            AudioMessage::Raft(message) => message.size(),
            AudioMessage::Frame(frame) => HEADER_BYTES + frame.payload.range.len() as u32,
            AudioMessage::Nack { frames, .. } => 16 + 4 * frames.len() as u32,
            _ => 16,
        }
    }

    fn detail(&self) -> Detail {
        match self {
            AudioMessage::Raft(message) => message.detail(),
            AudioMessage::Frame(frame) => Detail::Numbers(
                &["session", "sequence", "paced"],
                [frame.session.into(), frame.sequence.into(), i64::from(frame.paced)],
            ),
            AudioMessage::Nack { session, frames } => Detail::Numbers(
                &["session", "first", "count"],
                [
                    (*session).into(),
                    frames.first().copied().unwrap_or(0).into(),
                    frames.len() as i64,
                ],
            ),
            _ => Detail::None,
        }
    }

    /// As over UDP-Lite (RFC 3828): a checksum covers the header, and samples are delivered as they
    /// come, because a player can do more with a damaged frame than with none. Whether it plays it
    /// is the player's choice.
    fn corrupt(&mut self, rng: &mut Rng) -> bool {
        let AudioMessage::Frame(frame) = self else { return false };
        let mut bytes = frame.payload.bytes().to_vec();
        if bytes.is_empty() {
            return false;
        }
        for _ in 0..rng.between(1, 8) {
            let bit = rng.below(8 * bytes.len() as u64) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let range = 0..bytes.len();
        frame.payload = Payload { bytes: bytes.into(), range };
        true
    }
}

impl From<RaftMessage> for AudioMessage {
    fn from(message: RaftMessage) -> Self {
        AudioMessage::Raft(message)
    }
}
