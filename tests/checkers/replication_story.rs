//! Small traces of a replicated store, told record by record.

use seedbed::trace::{Event, Fields, NodeId, NodeInfo, Op, OpType, Trace, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub const R1: NodeId = NodeId(0);
pub const R2: NodeId = NodeId(1);
pub const R3: NodeId = NodeId(2);
pub const K: NodeId = NodeId(3);
pub const C1: NodeId = NodeId(4);
pub const ALL: &[NodeId] = &[R1, R2, R3];

/// A run of three replicas, a coordinator and two clients. Each record comes a millisecond after
/// the one before.
#[derive(Clone)]
pub struct Story {
    pub trace: Trace,
    pub logs: Vec<Vec<u64>>,
    pub mode: &'static str,
    pub now_us: u64,
    pub index: u64,
}

pub fn int(number: u64) -> Value {
    Value::Int(number as i64)
}

pub fn text(word: &str) -> Value {
    Value::Text(word.to_owned().into())
}

impl AsRef<Trace> for Story {
    fn as_ref(&self) -> &Trace {
        &self.trace
    }
}

impl Story {
    /// 20 s with faults and 10 s without; all replicas start with empty disks.
    pub fn new() -> Story {
        let node = |(name, role): (&str, &'static str)| NodeInfo {
            name: name.to_owned(),
            role: role.into(),
        };
        let replicas = [("replica1", "replica"), ("replica2", "replica"), ("replica3", "replica")];
        let others = [("coordinator1", "coordinator"), ("c1", "client"), ("c2", "client")];
        let nodes = replicas.into_iter().chain(others).map(node).collect();
        let trace =
            Trace { duration_us: 20_000_000, end_us: 30_000_000, nodes, ..Trace::default() };
        let mut story =
            Story { trace, logs: vec![vec![]; 3], mode: "sync-all", now_us: 0, index: 0 };
        for node in ALL {
            story.start(*node, 0, false);
        }
        story
    }

    /// Replica 1 leads epoch 1, and all are in sync.
    pub fn serving() -> Story {
        Story::serving_as("sync-all")
    }

    pub fn serving_as(mode: &'static str) -> Story {
        let mut story = Story::new();
        story.mode = mode;
        story
            .view(1, 1, None, 0, ALL)
            .epoch(ALL, 1)
            .view(2, 1, Some(R1), 0, ALL)
            .leads(R1, 1)
            .view(3, 1, Some(R1), 1, ALL);
        story
    }

    pub fn at_ms(&mut self, ms: u64) -> &mut Story {
        self.now_us = ms * 1_000;
        self
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

    pub fn tick(&mut self) -> &mut Story {
        self.index += 1;
        self.now_us += 1_000;
        self
    }

    /// The number and the hash of a replica's last record.
    pub fn head(&self, node: NodeId) -> (u64, u64) {
        let log = &self.logs[node.index()];
        (log.len() as u64, log.last().copied().unwrap_or(0))
    }

    // Processes.

    pub fn start(&mut self, node: NodeId, epoch: u64, damaged: bool) -> &mut Story {
        let (seq, hash) = self.head(node);
        let damaged = int(u64::from(damaged));
        let fields = [
            ("epoch", int(epoch)),
            ("seq", int(seq)),
            ("hash", Value::Hash(hash)),
            ("damaged", damaged),
        ];
        self.event(node, "start", &[]).event(node, "recovered", &fields)
    }

    pub fn crash(&mut self, node: NodeId) -> &mut Story {
        self.event(node, "crash", &[("reason", text("kill")), ("message", text(""))])
    }

    /// Crash and start with this many records less.
    pub fn restart(&mut self, node: NodeId, epoch: u64, lost: usize) -> &mut Story {
        self.crash(node);
        let log = &mut self.logs[node.index()];
        log.truncate(log.len() - lost);
        self.start(node, epoch, false)
    }

    // Views and leaders.

    pub fn view(
        &mut self,
        version: u64,
        epoch: u64,
        leader: Option<NodeId>,
        active_epoch: u64,
        in_sync: &[NodeId],
    ) -> &mut Story {
        let names: Vec<&str> =
            in_sync.iter().map(|node| self.trace.nodes[node.index()].name.as_str()).collect();
        let in_sync = text(&names.join("+"));
        let fields = [
            ("version", int(version)),
            ("epoch", int(epoch)),
            ("leader", leader.map_or(text("none"), Value::Node)),
            ("active_epoch", int(active_epoch)),
            ("in_sync", in_sync),
        ];
        self.event(K, "view", &fields)
    }

    pub fn epoch(&mut self, nodes: &[NodeId], epoch: u64) -> &mut Story {
        for node in nodes {
            self.event(*node, "epoch", &[("epoch", int(epoch))]);
        }
        self
    }

    pub fn leads(&mut self, node: NodeId, epoch: u64) -> &mut Story {
        let ((seq, hash), mode) = (self.head(node), text(self.mode));
        let min = ("min_in_sync", int(2));
        self.event(
            node,
            "leads",
            &[
                ("epoch", int(epoch)),
                ("seq", int(seq)),
                ("hash", Value::Hash(hash)),
                ("mode", mode),
                min,
            ],
        )
    }

    /// Replica 2 leads epoch 2 with these in sync, in two further views.
    pub fn failover(&mut self, in_sync: &[NodeId]) -> &mut Story {
        self.view(4, 2, None, 1, ALL)
            .epoch(&[R2, R3], 2)
            .view(5, 2, Some(R2), 1, ALL)
            .leads(R2, 2)
            .view(6, 2, Some(R2), 2, in_sync)
    }

    // Logs.

    /// These store a record behind what they have.
    pub fn stored(&mut self, nodes: &[NodeId], epoch: u64, content: &str) -> &mut Story {
        for node in nodes {
            let (seq, prev) = self.head(*node);
            let hash = xxh3_64_with_seed(content.as_bytes(), prev);
            self.logs[node.index()].push(hash);
            let fields = [
                ("epoch", int(epoch)),
                ("seq", int(seq + 1)),
                ("prev", Value::Hash(prev)),
                ("hash", Value::Hash(hash)),
            ];
            self.event(*node, "stored", &fields);
        }
        self
    }

    pub fn is_final(&mut self, node: NodeId, epoch: u64) -> &mut Story {
        let (seq, hash) = self.head(node);
        self.event(
            node,
            "final",
            &[
                ("epoch", int(epoch)),
                ("seq", int(seq)),
                ("hash", Value::Hash(hash)),
                ("confirmed", text("-")),
            ],
        )
    }

    pub fn applied(&mut self, nodes: &[NodeId], seq: u64, req: u64, effect: u64) -> &mut Story {
        self.applied_with(nodes, seq, req, effect, seq)
    }

    pub fn applied_with(
        &mut self,
        nodes: &[NodeId],
        seq: u64,
        req: u64,
        effect: u64,
        forms: u64,
    ) -> &mut Story {
        for node in nodes {
            let hash = self.logs[node.index()][seq as usize - 1];
            let fields = [
                ("seq", int(seq)),
                ("hash", Value::Hash(hash)),
                ("client", Value::Node(C1)),
                ("req", int(req)),
                ("effect", int(effect)),
                ("forms", Value::Hash(forms)),
            ];
            self.event(*node, "applied", &fields);
        }
        self
    }

    /// A leader answers the request that its last record holds.
    pub fn answered(&mut self, node: NodeId, epoch: u64, req: u64, effect: u64) -> &mut Story {
        let (seq, hash) = self.head(node);
        let fields = [
            ("client", Value::Node(C1)),
            ("req", int(req)),
            ("epoch", int(epoch)),
            ("seq", int(seq)),
            ("hash", Value::Hash(hash)),
            ("effect", int(effect)),
        ];
        self.event(node, "answered", &fields)
    }

    pub fn read(&mut self, node: NodeId, epoch: u64, req: u64) -> &mut Story {
        let fields = [
            ("client", Value::Node(C1)),
            ("req", int(req)),
            ("epoch", int(epoch)),
            ("seq", int(0)),
            ("mode", text("confirmed")),
        ];
        self.event(node, "read", &fields)
    }

    // The history.

    pub fn op(
        &mut self,
        process: &'static str,
        op_type: OpType,
        f: &'static str,
        value: &str,
        error: &'static str,
    ) -> &mut Story {
        let (index, time_us, value) = (self.index, self.now_us, value.to_owned().into());
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

    pub fn done(&mut self, f: &'static str, argument: &str, value: &str) -> &mut Story {
        self.op("c1", OpType::Invoke, f, argument, "").op("c1", OpType::Ok, f, value, "")
    }

    pub fn failed(&mut self, f: &'static str, argument: &str, error: &'static str) -> &mut Story {
        self.op("c1", OpType::Invoke, f, argument, "").op("c1", OpType::Fail, f, argument, error)
    }
}
