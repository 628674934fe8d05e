//! Everything that the machines say to each other.

use serde::{Deserialize, Serialize};

use super::library::{Answer, Statement};
use super::round_log::RoundRecord;
use crate::node::{Detail, Message};

/// A message. Hours are in ns since 1970, by the sender's clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum CristianMessage {
    /// The coordinator has a server synchronise.
    Synchronise { round: u64 },
    /// What is the time? `hour` is the asker's.
    TimeRequest { nonce: u64, hour: i64 },
    /// The hour when the question came and when the answer leaves, and how wrong that may be.
    TimeResponse { nonce: u64, received: i64, sent: i64, error_bound: Option<i64> },
    /// The time server asks the UTC source.
    UtcRequest { nonce: u64 },
    /// The UTC source answers.
    UtcResponse { nonce: u64, utc: i64 },
    /// Berkeley: what does your clock show?
    ClockPoll { round: u64, nonce: u64 },
    /// It shows this.
    ClockPollResponse { round: u64, nonce: u64, clock: i64 },
    /// Berkeley: move your clock by so much from what it showed at the poll of this number.
    Adjust {
        round: u64,
        nonce: u64,
        by: i64,
        rtt: i64,
        error: i64,
        root: Option<i64>,
        absolute: Option<i64>,
    },
    /// What a server's round has done to its clock.
    RoundReport { record: RoundRecord },
    /// It is recorded.
    RoundReportAck { round: u64 },
    /// A user asks for a book, or for a new session.
    BookRequest { serial: u64, restart: bool },
    /// A server answers.
    BookReply { serial: u64, answer: Answer },
    /// A server puts statements on the queue.
    Enqueue { statements: Vec<Statement> },
    /// These are on the queue's disk, by digest.
    EnqueueAck { digests: Vec<u64> },
    /// A server asks for the statements from this position on.
    Poll { from: u64 },
    /// Here they are.
    PollReply { from: u64, statements: Vec<Statement> },
}

use CristianMessage as M;

/// Bytes of headers of any message.
const HEADER: usize = 28;
/// Bytes of a statement on the wire.
const STATEMENT: usize = 40;

impl Message for CristianMessage {
    fn to_json(&self, names: &[String]) -> Option<serde_json::Value> {
        crate::wire::to_json(self, names)
    }

    fn from_json(body: &serde_json::Value, names: &[String]) -> Result<Self, String> {
        crate::wire::from_json(body, names)
    }

    fn name(&self) -> &'static str {
        match self {
            M::Synchronise { .. } => "Synchronise",
            M::TimeRequest { .. } => "TimeRequest",
            M::TimeResponse { .. } => "TimeResponse",
            M::UtcRequest { .. } => "UtcRequest",
            M::UtcResponse { .. } => "UtcResponse",
            M::ClockPoll { .. } => "ClockPoll",
            M::ClockPollResponse { .. } => "ClockPollResponse",
            M::Adjust { .. } => "Adjust",
            M::RoundReport { .. } => "RoundReport",
            M::RoundReportAck { .. } => "RoundReportAck",
            M::BookRequest { .. } => "BookRequest",
            M::BookReply { .. } => "BookReply",
            M::Enqueue { .. } => "Enqueue",
            M::EnqueueAck { .. } => "EnqueueAck",
            M::Poll { .. } => "Poll",
            M::PollReply { .. } => "PollReply",
        }
    }

    fn size(&self) -> u32 {
        let body = match self {
            M::Synchronise { .. }
            | M::UtcRequest { .. }
            | M::RoundReportAck { .. }
            | M::Poll { .. } => 8,
            M::TimeRequest { .. }
            | M::UtcResponse { .. }
            | M::ClockPoll { .. }
            | M::BookRequest { .. }
            | M::BookReply { .. } => 16,
            M::TimeResponse { .. }
            | M::ClockPollResponse { .. }
            | M::Adjust { .. }
            | M::RoundReport { .. } => 40,
            M::EnqueueAck { digests } => 8 * digests.len(),
            M::Enqueue { statements } | M::PollReply { statements, .. } => {
                8 + STATEMENT * statements.len()
            }
        };
        (HEADER + body) as u32
    }

    fn detail(&self) -> Detail {
        let one =
            |name: &'static [&'static str], value: u64| Detail::Numbers(name, [value as i64, 0, 0]);
        match self {
            M::Synchronise { round }
            | M::ClockPoll { round, .. }
            | M::ClockPollResponse { round, .. } => one(&["round"], *round),
            M::Adjust { round, by, .. } => {
                Detail::Numbers(&["round", "by_us"], [*round as i64, by / 1_000, 0])
            }
            M::RoundReport { record } => one(&["round"], record.round),
            M::RoundReportAck { round } => one(&["round"], *round),
            M::TimeRequest { hour, .. } => Detail::Numbers(&["hour_us"], [hour / 1_000, 0, 0]),
            M::TimeResponse { sent, .. } => Detail::Numbers(&["hour_us"], [sent / 1_000, 0, 0]),
            M::UtcRequest { .. } | M::UtcResponse { .. } => Detail::None,
            M::BookRequest { serial, .. } | M::BookReply { serial, .. } => {
                one(&["serial"], *serial)
            }
            M::Enqueue { statements } => one(&["statements"], statements.len() as u64),
            M::EnqueueAck { digests } => one(&["statements"], digests.len() as u64),
            M::Poll { from } => one(&["from"], *from),
            M::PollReply { from, statements } => {
                Detail::Numbers(&["from", "statements"], [*from as i64, statements.len() as i64, 0])
            }
        }
    }
}
