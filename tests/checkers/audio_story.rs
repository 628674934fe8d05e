//! Small traces of uploads and playout, told record by record.

use seedbed::trace::{Event, Fields, Metric, NodeId, NodeInfo, Op, OpType, Trace, Value};

pub const N1: NodeId = NodeId(0);
pub const N2: NodeId = NodeId(1);
pub const N3: NodeId = NodeId(2);
pub const UPLOADER: NodeId = NodeId(3);
pub const EAR: NodeId = NodeId(4);

/// Three streamers, an uploader with a song of ten frames, a listener. Each record comes a
/// millisecond after the one before.
#[derive(Clone)]
pub struct Run {
    pub trace: Trace,
    pub now_us: u64,
    pub index: u64,
}

pub fn int(number: i64) -> Value {
    Value::Int(number)
}

/// The digest of a frame of the song.
pub fn digest(frame: i64) -> Value {
    Value::Hash(1_000 + frame as u64)
}

pub const SONG: Value = Value::Hash(7);

impl AsRef<Trace> for Run {
    fn as_ref(&self) -> &Trace {
        &self.trace
    }
}

impl Run {
    /// All nodes work, and the uploader has told what its song is.
    pub fn new() -> Run {
        let node =
            |name: &str, role: &'static str| NodeInfo { name: name.into(), role: role.into() };
        let streamers = (1..=3).map(|i| node(&format!("n{i}"), "streamer"));
        let others = [node("uploader", "uploader"), node("listener1", "listener")];
        let trace = Trace {
            duration_us: 10_000_000,
            end_us: 20_000_000,
            nodes: streamers.chain(others).collect(),
            ..Trace::default()
        };
        let mut run = Run { trace, now_us: 0, index: 0 };
        for node in [N1, N2, N3, UPLOADER, EAR] {
            run.event(node, "start", &[]);
        }
        run.event(
            EAR,
            "listener",
            &[("target_frames", int(3)), ("buffer_max_frames", int(6)), ("frame_us", int(20_000))],
        );
        run.event(
            UPLOADER,
            "source",
            &[
                ("upload", SONG),
                ("size", int(3_000)),
                ("digest", Value::Hash(9)),
                ("frames", int(10)),
            ],
        );
        for frame in 0..10 {
            run.event(
                UPLOADER,
                "source_frame",
                &[("upload", SONG), ("frame", int(frame)), ("digest", digest(frame))],
            );
        }
        run
    }

    /// The song is uploaded and stored, and n1 begins to send it in term 1.
    pub fn on_air() -> Run {
        let mut run = Run::new();
        run.attempt().stored().confirmed(3_000, 9).take_over(N1, 0, 1);
        run
    }

    pub fn at_ms(&mut self, ms: u64) -> &mut Run {
        self.now_us = ms * 1_000;
        self
    }

    pub fn event(
        &mut self,
        node: NodeId,
        name: &'static str,
        fields: &[(&'static str, Value)],
    ) -> &mut Run {
        let (names, values): (Vec<String>, Vec<Value>) =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).unzip();
        let (index, time_us, fields) = (self.index, self.now_us, Fields::owned(names, values));
        self.trace.events.push(Event {
            index,
            time_us,
            node,
            incarnation: 1,
            name: name.into(),
            fields,
        });
        self.tick()
    }

    pub fn tick(&mut self) -> &mut Run {
        self.index += 1;
        self.now_us += 1_000;
        self
    }

    pub fn fault(&mut self, op_type: OpType, f: &'static str, value: &'static str) -> &mut Run {
        let (index, time_us) = (self.index, self.now_us);
        let error = "".into();
        self.trace.history.push(Op {
            index,
            time_us,
            process: "nemesis".into(),
            op_type,
            f: f.into(),
            value: value.into(),
            error,
        });
        self.tick()
    }

    pub fn crash(&mut self, node: NodeId) -> &mut Run {
        self.event(node, "crash", &[("reason", Value::Text("kill".into()))])
    }

    pub fn attempt(&mut self) -> &mut Run {
        self.event(
            UPLOADER,
            "upload_attempt",
            &[("upload", SONG), ("attempt", int(1)), ("to", Value::Node(N1))],
        )
    }

    pub fn stored(&mut self) -> &mut Run {
        self.event(
            N1,
            "stored",
            &[("session", int(1)), ("upload", SONG), ("uploader", Value::Node(UPLOADER))],
        )
    }

    pub fn confirmed(&mut self, size: i64, digest: u64) -> &mut Run {
        self.event(
            UPLOADER,
            "upload_confirmed",
            &[("upload", SONG), ("size", int(size)), ("digest", Value::Hash(digest))],
        )
    }

    pub fn place(&mut self, node: NodeId, name: &'static str, frame: i64, term: i64) -> &mut Run {
        self.event(node, name, &[("session", int(1)), ("frame", int(frame)), ("term", int(term))])
    }

    pub fn take_over(&mut self, node: NodeId, frame: i64, term: i64) -> &mut Run {
        self.place(node, "take_over", frame, term)
    }

    pub fn play(&mut self, frame: i64) -> &mut Run {
        self.play_in(1, frame)
    }

    pub fn play_in(&mut self, session: i64, frame: i64) -> &mut Run {
        self.event(
            EAR,
            "play",
            &[
                ("session", int(session)),
                ("frame", int(frame)),
                ("digest", digest(frame)),
                ("peak", int(5)),
            ],
        )
    }

    pub fn conceal(&mut self, frame: i64, reason: &'static str) -> &mut Run {
        self.event(
            EAR,
            "conceal",
            &[("session", int(1)), ("frame", int(frame)), ("reason", Value::Text(reason.into()))],
        )
    }

    pub fn end(&mut self, played: i64, lost: i64, concealed: i64) -> &mut Run {
        let counts = [
            ("session", int(1)),
            ("frames", int(10)),
            ("first", int(0)),
            ("played", int(played)),
            ("lost", int(lost)),
        ];
        self.event(EAR, "end", &[&counts[..], &[("concealed", int(concealed))]].concat())
    }

    pub fn search(&mut self, attempt: i64, wait_ms: i64) -> &mut Run {
        self.event(EAR, "search", &[("attempt", int(attempt)), ("wait_us", int(wait_ms * 1_000))])
    }

    /// A frame that was sent in time: when it was to be heard and when it came, ms, and the jitter
    /// that the listener shows.
    pub fn arrival(
        &mut self,
        from: NodeId,
        media_ms: i64,
        arrival_ms: i64,
        jitter_us: i64,
    ) -> &mut Run {
        let fields = [
            ("session", int(1)),
            ("from", Value::Node(from)),
            ("media_us", int(media_ms * 1_000)),
            ("arrival_us", int(arrival_ms * 1_000)),
            ("paced", int(1)),
            ("jitter_us", int(jitter_us)),
        ];
        self.event(EAR, "frame", &fields)
    }

    pub fn shows(&mut self, node: NodeId, name: &'static str, value: Value) -> &mut Run {
        self.trace.metrics.push(Metric { time_us: self.now_us, node, name: name.into(), value });
        self.tick()
    }

    pub fn shows_leader(&mut self, node: NodeId, term: i64) -> &mut Run {
        self.shows(node, "role", Value::Text("leader".into())).shows(
            node,
            "current_term",
            int(term),
        )
    }

    pub fn depth(&mut self, frames: i64) -> &mut Run {
        self.shows(EAR, "buffer_frames", int(frames))
    }
}
