//! The events of audio, decoded. One that lacks a field is skipped: a checker judges what it
//! understands.

use crate::trace::{Event, NodeId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process begins, or goes on after a pause.
    Start,
    /// A process ends, or stands still.
    Stop,
    Source {
        upload: u64,
        size: u64,
        digest: u64,
        frames: u64,
    },
    SourceFrame {
        upload: u64,
        frame: u64,
        digest: u64,
    },
    Attempt {
        upload: u64,
    },
    Confirmed {
        upload: u64,
        size: u64,
        digest: u64,
    },
    Stored {
        session: u64,
        upload: u64,
    },
    Position(Place),
    TakeOver(Place),
    Send(Place),
    Listener {
        buffer_max: u64,
        frame_us: u64,
    },
    Search {
        attempt: u64,
        wait_us: u64,
    },
    Frame {
        session: u64,
        from: NodeId,
        media_us: i64,
        arrival_us: i64,
        paced: bool,
        jitter_us: i64,
    },
    Play {
        session: u64,
        frame: u64,
        digest: u64,
    },
    Conceal {
        session: u64,
        lost: bool,
    },
    End {
        session: u64,
        frames: u64,
        first: u64,
        counts: [u64; 3],
    },
}

impl Kind {
    /// The role of those who can know it; `None` where every node can.
    pub fn teller(self) -> Option<&'static str> {
        match self {
            Kind::Start | Kind::Stop => None,
            Kind::Source { .. }
            | Kind::SourceFrame { .. }
            | Kind::Attempt { .. }
            | Kind::Confirmed { .. } => Some("uploader"),
            Kind::Stored { .. } | Kind::Position(_) | Kind::TakeOver(_) | Kind::Send(_) => {
                Some("streamer")
            }
            Kind::Listener { .. } | Kind::Search { .. } | Kind::Frame { .. } => Some("listener"),
            Kind::Play { .. } | Kind::Conceal { .. } | Kind::End { .. } => Some("listener"),
        }
    }
}

/// A frame of a session, in the words of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub session: u64,
    pub frame: u64,
    pub term: u64,
}

/// An event with its time and node.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Position among all records of the run.
    pub order: u64,
    pub time_us: u64,
    pub node: NodeId,
    pub incarnation: u32,
    pub kind: Kind,
}

pub fn decode(event: &Event) -> Option<Record> {
    let fields = &event.fields;
    let int = |name: &str| fields.int(name);
    let number = |name: &str| fields.int(name).and_then(|number| u64::try_from(number).ok());
    let place = || {
        Some(Place { session: number("session")?, frame: number("frame")?, term: number("term")? })
    };
    let kind = match event.name.as_ref() {
        "start" | "resume" => Kind::Start,
        "crash" | "pause" => Kind::Stop,
        "source" => Kind::Source {
            upload: fields.hash("upload")?,
            size: number("size")?,
            digest: fields.hash("digest")?,
            frames: number("frames")?,
        },
        "source_frame" => Kind::SourceFrame {
            upload: fields.hash("upload")?,
            frame: number("frame")?,
            digest: fields.hash("digest")?,
        },
        "upload_attempt" => Kind::Attempt { upload: fields.hash("upload")? },
        "upload_confirmed" => Kind::Confirmed {
            upload: fields.hash("upload")?,
            size: number("size")?,
            digest: fields.hash("digest")?,
        },
        "stored" => Kind::Stored { session: number("session")?, upload: fields.hash("upload")? },
        "position" => Kind::Position(place()?),
        "take_over" => Kind::TakeOver(place()?),
        "send" => Kind::Send(place()?),
        "listener" => Kind::Listener {
            buffer_max: number("buffer_max_frames")?,
            frame_us: number("frame_us")?,
        },
        "search" => Kind::Search { attempt: number("attempt")?, wait_us: number("wait_us")? },
        "frame" => Kind::Frame {
            session: number("session")?,
            from: fields.node("from")?,
            media_us: int("media_us")?,
            arrival_us: int("arrival_us")?,
            paced: int("paced")? == 1,
            jitter_us: int("jitter_us")?,
        },
        "play" => Kind::Play {
            session: number("session")?,
            frame: number("frame")?,
            digest: fields.hash("digest")?,
        },
        "conceal" => {
            Kind::Conceal { session: number("session")?, lost: fields.text("reason")? == "lost" }
        }
        "end" => Kind::End {
            session: number("session")?,
            frames: number("frames")?,
            first: number("first")?,
            counts: [number("played")?, number("lost")?, number("concealed")?],
        },
        _ => return None,
    };
    Some(Record {
        order: event.index,
        time_us: event.time_us,
        node: event.node,
        incarnation: event.incarnation,
        kind,
    })
}
