//! Two hosts and a network between them that loses, duplicates and reorders.

mod delivery;
mod flow;
mod lifecycle;

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
                            self.push(
                                at,
                                Due::Arrives { dest, from: node, segment: segment.clone() },
                            );
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
        let Some(first) = self.queue.first_entry().filter(|first| first.key().0 <= end) else {
            return false;
        };
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
    StreamSpec {
        retries: 60,
        rto: ms(100),
        rto_max: ms(2_000),
        segment: 100,
        window: 2_000,
        ..StreamSpec::default()
    }
}
