//! A world that remembers what was done to it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::Nemesis;
use crate::faults::{LinkEffect, LinkRule, RuleId};
use crate::faults::{Status, World};
use crate::node::CrashPolicy;
use crate::rng::Rng;
use crate::time::Time;
use crate::trace::{NodeId, OpType, Value};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct FakeNode {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) status: Status,
    pub(super) metrics: BTreeMap<String, Value>,
    pub(super) slow: f64,
    pub(super) wall_ns: i64,
    pub(super) drift: Option<f64>,
    pub(super) frozen: bool,
    pub(super) full: bool,
    pub(super) error: f64,
    pub(super) disk_slow: f64,
    pub(super) stalled: bool,
    pub(super) backup: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) time: Time,
    pub(super) op_type: OpType,
    pub(super) fault: &'static str,
    pub(super) value: String,
}

pub(super) struct FakeWorld {
    now: Time,
    rng: Rng,
    pub(super) nodes: Vec<FakeNode>,
    count: usize,
    pub(super) rules: BTreeMap<RuleId, LinkRule>,
    next_rule: u64,
    alarms: BTreeMap<(Time, u64), u64>,
    next_alarm: u64,
    pub(super) records: Vec<Record>,
    /// What was done to processes and disks: `2s kill n1`.
    pub(super) done: Vec<String>,
}

impl FakeWorld {
    /// Nodes `n1`, `n2`, … and two clients.
    pub(super) fn new(seed: u64, count: usize) -> FakeWorld {
        let participant = |name: String, role| FakeNode {
            name,
            role,
            status: Status::Up,
            metrics: BTreeMap::new(),
            slow: 1.0,
            wall_ns: 0,
            drift: None,
            frozen: false,
            full: false,
            error: 0.0,
            disk_slow: 1.0,
            stalled: false,
            backup: false,
        };
        let nodes = (1..=count).map(|number| participant(format!("n{number}"), "peer"));
        let clients = (1..=2).map(|number| participant(format!("c{number}"), "client"));
        FakeWorld {
            now: Time::ZERO,
            rng: Rng::named(seed, "nemesis"),
            nodes: nodes.chain(clients).collect(),
            count,
            rules: BTreeMap::new(),
            next_rule: 0,
            alarms: BTreeMap::new(),
            next_alarm: 0,
            records: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Let alarms ring that are set for moments before `end`, and look after each.
    pub(super) fn run_until(
        &mut self,
        nemesis: &mut Nemesis,
        end: Duration,
        mut look: impl FnMut(&FakeWorld),
    ) {
        let end = Time::ZERO + end;
        let mut rung = 0;
        while let Some(((at, _), token)) = self
            .alarms
            .first_key_value()
            .map(|(key, token)| (*key, *token))
            .filter(|((at, _), _)| *at < end)
        {
            self.alarms.pop_first();
            assert!(at >= self.now, "an alarm in the past");
            self.now = at;
            nemesis.on_alarm(self, token);
            look(self);
            rung += 1;
            assert!(rung < 1_000_000, "the nemesis never comes to an end");
        }
        self.now = end;
    }

    pub(super) fn node(&self, name: &str) -> &FakeNode {
        &self.nodes[self.id(name).index()]
    }

    pub(super) fn id(&self, name: &str) -> NodeId {
        NodeId(
            self.nodes
                .iter()
                .position(|node| node.name == name)
                .expect("the test names a participant") as u32,
        )
    }

    /// Whether any rule cuts this link.
    pub(super) fn cuts(&self, src: NodeId, dest: NodeId) -> bool {
        self.rules
            .values()
            .any(|rule| rule.effect == LinkEffect::Cut && rule.links.contains(src, dest))
    }

    /// What the nemesis has left, in words; empty when nothing.
    pub(super) fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<String> = self.rules.values().map(|rule| format!("{rule:?}")).collect();
        for node in &self.nodes {
            let normal = FakeNode {
                name: node.name.clone(),
                metrics: node.metrics.clone(),
                role: node.role,
                status: Status::Up,
                slow: 1.0,
                // Bumps stay; whoever cares looks for himself.
                wall_ns: node.wall_ns,
                drift: None,
                frozen: false,
                full: false,
                error: 0.0,
                disk_slow: 1.0,
                stalled: false,
                backup: node.backup,
            };
            if *node != normal {
                left.push(format!("{node:?}"));
            }
        }
        left
    }

    pub(super) fn set_metric(&mut self, node: &str, metric: &str, value: Value) {
        let id = self.id(node);
        self.nodes[id.index()].metrics.insert(metric.to_owned(), value);
    }

    /// Make a node the leader of a term.
    pub(super) fn lead(&mut self, node: &str, term: i64) {
        self.set_metric(node, "role", Value::Text("leader".into()));
        self.set_metric(node, "current_term", Value::Int(term));
    }

    /// When faults of an entry began, ms.
    pub(super) fn begins(&self, name: &str) -> Vec<u64> {
        self.moments(name, OpType::Invoke)
    }

    /// When faults of an entry healed, or were not begun, ms.
    pub(super) fn ends(&self, name: &str) -> Vec<u64> {
        self.moments(name, OpType::Info)
    }

    fn moments(&self, name: &str, op_type: OpType) -> Vec<u64> {
        let fits = |record: &&Record| {
            record.op_type == op_type && record.value.starts_with(&format!("{name}: "))
        };
        self.records.iter().filter(fits).map(|record| record.time.as_micros() / 1_000).collect()
    }

    fn did(&mut self, what: &str, node: NodeId) {
        self.done.push(format!(
            "{}ms {what} {}",
            self.now.as_micros() / 1_000,
            self.nodes[node.index()].name
        ));
    }
}

impl World for FakeWorld {
    fn now(&self) -> Time {
        self.now
    }
    fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }
    fn nodes(&self) -> Vec<NodeId> {
        (0..self.count as u32).map(NodeId).collect()
    }
    fn clients(&self) -> Vec<NodeId> {
        (self.count as u32..self.nodes.len() as u32).map(NodeId).collect()
    }
    fn name(&self, node: NodeId) -> &str {
        &self.nodes[node.index()].name
    }
    fn role(&self, node: NodeId) -> &str {
        self.nodes[node.index()].role
    }
    fn status(&self, node: NodeId) -> Status {
        self.nodes[node.index()].status
    }
    fn metric(&self, node: NodeId, metric: &str) -> Option<Value> {
        let node = &self.nodes[node.index()];
        (node.status != Status::Down).then(|| node.metrics.get(metric).cloned()).flatten()
    }
    fn add_rule(&mut self, rule: LinkRule) -> RuleId {
        for (from, to) in &rule.links.pairs {
            assert!(
                from.is_sorted() && to.is_sorted() && !from.is_empty() && !to.is_empty(),
                "{rule:?}"
            );
        }
        self.next_rule += 1;
        self.rules.insert(RuleId(self.next_rule), rule);
        RuleId(self.next_rule)
    }
    fn remove_rule(&mut self, rule: RuleId) {
        assert!(self.rules.remove(&rule).is_some(), "{rule:?} was removed twice");
    }
    fn kill(&mut self, node: NodeId, policy: Option<CrashPolicy>) {
        if matches!(self.status(node), Status::Up | Status::Paused) {
            self.nodes[node.index()].status = Status::Down;
            let what = policy.map_or("kill".to_owned(), |policy| format!("kill({policy:?})"));
            self.did(&what, node);
        }
    }
    fn start(&mut self, node: NodeId) {
        if matches!(self.status(node), Status::Down | Status::Absent) {
            self.nodes[node.index()].status = Status::Up;
            self.did("start", node);
        }
    }
    fn pause(&mut self, node: NodeId) {
        assert_eq!(self.status(node), Status::Up, "only what runs can be paused");
        self.nodes[node.index()].status = Status::Paused;
        self.did("pause", node);
    }
    fn resume(&mut self, node: NodeId) {
        assert_eq!(self.status(node), Status::Paused, "only what is paused can be resumed");
        self.nodes[node.index()].status = Status::Up;
        self.did("resume", node);
    }
    fn slow(&mut self, node: NodeId, factor: f64) {
        self.nodes[node.index()].slow = factor;
    }
    fn stop(&mut self, node: NodeId) {
        if self.status(node) != Status::Down {
            self.nodes[node.index()].status = Status::Down;
            self.did("stop", node);
        }
    }
    fn command(&mut self, node: NodeId, command: &str) {
        self.did(&format!("command[{command}]"), node);
    }
    fn wall_step(&mut self, node: NodeId, by_ns: i64) {
        self.nodes[node.index()].wall_ns += by_ns;
    }
    fn drift(&mut self, node: NodeId, ppm: Option<f64>) {
        self.nodes[node.index()].drift = ppm;
    }
    fn freeze(&mut self, node: NodeId, frozen: bool) {
        self.nodes[node.index()].frozen = frozen;
    }
    fn wall_reset(&mut self, node: NodeId) {
        self.nodes[node.index()].wall_ns = 0;
    }
    fn bitflip(&mut self, node: NodeId, _file: Option<&str>, bits: u32) -> Option<String> {
        self.did("bitflip", node);
        Some(format!("{bits} bits"))
    }
    fn cut_file(&mut self, node: NodeId, _file: Option<&str>, _bytes: u64) -> Option<String> {
        self.did("cut", node);
        None
    }
    fn disk_full(&mut self, node: NodeId, full: bool) {
        self.nodes[node.index()].full = full;
    }
    fn disk_error(&mut self, node: NodeId, probability: f64) {
        self.nodes[node.index()].error = probability;
    }
    fn disk_slow(&mut self, node: NodeId, factor: f64) {
        self.nodes[node.index()].disk_slow = factor;
    }
    fn disk_stall(&mut self, node: NodeId, stalled: bool) {
        self.nodes[node.index()].stalled = stalled;
    }
    fn backup(&mut self, node: NodeId) {
        self.nodes[node.index()].backup = true;
        self.did("backup", node);
    }
    fn restore(&mut self, node: NodeId) {
        assert_eq!(self.status(node), Status::Down, "only a disk that nobody uses can be replaced");
        self.did("restore", node);
    }
    fn wipe(&mut self, node: NodeId) {
        assert_eq!(self.status(node), Status::Down, "only a disk that nobody uses can be emptied");
        self.did("wipe", node);
    }
    fn alarm(&mut self, at: Time, token: u64) {
        self.next_alarm += 1;
        self.alarms.insert((at, self.next_alarm), token);
    }
    fn record(&mut self, op_type: OpType, fault: &'static str, value: String) {
        self.records.push(Record { time: self.now, op_type, fault, value });
    }
}
