//! Two hosts and a network between them that loses, duplicates and reorders.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

const CLIENT: NodeId = NodeId(0);
const SERVER: NodeId = NodeId(1);
const PORT: Port = Port(80);
/// The client's first end, and the first that the server makes.
const C1: StreamId = StreamId(1);
const S1: StreamId = StreamId(1);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

enum Due {
    Arrives { dest: NodeId, from: NodeId, segment: Segment },
    Timer { host: NodeId, token: Token },
}

/// The simulation in little. Events come back to the test, which plays both nodes.
struct Net {
    now: Time,
    rng: Rng,
    spec: StreamSpec,
    loss: f64,
    duplicate: f64,
    delay: (Duration, Duration),
    /// Nothing passes.
    cut: bool,
    hosts: [Option<Streams>; 2],
    queue: BTreeMap<(Time, u64), Due>,
    serial: u64,
    events: [Vec<StreamEvent>; 2],
    /// The names of all segments that were sent, for tests of the dialogue.
    sent: Vec<(NodeId, &'static str)>,
    sent_bytes: u64,
}

impl Net {
    fn new(seed: u64, spec: StreamSpec) -> Net {
        let hosts = [Some(Streams::new(&spec)), Some(Streams::new(&spec))];
        Net {
            now: Time::ZERO,
            rng: Rng::named(seed, "net"),
            spec,
            loss: 0.0,
            duplicate: 0.0,
            delay: (ms(5), ms(5)),
            cut: false,
            hosts,
            queue: BTreeMap::new(),
            serial: 0,
            events: [vec![], vec![]],
            sent: vec![],
            sent_bytes: 0,
        }
    }

    fn hostile(seed: u64, spec: StreamSpec) -> Net {
        let delay = (ms(1), ms(60));
        Net { loss: 0.3, duplicate: 0.3, delay, ..Net::new(seed, spec) }
    }

    fn op(&mut self, node: NodeId, op: StreamOp) {
        let mut out = vec![];
        if let Some(host) = &mut self.hosts[node.index()] {
            host.op(self.now, op, &mut out);
        }
        self.apply(node, out);
    }

    fn connect(&mut self) -> StreamId {
        let host = self.hosts[CLIENT.index()].as_mut().expect("the client is up");
        let stream = StreamId(host.next_stream);
        host.next_stream += 1;
        self.op(CLIENT, StreamOp::Connect { stream, dest: SERVER, port: PORT });
        stream
    }

    /// A client and a server with a connection between their first ends.
    fn connected(&mut self) {
        self.op(SERVER, StreamOp::Listen(PORT));
        self.connect();
        self.run(ms(100_000));
        let (client, server) = (self.take(CLIENT), self.take(SERVER));
        assert_eq!(client, [StreamEvent::Connected(C1)]);
        assert_eq!(server, [StreamEvent::Accepted { stream: S1, from: CLIENT, port: PORT }]);
        self.sent.clear();
    }

    fn crash(&mut self, node: NodeId) -> u64 {
        self.hosts[node.index()].take().expect("it was up").next_stream
    }

    fn restart(&mut self, node: NodeId, next_stream: u64) {
        self.hosts[node.index()] = Some(Streams { next_stream, ..Streams::new(&self.spec) });
    }

    fn push(&mut self, at: Time, due: Due) {
        self.serial += 1;
        self.queue.insert((at, self.serial), due);
    }

    fn apply(&mut self, node: NodeId, out: Vec<StreamOut>) {
        for each in out {
            match each {
                StreamOut::Event(event) => self.events[node.index()].push(event),
                StreamOut::Timer { at, token } => self.push(at, Due::Timer { host: node, token }),
                StreamOut::Segment { dest, segment } => {
                    self.sent.push((node, segment.name()));
                    self.sent_bytes += u64::from(segment.size());
                    let copies = if self.rng.chance(self.duplicate) { 2 } else { 1 };
                    for _ in 0..copies {
                        if !self.cut && !self.rng.chance(self.loss) {
                            let at = self.now + self.rng.duration(self.delay.0, self.delay.1);
                            self.push(at, Due::Arrives { dest, from: node, segment: segment.clone() });
                        }
                    }
                }
            }
        }
    }

    /// Go on until nothing is left to do, or this long.
    fn run(&mut self, at_most: Duration) {
        let end = self.now + at_most;
        while self.step(end) {}
        self.now = if self.queue.is_empty() { self.now } else { end };
    }

    fn step(&mut self, end: Time) -> bool {
        let Some(first) = self.queue.first_entry().filter(|first| first.key().0 <= end) else { return false };
        self.now = first.key().0;
        let mut out = vec![];
        let node = match first.remove() {
            Due::Arrives { dest, from, segment } => {
                if let Some(host) = &mut self.hosts[dest.index()] {
                    host.on_segment(self.now, from, segment, &mut self.rng, &mut out);
                }
                dest
            }
            Due::Timer { host: node, token } => {
                if let Some(host) = &mut self.hosts[node.index()] {
                    host.on_timer(self.now, token, &mut out);
                }
                node
            }
        };
        self.apply(node, out);
        true
    }

    fn take(&mut self, node: NodeId) -> Vec<StreamEvent> {
        std::mem::take(&mut self.events[node.index()])
    }

    fn ends(&self, node: NodeId) -> usize {
        self.hosts[node.index()].as_ref().map_or(0, |host| host.ends.len())
    }
}

/// The bytes that an end was given, and what else it heard.
fn received(events: &[StreamEvent], stream: StreamId) -> (Vec<u8>, Vec<&StreamEvent>) {
    let mut bytes = vec![];
    let mut others = vec![];
    for event in events {
        match event {
            StreamEvent::Data(id, piece) => {
                assert_eq!(*id, stream);
                assert!(!piece.is_empty(), "an empty piece looks like the end of the stream");
                bytes.extend_from_slice(piece);
            }
            other => others.push(other),
        }
    }
    (bytes, others)
}

fn text(rng: &mut Rng, length: usize) -> Vec<u8> {
    (0..length).map(|_| rng.bits() as u8).collect()
}

/// Patient enough that 30 % loss never looks like a dead peer.
fn patient() -> StreamSpec {
    StreamSpec { retries: 60, rto: ms(100), rto_max: ms(2_000), segment: 100, window: 2_000, ..StreamSpec::default() }
}

/// Run a whole conversation through a network of this seed: both write in drawn portions and close. Returns the net when all is over.
fn conversation(seed: u64, spec: StreamSpec, length: usize) -> (Net, [Vec<u8>; 2]) {
    let mut net = Net::hostile(seed, spec);
    let mut rng = Rng::named(seed, "texts");
    net.op(SERVER, StreamOp::Listen(PORT));
    let stream = net.connect();
    let texts = [text(&mut rng, length), text(&mut rng, length / 2)];
    let mut written = [0, 0];
    let mut accepted = false;
    for _ in 0..100_000 {
        accepted |= net.events[SERVER.index()].iter().any(|event| matches!(event, StreamEvent::Accepted { .. }));
        for node in [CLIENT, SERVER] {
            let i = node.index();
            let end = if node == CLIENT { stream } else { S1 };
            let may_write = node == CLIENT || accepted;
            if may_write && written[i] < texts[i].len() && rng.chance(0.3) {
                let size = rng.between(1, 500).min((texts[i].len() - written[i]) as u64) as usize;
                net.op(node, StreamOp::Write(end, texts[i][written[i]..written[i] + size].to_vec()));
                written[i] += size;
                if written[i] == texts[i].len() {
                    net.op(node, StreamOp::Close(end));
                }
            }
        }
        let forever = net.now + ms(10_000_000);
        if !net.step(forever) && written[0] == texts[0].len() && written[1] == texts[1].len() {
            return (net, texts);
        }
    }
    panic!("seed {seed}: the conversation does not end");
}

/// What a stream is: each byte once, in order, and then the end; whatever the network does. Afterwards nothing is left of it.
#[test]
fn bytes_arrive_once_and_in_order_whatever_the_network_does() {
    for seed in 0..3_000 {
        let fragment = if seed % 2 == 0 { 0.0 } else { 0.7 };
        let (mut net, texts) = conversation(seed, StreamSpec { fragment, ..patient() }, 5_000);
        for (node, other, end) in [(CLIENT, 1, C1), (SERVER, 0, S1)] {
            let events = net.take(node);
            let (bytes, others) = received(&events, end);
            assert!(bytes == texts[other], "seed {seed}: {node:?} got other bytes");
            assert_eq!(others.iter().filter(|event| matches!(event, StreamEvent::PeerClosed(_))).count(), 1, "seed {seed}: {others:?}");
            assert!(
                !others.iter().any(|event| matches!(event, StreamEvent::Reset(_) | StreamEvent::TimedOut(_))),
                "seed {seed}: {others:?}"
            );
            assert_eq!(net.ends(node), 0, "seed {seed}: an end is left");
        }
        assert!(net.hosts.iter().flatten().all(|host| host.answered.is_empty() && host.half_open == 0));
    }
}

/// A run is a function of its seed, so the same seed gives the same segments and the same pieces.
#[test]
fn the_same_seed_gives_the_same_conversation() {
    let spec = StreamSpec { fragment: 0.5, ..patient() };
    let (first, _) = conversation(7, spec.clone(), 3_000);
    let (second, _) = conversation(7, spec, 3_000);
    assert_eq!(first.events, second.events);
    assert_eq!(first.sent, second.sent);
    assert_eq!(first.now, second.now);
}

/// Fragmentation cuts elsewhere and changes nothing else; with it, pieces begin and end at other places than segments.
#[test]
fn fragmentation_moves_the_cuts_and_keeps_the_bytes() {
    let mut streams = vec![];
    for fragment in [0.0, 1.0] {
        let mut net = Net::new(3, StreamSpec { fragment, ..patient() });
        net.connected();
        for i in 0..20 {
            net.op(CLIENT, StreamOp::Write(C1, vec![i; 50]));
            net.run(ms(3));
        }
        net.op(CLIENT, StreamOp::Close(C1));
        net.run(ms(1_000));
        let events = net.take(SERVER);
        let pieces: Vec<usize> =
            events.iter().filter_map(|event| if let StreamEvent::Data(_, bytes) = event { Some(bytes.len()) } else { None }).collect();
        streams.push((received(&events, S1).0, pieces));
    }
    assert_eq!(streams[0].0, streams[1].0);
    assert_eq!(streams[0].1, [50; 20]);
    let cut = &streams[1].1;
    assert!(cut.iter().any(|size| *size < 10) && cut.iter().any(|size| *size > 50), "{cut:?}");
}

/// RFC 9293, figure 6, then one write of each side, then figure 12: every segment of a short connection.
#[test]
fn a_short_connection_is_the_dialogue_of_the_standard() {
    let mut net = Net::new(1, StreamSpec::default());
    net.op(SERVER, StreamOp::Listen(PORT));
    net.connect();
    net.run(ms(100));
    assert_eq!(net.sent, [(CLIENT, "SYN"), (SERVER, "SYN-ACK"), (CLIENT, "ACK")]);
    net.sent.clear();
    net.op(CLIENT, StreamOp::Write(C1, b"ping".to_vec()));
    net.run(ms(100));
    net.op(SERVER, StreamOp::Write(S1, b"pong".to_vec()));
    net.run(ms(100));
    assert_eq!(net.sent, [(CLIENT, "DATA"), (SERVER, "ACK"), (SERVER, "DATA"), (CLIENT, "ACK")]);
    net.sent.clear();
    net.op(CLIENT, StreamOp::Close(C1));
    net.run(ms(100));
    net.op(SERVER, StreamOp::Close(S1));
    net.run(ms(100));
    assert_eq!(net.sent, [(CLIENT, "FIN"), (SERVER, "ACK"), (SERVER, "FIN"), (CLIENT, "ACK")]);
}

/// A server that answers only when it has read everything relies on this: the other direction stays open.
#[test]
fn a_half_closed_stream_still_carries_bytes_the_other_way() {
    let mut net = Net::new(1, StreamSpec::default());
    net.connected();
    net.op(CLIENT, StreamOp::Write(C1, b"question".to_vec()));
    net.op(CLIENT, StreamOp::Close(C1));
    net.op(CLIENT, StreamOp::Write(C1, b"too late".to_vec()));
    net.run(ms(50));
    assert_eq!(net.take(SERVER), [StreamEvent::Data(S1, b"question".to_vec()), StreamEvent::PeerClosed(S1)]);
    net.op(SERVER, StreamOp::Write(S1, b"answer".to_vec()));
    net.op(SERVER, StreamOp::Close(S1));
    net.run(ms(50));
    assert_eq!(net.take(CLIENT), [StreamEvent::Data(C1, b"answer".to_vec()), StreamEvent::PeerClosed(C1)]);
}

/// Both FINs cross; each side must still learn of the other's.
#[test]
fn both_sides_may_close_at_once() {
    for seed in 0..200 {
        let mut net = Net::new(seed, StreamSpec { retries: 60, ..StreamSpec::default() });
        net.connected();
        net.loss = 0.3;
        net.op(CLIENT, StreamOp::Close(C1));
        net.op(SERVER, StreamOp::Close(S1));
        net.run(ms(1_000_000));
        assert_eq!(net.take(CLIENT), [StreamEvent::PeerClosed(C1)], "seed {seed}");
        assert_eq!(net.take(SERVER), [StreamEvent::PeerClosed(S1)], "seed {seed}");
        assert_eq!((net.ends(CLIENT), net.ends(SERVER)), (0, 0));
    }
}

/// A machine that runs, with nobody at the port, says so at once: the program need not wait for a time-out.
#[test]
fn a_port_without_a_listener_refuses() {
    let mut net = Net::new(1, StreamSpec::default());
    net.connect();
    net.run(ms(1_000));
    assert_eq!(net.take(CLIENT), [StreamEvent::Refused(C1)]);
    assert_eq!(net.sent, [(CLIENT, "SYN"), (SERVER, "RST")]);
    assert_eq!(net.ends(CLIENT), 0);
}

/// A machine that is not there says nothing: time-outs of 200, 400, 800 ms …, the last of them after the last retransmission.
#[test]
fn a_dead_host_is_found_by_the_time_outs_of_the_syn() {
    let spec = StreamSpec { retries: 3, ..StreamSpec::default() };
    let mut net = Net::new(1, spec);
    net.crash(SERVER);
    net.connect();
    net.run(ms(2_999));
    assert_eq!(net.take(CLIENT), []);
    assert_eq!(net.sent, [(CLIENT, "SYN"); 4]);
    net.run(ms(2));
    assert_eq!(net.take(CLIENT), [StreamEvent::TimedOut(C1)], "200 + 400 + 800 + 1600 ms");
    assert_eq!(net.ends(CLIENT), 0);
}

/// A partition shorter than the retransmissions last is only a delay.
#[test]
fn a_short_partition_delays_and_a_long_one_breaks() {
    let spec = StreamSpec { retries: 4, ..StreamSpec::default() };
    for (cut, survives) in [(ms(2_000), true), (ms(7_000), false)] {
        let mut net = Net::new(1, spec.clone());
        net.connected();
        net.cut = true;
        net.op(CLIENT, StreamOp::Write(C1, b"hello".to_vec()));
        net.run(cut);
        net.cut = false;
        net.run(ms(20_000));
        let (client, server) = (net.take(CLIENT), net.take(SERVER));
        if survives {
            assert_eq!((client, server), (vec![], vec![StreamEvent::Data(S1, b"hello".to_vec())]));
        } else {
            assert_eq!((client, server), (vec![StreamEvent::TimedOut(C1)], vec![]), "the server has sent nothing and cannot know");
        }
    }
}

/// The half-open connection of RFC 9293, 3.5.1: after a crash the peer learns when it sends, and never otherwise.
#[test]
fn after_a_crash_the_peer_learns_when_it_sends_and_never_otherwise() {
    let mut net = Net::new(1, StreamSpec::default());
    net.connected();
    let next_stream = net.crash(SERVER);
    net.restart(SERVER, next_stream);
    net.op(SERVER, StreamOp::Listen(PORT));
    net.run(ms(10_000_000));
    assert_eq!(net.take(CLIENT), []);
    net.op(CLIENT, StreamOp::Write(C1, b"are you there?".to_vec()));
    net.run(ms(100));
    assert_eq!(net.take(CLIENT), [StreamEvent::Reset(C1)]);
    net.op(CLIENT, StreamOp::Write(C1, b"ignored".to_vec()));
    net.connect();
    net.run(ms(100));
    assert_eq!(net.take(CLIENT), [StreamEvent::Connected(StreamId(2))], "a new connection stands");
    assert_eq!(net.take(SERVER), [StreamEvent::Accepted { stream: StreamId(2), from: CLIENT, port: PORT }]);
}

/// A segment of the connection before the crash must never fit one after it, however long the network keeps it.
#[test]
fn segments_of_a_dead_incarnation_fit_no_new_connection() {
    for seed in 0..500 {
        let mut net = Net::hostile(seed, patient());
        net.delay = (ms(1), ms(3_000));
        net.op(SERVER, StreamOp::Listen(PORT));
        let old = net.connect();
        net.op(CLIENT, StreamOp::Write(old, vec![1; 3_000]));
        net.run(ms(5_000));
        let (next_client, next_server) = (net.crash(CLIENT), net.crash(SERVER));
        net.restart(CLIENT, next_client);
        net.restart(SERVER, next_server);
        net.op(SERVER, StreamOp::Listen(PORT));
        net.take(SERVER);
        let new = net.connect();
        net.op(CLIENT, StreamOp::Write(new, vec![2; 1_000]));
        net.op(CLIENT, StreamOp::Close(new));
        net.run(ms(200_000));
        let mut streams: BTreeMap<StreamId, Vec<u8>> = BTreeMap::new();
        for event in net.take(SERVER) {
            if let StreamEvent::Data(stream, bytes) = event {
                streams.entry(stream).or_default().extend(bytes);
            }
        }
        assert_eq!(streams.into_values().collect::<Vec<_>>(), [vec![2; 1_000]], "seed {seed}");
    }
}

/// A node that is stopped for some time does not take what it was given. Its window fills, the peer waits, and goes on when it goes on.
#[test]
fn bytes_that_a_node_has_not_taken_fill_its_window() {
    let spec = StreamSpec { window: 4_000, segment: 1_000, retries: 3, ..StreamSpec::default() };
    let mut net = Net::new(1, spec);
    net.connected();
    net.op(CLIENT, StreamOp::Write(C1, vec![9; 20_000]));
    let mut backlog = vec![];
    let end = net.now + ms(60_000);
    while net.step(end) {
        for event in net.take(SERVER) {
            let StreamEvent::Data(stream, bytes) = event else { panic!("{event:?}") };
            net.hosts[1].as_mut().expect("it is up").queued(stream, bytes.len() as u64);
            backlog.push(bytes.len() as u64);
        }
    }
    let waiting: u64 = backlog.iter().sum();
    assert!((4_000..=8_000).contains(&waiting), "{waiting}");
    for bytes in backlog {
        let mut out = vec![];
        net.hosts[1].as_mut().expect("it is up").taken(net.now, S1, bytes, &mut out);
        net.apply(SERVER, out);
    }
    net.run(ms(1_000));
    let rest = received(&net.take(SERVER), S1).0.len() as u64;
    assert_eq!(waiting + rest, 20_000);
}

/// A node that does not read makes its peer wait: what is sent and not read never exceeds the window, and the probes keep the
/// connection alive for as long as the pause lasts.
#[test]
fn a_reader_that_pauses_stops_the_writer_until_it_reads_again() {
    let spec = StreamSpec { window: 4_000, segment: 1_000, retries: 3, ..StreamSpec::default() };
    let mut net = Net::new(1, spec);
    net.connected();
    net.op(SERVER, StreamOp::PauseReading(S1));
    net.op(CLIENT, StreamOp::Write(C1, vec![9; 20_000]));
    net.op(CLIENT, StreamOp::Close(C1));
    net.run(ms(600_000));
    assert_eq!((net.take(CLIENT), net.take(SERVER)), (vec![], vec![]));
    let data = net.sent.iter().filter(|(_, name)| *name == "DATA").count();
    assert!((5..100).contains(&data), "four segments and a probe now and then: {data}");
    net.op(SERVER, StreamOp::ResumeReading(S1));
    net.run(ms(1_000));
    assert_eq!(net.take(CLIENT), [StreamEvent::Writable(C1)]);
    let events = net.take(SERVER);
    let (bytes, others) = received(&events, S1);
    assert_eq!((bytes.len(), others), (20_000, vec![&StreamEvent::PeerClosed(S1)]));
}

/// A reader that pauses and goes on at drawn moments, with a window of few bytes, on a bad network: no byte may be lost to a closed window.
#[test]
fn a_window_that_opens_and_closes_loses_nothing() {
    for seed in 0..300 {
        let mut net = Net::hostile(seed, StreamSpec { window: 150, fragment: 0.5, ..patient() });
        net.op(SERVER, StreamOp::Listen(PORT));
        let stream = net.connect();
        let sent = text(&mut Rng::named(seed, "text"), 2_000);
        net.op(CLIENT, StreamOp::Write(stream, sent.clone()));
        net.op(CLIENT, StreamOp::Close(stream));
        for _ in 0..400 {
            net.op(SERVER, StreamOp::PauseReading(S1));
            net.run(ms(200));
            net.op(SERVER, StreamOp::ResumeReading(S1));
            net.run(ms(200));
        }
        net.run(ms(1_000_000));
        let events = net.take(SERVER);
        let (bytes, others) = received(&events, S1);
        assert!(bytes == sent, "seed {seed}: {} bytes, {others:?}", bytes.len());
        assert_eq!(others.last(), Some(&&StreamEvent::PeerClosed(S1)), "seed {seed}");
    }
}

/// Without loss, what is on its way is at most the window: the sender waits for acknowledgements even of a reader that reads at once.
#[test]
fn the_window_bounds_what_is_on_its_way() {
    let spec = StreamSpec { window: 4_000, segment: 1_000, ..StreamSpec::default() };
    let mut net = Net::new(1, spec);
    net.connected();
    net.op(CLIENT, StreamOp::Write(C1, vec![9; 20_000]));
    assert_eq!(net.sent.len(), 4, "a window of segments leaves at once");
    net.run(ms(10_000));
    assert_eq!(received(&net.take(SERVER), S1).0.len(), 20_000);
}

/// A single loss is repaired by the acknowledgements of the segments after it, long before the time-out of 200 ms.
#[test]
fn three_duplicate_acknowledgements_repair_a_loss_before_the_time_out() {
    let mut net = Net::new(1, StreamSpec { segment: 100, ..StreamSpec::default() });
    net.connected();
    net.cut = true;
    net.op(CLIENT, StreamOp::Write(C1, vec![0; 100]));
    net.cut = false;
    net.op(CLIENT, StreamOp::Write(C1, vec![1; 400]));
    net.run(ms(21));
    assert_eq!(received(&net.take(SERVER), S1).0.len(), 500);
}

/// A program that breaks a connection off is seen by its peer at once, with what it had sent before.
#[test]
fn a_reset_reaches_the_peer_after_the_bytes_before_it() {
    let mut net = Net::new(1, StreamSpec { fragment: 1.0, ..StreamSpec::default() });
    net.connected();
    net.op(CLIENT, StreamOp::Write(C1, b"abc".to_vec()));
    net.op(CLIENT, StreamOp::Reset(C1));
    net.run(ms(100));
    let events = net.take(SERVER);
    let (bytes, others) = received(&events, S1);
    assert_eq!((bytes.as_slice(), others), (b"abc".as_slice(), vec![&StreamEvent::Reset(S1)]));
    assert_eq!((net.ends(CLIENT), net.ends(SERVER)), (0, 0));
}

/// After an exit the machine delivers what was written, closes the connections and refuses new ones; the process hears no more.
#[test]
fn the_machine_says_good_bye_for_a_process_that_has_ended() {
    let mut net = Net::new(1, patient());
    net.connected();
    net.loss = 0.3;
    net.op(SERVER, StreamOp::Write(S1, vec![5; 3_000]));
    let mut out = vec![];
    net.hosts[1].as_mut().expect("it is up").process_ended(net.now, &mut out);
    net.apply(SERVER, out);
    net.run(ms(30_000));
    let events = net.take(CLIENT);
    let (bytes, others) = received(&events, C1);
    assert_eq!((bytes.len(), others), (3_000, vec![&StreamEvent::PeerClosed(C1)]));
    net.loss = 0.0;
    net.op(CLIENT, StreamOp::Write(C1, b"nobody reads this".to_vec()));
    net.connect();
    net.run(ms(100));
    assert_eq!(net.take(CLIENT), [StreamEvent::Reset(C1), StreamEvent::Refused(StreamId(2))]);
    assert_eq!(net.take(SERVER), []);
    assert_eq!(net.ends(SERVER), 0);
}

/// Deadlines move with every acknowledgement; were each of them a timer of its own, the driver's heap would be full of them.
#[test]
fn a_busy_stream_needs_few_timers() {
    let mut net = Net::new(1, StreamSpec::default());
    net.connected();
    let mut timers = 0;
    for _ in 0..1_000 {
        net.op(CLIENT, StreamOp::Write(C1, vec![0; 100]));
        net.run(ms(5));
        timers = timers.max(net.queue.values().filter(|due| matches!(due, Due::Timer { .. })).count());
    }
    assert!(timers <= 2, "{timers} timers at once");
}

/// A node may connect to itself, as programs do that are given one address for all.
#[test]
fn a_node_can_connect_to_itself() {
    let mut net = Net::new(1, StreamSpec::default());
    net.op(CLIENT, StreamOp::Listen(PORT));
    let host = net.hosts[0].as_mut().expect("it is up");
    host.next_stream += 1;
    net.op(CLIENT, StreamOp::Connect { stream: C1, dest: CLIENT, port: PORT });
    net.op(CLIENT, StreamOp::Write(C1, b"me".to_vec()));
    net.run(ms(100));
    let (there, here) = (StreamId(2), CLIENT);
    let expected = [
        StreamEvent::Connected(C1),
        StreamEvent::Accepted { stream: there, from: here, port: PORT },
        StreamEvent::Data(there, b"me".to_vec()),
    ];
    assert_eq!(net.take(CLIENT), expected);
}

/// Connections whose handshake never ends take memory of the server; their number is bounded, and time frees them.
#[test]
fn half_open_connections_are_bounded_and_pass() {
    let mut net = Net::new(1, StreamSpec { retries: 3, ..StreamSpec::default() });
    net.op(SERVER, StreamOp::Listen(PORT));
    for _ in 0..HALF_OPEN_MAX + 500 {
        net.connect();
    }
    // The SYNs are on their way; all answers are lost.
    net.cut = true;
    net.run(ms(100));
    assert_eq!(net.ends(SERVER), HALF_OPEN_MAX);
    net.run(ms(10_000));
    assert_eq!((net.ends(SERVER), net.ends(CLIENT)), (0, 0));
    net.cut = false;
    net.take(CLIENT);
    let last = net.connect();
    net.run(ms(100));
    assert_eq!(net.take(CLIENT), [StreamEvent::Connected(last)]);
}

/// A port that a copy of an old SYN reaches after the connection is over makes an end that its peer disowns; the node never hears of it.
#[test]
fn a_late_copy_of_a_syn_opens_nothing() {
    let mut net = Net::new(1, StreamSpec::default());
    net.op(SERVER, StreamOp::Listen(PORT));
    net.connect();
    let syn = net.queue.values().find_map(|due| match due {
        Due::Arrives { segment, .. } => Some(segment.clone()),
        Due::Timer { .. } => None,
    });
    net.run(ms(100));
    net.op(CLIENT, StreamOp::Close(C1));
    net.op(SERVER, StreamOp::Close(S1));
    net.run(ms(1_000_000));
    net.take(SERVER);
    assert_eq!((net.ends(CLIENT), net.ends(SERVER)), (0, 0));
    net.push(net.now, Due::Arrives { dest: SERVER, from: CLIENT, segment: syn.expect("it is on its way") });
    net.run(ms(1_000_000));
    assert_eq!((net.take(SERVER), net.ends(SERVER)), (vec![], 0));
}
