//! The engine with small nodes of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Cluster, Io, RunOptions, RunOutput, run};
use crate::node::{Ctx, Identity, Message, Node, NodeId, Probe, Value};
use crate::scenario::{DiskSpec, Latency, NodeSpec, NodesSpec, Scenario, Settings};
use crate::trace::{OpType, Outcome, Word};

#[derive(Clone, Debug)]
pub(crate) struct Ping(pub(crate) u64);

impl Message for Ping {
    fn name(&self) -> &'static str {
        "Ping"
    }
    fn size(&self) -> u32 {
        64
    }
}

#[derive(Debug)]
struct NoSettings;

impl Settings for NoSettings {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// A scenario without faults, built by hand.
pub(crate) fn scenario(nodes: u32, seconds: u64) -> Scenario {
    let node = |i| NodeSpec {
        name: format!("n{i}"),
        role: "peer".into(),
        clock: Default::default(),
        slowness: 1.0,
        program: None,
    };
    Scenario {
        name: "test".into(),
        description: "A test.".into(),
        system: "test".into(),
        seed: 1,
        duration: Duration::from_secs(seconds),
        recovery: Duration::ZERO,
        nodes: NodesSpec { nodes: (1..=nodes).map(node).collect(), ..NodesSpec::default() },
        network: Default::default(),
        disk: DiskSpec::default(),
        workload: Default::default(),
        nemesis: vec![],
        model: Default::default(),
        settings: Arc::new(NoSettings),
        checks: vec![],
        inputs: vec![],
        resolved: String::new(),
    }
}

/// What the nodes of a test do.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Habit {
    /// Answer every ping with one more.
    PingPong,
    /// Count starts on the disk and tell how many there were; panic at the third ping.
    CountStarts,
    /// Iterate a map with a random hasher from outside the simulation: the planted nondeterminism.
    Nondeterministic,
}

struct TestNode {
    habit: Habit,
    pings: u64,
}

impl Node for TestNode {
    type Msg = Ping;
    type Timer = u8;

    fn boot(&mut self, ctx: &mut Ctx<'_, Self>) {
        let starts = ctx.read("starts").map_or(0, |bytes| bytes.len() as i64);
        ctx.append("starts", vec![1]);
        ctx.observe("booted", &["starts"], &[Value::Int(starts)]);
        ctx.set_timer(0, Duration::from_millis(100));
        ctx.set_timer(1, Duration::from_millis(50));
        ctx.cancel_timer(1);
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, from: NodeId, message: Ping) {
        self.pings += 1;
        if self.habit == Habit::CountStarts && self.pings == 3 {
            panic!("the third ping");
        }
        ctx.send(from, Ping(message.0 + 1));
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, timer: u8) {
        assert_eq!(timer, 0, "timer 1 was cancelled");
        if self.habit == Habit::Nondeterministic {
            let order: Vec<u8> = foreign_order();
            ctx.observe("order", &["first"], &[Value::Int(i64::from(order[0]))]);
        }
        ctx.broadcast(&Ping(0));
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        probe.int("pings", self.pings as i64);
    }
}

/// The order of a hash map whose keys were drawn on another thread, where madsim does not stand
/// between it and the system.
fn foreign_order() -> Vec<u8> {
    use std::hash::BuildHasher;
    static COUNTER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let hasher = std::hash::RandomState::new();
    let mut order: Vec<u8> = (0..8).collect();
    order.sort_by_key(|key| hasher.hash_one((count, key)));
    order
}

struct TestCluster(Habit);

impl Cluster for TestCluster {
    type Node = TestNode;

    fn node(&self, _: &Identity, _: &str) -> TestNode {
        TestNode { habit: self.0, pings: 0 }
    }

    fn clients(&self) -> Vec<(String, Word)> {
        vec![("c1".into(), "client".into())]
    }

    fn client(&self, _: usize, io: Io<Ping>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move {
            while !io.load_is_over() {
                io.invoke("ping", "7");
                io.send(io.nodes()[0], Ping(7));
                let deadline = io.now() + Duration::from_millis(200);
                match io.recv_until(deadline).await {
                    Some((_, Ping(n))) => io.complete(OpType::Ok, "ping", n.to_string(), ""),
                    None => io.complete(OpType::Info, "ping", "7", "timeout"),
                }
                io.sleep(Duration::from_millis(300)).await;
            }
        })
    }
}

pub(crate) fn simulate(scenario: &Scenario, seed: u64, habit: Habit) -> RunOutput {
    run(scenario, &RunOptions { seed, ..RunOptions::default() }, || TestCluster(habit))
}

/// Same seed, same records, on whatever thread; another seed, others.
#[test]
fn a_run_is_a_function_of_its_seed() {
    let scenario = scenario(3, 5);
    let first = simulate(&scenario, 1, Habit::PingPong).trace;
    let second = std::thread::spawn({
        let scenario = scenario.clone();
        move || simulate(&scenario, 1, Habit::PingPong).trace
    });
    assert!(first == second.join().expect("no panic"));
    assert!(first != simulate(&scenario, 2, Habit::PingPong).trace);
    assert!(first.messages.len() > 1_000, "{}", first.messages.len());
}

/// A sweep does not keep messages, and yet its digest covers them.
#[test]
fn folded_messages_give_the_same_digest() {
    use crate::trace::Digest;
    let mut scenario = scenario(3, 3);
    scenario.network.default.loss = 0.1;
    scenario.network.default.duplicate = 0.1;
    let kept = simulate(&scenario, 1, Habit::CountStarts).trace;
    let options = RunOptions { seed: 1, fold_messages: true, ..RunOptions::default() };
    let folded = run(&scenario, &options, || TestCluster(Habit::CountStarts)).trace;
    assert!(folded.messages.is_empty() && folded.message_count() == kept.message_count());
    assert_eq!(Digest::of(&folded), Digest::of(&kept));
}

/// The client's ping is answered by one more, and its history says so.
#[test]
fn a_participant_talks_with_nodes() {
    let trace = simulate(&scenario(1, 2), 1, Habit::PingPong).trace;
    let answers: Vec<&str> =
        trace.history.iter().filter(|op| op.op_type == OpType::Ok).map(|op| &*op.value).collect();
    assert!(answers.len() >= 6 && answers.iter().all(|answer| *answer == "8"), "{answers:?}");
}

/// The panic takes the node down, not the run; the supervisor starts it again, and its disk has
/// kept the count.
#[test]
fn a_panic_is_a_crash_of_that_node() {
    let mut scenario = scenario(2, 3);
    scenario.nodes.restart_after = Duration::from_millis(500);
    let trace = simulate(&scenario, 1, Habit::CountStarts).trace;
    let crash =
        trace.events.iter().find(|event| event.name == "crash").expect("a crash is recorded");
    assert_eq!(crash.fields.text("reason"), Some("panic"));
    assert!(
        crash
            .fields
            .text("message")
            .is_some_and(|message| message.starts_with("the third ping (src/sim/tests.rs:"))
    );
    let booted = |event: &&crate::trace::Event| event.name == "booted" && event.incarnation == 2;
    assert_eq!(
        trace.events.iter().find(booted).and_then(|event| event.fields.int("starts")),
        Some(1)
    );
    assert!(trace.messages.iter().any(|message| message.outcome == Outcome::NodeDown));
}

/// With a sync of 10 ms, what a step observes after its save is recorded 10 ms later.
#[test]
fn effects_wait_for_the_sync() {
    let mut scenario = scenario(1, 1);
    scenario.disk.sync_latency = Latency::Constant(Duration::from_millis(10));
    let trace = simulate(&scenario, 1, Habit::PingPong).trace;
    let booted = trace.events.iter().find(|event| event.name == "booted").expect("the sync ends");
    assert_eq!(booted.time_us, 10_000);
}

/// Another node, however talkative, does not change what an isolated pair of draws gives: streams
/// belong to names.
#[test]
fn a_node_added_shifts_no_other_nodes_stream() {
    use crate::rng::Rng;
    let draws = |name: &str| (0..4).map(|_| Rng::named(9, name).bits()).collect::<Vec<_>>();
    assert_eq!(draws("node:n1"), draws("node:n1"));
    let arrivals = |nodes| {
        let mut scenario = scenario(nodes, 1);
        scenario.network.default.latency =
            Latency::Uniform(Duration::from_millis(1), Duration::from_millis(9));
        let trace = simulate(&scenario, 4, Habit::PingPong).trace;
        let c1 = trace.node("c1").expect("declared");
        let from_client = trace.messages.iter().filter(|message| message.src == c1);
        from_client
            .map(|message| message.recv_us.map(|at| at - message.sent_us))
            .collect::<Vec<_>>()
    };
    let (few, many) = (arrivals(1), arrivals(6));
    assert_eq!(few[..3], many[..3]);
}

/// The planted nondeterminism shows as a difference between two runs.
#[test]
fn a_randomly_seeded_map_is_noticed() {
    let scenario = scenario(3, 1);
    let runs: Vec<_> =
        (0..4).map(|_| simulate(&scenario, 1, Habit::Nondeterministic).trace).collect();
    assert!(runs.windows(2).any(|pair| pair[0] != pair[1]));
}
