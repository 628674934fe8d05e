//! A node of the key-value store: a Raft server with the store as its state machine, and the
//! answers to clients.

use super::host::RaftTimer;
use super::json;
use super::log::{Bytes, Command, Payload};
use super::message::RaftMessage;
use super::server::{Outcome, Raft};
use super::state_machine::KvStore;
use super::types::LogIndex;
use super::vocabulary as events;
use crate::node::{Ctx, Detail, Message, Node, NodeId, Probe};
use crate::vocabulary::messages;

messages! {
    /// What the nodes and clients of the store send.
    #[derive(Clone, Debug)]
    pub enum PeerMessage {
        /// Between servers.
        Raft(RaftMessage),
        /// A client asks.
        ClientRequest(ClientRequest),
        /// A server answers.
        ClientReply(ClientReply),
    }
}

/// A client's question. All retries of one have the same serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRequest {
    /// The client's number for it; each is greater than the one before.
    pub serial: u64,
    /// What it asks.
    pub body: RequestBody,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// A session, under which commands take effect once.
    OpenSession,
    /// A command under a session, or without one ([`LogIndex::ZERO`]).
    Command(LogIndex, Bytes),
    /// A read.
    Read(Bytes),
}

/// A server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientReply {
    /// The client's number for its question.
    pub serial: u64,
    /// The answer.
    pub body: ReplyBody,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyBody {
    /// It is done, and this is the output.
    Done(Bytes),
    /// Ask the leader, who is that one as far as is known.
    NotLeader(Option<NodeId>),
    /// The session is not known (any more); whether the command took effect is unknown.
    SessionExpired,
    /// It certainly has not happened: only a defect says that.
    Failed,
}

impl From<RaftMessage> for PeerMessage {
    fn from(message: RaftMessage) -> PeerMessage {
        PeerMessage::Raft(message)
    }
}

impl Message for PeerMessage {
    fn name(&self) -> &'static str {
        match self {
            PeerMessage::Raft(message) => message.name(),
            own => own.kind_name(),
        }
    }

    fn to_json(&self, names: &[String]) -> Option<serde_json::Value> {
        json::to_json(self, names)
    }

    fn from_json(body: &serde_json::Value, names: &[String]) -> Result<PeerMessage, String> {
        json::from_json(body, names)
    }

    fn size(&self) -> u32 {
        match self {
            PeerMessage::Raft(message) => message.size(),
            PeerMessage::ClientRequest(request) => match &request.body {
                RequestBody::OpenSession => 24,
                RequestBody::Command(_, bytes) | RequestBody::Read(bytes) => {
                    32 + bytes.len() as u32
                }
            },
            PeerMessage::ClientReply(reply) => match &reply.body {
                ReplyBody::Done(output) => 24 + output.len() as u32,
                _ => 24,
            },
        }
    }

    fn detail(&self) -> Detail {
        match self {
            PeerMessage::Raft(message) => message.detail(),
            PeerMessage::ClientRequest(request) => match request.body {
                RequestBody::Command(session, _) => Detail::Numbers(
                    &["serial", "session"],
                    [request.serial as i64, session.0 as i64, 0],
                ),
                _ => Detail::Numbers(&["serial"], [request.serial as i64, 0, 0]),
            },
            PeerMessage::ClientReply(reply) => {
                let names: &[&str] = match reply.body {
                    ReplyBody::Done(_) => &["serial"],
                    ReplyBody::NotLeader(_) => &["serial", "not_leader"],
                    ReplyBody::SessionExpired => &["serial", "session_expired"],
                    ReplyBody::Failed => &["serial", "failed"],
                };
                Detail::Numbers(names, [reply.serial as i64, 1, 0])
            }
        }
    }
}

/// A node of the store.
pub struct Peer {
    raft: Raft<KvStore>,
}

impl Peer {
    /// A node around a server.
    pub fn new(raft: Raft<KvStore>) -> Peer {
        Peer { raft }
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_, Peer>, client: NodeId, request: ClientRequest) {
        let serial = request.serial;
        match request.body {
            RequestBody::OpenSession => {
                self.raft.propose(ctx, client, serial, Payload::OpenSession { client })
            }
            RequestBody::Command(session, bytes) => {
                self.raft.propose(
                    ctx,
                    client,
                    serial,
                    Payload::Command(Command { client, session, serial, bytes }),
                );
            }
            RequestBody::Read(query) => self.raft.read(ctx, client, serial, query),
        }
    }

    fn answer_clients(&mut self, ctx: &mut Ctx<'_, Peer>) {
        for outcome in self.raft.take_outcomes() {
            let (client, serial, body) = match outcome {
                Outcome::Applied { client, serial, index, output } => {
                    ctx.emit(events::Reply { client, serial, index });
                    (client, serial, ReplyBody::Done(output))
                }
                Outcome::SessionOpened { client, serial, session } => {
                    (client, serial, ReplyBody::Done(session.0.to_le_bytes().into()))
                }
                Outcome::Read { client, serial, output } => {
                    (client, serial, ReplyBody::Done(output))
                }
                Outcome::NotLeader { client, serial } => {
                    (client, serial, ReplyBody::NotLeader(self.raft.leader_hint()))
                }
                Outcome::Expired { client, serial } => (client, serial, ReplyBody::SessionExpired),
                Outcome::Failed { client, serial } => (client, serial, ReplyBody::Failed),
            };
            ctx.send(client, PeerMessage::ClientReply(ClientReply { serial, body }));
        }
    }
}

impl Node for Peer {
    type Msg = PeerMessage;
    type Timer = RaftTimer;

    fn boot(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.raft.boot(ctx);
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, from: NodeId, message: PeerMessage) {
        match message {
            PeerMessage::Raft(message) => self.raft.on_message(ctx, from, message),
            PeerMessage::ClientRequest(request) => self.on_request(ctx, from, request),
            PeerMessage::ClientReply(_) => {}
        }
        self.answer_clients(ctx);
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, timer: RaftTimer) {
        self.raft.on_timer(ctx, timer);
        self.answer_clients(ctx);
    }

    fn on_command(&mut self, ctx: &mut Ctx<'_, Self>, command: &str) {
        self.raft.on_command(ctx, command);
        self.answer_clients(ctx);
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        self.raft.probe(probe);
    }
}
