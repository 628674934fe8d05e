//! A synthetic trace of a small cluster, for the tests of the plots: an isolated leader, an
//! election, a crash, a pause, wrong clocks.

use crate::trace::*;

/// A random number generator that is good enough to scatter sample data.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
}

/// The parameters of the sample.
pub(crate) struct Sample {
    pub(crate) peers: u32,
    pub(crate) clients: u32,
    pub(crate) seconds: u64,
    /// Operations per second.
    pub(crate) rate: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Sample { peers: 5, clients: 3, seconds: 40, rate: 40 }
    }
}

struct Maker {
    trace: Trace,
    dice: Dice,
    next: u64,
}

const MS: u64 = 1_000;

impl Sample {
    pub(crate) fn trace(&self) -> Trace {
        let mut maker = Maker { trace: Trace::default(), dice: Dice(7), next: 0 };
        let end = self.seconds * 1_000 * MS;
        let trace = &mut maker.trace;
        trace.scenario = "raft/leader-isolated".into();
        trace.system = "raft".into();
        trace.seed = 42;
        trace.duration_us = end * 3 / 4;
        trace.end_us = end;
        trace.nodes = (1..=self.peers)
            .map(|i| NodeInfo { name: format!("n{i}"), role: "peer".into() })
            .collect();
        trace.nodes.extend(
            (1..=self.clients).map(|i| NodeInfo { name: format!("c{i}"), role: "client".into() }),
        );
        maker.faults(end);
        maker.roles(self.peers, end);
        maker.clocks(self.peers, end);
        maker.traffic(self, end);
        let trace = &mut maker.trace;
        trace.history.sort_by_key(|op| op.time_us);
        trace.events.sort_by_key(|event| event.time_us);
        trace.metrics.sort_by_key(|metric| metric.time_us);
        trace.messages.sort_by_key(|message| message.sent_us);
        maker.trace
    }
}

impl Maker {
    fn op(&mut self, time_us: u64, process: String, op_type: OpType, f: &'static str, value: &str) {
        self.next += 1;
        let (value, error) = (
            value.to_owned().into(),
            if op_type == OpType::Info { "timeout".into() } else { "".into() },
        );
        self.trace.history.push(Op {
            index: self.next,
            time_us,
            process: process.into(),
            op_type,
            f: f.into(),
            value,
            error,
        });
    }

    fn event(
        &mut self,
        time_us: u64,
        node: u32,
        name: &'static str,
        names: &'static [&'static str],
        values: &[Value],
    ) {
        self.next += 1;
        let fields = Fields::new(names, values);
        self.trace.events.push(Event {
            index: self.next,
            time_us,
            node: NodeId(node),
            incarnation: 1,
            name: name.into(),
            fields,
        });
    }

    fn metric(&mut self, time_us: u64, node: u32, name: &'static str, value: Value) {
        self.trace.metrics.push(Metric { time_us, node: NodeId(node), name: name.into(), value });
    }

    fn message(
        &mut self,
        sent_us: u64,
        (src, dest): (u32, u32),
        kind: &'static str,
        outcome: Outcome,
    ) -> u64 {
        let arrives = sent_us + 2 * MS + self.dice.below(6 * MS);
        let gone = matches!(outcome, Outcome::Lost | Outcome::Partitioned | Outcome::InFlight);
        let id = self.trace.messages.len() as u64;
        self.trace.messages.push(Message {
            id,
            sent_us,
            recv_us: (!gone).then_some(arrives),
            src: NodeId(src),
            dest: NodeId(dest),
            kind: kind.into(),
            bytes: 64,
            outcome,
            detail: Detail::None,
        });
        arrives
    }

    fn faults(&mut self, end: u64) {
        let part = |percent: u64| end * percent / 100;
        for (fault, value, begin, finish) in [
            ("partition", "partition-1: n1 | n2,n3,n4,n5", part(12), part(20)),
            ("clock_bump", "clock_bump-2: n3", part(22), part(22)),
            ("kill", "kill-3: n2", part(40), part(50)),
            ("loss", "bursts: all", part(42), part(60)),
            ("pause", "pause-4: n4", part(62), part(68)),
            ("command", "transfer: n5", part(71), part(71)),
        ] {
            self.op(begin, "nemesis".into(), OpType::Invoke, fault, value);
            self.op(finish, "nemesis".into(), OpType::Info, fault, value);
        }
    }

    /// Who leads: (from, node, term). n1 at first, n3 after the partition, n5 after the transfer.
    fn leaders(peers: u32, end: u64) -> Vec<(u64, u32, i64)> {
        vec![
            (260 * MS, 0, 1),
            (end * 12 / 100 + 240 * MS, 2.min(peers - 1), 3),
            (end * 72 / 100, 4.min(peers - 1), 4),
        ]
    }

    fn roles(&mut self, peers: u32, end: u64) {
        for node in 0..peers {
            self.event(0, node, "start", &[], &[]);
            self.metric(0, node, "role", Value::Text("follower".into()));
            self.metric(0, node, "current_term", Value::Int(0));
        }
        let mut before: Option<u32> = None;
        for (time, node, term) in Self::leaders(peers, end) {
            let asked = time - 24 * MS;
            for (at, role) in
                [(asked, "pre_candidate"), (time - 12 * MS, "candidate"), (time, "leader")]
            {
                self.metric(at, node, "role", Value::Text(role.into()));
                self.event(
                    at,
                    node,
                    "role",
                    &["term", "role"],
                    &[Value::Int(term), Value::Text(role.into())],
                );
            }
            self.event(
                time,
                node,
                "leader",
                &["term", "last_index"],
                &[Value::Int(term), Value::Int(term * 10)],
            );
            for other in (0..peers).filter(|other| *other != node) {
                let cut = term == 3 && other == 0;
                let late = if cut { end * 8 / 100 } else { 0 };
                self.metric(time - 6 * MS + late, other, "current_term", Value::Int(term));
                if cut {
                    self.message(
                        time - 12 * MS,
                        (node, other),
                        "RequestVote",
                        Outcome::Partitioned,
                    );
                    continue;
                }
                for (at, kind, answer) in [
                    (asked, "PreVote", "PreVoteResponse"),
                    (time - 12 * MS, "RequestVote", "RequestVoteResponse"),
                ] {
                    let arrives = self.message(at, (node, other), kind, Outcome::Delivered);
                    self.message(arrives, (other, node), answer, Outcome::Delivered);
                    if kind == "RequestVote" {
                        self.event(
                            arrives,
                            other,
                            "vote",
                            &["term", "candidate"],
                            &[Value::Int(term), Value::Node(NodeId(node))],
                        );
                    }
                }
            }
            self.metric(time - 12 * MS, node, "current_term", Value::Int(term));
            if let Some(before) = before.filter(|before| *before != node) {
                let late = if term == 3 { end * 8 / 100 } else { 3 * MS };
                self.metric(time + late, before, "role", Value::Text("follower".into()));
            }
            before = Some(node);
        }
        if peers > 1 {
            self.event(
                end * 40 / 100,
                1,
                "crash",
                &["reason", "lost_saves", "message"],
                &[Value::Text("kill".into()), Value::Int(0), Value::Text("".into())],
            );
            self.event(end / 2, 1, "start", &[], &[]);
        }
        if peers > 3 {
            self.event(end * 62 / 100, 3, "pause", &[], &[]);
            self.event(end * 68 / 100, 3, "resume", &[], &[]);
        }
        if peers > 4 {
            self.event(
                end * 71 / 100,
                4,
                "command",
                &["text"],
                &[Value::Text("transfer_leadership".into())],
            );
        }
    }

    fn clocks(&mut self, peers: u32, end: u64) {
        for node in 0..peers {
            let (offset, drift) =
                (self.dice.below(300_000) as i64 - 150_000, self.dice.below(200) as i64 - 100);
            for step in 0..end / (100 * MS) {
                let time = step * 100 * MS;
                let bump = if node == 2 && time > end * 22 / 100 { 120_000 } else { 0 };
                self.metric(
                    time,
                    node,
                    "clock_offset_us",
                    Value::Int(offset + bump + drift * time as i64 / 1_000_000),
                );
            }
        }
    }

    fn traffic(&mut self, sample: &Sample, end: u64) {
        let leader_at = |time: u64| {
            Self::leaders(sample.peers, end).into_iter().rev().find(|(from, ..)| *from <= time)
        };
        let mut index = 0;
        let mut time = 300 * MS;
        let mut beat = 0;
        while time < end - 50 * MS {
            let Some((_, leader, _)) = leader_at(time) else { break };
            let cut = (end * 12 / 100..end * 12 / 100 + 240 * MS).contains(&time);
            let lossy = (end * 42 / 100..end * 60 / 100).contains(&time);
            let down = (end * 40 / 100..end / 2).contains(&time);
            let load = time < end * 3 / 4;
            if load {
                self.operation(sample, time, leader, cut, lossy);
            }
            if load || time > beat + 50 * MS {
                beat = time;
                index += i64::from(load);
                self.metric(time, leader, "last_index", Value::Int(index));
                for other in (0..sample.peers).filter(|other| *other != leader) {
                    let cut =
                        (end * 12 / 100..end / 5).contains(&time) && (other == 0 || leader == 0);
                    let outcome = match () {
                        () if cut => Outcome::Partitioned,
                        () if lossy && self.dice.below(5) == 0 => Outcome::Lost,
                        () if down && other == 1 => Outcome::NodeDown,
                        () => Outcome::Delivered,
                    };
                    let arrives = self.message(time, (leader, other), "AppendEntries", outcome);
                    if outcome == Outcome::Delivered {
                        self.message(
                            arrives,
                            (other, leader),
                            "AppendEntriesResponse",
                            Outcome::Delivered,
                        );
                        self.metric(arrives, other, "last_index", Value::Int(index));
                        self.metric(arrives, other, "commit_index", Value::Int(index - 1));
                    }
                }
                self.metric(
                    time + 8 * MS,
                    leader,
                    "commit_index",
                    Value::Int(index - i64::from(cut) * 5),
                );
                if !cut {
                    self.event(
                        time + 8 * MS,
                        leader,
                        "commit",
                        &["index", "term"],
                        &[Value::Int(index), Value::Int(1)],
                    );
                }
            }
            time += 1_000 * MS / sample.rate.max(1) / 2
                + self.dice.below(1_000 * MS / sample.rate.max(1));
        }
    }

    fn operation(&mut self, sample: &Sample, time: u64, leader: u32, cut: bool, lossy: bool) {
        let client = self.dice.below(u64::from(sample.clients)) as u32;
        let name = format!("c{}", client + 1);
        let f = ["read", "write", "cas", "append"][self.dice.below(4) as usize];
        let slow = if lossy { self.dice.below(4) * 80 * MS } else { 0 };
        let took = 4 * MS + self.dice.below(10 * MS) + slow;
        let (op_type, took) = match () {
            () if cut || self.dice.below(150) == 0 => (OpType::Info, 1_000 * MS),
            () if f == "cas" && self.dice.below(3) == 0 => (OpType::Fail, took),
            () => (OpType::Ok, took),
        };
        // Each client has one operation open at a time; a sample name for each operation keeps it
        // simple.
        let process = format!("{name}-{}", self.next);
        self.op(time, process.clone(), OpType::Invoke, f, "k1");
        self.op(time + took, process, op_type, f, "k1");
        let client = sample.peers + client;
        self.message(
            time,
            (client, leader),
            "ClientRequest",
            if cut { Outcome::Partitioned } else { Outcome::Delivered },
        );
        if op_type == OpType::Ok {
            self.message(time + took - 2 * MS, (leader, client), "ClientReply", Outcome::Delivered);
        }
    }
}
