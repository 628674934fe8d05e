//! What the nodes show of themselves: the one place that knows the names of events and their
//! fields.

use super::AudioNode;
use super::song::FrameInfo;
use super::station::Position;
use crate::node::{Ctx, NodeId, Value};
use crate::vocabulary::{EventInfo, Kind, MetricInfo};

/// The context of a node of this system.
pub type Context<'a> = Ctx<'a, AudioNode>;

/// The events of this system besides those of Raft.
/// Its events.
pub const EVENTS: &[EventInfo] = &[
    EventInfo {
        fields: &[],
        name: "source",
        summary: "An uploader shows the file that it has: size, digest, the digest of its samples, \
            how many frames it makes.",
    },
    EventInfo {
        fields: &[],
        name: "source_frame",
        summary: "A frame as it should be heard: digest and loudest sample.",
    },
    EventInfo { fields: &[], name: "upload_attempt", summary: "An uploader turns to a streamer." },
    EventInfo {
        fields: &[],
        name: "upload_confirmed",
        summary: "A streamer has confirmed an upload, with size and digest of what it has stored.",
    },
    EventInfo {
        fields: &[],
        name: "stored",
        summary: "A streamer has applied the end of an upload: the song is stored and makes a \
            session.",
    },
    EventInfo {
        fields: &[],
        name: "position",
        summary: "A streamer has applied a playout position: all frames before it were sent.",
    },
    EventInfo {
        fields: &[],
        name: "take_over",
        summary: "A leader begins to send, with its burst, from this frame on.",
    },
    EventInfo {
        fields: &[],
        name: "send",
        summary: "A leader has sent a frame to so many listeners because its media time had come.",
    },
    EventInfo {
        fields: &[],
        name: "silent",
        summary: "A streamer has stopped sending because it no longer leads.",
    },
    EventInfo {
        fields: &[],
        name: "listener",
        summary: "A listener has started: its target depth and its largest, in frames; the length \
            of a frame.",
    },
    EventInfo {
        fields: &[],
        name: "search",
        summary: "A listener hears nothing and asks all streamers; `wait_us` is how long it will \
            wait before it does so again.",
    },
    EventInfo {
        fields: &[],
        name: "frame",
        summary: "An intact frame has come for the first time: what became of it, arrival by the \
            node's own clock, jitter.",
    },
    EventInfo {
        fields: &[],
        name: "play",
        summary: "A frame is heard; `bytes` where its samples are not those that its digest was \
            made of.",
    },
    EventInfo {
        fields: &[],
        name: "conceal",
        summary: "Nothing is there to be heard in this time: the frame is `lost`, or the buffer is \
            empty (`underrun`).",
    },
    EventInfo {
        fields: &[],
        name: "underrun",
        summary: "The buffer is empty, and playing pauses until it has filled again.",
    },
    EventInfo {
        fields: &[],
        name: "end",
        summary: "A session has been heard to its end, with what the listener has counted.",
    },
];

/// The metrics of this system besides those of Raft.
/// Its metrics.
pub const METRICS: &[MetricInfo] = &[
    MetricInfo {
        kind: Kind::Number,
        name: "session",
        summary: "The session that a streamer or a listener is in.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "position",
        summary: "The first frame of the session that was not yet sent, by the replicated state.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "subscribers",
        summary: "How many listeners a streamer knows.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "uploaded_bytes",
        summary: "How much of its file an uploader knows to be stored.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "buffer_frames",
        summary: "Frames in a listener's jitter buffer, of the session that plays.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "played_frames",
        summary: "Frames that a listener has played, of all sessions.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "late_frames",
        summary: "Frames that came after their time.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "lost_frames",
        summary: "Frames that were concealed because they had not come in time.",
    },
    MetricInfo { kind: Kind::Number, name: "duplicate_frames", summary: "Frames that came again." },
    MetricInfo {
        kind: Kind::Number,
        name: "damaged_frames",
        summary: "Frames whose digest did not fit.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "refused_frames",
        summary: "Frames too far ahead of the playhead for the buffer.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "concealed_frames",
        summary: "Frame times in which something had to be made up: lost frames and those of an \
            empty buffer.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "underruns",
        summary: "How often the buffer ran empty.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "interarrival_jitter_us",
        summary: "The jitter estimate of RFC 3550, µs.",
    },
];

pub fn source(
    ctx: &mut Context<'_>,
    upload: u64,
    (size, digest): (u64, u64),
    samples: u64,
    frames: u32,
    format: (u32, u16, u32),
) {
    ctx.observe(
        "source",
        &["upload", "size", "digest", "samples", "frames", "rate", "channels", "frame_samples"],
        &[
            Value::Hash(upload),
            Value::number(size),
            Value::Hash(digest),
            Value::Hash(samples),
            Value::number(frames),
            Value::number(format.0),
            Value::number(format.1),
            Value::number(format.2),
        ],
    );
}

pub fn source_frame(ctx: &mut Context<'_>, upload: u64, frame: u32, info: FrameInfo) {
    let values = [
        Value::Hash(upload),
        Value::number(frame),
        Value::Hash(info.digest),
        Value::number(info.peak),
    ];
    ctx.observe("source_frame", &["upload", "frame", "digest", "peak"], &values);
}

pub fn upload_attempt(ctx: &mut Context<'_>, upload: u64, attempt: u64, to: NodeId) {
    ctx.observe(
        "upload_attempt",
        &["upload", "attempt", "to"],
        &[Value::Hash(upload), Value::number(attempt), Value::Node(to)],
    );
}

pub fn upload_confirmed(ctx: &mut Context<'_>, upload: u64, size: u64, digest: u64) {
    ctx.observe(
        "upload_confirmed",
        &["upload", "size", "digest"],
        &[Value::Hash(upload), Value::number(size), Value::Hash(digest)],
    );
}

pub fn stored(
    ctx: &mut Context<'_>,
    session: u32,
    upload: u64,
    uploader: NodeId,
    size: u64,
    digest: u64,
) {
    ctx.observe(
        "stored",
        &["session", "upload", "uploader", "size", "digest"],
        &[
            Value::number(session),
            Value::Hash(upload),
            Value::Node(uploader),
            Value::number(size),
            Value::Hash(digest),
        ],
    );
}

const PLACE: &[&str] = &["session", "frame", "term"];

pub fn position(ctx: &mut Context<'_>, at: Position) {
    ctx.observe(
        "position",
        PLACE,
        &[Value::number(at.session), Value::number(at.frame), Value::number(at.term)],
    );
}

pub fn take_over(ctx: &mut Context<'_>, at: Position) {
    ctx.observe(
        "take_over",
        PLACE,
        &[Value::number(at.session), Value::number(at.frame), Value::number(at.term)],
    );
}

pub fn silent(ctx: &mut Context<'_>, at: Position) {
    ctx.observe(
        "silent",
        PLACE,
        &[Value::number(at.session), Value::number(at.frame), Value::number(at.term)],
    );
}

pub fn send(ctx: &mut Context<'_>, at: Position, listeners: usize) {
    let values = [
        Value::number(at.session),
        Value::number(at.frame),
        Value::number(at.term),
        Value::number(listeners as u64),
    ];
    ctx.observe("send", &["session", "frame", "term", "listeners"], &values);
}

pub fn listener(ctx: &mut Context<'_>, target: u32, most: u32, frame_us: u64) {
    ctx.observe(
        "listener",
        &["target_frames", "buffer_max_frames", "frame_us"],
        &[Value::number(target), Value::number(most), Value::number(frame_us)],
    );
}

pub fn search(ctx: &mut Context<'_>, attempt: u32, wait_us: u64) {
    ctx.observe(
        "search",
        &["attempt", "wait_us"],
        &[Value::number(attempt), Value::number(wait_us)],
    );
}

/// What an arrival was.
pub struct Arrived {
    pub session: u32,
    pub frame: u32,
    pub from: NodeId,
    pub outcome: &'static str,
    pub media_us: i64,
    pub arrival_us: i64,
    pub paced: bool,
    pub jitter_us: i64,
}

pub fn frame(ctx: &mut Context<'_>, arrived: &Arrived) {
    ctx.observe(
        "frame",
        &["session", "frame", "from", "outcome", "media_us", "arrival_us", "paced", "jitter_us"],
        &[
            Value::number(arrived.session),
            Value::number(arrived.frame),
            Value::Node(arrived.from),
            Value::Text(arrived.outcome.into()),
            Value::Int(arrived.media_us),
            Value::Int(arrived.arrival_us),
            Value::number(u64::from(arrived.paced)),
            Value::Int(arrived.jitter_us),
        ],
    );
}

/// `damaged`: the samples, where they are not those that the frame's digest was made of.
pub fn play(
    ctx: &mut Context<'_>,
    session: u32,
    frame: u32,
    info: FrameInfo,
    damaged: Option<&[u8]>,
) {
    let values = [
        Value::number(session),
        Value::number(frame),
        Value::Hash(info.digest),
        Value::number(info.peak),
    ];
    match damaged {
        None => ctx.observe("play", &["session", "frame", "digest", "peak"], &values),
        Some(bytes) => {
            let [session, frame, digest, peak] = values;
            let bytes = Value::Text(hex(bytes).into());
            ctx.observe(
                "play",
                &["session", "frame", "digest", "peak", "bytes"],
                &[session, frame, digest, peak, bytes],
            );
        }
    }
}

pub fn conceal(ctx: &mut Context<'_>, session: u32, frame: u32, reason: &'static str) {
    ctx.observe(
        "conceal",
        &["session", "frame", "reason"],
        &[Value::number(session), Value::number(frame), Value::Text(reason.into())],
    );
}

pub fn underrun(ctx: &mut Context<'_>, session: u32, frame: u32) {
    ctx.observe("underrun", &["session", "frame"], &[Value::number(session), Value::number(frame)]);
}

/// What a listener has counted in a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub played: u64,
    pub lost: u64,
    pub concealed: u64,
    pub underruns: u64,
}

pub fn end(ctx: &mut Context<'_>, session: u32, frames: u32, first: u32, counts: &Counts) {
    ctx.observe(
        "end",
        &["session", "frames", "first", "played", "lost", "concealed", "underruns"],
        &[
            Value::number(session),
            Value::number(frames),
            Value::number(first),
            Value::number(counts.played),
            Value::number(counts.lost),
            Value::number(counts.concealed),
            Value::number(counts.underruns),
        ],
    );
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
