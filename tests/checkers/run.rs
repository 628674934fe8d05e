//! Small traces for the tests of checks, written as a story: who was elected, what was appended
//! where, who crashed.

use seedbed::trace::{Event, Fields, Metric, NodeId, NodeInfo, Op, OpType, Trace, Value};
use xxhash_rust::xxh3::xxh3_64;

use crate::twins::accepts;

pub const N1: NodeId = NodeId(0);
pub const N2: NodeId = NodeId(1);
pub const N3: NodeId = NodeId(2);
pub const N4: NodeId = NodeId(3);
pub const N5: NodeId = NodeId(4);
pub const C1: NodeId = NodeId(5);
pub const C2: NodeId = NodeId(6);

/// An entry as a test tells it: its term and what stands in it.
pub type Entry = (i64, &'static str);

#[derive(Clone, Default)]
struct Server {
    term: i64,
    voted_for: Option<NodeId>,
    log: Vec<Entry>,
    snapshot_index: i64,
    role: &'static str,
}

/// A run of five peers and two clients, which all work from the beginning. Each record comes a
/// millisecond after the one before.
#[derive(Clone)]
pub struct Run {
    trace: Trace,
    servers: Vec<Server>,
    now_us: u64,
    index: u64,
}

fn chain(log: &[Entry]) -> u64 {
    xxh3_64(format!("{log:?}").as_bytes())
}

fn digest(entry: Entry) -> u64 {
    xxh3_64(format!("{entry:?}").as_bytes())
}

impl AsRef<Trace> for Run {
    fn as_ref(&self) -> &Trace {
        &self.trace
    }
}

impl Run {
    /// 20 s with faults and 10 s without; all nodes boot with empty disks.
    pub fn new() -> Run {
        let node =
            |name: &str, role: &'static str| NodeInfo { name: name.to_owned(), role: role.into() };
        let peers = (1..=5).map(|i| node(&format!("n{i}"), "peer"));
        let clients = (1..=2).map(|i| node(&format!("c{i}"), "client"));
        let trace = Trace {
            duration_us: 20_000_000,
            end_us: 30_000_000,
            nodes: peers.chain(clients).collect(),
            ..Trace::default()
        };
        let server = Server { role: "follower", ..Server::default() };
        let mut run = Run { trace, servers: vec![server; 5], now_us: 0, index: 0 };
        for node in [N1, N2, N3, N4, N5] {
            run.boot(node);
        }
        run
    }

    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Go on at this time.
    pub fn at_ms(&mut self, ms: u64) -> &mut Run {
        self.now_us = ms * 1_000;
        self
    }

    /// An event as it stands in the trace.
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

    fn tick(&mut self) -> &mut Run {
        self.index += 1;
        self.now_us += 1_000;
        self
    }

    fn server(&mut self, node: NodeId) -> &mut Server {
        &mut self.servers[node.index()]
    }

    // Processes.

    pub fn crash(&mut self, node: NodeId, reason: &'static str, message: &'static str) -> &mut Run {
        self.event(
            node,
            "crash",
            &[("reason", text(reason)), ("lost_saves", Value::Int(0)), ("message", text(message))],
        )
    }

    /// Start, and find on the disk what was there.
    pub fn boot(&mut self, node: NodeId) -> &mut Run {
        let server = self.server(node).clone();
        let voted_for = server.voted_for.map_or(text("none"), Value::Node);
        let last_term = server.log.last().map_or(0, |entry| entry.0);
        self.event(node, "start", &[]);
        self.event(
            node,
            "recover",
            &[
                ("term", Value::Int(server.term)),
                ("voted_for", voted_for),
                ("snapshot_index", Value::Int(server.snapshot_index)),
                ("last_index", Value::Int(server.log.len() as i64)),
                ("last_term", Value::Int(last_term)),
            ],
        );
        self.role(node, "follower")
    }

    pub fn restart(&mut self, node: NodeId) -> &mut Run {
        self.crash(node, "kill", "").boot(node)
    }

    /// Start again with a log that lacks the last entries.
    pub fn restart_without_last(&mut self, node: NodeId, entries: usize) -> &mut Run {
        self.crash(node, "kill", "");
        let log = &mut self.server(node).log;
        log.truncate(log.len() - entries);
        self.boot(node)
    }

    /// Start again in another term and with another vote than the server had.
    pub fn restart_as(&mut self, node: NodeId, term: i64, voted_for: Option<NodeId>) -> &mut Run {
        self.crash(node, "kill", "");
        (self.server(node).term, self.server(node).voted_for) = (term, voted_for);
        self.boot(node)
    }

    /// The nemesis empties a node's disk, and the node starts again.
    pub fn wipe(&mut self, node: NodeId) -> &mut Run {
        let value = format!("wipe-1: {}", self.trace.name(node));
        self.op("nemesis", OpType::Invoke, "wipe", &value, "").crash(node, "kill", "");
        *self.server(node) = Server { role: "follower", ..Server::default() };
        self.boot(node).op("nemesis", OpType::Info, "wipe", &value, "")
    }

    // Elections.

    pub fn term(&mut self, node: NodeId, term: i64) -> &mut Run {
        (self.server(node).term, self.server(node).voted_for) = (term, None);
        self.event(node, "term", &[("term", Value::Int(term))])
    }

    pub fn vote(&mut self, node: NodeId, term: i64, candidate: NodeId) -> &mut Run {
        self.server(node).voted_for = Some(candidate);
        self.event(
            node,
            "vote",
            &[("term", Value::Int(term)), ("candidate", Value::Node(candidate))],
        )
    }

    pub fn role(&mut self, node: NodeId, role: &'static str) -> &mut Run {
        self.server(node).role = role;
        let term = Value::Int(self.server(node).term);
        self.event(node, "role", &[("term", term), ("role", text(role))])
    }

    /// What the node said of its role when it first booted.
    pub fn first_role(&mut self, node: NodeId, role: &'static str) -> &mut Run {
        let event = self
            .trace
            .events
            .iter_mut()
            .find(|event| event.node == node && event.name == "role")
            .expect("it booted");
        event.fields = Fields::new(&["term", "role"], &[Value::Int(0), text(role)]);
        self
    }

    /// The node becomes leader, without the votes that it takes.
    pub fn leader(&mut self, node: NodeId, term: i64) -> &mut Run {
        self.role(node, "leader");
        let server = self.server(node);
        let (last_index, last_term) =
            (server.log.len() as i64, server.log.last().map_or(0, |entry| entry.0));
        let snapshot_index = Value::Int(server.snapshot_index);
        let fields = [
            ("term", Value::Int(term)),
            ("last_index", Value::Int(last_index)),
            ("last_term", Value::Int(last_term)),
            ("snapshot_index", snapshot_index),
        ];
        self.event(node, "leader", &fields)
    }

    /// A whole election: the voters follow their candidate into the term and vote for it.
    pub fn elect(&mut self, node: NodeId, term: i64, voters: &[NodeId]) -> &mut Run {
        self.term(node, term).role(node, "candidate").vote(node, term, node);
        for voter in voters {
            self.term(*voter, term);
            if self.server(*voter).role != "follower" {
                self.role(*voter, "follower");
            }
            self.vote(*voter, term, node);
        }
        self.leader(node, term)
    }

    // Logs.

    /// The nodes append an entry at the end of their logs.
    pub fn append(&mut self, nodes: &[NodeId], entry: Entry) -> &mut Run {
        for node in nodes {
            self.server(*node).log.push(entry);
            let log = self.server(*node).log.clone();
            let fields = [
                ("index", Value::Int(log.len() as i64)),
                ("term", Value::Int(entry.0)),
                ("digest", Value::Hash(digest(entry))),
                ("chain", Value::Hash(chain(&log))),
            ];
            self.event(*node, "append", &fields);
        }
        self
    }

    /// The node puts an entry in the place of another and keeps what comes after it.
    pub fn overwrite(&mut self, node: NodeId, index: usize, entry: Entry) -> &mut Run {
        let tail = self.server(node).log.split_off(index - 1);
        self.append(&[node], entry);
        self.server(node).log.extend(&tail[1..]);
        self
    }

    pub fn truncate(&mut self, node: NodeId, from: usize) -> &mut Run {
        self.server(node).log.truncate(from - 1);
        self.event(node, "truncate", &[("from", Value::Int(from as i64))])
    }

    pub fn snapshot(
        &mut self,
        node: NodeId,
        name: &'static str,
        log: &[Entry],
        state: u64,
    ) -> &mut Run {
        let index = log.len() as i64;
        self.server(node).snapshot_index = index;
        if name == "snapshot_install" {
            self.server(node).log = log.to_vec();
        }
        let term = log.last().map_or(0, |entry| entry.0);
        let fields = [
            ("index", Value::Int(index)),
            ("term", Value::Int(term)),
            ("chain", Value::Hash(chain(log))),
            ("state", Value::Hash(state)),
        ];
        self.event(node, name, &fields)
    }

    /// The nodes know the entries up to `index` as committed.
    pub fn commit(&mut self, nodes: &[NodeId], index: usize) -> &mut Run {
        for node in nodes {
            let server = self.server(*node);
            let (term, role) = (server.term, server.role);
            let entry_term = server.log.get(index - 1).map_or(0, |entry| entry.0);
            let fields = [
                ("index", Value::Int(index as i64)),
                ("term", Value::Int(term)),
                ("role", text(role)),
                ("entry_term", Value::Int(entry_term)),
            ];
            self.event(*node, "commit", &fields);
        }
        self
    }

    /// The nodes apply the entry at `index` as a command of a client.
    pub fn apply(
        &mut self,
        nodes: &[NodeId],
        index: usize,
        command: (NodeId, i64),
        effect: i64,
    ) -> &mut Run {
        for node in nodes {
            let entry = self.server(*node).log[index - 1];
            let fields = [
                ("index", Value::Int(index as i64)),
                ("term", Value::Int(entry.0)),
                ("digest", Value::Hash(digest(entry))),
                ("client", Value::Node(command.0)),
                ("serial", Value::Int(command.1)),
                ("effect", Value::Int(effect)),
            ];
            self.event(*node, "apply", &fields);
        }
        self
    }

    pub fn reply(&mut self, node: NodeId, client: NodeId, serial: i64, index: i64) -> &mut Run {
        self.event(
            node,
            "reply",
            &[
                ("client", Value::Node(client)),
                ("serial", Value::Int(serial)),
                ("index", Value::Int(index)),
            ],
        )
    }

    // Configurations.

    /// The nodes append an entry with a configuration. `voters_old` is `-` unless it is joint.
    pub fn config(
        &mut self,
        nodes: &[NodeId],
        entry: Entry,
        kind: &'static str,
        voters: &'static str,
        voters_old: &'static str,
    ) -> &mut Run {
        for node in nodes {
            self.append(&[*node], entry);
            let index = self.server(*node).log.len() as i64;
            let fields = [
                ("index", Value::Int(index)),
                ("term", Value::Int(entry.0)),
                ("kind", text(kind)),
                ("voters", text(voters)),
                ("learners", text("-")),
                ("voters_old", text(voters_old)),
            ];
            self.event(*node, "config_append", &fields);
        }
        self
    }

    pub fn config_commit(&mut self, node: NodeId, index: i64, term: i64) -> &mut Run {
        self.event(
            node,
            "config_commit",
            &[("index", Value::Int(index)), ("term", Value::Int(term))],
        )
    }

    // The history.

    /// A metric has this value from now on.
    pub fn show(&mut self, node: NodeId, name: &'static str, value: Value) -> &mut Run {
        self.trace.metrics.push(Metric { time_us: self.now_us, node, name: name.into(), value });
        self.tick()
    }

    pub fn op(
        &mut self,
        process: &'static str,
        op_type: OpType,
        f: &'static str,
        value: &str,
        error: &'static str,
    ) -> &mut Run {
        let value = value.to_owned().into();
        let (index, time_us) = (self.index, self.now_us);
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

    pub fn invoke(&mut self, process: &'static str, f: &'static str, value: &str) -> &mut Run {
        self.op(process, OpType::Invoke, f, value, "")
    }

    pub fn ok(&mut self, process: &'static str, f: &'static str, value: &str) -> &mut Run {
        self.op(process, OpType::Ok, f, value, "")
    }

    pub fn info(&mut self, process: &'static str, f: &'static str, value: &str) -> &mut Run {
        self.op(process, OpType::Info, f, value, "timeout")
    }

    /// An operation that nobody else overlaps.
    pub fn done(
        &mut self,
        process: &'static str,
        f: &'static str,
        argument: &str,
        value: &str,
    ) -> &mut Run {
        self.invoke(process, f, argument).ok(process, f, value)
    }
}

pub fn text(word: &'static str) -> Value {
    Value::Text(word.into())
}

/// What no correct Raft ever breaks, liveness aside.
pub const SAFETY: &[&str] = &[
    "election_safety",
    "elected_by_majority",
    "vote_once",
    "term_monotonic",
    "leader_append_only",
    "log_matching",
    "leader_completeness",
    "state_machine_safety",
    "commit_on_majority",
    "committed_never_truncated",
    "applied_without_gaps",
    "acknowledged_is_committed",
    "exactly_once",
    "lease_exclusive",
    "one_config_in_flight",
    "config_quorum_overlap",
    "config_barrier",
    "persist_before_reply",
    "no_panic",
];

/// No check of safety finds anything wrong: for stories that a correct Raft can tell.
#[track_caller]
pub fn all_accept(run: &Run) {
    SAFETY.iter().for_each(|check| accepts(run, check));
}
