//! Small traces of clocks and books, told record by record.

use seedbed::time::RUN_BEGINS;
use seedbed::trace::{Event, Fields, NodeId, NodeInfo, Op, OpType, Trace, Value};

pub const S1: NodeId = NodeId(0);
pub const S2: NodeId = NodeId(1);
pub const TIME: NodeId = NodeId(2);
pub const UTC: NodeId = NodeId(3);
pub const QUEUE: NodeId = NodeId(4);
pub const C1: NodeId = NodeId(5);
pub const C2: NodeId = NodeId(6);

pub const SECOND: u64 = 1_000_000;

/// A run of two servers, their time server, UTC source and queue, and two users: 20 s with faults
/// and 10 s without.
#[derive(Clone)]
pub struct Story {
    pub trace: Trace,
    pub index: u64,
    pub incarnation: u32,
}

/// A round of a server with a delay of 10 ms, of which 1 ms each way is the least, that finds the
/// clock 4 ms behind, and is right.
#[derive(Clone)]
pub struct Round {
    pub at: u64,
    pub number: i64,
    pub algorithm: &'static str,
    pub discipline: &'static str,
    pub nonce: i64,
    /// What the clock showed before, minus true time, µs.
    pub before: i64,
    pub correction: i64,
    /// How much of the correction was made immediately.
    pub made: i64,
    pub t0: i64,
    pub rtt: i64,
    pub own_error: i64,
    pub bound: i64,
    pub mode: &'static str,
    pub samples: &'static str,
}

pub fn round(at: u64, number: i64) -> Round {
    Round {
        at,
        number,
        algorithm: "cristian",
        discipline: "step",
        nonce: 100 + number,
        before: -4_000,
        correction: 4_000,
        made: 4_000,
        t0: at as i64 - 10_000,
        rtt: 10_000,
        own_error: 4_000,
        bound: 4_000,
        mode: "right",
        samples: "10000:0",
    }
}

impl AsRef<Trace> for Story {
    fn as_ref(&self) -> &Trace {
        &self.trace
    }
}

impl Story {
    pub fn new() -> Story {
        let node =
            |name: &str, role: &'static str| NodeInfo { name: name.to_owned(), role: role.into() };
        let nodes = [
            node("s1", "server"),
            node("s2", "server"),
            node("time", "time_server"),
            node("utc", "utc_source"),
            node("queue", "queue_server"),
            node("c1", "client"),
            node("c2", "client"),
        ];
        let trace = Trace {
            duration_us: 20 * SECOND,
            end_us: 30 * SECOND,
            nodes: nodes.into(),
            ..Trace::default()
        };
        Story { trace, index: 0, incarnation: 1 }
    }

    pub fn event(
        &mut self,
        at: u64,
        node: NodeId,
        name: &'static str,
        fields: &[(&str, Value)],
    ) -> &mut Story {
        let (names, values): (Vec<String>, Vec<Value>) =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).unzip();
        let (index, incarnation, fields) =
            (self.index, self.incarnation, Fields::owned(names, values));
        self.trace.events.push(Event {
            index,
            time_us: at,
            node,
            incarnation,
            name: name.into(),
            fields,
        });
        self.index += 1;
        self
    }

    pub fn round(&mut self, node: NodeId, round: &Round) -> &mut Story {
        let truth = RUN_BEGINS.as_nanos() / 1_000 + round.at as i64;
        let fields = [
            ("round", int(round.number)),
            ("algorithm", text(round.algorithm)),
            ("discipline", text(round.discipline)),
            ("nonce", int(round.nonce)),
            ("t0_us", int(round.t0)),
            ("t1_us", int(round.t0 + round.rtt)),
            ("held_us", int(0)),
            ("age_us", int(0)),
            ("before_us", int(truth + round.before)),
            ("after_us", int(truth + round.before + round.made)),
            ("correction_us", int(round.correction)),
            ("own_error_us", int(round.own_error)),
            ("root_bound_us", int(0)),
            ("error_bound_us", int(round.bound)),
            ("min_delay_us", int(1_000)),
            ("drift_ppm", int(0)),
            ("by_hand_us", int(0)),
            ("mode", text(round.mode)),
            ("samples", text(round.samples)),
        ];
        self.event(round.at, node, "round", &fields)
    }

    pub fn reading(&mut self, node: NodeId, at: u64, error: i64, bound: i64) -> &mut Story {
        let truth = RUN_BEGINS.as_nanos() / 1_000 + at as i64;
        let fields = [
            ("clock_us", int(truth + error)),
            ("mono_us", int(at as i64)),
            ("error_bound_us", int(bound)),
            ("by_hand_us", int(0)),
            ("slew_ppm", int(50_000)),
            ("mode", text("slews")),
        ];
        self.event(at, node, "reading", &fields)
    }

    pub fn probe(&mut self, node: NodeId, nonce: i64, t0: i64) -> &mut Story {
        self.event(t0 as u64, node, "probe", &[("nonce", int(nonce)), ("t0_us", int(t0))])
    }

    /// A line of the library.
    pub fn line(
        &mut self,
        name: &'static str,
        node: NodeId,
        position: i64,
        user: (NodeId, i64),
        book: (i64, i64),
        effect: i64,
    ) -> &mut Story {
        let fields = [
            ("position", int(position)),
            ("server", Value::Node(S1)),
            ("client", Value::Node(user.0)),
            ("serial", int(user.1)),
            ("session", int(book.0)),
            ("book", int(book.1)),
            ("effect", int(effect)),
        ];
        self.event(10 * SECOND, node, name, &fields)
    }

    pub fn reply(
        &mut self,
        node: NodeId,
        user: (NodeId, i64),
        answer: &'static str,
        book: (i64, i64),
    ) -> &mut Story {
        let fields = [
            ("client", Value::Node(user.0)),
            ("serial", int(user.1)),
            ("answer", text(answer)),
            ("session", int(book.0)),
            ("book", int(book.1)),
        ];
        self.event(10 * SECOND, node, "reply", &fields)
    }

    pub fn open(&mut self, node: NodeId, session: i64, books: i64) -> &mut Story {
        let position = int(self.index as i64);
        self.event(
            10 * SECOND,
            node,
            "session_open",
            &[("position", position), ("session", int(session)), ("books", int(books))],
        )
    }

    pub fn end(
        &mut self,
        node: NodeId,
        session: i64,
        given: i64,
        reason: &'static str,
    ) -> &mut Story {
        let fields = [
            ("position", int(self.index as i64)),
            ("session", int(session)),
            ("given", int(given)),
            ("reason", text(reason)),
        ];
        self.event(10 * SECOND, node, "session_end", &fields)
    }

    pub fn record(
        &mut self,
        at: u64,
        node: NodeId,
        name: &'static str,
        round: i64,
        adjustment: i64,
    ) -> &mut Story {
        let fields = [
            ("server", Value::Node(S1)),
            ("round", int(round)),
            ("previous_us", int(0)),
            ("corrected_us", int(adjustment)),
            ("adjustment_us", int(adjustment)),
        ];
        self.event(at, node, name, &fields)
    }

    pub fn recover(&mut self, node: NodeId, applied: i64, granted: i64) -> &mut Story {
        self.event(
            11 * SECOND,
            node,
            "recover",
            &[("applied", int(applied)), ("granted", int(granted))],
        )
    }

    /// A user asks and is told this.
    pub fn told(&mut self, user: &'static str, value: &'static str) -> &mut Story {
        for (op_type, value) in [(OpType::Invoke, ""), (OpType::Ok, value)] {
            let (index, time_us) = (self.index, 10 * SECOND);
            self.trace.history.push(Op {
                index,
                time_us,
                process: user.into(),
                op_type,
                f: "book".into(),
                value: value.into(),
                error: "".into(),
            });
            self.index += 1;
        }
        self
    }
}

pub fn int(value: i64) -> Value {
    Value::Int(value)
}

pub fn text(word: &'static str) -> Value {
    Value::Text(word.into())
}
