//! Small traces of peers, their users and the directory, told record by record.

use seedbed::trace::{Event, Fields, NodeId, NodeInfo, Op, OpType, Trace, Value};

pub const P1: NodeId = NodeId(0);
pub const P2: NodeId = NodeId(1);
pub const DIR: NodeId = NodeId(3);
pub const DATE: NodeId = NodeId(4);
pub const LOG: NodeId = NodeId(5);

/// A run told record by record, each a millisecond after the one before: three peers with a user
/// each, and the three services.
#[derive(Clone)]
pub struct Story {
    pub trace: Trace,
    pub now_us: u64,
    pub index: u64,
}

pub fn text(word: &'static str) -> Value {
    Value::Text(word.into())
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
        let peers = (1..=3).map(|i| node(&format!("p{i}"), "peer"));
        let services =
            [node("dir", "directory"), node("date", "date_service"), node("log", "logger")];
        let users = (1..=3).map(|i| node(&format!("c{i}"), "client"));
        let nodes = peers.chain(services).chain(users).collect();
        let trace =
            Trace { duration_us: 60_000_000, end_us: 70_000_000, nodes, ..Trace::default() };
        Story { trace, now_us: 0, index: 0 }
    }

    pub fn at_ms(&mut self, ms: u64) -> &mut Story {
        self.now_us = ms * 1_000;
        self
    }

    pub fn record(
        &mut self,
        process: &'static str,
        op_type: OpType,
        f: &'static str,
        value: &str,
        error: &'static str,
    ) -> &mut Story {
        let (index, time_us) = (self.index, self.now_us);
        let value = value.to_owned().into();
        self.trace.history.push(Op {
            index,
            time_us,
            process: process.into(),
            op_type,
            f: f.into(),
            value,
            error: error.into(),
        });
        self.tick()
    }

    pub fn tick(&mut self) -> &mut Story {
        self.index += 1;
        self.now_us += 1_000;
        self
    }

    pub fn invoke(&mut self, process: &'static str, f: &'static str, value: &str) -> &mut Story {
        self.record(process, OpType::Invoke, f, value, "")
    }

    pub fn ok(&mut self, process: &'static str, f: &'static str, value: &str) -> &mut Story {
        self.record(process, OpType::Ok, f, value, "")
    }

    /// An operation and its answer: `alice song.txt -> 0`.
    pub fn call(&mut self, process: &'static str, f: &'static str, value: &str) -> &mut Story {
        let argument = value.split(" -> ").next().unwrap_or(value);
        self.invoke(process, f, argument).ok(process, f, value)
    }

    /// An operation of which nobody knows.
    pub fn unknown(&mut self, process: &'static str, f: &'static str, value: &str) -> &mut Story {
        self.invoke(process, f, value).record(process, OpType::Info, f, value, "no answer")
    }

    pub fn event(
        &mut self,
        node: NodeId,
        name: &'static str,
        fields: &[(&'static str, Value)],
    ) -> &mut Story {
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

    pub fn file(
        &mut self,
        node: NodeId,
        how: &'static str,
        path: &'static str,
        bytes: i64,
        digest: u64,
    ) -> &mut Story {
        let fields = [
            ("how", text(how)),
            ("bytes", Value::Int(bytes)),
            ("digest", Value::Hash(digest)),
            ("path", text(path)),
        ];
        self.event(node, "file", &fields)
    }

    pub fn serve(
        &mut self,
        node: NodeId,
        to: NodeId,
        user: &'static str,
        path: &'static str,
        bytes: i64,
        digest: u64,
    ) -> &mut Story {
        let content = [("bytes", Value::Int(bytes)), ("digest", Value::Hash(digest))];
        let head = [("to", Value::Node(to)), ("status", Value::Int(0))];
        let tail = [("user", text(user)), ("path", text(path))];
        self.event(node, "serve", &[&head[..], &content, &tail].concat())
    }

    pub fn online(&mut self, user: &'static str, host: NodeId) -> &mut Story {
        self.online_at(user, host, 4_000)
    }

    pub fn online_at(&mut self, user: &'static str, host: NodeId, port: i64) -> &mut Story {
        self.event(
            DIR,
            "online",
            &[("host", Value::Node(host)), ("port", Value::Int(port)), ("user", text(user))],
        )
    }

    /// The directory tells of its start, with a lease of two seconds.
    pub fn tables(&mut self) -> &mut Story {
        let found = [("users", Value::Int(1)), ("executed", Value::Int(2))];
        let lease = [("lease_us", Value::Int(2_000_000))];
        self.event(DIR, "tables", &[&found[..], &lease].concat())
    }

    /// The directory crashes and starts again, and names a user in the moment of its start.
    pub fn directory_restarts(
        &mut self,
        user: &'static str,
        host: NodeId,
        port: i64,
    ) -> &mut Story {
        self.crash(DIR).start(DIR).tables();
        self.now_us -= 1_000;
        self.online_at(user, host, port)
    }

    pub fn offline(&mut self, user: &'static str, reason: &'static str) -> &mut Story {
        self.event(DIR, "offline", &[("reason", text(reason)), ("user", text(user))])
    }

    pub fn dated(&mut self, to: NodeId, date: &'static str) -> &mut Story {
        self.event(DATE, "dated", &[("to", Value::Node(to)), ("date", text(date))])
    }

    pub fn executed(
        &mut self,
        sequence: i64,
        origin: NodeId,
        operation: &'static str,
        date: &'static str,
        user: &'static str,
    ) -> &mut Story {
        let head = [
            ("sequence", Value::Int(sequence)),
            ("origin", Value::Node(origin)),
            ("operation", text(operation)),
        ];
        let tail = [
            ("status", Value::Int(0)),
            ("date", text(date)),
            ("user", text(user)),
            ("argument", text("")),
        ];
        self.event(DIR, "executed", &[&head[..], &tail].concat())
    }

    pub fn logged(
        &mut self,
        sequence: i64,
        operation: &'static str,
        user: &'static str,
    ) -> &mut Story {
        let date = text("01/01/2026_00:00:01");
        let fields = [
            ("sequence", Value::Int(sequence)),
            ("operation", text(operation)),
            ("date", date),
            ("user", text(user)),
            ("file", text("")),
        ];
        self.event(LOG, "logged", &fields)
    }

    pub fn crash(&mut self, node: NodeId) -> &mut Story {
        self.event(
            node,
            "crash",
            &[("reason", text("kill")), ("lost_saves", Value::Int(0)), ("message", text(""))],
        )
    }

    pub fn start(&mut self, node: NodeId) -> &mut Story {
        self.event(node, "start", &[])
    }

    /// Alice and bob are connected, at the ports 4001 and 4002.
    pub fn connected() -> Story {
        let mut story = Story::new();
        story.call("c1", "register", "alice -> 0").call("c1", "connect", "alice -> 0 4001");
        story.call("c2", "register", "bob -> 0").call("c2", "connect", "bob -> 0 4002");
        story
    }
}
