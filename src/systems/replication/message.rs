//! What replicas, the coordinator and clients send to each other. Every message between nodes
//! carries the epoch of its sender.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::WireRecord;
use super::rest::Verb;
use super::view::View;
use crate::node::{Detail, Message};
use crate::rng::Rng;
use crate::systems::zookeeper::ZkMessage;
use crate::wire;

/// A message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ReplicationMessage {
    /// A client asks: a request of the REST interface.
    Request(Request),
    /// A replica answers.
    Answer(Answer),
    /// The leader sends records, or none: then it shows itself, or asks whether it still leads.
    Append(Append),
    /// A follower has stored what was sent.
    Confirm(Confirm),
    /// A follower's log differs at the place where the leader wants to go on.
    Mismatch {
        /// The epoch of the leader that is answered.
        epoch: u64,
        /// The round that is answered.
        round: u64,
        /// From where on the leader should send.
        from: u64,
    },
    /// A message of an epoch that has ended.
    Refused {
        /// The epoch that the refusing node has promised to follow.
        epoch: u64,
    },
    /// A replica shows the coordinator that it lives.
    Register {
        /// Drawn at its start, so that an answer to an earlier life is known as such.
        nonce: u64,
        /// The version of the view that it knows.
        version: u64,
    },
    /// The coordinator tells the view.
    ViewUpdate {
        /// That of the registration that is answered; 0 where it is none.
        nonce: u64,
        /// The view.
        view: Rc<View>,
    },
    /// A leader wants the view changed: its version says from which one.
    ProposeView(Rc<View>),
    /// The coordinator closes all epochs before this one.
    Fence {
        /// The new epoch.
        epoch: u64,
    },
    /// How far a replica's log goes, and that it takes no more from earlier epochs.
    Position(Position),
    /// Between the ensemble's servers, and of sessions with them.
    #[serde(skip)]
    Zk(ZkMessage),
}

impl From<ZkMessage> for ReplicationMessage {
    fn from(message: ZkMessage) -> ReplicationMessage {
        ReplicationMessage::Zk(message)
    }
}

/// A client's request. All retries of one have the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The client's number for it; each is greater than the one before.
    pub req: u64,
    /// The operation.
    pub verb: Verb,
    /// JSON.
    pub body: Rc<str>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The client's number.
    pub req: u64,
    /// JSON with `status` and `message`; `None`: ask somebody else.
    pub body: Option<Rc<str>>,
    /// Who leads, as far as is known.
    pub leader: Option<crate::node::NodeId>,
}

/// Records for a follower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Append {
    /// The leader's epoch.
    pub epoch: u64,
    /// The last record of the leader's log when it became leader. A follower that has it has
    /// everything from earlier epochs.
    pub start_seq: u64,
    /// Counts the leader's questions whether it still leads.
    pub round: u64,
    /// The record before the first of these.
    pub prev_seq: u64,
    /// Its hash: equal hashes mean equal logs up to there.
    pub prev_hash: u64,
    /// The records.
    pub records: Rc<[WireRecord]>,
    /// Up to here the records are final.
    pub commit_seq: u64,
}

/// What a follower has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// The epoch of the leader that is answered.
    pub epoch: u64,
    /// The round that is answered.
    pub round: u64,
    /// Up to here the log is stored and equals the leader's.
    pub seq: u64,
    /// The hash there: the digest of the follower's file.
    pub hash: u64,
    /// Up to here the records are applied.
    pub applied: u64,
    /// The digest of the forms after that.
    pub forms: u64,
}

/// The state of a replica that has promised to follow no earlier epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The promised epoch.
    pub epoch: u64,
    /// The last epoch whose leader has brought this log up to date; 0 for a disk that is new, or
    /// was damaged.
    pub log_epoch: u64,
    /// The last record.
    pub seq: u64,
    /// Its hash.
    pub hash: u64,
}

/// The messages that are not the coordination service's.
const OWN: &[&str] = &[
    "Request",
    "Answer",
    "Append",
    "Confirm",
    "Mismatch",
    "Refused",
    "Register",
    "ViewUpdate",
    "ProposeView",
    "Fence",
    "Position",
];

impl Message for ReplicationMessage {
    fn to_json(&self, names: &[String]) -> Option<Value> {
        match self {
            ReplicationMessage::Zk(message) => message.to_json(names),
            own => wire::to_json(own, names),
        }
    }

    fn from_json(body: &Value, names: &[String]) -> Result<ReplicationMessage, String> {
        // Both have a `Request`; that of the coordination service is a packet of a connection.
        if wire::is_one_of(body, OWN) && body.get("channel").is_none() {
            return wire::from_json(body, names);
        }
        ZkMessage::from_json(body, names).map(ReplicationMessage::Zk)
    }

    fn name(&self) -> &'static str {
        match self {
            ReplicationMessage::Request(_) => "Request",
            ReplicationMessage::Answer(_) => "Answer",
            ReplicationMessage::Append(_) => "Append",
            ReplicationMessage::Confirm(_) => "Confirm",
            ReplicationMessage::Mismatch { .. } => "Mismatch",
            ReplicationMessage::Refused { .. } => "Refused",
            ReplicationMessage::Register { .. } => "Register",
            ReplicationMessage::ViewUpdate { .. } => "ViewUpdate",
            ReplicationMessage::ProposeView(_) => "ProposeView",
            ReplicationMessage::Fence { .. } => "Fence",
            ReplicationMessage::Position(_) => "Position",
            ReplicationMessage::Zk(message) => message.name(),
        }
    }

    fn size(&self) -> u32 {
        match self {
            ReplicationMessage::Request(request) => 40 + request.body.len() as u32,
            ReplicationMessage::Answer(answer) => {
                40 + answer.body.as_ref().map_or(0, |body| body.len()) as u32
            }
            ReplicationMessage::Append(append) => {
                72 + append.records.iter().map(|record| record.text.len() as u32 + 16).sum::<u32>()
            }
            ReplicationMessage::Confirm(_) => 72,
            ReplicationMessage::Zk(message) => message.size(),
            ReplicationMessage::ViewUpdate { view, .. } | ReplicationMessage::ProposeView(view) => {
                80 + 4 * view.in_sync.len() as u32
            }
            _ => 48,
        }
    }

    fn detail(&self) -> Detail {
        let int = |number: u64| number as i64;
        match self {
            ReplicationMessage::Zk(message) => message.detail(),
            ReplicationMessage::Request(request) => {
                Detail::Numbers(&["req"], [int(request.req), 0, 0])
            }
            ReplicationMessage::Answer(answer) => {
                let names: &[&str] = if answer.body.is_some() { &["req"] } else { &["redirect"] };
                Detail::Numbers(names, [int(answer.req), 0, 0])
            }
            ReplicationMessage::Append(append) => Detail::Numbers(
                &["epoch", "prev_seq", "records"],
                [int(append.epoch), int(append.prev_seq), append.records.len() as i64],
            ),
            ReplicationMessage::Confirm(confirm) => Detail::Numbers(
                &["epoch", "seq", "applied"],
                [int(confirm.epoch), int(confirm.seq), int(confirm.applied)],
            ),
            ReplicationMessage::Mismatch { epoch, from, .. } => {
                Detail::Numbers(&["epoch", "from"], [int(*epoch), int(*from), 0])
            }
            ReplicationMessage::Refused { epoch } | ReplicationMessage::Fence { epoch } => {
                Detail::Numbers(&["epoch"], [int(*epoch), 0, 0])
            }
            ReplicationMessage::Register { version, .. } => {
                Detail::Numbers(&["version"], [int(*version), 0, 0])
            }
            ReplicationMessage::ViewUpdate { view, .. } | ReplicationMessage::ProposeView(view) => {
                Detail::Numbers(&["epoch", "version"], [int(view.epoch), int(view.version), 0])
            }
            ReplicationMessage::Position(position) => Detail::Numbers(
                &["epoch", "log_epoch", "seq"],
                [int(position.epoch), int(position.log_epoch), int(position.seq)],
            ),
        }
    }

    /// Records carry a hash, so a damaged one is delivered, and it is the follower's to notice.
    /// Everything else has a checksum below.
    fn corrupt(&mut self, rng: &mut Rng) -> bool {
        let ReplicationMessage::Append(append) = self else { return false };
        if append.records.is_empty() {
            return false;
        }
        let mut records = append.records.to_vec();
        let victim = rng.below(records.len() as u64) as usize;
        let mut text = records[victim].text.as_bytes().to_vec();
        // A digit for another: the damage that JSON itself does not show.
        let digits: Vec<usize> =
            (0..text.len()).filter(|place| text[*place].is_ascii_digit()).collect();
        let Some(place) = rng.pick(&digits) else { return false };
        text[*place] ^= 1;
        let Ok(text) = String::from_utf8(text) else { return false };
        records[victim].text = text.into();
        append.records = records.into();
        true
    }
}
