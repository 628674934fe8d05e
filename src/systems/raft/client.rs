//! A client process: one operation after the other, as a sequential program.
//!
//! In the closed loop the next operation follows the answer after a pause. In the open loop
//! operations arrive at random (a Poisson process for each client); what arrives while one is open
//! is skipped, because a process of the history has one operation at a time.
//!
//! An operation that gets no answer in time is `info`: it may have taken effect, or may do so
//! later. It is never `fail`.

use std::rc::Rc;
use std::sync::Arc;

use super::log::Bytes;
use super::peer::{ClientReply, ClientRequest, PeerMessage, ReplyBody, RequestBody};
use super::settings::{RaftSettings, Reads};
use super::state_machine::{KvOp, MISMATCH, NIL};
use super::types::LogIndex;
use crate::node::{LocalTime, NodeId};
use crate::scenario::WorkloadSpec;
use crate::sim::Io;
use crate::systems::client_mix::Mix;
use crate::systems::client_pace::Pace;
use crate::trace::OpType;

/// Hints that a client follows without a pause; then it pauses, because two servers may each take
/// the other for the leader.
const HINTS_MAX: u32 = 3;
/// Requests without an answer after which a client asks the same server once more.
const SILENCES_MAX: u32 = 1;
/// The pause after an answer that leads nowhere, as a part of `retry_after`.
const PAUSE_PART: u32 = 10;

/// How an operation ended.
enum End {
    Ok(Bytes),
    Fail,
    Info(&'static str),
}

/// A client process.
pub struct Client {
    io: Io<PeerMessage>,
    workload: WorkloadSpec,
    settings: Arc<RaftSettings>,
    /// Its position among the clients, from 0.
    position: u64,
    /// The operations of the mix with the sums of their weights, in the order of their names.
    mix: Mix<String>,
    /// The only server it speaks to, if it is pinned to one.
    pinned: Option<NodeId>,
    /// Whom it takes for the leader.
    leader: NodeId,
    /// The number of the last request.
    serial: u64,
    /// The number of the last value written.
    values: u64,
    session: Option<LogIndex>,
    /// The last value that it has seen of each key, which a compare-and-set expects.
    seen: Vec<Rc<str>>,
}

impl Client {
    /// The client at this position of the workload.
    pub fn new(
        io: Io<PeerMessage>,
        workload: WorkloadSpec,
        settings: Arc<RaftSettings>,
        position: usize,
    ) -> Client {
        let pinned = match workload.pin.len() {
            0 => None,
            count => io.find(&workload.pin[position % count]),
        };
        let leader = pinned.unwrap_or(io.nodes()[position % io.nodes().len()]);
        let mix = Mix::new(workload.mix.iter().map(|(name, weight)| (name.clone(), *weight)));
        let seen = vec![Rc::from(NIL); workload.keys as usize];
        Client {
            io,
            mix,
            workload,
            settings,
            position: position as u64,
            pinned,
            leader,
            serial: 0,
            values: 0,
            session: None,
            seen,
        }
    }

    /// Its whole life.
    pub async fn run(mut self) {
        let mut pace = Pace::new(&self.io, &self.workload);
        loop {
            pace.wait(&self.io).await;
            if pace.begin(&self.io, &self.workload).is_none() {
                return;
            }
            self.operation().await;
            pace.end(&self.io, &self.workload);
        }
    }

    async fn operation(&mut self) {
        let name = self.io.draw(|rng| self.mix.draw(rng).cloned());
        let key = self.io.draw(|rng| rng.below(u64::from(self.workload.keys))) as u32;
        let (f, op) = match name.as_deref().unwrap_or("read") {
            "read" => ("read", KvOp::Read),
            "write" => ("write", KvOp::Write(self.fresh_value())),
            "append" => ("append", KvOp::Append(self.fresh_value())),
            _ => (
                "cas",
                KvOp::Cas { expected: self.seen[key as usize].clone(), new: self.fresh_value() },
            ),
        };
        let value = match &op {
            KvOp::Read => format!("k{key}"),
            KvOp::Write(new) => format!("k{key}={new}"),
            KvOp::Append(new) => format!("k{key}+={new}"),
            KvOp::Cas { expected, new } => format!("k{key}:{expected}->{new}"),
        };
        self.io.invoke(f, value.clone());
        let deadline = self.io.now() + self.workload.timeout;
        match self.perform(key, &op, deadline).await {
            End::Ok(output) if f == "cas" && *output == *MISMATCH => {
                self.seen[key as usize] = NIL.into();
                self.io.complete(OpType::Fail, f, value, "mismatch");
            }
            End::Ok(output) => {
                let value = self.learn(key, &op, &output, value);
                self.io.complete(OpType::Ok, f, value, "");
            }
            End::Fail => self.io.complete(OpType::Fail, f, value, "failed"),
            End::Info(reason) => self.io.complete(OpType::Info, f, value, reason),
        }
    }

    /// A number that nobody else writes.
    fn fresh_value(&mut self) -> Rc<str> {
        self.values += 1;
        (self.values * u64::from(self.workload.clients.max(1)) + self.position).to_string().into()
    }

    /// Remember what the key holds now, and give the value for the history.
    fn learn(&mut self, key: u32, op: &KvOp, output: &Bytes, invoked: String) -> String {
        let seen = &mut self.seen[key as usize];
        match op {
            KvOp::Read => {
                let text = String::from_utf8_lossy(output);
                *seen = (&*text).into();
                return format!("k{key}={text}");
            }
            KvOp::Write(new) | KvOp::Cas { new, .. } => *seen = new.clone(),
            KvOp::Append(_) => {}
        }
        invoked
    }

    /// Do one operation, in a session where it changes something.
    async fn perform(&mut self, key: u32, op: &KvOp, deadline: LocalTime) -> End {
        let bytes = op.encode(key);
        if matches!(op, KvOp::Read) {
            return self.request(RequestBody::Read(bytes), deadline).await;
        }
        if self.settings.sessions && self.session.is_none() {
            match self.request(RequestBody::OpenSession, deadline).await {
                End::Ok(id) => {
                    self.session =
                        id.as_ref().try_into().ok().map(|id| LogIndex(u64::from_le_bytes(id)))
                }
                // Nothing was asked for yet, but to claim certainty would need a case of its own in
                // every checker.
                other => return other,
            }
        }
        let session = self.session.unwrap_or(LogIndex::ZERO);
        let end = self.request(RequestBody::Command(session, bytes), deadline).await;
        if matches!(end, End::Info(SESSION_EXPIRED)) {
            self.session = None;
        }
        end
    }

    /// Ask, and ask again with the same serial number, here and there, until there is an answer or
    /// the time is over.
    async fn request(&mut self, body: RequestBody, deadline: LocalTime) -> End {
        self.serial += 1;
        let request = ClientRequest { serial: self.serial, body };
        let mut to = self.first_server(&request.body);
        let (mut hints, mut silences) = (0, 0);
        while self.io.now() < deadline {
            self.io.send(to, PeerMessage::ClientRequest(request.clone()));
            let retry = (self.io.now() + self.workload.retry_after).min(deadline);
            match self.reply(retry).await {
                Some(ReplyBody::Done(output)) => {
                    if self.pinned.is_none() {
                        self.leader = to;
                    }
                    return End::Ok(output);
                }
                Some(ReplyBody::Failed) => return End::Fail,
                Some(ReplyBody::SessionExpired) => return End::Info(SESSION_EXPIRED),
                Some(ReplyBody::NotLeader(Some(leader)))
                    if self.pinned.is_none() && hints < HINTS_MAX =>
                {
                    (hints, silences) = (hints + 1, 0);
                    to = leader;
                }
                Some(ReplyBody::NotLeader(_)) => {
                    (hints, silences) = (0, 0);
                    let pause = self.workload.retry_after / PAUSE_PART;
                    self.pause_until((self.io.now() + pause).min(deadline)).await;
                    to = self.other_server(to);
                }
                // One silence is more often a lost message than a lost server.
                None if silences < SILENCES_MAX => silences += 1,
                None => {
                    (hints, silences) = (0, 0);
                    to = self.other_server(to);
                }
            }
        }
        End::Info("timeout")
    }

    /// Servers that serve reads of their own are asked by chance; else it is the leader's to
    /// answer.
    fn first_server(&self, body: &RequestBody) -> NodeId {
        let anywhere = self.settings.follower_reads || self.settings.reads == Reads::Local;
        if anywhere && self.pinned.is_none() && matches!(body, RequestBody::Read(_)) {
            return self.other_server(self.leader);
        }
        self.leader
    }

    /// Another server by chance, or the same where the client is pinned.
    fn other_server(&self, than: NodeId) -> NodeId {
        if self.pinned.is_some() {
            return than;
        }
        let nodes = self.io.nodes();
        let drawn = nodes[self.io.draw(|rng| rng.below(nodes.len() as u64)) as usize];
        if drawn != than || nodes.len() == 1 {
            return drawn;
        }
        let place = nodes.iter().position(|node| *node == than).unwrap_or(0);
        nodes[(place + 1) % nodes.len()]
    }

    /// The answer to the last request; late answers to earlier ones are discarded.
    async fn reply(&self, until: LocalTime) -> Option<ReplyBody> {
        loop {
            match self.io.recv_until(until).await? {
                (_, PeerMessage::ClientReply(ClientReply { serial, body }))
                    if serial == self.serial =>
                {
                    return Some(body);
                }
                _ => {}
            }
        }
    }

    async fn pause_until(&self, until: LocalTime) {
        if until > self.io.now() {
            self.io.sleep(until - self.io.now()).await;
        }
    }
}

const SESSION_EXPIRED: &str = "session expired";
