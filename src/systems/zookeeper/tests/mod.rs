//! The sentences of Zab and of the programmer's guide, one test each.
//!
//! The servers here have no driver around them: a test hands each its messages and its time, and
//! looks at what it sends.

mod sessions;
mod zab;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use super::message::{Body, ConnectionId, Datagram, Packet};
use super::*;
use crate::node::{LocalTime, WallTime};
use crate::vocabulary::Event;

/// A client is a participant behind the servers.
const CLIENT: NodeId = NodeId(9);

/// What a server asked for, and its disk.
#[derive(Default)]
struct TestHost {
    now: LocalTime,
    drawn: u64,
    files: BTreeMap<String, Vec<u8>>,
    sent: Vec<(NodeId, ZkMessage)>,
    told: Vec<&'static str>,
}

impl Link for TestHost {
    fn now(&self) -> LocalTime {
        self.now
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        self.drawn % bound
    }
    fn send(&mut self, dest: NodeId, message: ZkMessage) {
        self.sent.push((dest, message));
    }
    fn set_timer(&mut self, _: ZkTimer, _: Duration) {}
    fn emit<E: Event>(&mut self, _: E) {
        self.told.push(E::NAME);
    }
}

impl Host for TestHost {
    fn wall(&self) -> WallTime {
        WallTime::from_nanos(self.now.as_nanos() as i64)
    }
    fn name(&self, node: NodeId) -> &str {
        ["z0", "z1", "z2"].get(node.index()).copied().unwrap_or("c")
    }
    fn cancel_timer(&mut self, _: ZkTimer) {}
    fn read(&self, file: &str) -> Option<Vec<u8>> {
        self.files.get(file).cloned()
    }
    fn append(&mut self, file: &'static str, bytes: Vec<u8>) {
        self.files.entry(file.to_owned()).or_default().extend(bytes);
    }
    fn replace(&mut self, file: &'static str, bytes: Vec<u8>) {
        self.files.insert(file.to_owned(), bytes);
    }
    fn truncate(&mut self, file: &'static str, len: u64) {
        self.files.entry(file.to_owned()).or_default().truncate(len as usize);
    }
    fn without_sync(&mut self) {}
    fn log(&mut self, _: impl FnOnce() -> String) {}
}

/// Three servers and the network between them. What is said to clients is kept.
struct Ensemble {
    servers: Vec<(Server, TestHost)>,
    /// Servers that nobody reaches and that reach nobody.
    cut: BTreeSet<u32>,
    /// What clients were told, in order.
    told: Vec<Rc<Body>>,
    /// Connections of clients that were reset.
    reset: Vec<ConnectionId>,
}

impl Ensemble {
    fn new() -> Ensemble {
        let servers = (0..3).map(|id| (server(id), TestHost { drawn: 100, ..TestHost::default() }));
        let mut ensemble = Ensemble {
            servers: servers.collect(),
            cut: BTreeSet::new(),
            told: vec![],
            reset: vec![],
        };
        for (id, (server, host)) in (0..).zip(&mut ensemble.servers) {
            host.drawn += 1_000 * id;
            server.boot(host);
        }
        ensemble.settle();
        ensemble
    }

    /// The servers, and the one with the largest number leads.
    fn elected() -> Ensemble {
        let mut ensemble = Ensemble::new();
        ensemble.wait(50);
        for id in [2, 0, 1] {
            ensemble.time_out(id, ZkTimer::Election);
        }
        ensemble.settle();
        assert!(ensemble.server(2).is_leader(), "z2 leads");
        ensemble
    }

    fn server(&self, id: u32) -> &Server {
        &self.servers[id as usize].0
    }

    fn time_out(&mut self, id: u32, timer: ZkTimer) {
        let (server, host) = &mut self.servers[id as usize];
        server.on_timer(host, timer);
    }

    fn wait(&mut self, millis: u64) {
        for (_, host) in &mut self.servers {
            host.now = host.now + Duration::from_millis(millis);
        }
    }

    /// Time goes on in half ticks, and everything arrives.
    fn run(&mut self, millis: u64) {
        for _ in 0..millis / 50 {
            self.wait(50);
            for id in 0..3 {
                self.time_out(id, ZkTimer::Election);
                self.time_out(id, ZkTimer::Tick);
                self.time_out(id, ZkTimer::Retransmit);
            }
            self.settle();
        }
    }

    /// Everything arrives.
    fn settle(&mut self) {
        loop {
            let mut flying = vec![];
            for (id, (_, host)) in (0..).zip(&mut self.servers) {
                flying.extend(host.sent.drain(..).map(|(dest, message)| (id, dest, message)));
            }
            if flying.is_empty() {
                return;
            }
            for (from, dest, message) in flying {
                if dest == CLIENT {
                    match message {
                        ZkMessage::Packet(packet) => self.told.push(packet.body),
                        ZkMessage::Bare(Datagram::Reset { connection }) => {
                            self.reset.push(connection)
                        }
                        ZkMessage::Bare(_) => {}
                    }
                } else if !self.cut.contains(&from) && !self.cut.contains(&dest.0) {
                    let (server, host) = &mut self.servers[dest.index()];
                    server.on_message(host, NodeId(from), message);
                }
            }
        }
    }

    /// A packet of a client.
    fn say(&mut self, dest: u32, connection: u64, seq: u64, body: Body) {
        let packet =
            Packet { connection: ConnectionId(connection), seq, ack: 0, body: Rc::new(body) };
        let (server, host) = &mut self.servers[dest as usize];
        server.on_message(host, CLIENT, ZkMessage::Packet(packet));
        self.settle();
    }

    /// A client opens a session at a server; its id and its password.
    fn open(&mut self, dest: u32, connection: u64) -> (SessionId, u64) {
        let connect = Body::Connect {
            session: SessionId::NONE,
            password: 0,
            timeout_ms: 1_000,
            last_zxid: Zxid::ZERO,
        };
        self.say(dest, connection, 1, connect);
        match self.told.last().map(|body| (**body).clone()) {
            Some(Body::ConnectReply { session, password, timeout_ms: 1.. }) => (session, password),
            other => panic!("no session: {other:?}"),
        }
    }

    /// A client asks; the number of the packet is that of the request.
    fn ask(&mut self, dest: u32, connection: u64, seq: u64, op: Op) {
        self.say(dest, connection, seq, Body::Request { xid: seq as i32, op });
    }

    /// The server crashes, and starts again with what is on its disk.
    fn restart(&mut self, id: u32) {
        let (old, host) = &mut self.servers[id as usize];
        *old = server(id);
        host.sent.clear();
        old.boot(host);
    }
}

fn server(id: u32) -> Server {
    Server::new(ServerSettings::default(), NodeId(id), [0, 1, 2].map(NodeId).to_vec())
}

fn create(path: &str, mode: CreateMode) -> Op {
    Op::Create { path: path.into(), data: b"x"[..].into(), mode }
}

/// A defect acts in the run that plants it, from some moment on, and in no other.
#[test]
fn the_moments_at_which_a_defect_acts_are_kept() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/zookeeper/herd.toml");
    for planted in ["herd", ""] {
        let defects: Vec<String> = planted.split_whitespace().map(str::to_owned).collect();
        let scenario = crate::systems::read_file(&path, &[], &defects)
            .unwrap_or_else(|error| panic!("{error}"));
        let output = (SYSTEM.run)(&scenario, &crate::sim::RunOptions::default());
        assert_eq!(output.acted.is_empty(), planted.is_empty());
        assert!(output.acted.iter().all(|acted| acted.defect == planted));
    }
}
