//! The sentences of the paper and of the dissertation, one test each.
//!
//! The servers here have no driver around them: a test hands each its messages and its time, and
//! looks at what it sends. So the order of things is exactly what the test says.

mod defects;
mod election;
mod membership;
mod reads;
mod replication;
mod snapshots;
mod storage;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::log::Entry;
use super::message::{AppendEntries, AppendOutcome, AppendResponse, RequestVote, VoteResponse};
use super::*;
use crate::node::{LocalTime, Value, WallTime};
use crate::rng::Rng;
use crate::vocabulary::Event;
use std::rc::Rc;

fn name_of<E: Event>(_: &E) -> &'static str {
    E::NAME
}

/// What a server asked for, and its disk.
struct TestHost {
    id: NodeId,
    now: LocalTime,
    rng: Rng,
    files: BTreeMap<String, Vec<u8>>,
    timers: BTreeMap<RaftTimer, LocalTime>,
    sent: Vec<(NodeId, RaftMessage)>,
    observed: Vec<(&'static str, Vec<Value>)>,
}

impl TestHost {
    fn new(id: u32) -> TestHost {
        let rng = Rng::named(7, &format!("node:n{id}"));
        let (files, timers) = (BTreeMap::new(), BTreeMap::new());
        TestHost {
            id: NodeId(id),
            now: LocalTime::ZERO,
            rng,
            files,
            timers,
            sent: vec![],
            observed: vec![],
        }
    }

    /// What was sent since the last call.
    fn take_sent(&mut self) -> Vec<(NodeId, RaftMessage)> {
        std::mem::take(&mut self.sent)
    }

    fn count(&self, event: &str) -> usize {
        self.observed.iter().filter(|(name, _)| *name == event).count()
    }
}

impl Host for TestHost {
    fn id(&self) -> NodeId {
        self.id
    }
    fn now(&self) -> LocalTime {
        self.now
    }
    fn wall(&self) -> WallTime {
        WallTime::from_nanos(self.now.as_nanos() as i64)
    }
    fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }
    fn name(&self, node: NodeId) -> &str {
        ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"][node.index()]
    }
    fn find(&self, name: &str) -> Option<NodeId> {
        name.strip_prefix('n')?.parse().ok().map(NodeId)
    }
    fn send(&mut self, dest: NodeId, message: RaftMessage) {
        self.sent.push((dest, message));
    }
    fn set_timer(&mut self, timer: RaftTimer, after: Duration) {
        self.timers.insert(timer, self.now + after);
    }
    fn cancel_timer(&mut self, timer: RaftTimer) {
        self.timers.remove(&timer);
    }
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
    fn emit(&mut self, event: impl Event) {
        self.observed.push((name_of(&event), event.values()));
    }
    fn log(&mut self, _line: impl FnOnce() -> String) {}
}

/// A server and what is around it.
struct Server {
    raft: Raft<KvStore>,
    host: TestHost,
}

fn settings(change: impl FnOnce(&mut RaftSettings)) -> Arc<RaftSettings> {
    let mut settings =
        RaftSettings { pre_vote: false, snapshot_threshold: 0, ..RaftSettings::default() };
    change(&mut settings);
    Arc::new(settings)
}

impl Server {
    /// Server `id` of `voters`, started on an empty disk.
    fn new(id: u32, voters: &[u32], settings: Arc<RaftSettings>) -> Server {
        let mut server = Server { raft: raft(id, voters, settings), host: TestHost::new(id) };
        server.raft.boot(&mut server.host);
        server
    }

    /// The server crashes and starts again with what is on its disk.
    fn restart(&mut self, voters: &[u32]) {
        self.raft = raft(self.host.id.0, voters, self.raft.settings.clone());
        self.host.timers.clear();
        self.host.sent.clear();
        self.raft.boot(&mut self.host);
    }

    fn receive(&mut self, from: u32, message: RaftMessage) -> Vec<(NodeId, RaftMessage)> {
        self.raft.on_message(&mut self.host, NodeId(from), message);
        self.host.take_sent()
    }

    /// Let the clock go on until the election timeout strikes.
    fn time_out(&mut self) -> Vec<(NodeId, RaftMessage)> {
        self.host.now = self.host.now + Duration::from_millis(301);
        self.raft.on_timer(&mut self.host, RaftTimer::Election);
        self.host.take_sent()
    }

    fn wait(&mut self, millis: u64) {
        self.host.now = self.host.now + Duration::from_millis(millis);
    }

    /// Make it the leader of the next term, by the votes of these.
    fn elect(&mut self, voters: &[u32]) -> Vec<(NodeId, RaftMessage)> {
        self.time_out();
        let mut sent = vec![];
        for voter in voters {
            sent.extend(self.receive(*voter, vote(self.raft.current_term.0, true)));
        }
        assert!(self.raft.is_leader(), "elected by {voters:?}");
        sent
    }

    /// A client writes.
    fn write(&mut self, value: &str) -> Vec<(NodeId, RaftMessage)> {
        self.raft.propose(&mut self.host, NodeId(8), 1, command(value));
        self.host.take_sent()
    }

    /// The terms of the entries in the log.
    fn terms(&self) -> Vec<u64> {
        self.raft.log.iter().map(|(_, entry)| entry.term.0).collect()
    }
}

fn raft(id: u32, voters: &[u32], settings: Arc<RaftSettings>) -> Raft<KvStore> {
    let initial = Configuration::simple(voters.iter().copied().map(NodeId).collect());
    Raft::new(settings, NodeId(id), initial, KvStore::default())
}

fn command(value: &str) -> Payload {
    let bytes = KvOp::Write(value.into()).encode(1);
    Payload::Command(Command { client: NodeId(8), session: LogIndex::ZERO, serial: 1, bytes })
}

fn vote(term: u64, vote_granted: bool) -> RaftMessage {
    RaftMessage::RequestVoteResponse(VoteResponse { term: Term(term), vote_granted })
}

fn request_vote(term: u64, last_index: u64, last_term: u64) -> RaftMessage {
    RaftMessage::RequestVote(RequestVote {
        term: Term(term),
        last_log_index: LogIndex(last_index),
        last_log_term: Term(last_term),
        leadership_transfer: false,
    })
}

/// Entries of these terms after the entry (`prev_index`, `prev_term`).
fn append(term: u64, prev: (u64, u64), terms: &[u64], commit: u64) -> RaftMessage {
    let entry = |(i, term): (usize, &u64)| {
        Entry::new(Term(*term), command(&format!("{}@{term}", prev.0 + 1 + i as u64)))
    };
    RaftMessage::AppendEntries(AppendEntries {
        term: Term(term),
        prev_log_index: LogIndex(prev.0),
        prev_log_term: Term(prev.1),
        leader_commit: LogIndex(commit),
        round: 1,
        entries: terms.iter().enumerate().map(entry).collect(),
    })
}

fn accepted(term: u64, match_index: u64) -> RaftMessage {
    answer(term, 0, AppendOutcome::Accepted { match_index: LogIndex(match_index) })
}

fn answer(term: u64, round: u64, outcome: AppendOutcome) -> RaftMessage {
    RaftMessage::AppendEntriesResponse(AppendResponse { term: Term(term), round, outcome })
}

/// What an answer to `append` says; panics where it is something else.
fn outcome(sent: &[(NodeId, RaftMessage)]) -> AppendOutcome {
    match sent {
        [(_, RaftMessage::AppendEntriesResponse(answer))] => answer.outcome.clone(),
        other => panic!("one answer was expected: {other:?}"),
    }
}

/// Whether a vote was given; panics where something else was sent.
fn granted(sent: &[(NodeId, RaftMessage)]) -> bool {
    match sent {
        [(_, RaftMessage::RequestVoteResponse(answer))] => answer.vote_granted,
        other => panic!("one answer was expected: {other:?}"),
    }
}

/// Several servers and the network between them.
struct Net {
    servers: BTreeMap<u32, Server>,
    /// Servers that nobody reaches and that reach nobody.
    cut: BTreeSet<u32>,
    flying: VecDeque<(u32, u32, RaftMessage)>,
    /// Whether every third message is lost and every fifth delivered twice.
    faulty: bool,
    delivered: u64,
}

impl Net {
    fn new(ids: &[u32], voters: &[u32], settings: Arc<RaftSettings>) -> Net {
        let servers =
            ids.iter().map(|id| (*id, Server::new(*id, voters, settings.clone()))).collect();
        Net { servers, cut: BTreeSet::new(), flying: VecDeque::new(), faulty: false, delivered: 0 }
    }

    fn at(&mut self, id: u32) -> &mut Server {
        self.servers.get_mut(&id).expect("the server exists")
    }

    fn collect(&mut self) {
        for (id, server) in &mut self.servers {
            self.flying.extend(
                server.host.take_sent().into_iter().map(|(to, message)| (*id, to.0, message)),
            );
        }
    }

    /// Deliver until nothing flies.
    fn settle(&mut self) {
        self.collect();
        while let Some((from, to, message)) = self.flying.pop_front() {
            if self.cut.contains(&from) || self.cut.contains(&to) {
                continue;
            }
            self.delivered += 1;
            if self.faulty && self.delivered.is_multiple_of(3) {
                continue;
            }
            if self.faulty && self.delivered.is_multiple_of(5) {
                self.flying.push_back((from, to, message.clone()));
            }
            if let Some(server) = self.servers.get_mut(&to) {
                server.raft.on_message(&mut server.host, NodeId(from), message);
            }
            self.collect();
        }
    }

    /// Let time go on for all, a millisecond at a time, with instant messages.
    fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            for server in self.servers.values_mut() {
                server.wait(1);
                let due: Vec<RaftTimer> = server
                    .host
                    .timers
                    .iter()
                    .filter(|(_, at)| **at <= server.host.now)
                    .map(|(timer, _)| *timer)
                    .collect();
                for timer in due {
                    server.host.timers.remove(&timer);
                    server.raft.on_timer(&mut server.host, timer);
                }
            }
            self.settle();
        }
    }

    /// Have this server elected by those that it reaches.
    fn elect(&mut self, id: u32) {
        for server in self.servers.values_mut() {
            server.wait(301);
        }
        let server = self.at(id);
        server.raft.on_timer(&mut server.host, RaftTimer::Election);
        self.settle();
        assert!(self.at(id).raft.is_leader(), "n{id} was elected");
    }

    fn leaders(&self) -> Vec<u32> {
        self.servers
            .iter()
            .filter(|(_, server)| server.raft.is_leader())
            .map(|(id, _)| *id)
            .collect()
    }

    fn write(&mut self, id: u32, value: &str) {
        let server = self.at(id);
        server.raft.propose(&mut server.host, NodeId(8), 1, command(value));
        self.settle();
    }

    fn command(&mut self, id: u32, text: &str) {
        let server = self.at(id);
        server.raft.on_command(&mut server.host, text);
        self.settle();
    }
}

/// The entries of a message to `node`.
fn entries_to(sent: &[(NodeId, RaftMessage)], node: u32) -> Vec<Rc<Entry>> {
    let messages = sent.iter().filter(|(to, _)| *to == NodeId(node)).map(|(_, message)| message);
    messages
        .flat_map(|message| {
            if let RaftMessage::AppendEntries(append) = message {
                append.entries.clone()
            } else {
                vec![]
            }
        })
        .collect()
}
