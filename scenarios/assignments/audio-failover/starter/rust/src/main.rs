//! A stream with failover: a skeleton. It listens and leads nobody yet; instructions.en.md and
//! instructions.es.md describe the task.

use std::collections::BTreeMap;

use seedbed_node::{Closed, Ctx, Node, StreamId, run};
use serde::{Deserialize, Serialize};

const PORT: u16 = 7000;
/// A streamer forgets a listener that it has not heard of for so long, s.
const SUBSCRIPTION_S: f64 = 3.0;

/// What a streamer says to an uploader.
#[allow(dead_code, reason = "a beginning says only one of them")]
#[derive(Clone, Copy)]
enum Tag {
    Welcome = 1,
    Moved = 2,
    From = 3,
    Progress = 4,
    Stored = 5,
    Refused = 6,
}

#[derive(Serialize, Deserialize)]
struct Format {
    rate: u32,
    channels: u16,
    frame_samples: u32,
}

/// Bytes in a message; `base64` below makes the text.
#[derive(Serialize, Deserialize)]
struct Payload {
    base64: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    /// A listener wants to hear, or still does.
    Subscribe,
    /// The leader has noted it.
    Subscribed { term: u64 },
    /// A streamer that does not lead says who does.
    NotLeader { leader: String },
    /// A listener lacks frames.
    Nack { session: u32, frames: Vec<u32> },
    /// A frame of sound.
    Frame {
        session: u32,
        term: u64,
        sequence: u16,
        first_sequence: u16,
        frames: u32,
        timestamp: u32,
        format: Format,
        paced: bool,
        digest: u32,
        payload: Payload,
    },
    // TODO: your own, between streamers: votes, entries of the log, and their answers.
}

#[derive(Default)]
struct Streamer {
    current_term: u64,
    leader: Option<String>,
    /// What has come on each connection.
    uploads: BTreeMap<StreamId, Vec<u8>>,
    /// Until when each listener is remembered.
    subscribers: BTreeMap<String, f64>,
}

impl Streamer {
    fn become_role(&mut self, ctx: &mut Ctx, role: &str) {
        ctx.show("role", role);
        ctx.show("current_term", self.current_term);
        // TODO: a leader also calls ctx.observe("leader", json!({ "term": self.current_term })).
    }

    /// All that a streamer says to an uploader: 17 bytes.
    fn reply(&self, ctx: &mut Ctx, stream: StreamId, tag: Tag, first: u64, second: u64) {
        ctx.write(
            stream,
            &[&[tag as u8][..], &first.to_le_bytes(), &second.to_le_bytes()].concat(),
        );
    }
}

impl Node for Streamer {
    type Message = Message;

    /// The process starts, for the first time or after a crash.
    fn on_init(&mut self, ctx: &mut Ctx) {
        self.become_role(ctx, "follower");
        ctx.listen(PORT);
        // TODO: term, vote and log as they were saved: ctx.saved("…"); an election timeout:
        // ctx.set_timer("election", …).
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Message) {
        match message {
            Message::Subscribe => {
                self.subscribers.insert(src.to_owned(), ctx.now() + SUBSCRIPTION_S);
                // TODO: Subscribed if this streamer leads, NotLeader if it knows who does.
            }
            // TODO: resend the frames it names, if they were already sent.
            Message::Nack { .. } => {}
            Message::Subscribed { .. } | Message::NotLeader { .. } | Message::Frame { .. } => {}
        }
    }

    fn on_accept(&mut self, ctx: &mut Ctx, stream: StreamId, _src: &str, _port: u16) {
        // TODO: a leader answers Welcome and keeps the stream in self.uploads.
        let leader = self
            .leader
            .as_ref()
            .and_then(|leader| ctx.start().nodes.iter().position(|node| node == leader));
        self.reply(ctx, stream, Tag::Moved, leader.map_or(0, |place| place as u64 + 1), 0);
        ctx.close(stream);
    }

    /// Bytes have come: a part of the hello, a part of the file, or both.
    fn on_data(&mut self, _ctx: &mut Ctx, stream: StreamId, data: &[u8]) {
        let Some(received) = self.uploads.get_mut(&stream) else { return };
        received.extend_from_slice(data);
        // TODO: number, length and checksum of the upload, 8 bytes each, little-endian; then comes
        // the file.
    }

    /// `Closed::ByPeer`: the uploader has sent everything, and waits for the confirmation, so this
    /// side stays open until then.
    fn on_close(&mut self, _ctx: &mut Ctx, stream: StreamId, reason: Closed) {
        if reason != Closed::ByPeer {
            self.uploads.remove(&stream);
        }
    }
}

/// The CRC-32 of zlib.
#[allow(dead_code, reason = "nothing is sent yet")]
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

/// Bytes as text (RFC 4648, section 4).
#[allow(dead_code, reason = "nothing is sent yet")]
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .enumerate()
            .fold(0, |bits, (place, byte)| bits | u32::from(*byte) << (16 - 8 * place));
        for place in 0..4 {
            let letter = char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]);
            text.push(if place <= three.len() { letter } else { '=' });
        }
    }
    text
}

fn main() {
    run(|_start| Streamer::default());
}
