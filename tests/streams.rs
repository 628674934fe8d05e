//! Streams through the whole simulation: nodes that send a file over bad networks, to servers that
//! crash, exit, pause and stop.

use std::sync::Arc;
use std::time::Duration;

use seedbed::faults::{FaultSpec, Kill, Partition, Pause, Stop};
use seedbed::node::{
    Ctx, Identity, Message, Node, NodeId, Port, Probe, StreamEvent, StreamId, Value,
};
use seedbed::scenario::{
    ClockSpec, Direction, Latency, NemesisEntry, NodeSpec, NodesSpec, PartitionShape, Repeat,
    Scenario, Settings, Span, TargetSpec, When,
};
use seedbed::sim::{Cluster, Io, RunOptions, run};
use seedbed::trace::{Event, Outcome, Trace, Word};

const PORT: Port = Port(7);
const RETRY: Duration = Duration::from_millis(500);

/// These nodes communicate only over streams.
#[derive(Clone, Debug)]
enum NoMessage {}

impl Message for NoMessage {
    fn name(&self) -> &'static str {
        match *self {}
    }
    fn size(&self) -> u32 {
        match *self {}
    }
}

/// What a server does besides receiving files.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// Nothing.
    Serve,
    /// Once, its process exits in the middle of a file.
    ExitInTheMiddle,
}

enum Peer {
    /// Takes files, and answers each with its digest when the sender has closed.
    Server { habit: Habit, files: Vec<(StreamId, u64, u64)> },
    /// Sends its file until a server has it whole.
    Sender { file: Vec<u8>, stream: Option<StreamId>, answer: Vec<u8>, done: bool },
}

/// FNV-1a, byte by byte, as the pieces arrive.
fn digest(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

impl Peer {
    fn send_file(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Peer::Sender { file, stream, answer, .. } = self else { return };
        let server = ctx.find("server").expect("every scenario here has one");
        let new = ctx.connect(server, PORT);
        for portion in file.chunks(5_000) {
            ctx.write(new, portion.to_vec());
        }
        ctx.close(new);
        answer.clear();
        *stream = Some(new);
    }

    fn serve(
        habit: Habit,
        files: &mut Vec<(StreamId, u64, u64)>,
        ctx: &mut Ctx<'_, Self>,
        event: StreamEvent,
    ) {
        match event {
            StreamEvent::Accepted { stream, .. } => files.push((stream, 0, EMPTY)),
            StreamEvent::Data(stream, bytes) => {
                assert!(!bytes.is_empty());
                let file = files
                    .iter_mut()
                    .find(|file| file.0 == stream)
                    .expect("bytes come after the acceptance");
                file.1 += bytes.len() as u64;
                file.2 = digest(file.2, &bytes);
                if habit == Habit::ExitInTheMiddle
                    && file.1 > 20_000
                    && ctx.read("exited").is_none()
                {
                    ctx.append("exited", vec![1]);
                    ctx.set_timer((), Duration::from_millis(1));
                }
            }
            StreamEvent::PeerClosed(stream) => {
                let file = files
                    .iter()
                    .find(|file| file.0 == stream)
                    .expect("the end comes after the acceptance");
                ctx.observe("file", &["len"], &[Value::Int(file.1 as i64)]);
                ctx.write(stream, file.2.to_le_bytes().to_vec());
                ctx.close(stream);
            }
            StreamEvent::Reset(stream) | StreamEvent::TimedOut(stream) => {
                files.retain(|file| file.0 != stream)
            }
            other => panic!("a server that only listens hears {other:?}"),
        }
    }
}

impl Node for Peer {
    type Msg = NoMessage;
    type Timer = ();

    fn boot(&mut self, ctx: &mut Ctx<'_, Self>) {
        match self {
            Peer::Server { .. } => ctx.listen(PORT),
            Peer::Sender { .. } => ctx.set_timer((), Duration::from_millis(100)),
        }
    }

    fn on_message(&mut self, _: &mut Ctx<'_, Self>, _: NodeId, message: NoMessage) {
        match message {}
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, (): ()) {
        match self {
            Peer::Server { .. } => ctx.exit(),
            Peer::Sender { .. } => self.send_file(ctx),
        }
    }

    fn on_stream(&mut self, ctx: &mut Ctx<'_, Self>, event: StreamEvent) {
        let (file, current, answer, done) = match self {
            Peer::Server { habit, files } => return Peer::serve(*habit, files, ctx, event),
            Peer::Sender { file, stream, answer, done } => (file, stream, answer, done),
        };
        let broken = match event {
            StreamEvent::Connected(_) => return ctx.observe("connected", &[], &[]),
            StreamEvent::Writable(_) => return ctx.observe("writable", &[], &[]),
            StreamEvent::Data(_, bytes) => return answer.extend(bytes),
            StreamEvent::PeerClosed(stream) => {
                assert_eq!(*current, Some(stream));
                if *answer == digest(EMPTY, file).to_le_bytes() {
                    *done = true;
                    return ctx.observe("done", &[], &[]);
                }
                ctx.reset(stream);
                "closed"
            }
            StreamEvent::Refused(_) => "refused",
            StreamEvent::Reset(_) => "reset",
            StreamEvent::TimedOut(_) => "timed_out",
            StreamEvent::Accepted { .. } => panic!("nobody connects to a sender"),
        };
        ctx.observe("broken", &["why"], &[Value::Text(Word::Borrowed(broken))]);
        *current = None;
        ctx.set_timer((), RETRY);
    }

    fn on_stop(&mut self, ctx: &mut Ctx<'_, Self>) {
        ctx.observe("stops", &[], &[]);
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        if let Peer::Sender { done, .. } = self {
            probe.int("done", i64::from(*done));
        }
    }
}

struct Files {
    habit: Habit,
    length: u32,
}

impl Cluster for Files {
    type Node = Peer;

    fn node(&self, identity: &Identity, role: &str) -> Peer {
        match role {
            "server" => Peer::Server { habit: self.habit, files: vec![] },
            _ => {
                let file = (0..self.length)
                    .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 ^ identity.id.0 as u8)
                    .collect();
                Peer::Sender { file, stream: None, answer: vec![], done: false }
            }
        }
    }

    fn clients(&self) -> Vec<(String, Word)> {
        vec![]
    }

    fn client(&self, _: usize, _: Io<NoMessage>) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
        unreachable!("there are no clients")
    }
}

#[derive(Debug)]
struct NoSettings;

impl Settings for NoSettings {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A server and two senders, on links of 20 ms.
fn scenario(seconds: u64) -> Scenario {
    let node = |name: &str, role: &str| NodeSpec {
        name: name.into(),
        role: role.into(),
        clock: ClockSpec::default(),
        slowness: 1.0,
        program: None,
    };
    let mut scenario = Scenario {
        name: "test".into(),
        description: "A test.".into(),
        system: "test".into(),
        seed: 1,
        duration: Duration::from_secs(seconds),
        recovery: Duration::ZERO,
        nodes: NodesSpec {
            nodes: vec![node("server", "server"), node("s1", "sender"), node("s2", "sender")],
            ..NodesSpec::default()
        },
        network: Default::default(),
        disk: Default::default(),
        workload: Default::default(),
        nemesis: vec![],
        model: Default::default(),
        settings: Arc::new(NoSettings),
        checks: vec![],
        inputs: vec![],
        resolved: String::new(),
    };
    scenario.network.default.latency = Latency::Constant(ms(20));
    scenario
}

/// A fault on the server.
fn fault(at: Duration, lasts: Duration, fault: impl Into<FaultSpec>) -> NemesisEntry {
    NemesisEntry {
        name: "the-fault".into(),
        when: When::At(Span { min: at, max: at }),
        lasts: Some(Span { min: lasts, max: lasts }),
        repeat: Repeat { times: 1 },
        probability: 1.0,
        targets: TargetSpec::Names(vec!["server".into()]),
        fault: fault.into(),
    }
}

fn simulate(scenario: &Scenario, seed: u64, habit: Habit) -> Trace {
    let output = run(scenario, &RunOptions { seed, ..RunOptions::default() }, || Files {
        habit,
        length: 200_000,
    });
    assert_eq!(output.aborted, None);
    output.trace
}

fn events<'a>(trace: &'a Trace, name: &'a str) -> impl Iterator<Item = &'a Event> {
    trace.events.iter().filter(move |event| event.name == name)
}

/// Why connections broke, in order.
fn broken(trace: &Trace) -> Vec<&str> {
    events(trace, "broken")
        .map(|event| event.fields.text("why").expect("it has a reason"))
        .collect()
}

/// Both senders' files are delivered, and no server ever saw the end of an incomplete file.
fn assert_delivered(trace: &Trace, seed: u64) {
    assert_eq!(events(trace, "done").count(), 2, "seed {seed}: {:?}", broken(trace));
    assert!(
        events(trace, "file").all(|event| event.fields.int("len") == Some(200_000)),
        "seed {seed}"
    );
    assert!(
        !events(trace, "crash").any(|event| event.fields.text("reason") == Some("panic")),
        "seed {seed}: a node's expectation failed"
    );
}

/// What TCP promises: over a network that loses, duplicates, reorders and corrupts, in pieces of
/// any size, the file arrives unchanged.
#[test]
fn a_file_arrives_whole_over_a_bad_network() {
    let mut scenario = scenario(120);
    scenario.network.stream.fragment = 0.3;
    scenario.network.stream.retries = 15;
    let link = &mut scenario.network.default;
    (link.loss, link.duplicate, link.reorder, link.corrupt) = (0.05, 0.1, 0.2, 0.05);
    for seed in 0..20 {
        let trace = simulate(&scenario, seed, Habit::Serve);
        assert_delivered(&trace, seed);
        assert_eq!(broken(&trace), [] as [&str; 0], "seed {seed}");
        for outcome in [Outcome::Delivered, Outcome::Lost, Outcome::Duplicated, Outcome::Discarded]
        {
            assert!(
                trace.messages.iter().any(|message| message.outcome == outcome),
                "seed {seed}: no message is {outcome:?}"
            );
        }
        let kinds: std::collections::BTreeSet<&str> =
            trace.messages.iter().map(|message| &*message.kind).collect();
        assert_eq!(
            kinds.into_iter().collect::<Vec<_>>(),
            ["ACK", "DATA", "FIN", "SYN", "SYN-ACK"],
            "seed {seed}"
        );
    }
}

/// The trace of a run with streams is a function of its seed, like every run.
#[test]
fn the_same_seed_gives_the_same_trace() {
    let mut scenario = scenario(20);
    scenario.network.stream.fragment = 0.5;
    (scenario.network.default.loss, scenario.network.default.reorder) = (0.05, 0.2);
    let (first, second, other) = (
        simulate(&scenario, 1, Habit::Serve),
        simulate(&scenario, 1, Habit::Serve),
        simulate(&scenario, 2, Habit::Serve),
    );
    assert!(first == second);
    assert!(first != other);
}

/// On a clean network without fragmentation, segments are handed over as they arrive, so that a
/// reader of the trace can follow the dialogue.
#[test]
fn a_clean_network_shows_the_plain_dialogue() {
    let trace = simulate(&scenario(10), 1, Habit::Serve);
    assert_delivered(&trace, 1);
    let s1 = trace.node("s1").expect("declared");
    let dialogue: Vec<(&str, u64)> = trace
        .messages
        .iter()
        .filter(|message| message.src == s1 || message.dest == s1)
        .take(4)
        .map(|message| (&*message.kind, message.sent_us))
        .collect();
    assert_eq!(
        dialogue,
        [("SYN", 100_000), ("SYN-ACK", 120_000), ("ACK", 140_000), ("DATA", 140_000)]
    );
    assert_eq!(trace.messages[0].detail.to_string(), "stream=1 port=7 window=65536");
    let sent_again =
        trace.messages.iter().filter(|message| message.outcome != Outcome::Delivered).count();
    assert_eq!(sent_again, 0);
}

/// A link of 100,000 bytes per second carries 200,000 bytes and their headers in a little more than
/// two seconds; each sender has its own link.
#[test]
fn bandwidth_sets_the_pace() {
    let mut scenario = scenario(60);
    scenario.network.default.bandwidth = Some(100_000);
    let trace = simulate(&scenario, 1, Habit::Serve);
    assert_delivered(&trace, 1);
    let last = events(&trace, "done").map(|event| event.time_us).max().expect("two are done");
    assert!((2_100_000..2_500_000).contains(&last), "{last}");
}

/// Retransmissions bridge a partition of two seconds; the nodes notice only the delay.
#[test]
fn a_short_partition_is_only_a_delay() {
    let mut scenario = scenario(60);
    let shape = Partition { shape: PartitionShape::One, direction: Direction::Both, clients: true };
    scenario.nemesis = vec![fault(ms(180), ms(2_000), shape)];
    for seed in 0..5 {
        let trace = simulate(&scenario, seed, Habit::Serve);
        assert_delivered(&trace, seed);
        assert_eq!(broken(&trace), [] as [&str; 0]);
        assert!(events(&trace, "done").all(|event| event.time_us > 2_180_000));
        assert!(trace.messages.iter().any(|message| message.outcome == Outcome::Partitioned));
    }
}

/// A partition longer than all retransmissions (200 ms doubled eight times, at most 10 s each)
/// breaks the connections; the next ones serve.
#[test]
fn a_long_partition_times_out_and_the_next_connection_serves() {
    let mut scenario = scenario(200);
    scenario.network.stream.retries = 4;
    let shape = Partition { shape: PartitionShape::One, direction: Direction::Both, clients: true };
    scenario.nemesis = vec![fault(ms(180), ms(30_000), shape)];
    let trace = simulate(&scenario, 1, Habit::Serve);
    assert_delivered(&trace, 1);
    assert!(
        broken(&trace).len() >= 4 && broken(&trace).iter().all(|why| *why == "timed_out"),
        "{:?}",
        broken(&trace)
    );
}

/// The server's machine crashes and comes back: its peers find out by a reset when they send again,
/// and start over.
#[test]
fn after_a_crash_the_senders_are_reset_and_start_anew() {
    for seed in 0..5 {
        let mut scenario = scenario(60);
        scenario.nemesis = vec![fault(ms(180), ms(300), Kill)];
        let trace = simulate(&scenario, seed, Habit::Serve);
        assert_delivered(&trace, seed);
        assert_eq!(broken(&trace), ["reset", "reset"], "seed {seed}");
        assert!(trace.messages.iter().any(|message| message.outcome == Outcome::NodeDown));
    }
}

/// A process that exits differs from a machine that crashes: its peers learn of it immediately, and
/// are refused until it is back.
#[test]
fn after_an_exit_the_machine_resets_and_refuses() {
    let mut scenario = scenario(60);
    scenario.nodes.restart_after = ms(2_000);
    let trace = simulate(&scenario, 1, Habit::ExitInTheMiddle);
    assert_delivered(&trace, 1);
    let crash = events(&trace, "crash").next().expect("it exits");
    assert_eq!(crash.fields.text("reason"), Some("exit"));
    let first = events(&trace, "broken").next().expect("they are told");
    assert!(
        first.time_us < crash.time_us + 41_000,
        "within a round trip: {} after {}",
        first.time_us,
        crash.time_us
    );
    let reasons = broken(&trace);
    assert!(reasons.iter().filter(|why| **why == "refused").count() >= 4, "{reasons:?}");
    assert!(!reasons.contains(&"timed_out"), "{reasons:?}");
}

/// A paused process reads nothing, so its window fills and the senders wait however long it takes:
/// their window probes are answered.
#[test]
fn a_paused_reader_makes_the_writers_wait() {
    let mut scenario = scenario(200);
    scenario.network.stream.retries = 3;
    scenario.nemesis = vec![fault(ms(150), ms(100_000), Pause)];
    let trace = simulate(&scenario, 1, Habit::Serve);
    assert_delivered(&trace, 1);
    assert_eq!(broken(&trace), [] as [&str; 0]);
    assert!(events(&trace, "done").all(|event| event.time_us > 100_150_000));
    let during = |message: &&seedbed::trace::Message| {
        (1_000_000..100_000_000).contains(&message.sent_us) && message.kind == "DATA"
    };
    let probes = trace.messages.iter().filter(during).count();
    assert!((10..60).contains(&probes), "window probes back off to one in ten seconds: {probes}");
}

/// After an orderly stop the machine closes: the senders see the end of the stream, not a time-out.
#[test]
fn an_orderly_stop_closes_the_connections() {
    let mut scenario = scenario(60);
    scenario.nemesis = vec![fault(ms(230), ms(3_000), Stop)];
    let trace = simulate(&scenario, 1, Habit::Serve);
    assert_delivered(&trace, 1);
    assert_eq!(events(&trace, "stops").count(), 1);
    let reasons = broken(&trace);
    assert!(
        reasons.iter().any(|why| *why == "closed" || *why == "reset")
            && reasons.contains(&"refused"),
        "{reasons:?}"
    );
}
