//! The datagrams: between a user and its peer, heartbeats, and the reports to the logging server.
//! Requests and files go over streams.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::command::{Answer, Command};
use crate::node::{Detail, Message};
use crate::trace::Word;
use crate::vocabulary::messages;

messages! {
    /// A datagram. All carry a checksum, so that a damaged one is as good as lost.
    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum P2pMessage {
        /// A user sits down at its peer's terminal.
        TerminalOpen,
        /// The peer's program is there.
        TerminalOpened {
            /// Drawn anew with every start.
            token: u64,
        },
        /// A user types a command.
        Command {
            /// The terminal that it is typed at.
            token: u64,
            /// The user's number for it; a command that has come before is not done twice.
            serial: u64,
            /// What to do.
            command: Rc<Command>,
        },
        /// The peer shows a status.
        Answer {
            /// The user's number for the command.
            serial: u64,
            /// The outcome.
            answer: Answer,
        },
        /// The program was started again since the user sat down, and does not know this terminal.
        TerminalClosed {
            /// The terminal that is gone.
            token: u64,
        },
        /// A peer tells the directory that a connected user is still there.
        Heartbeat {
            /// The user.
            user: String,
            /// The port of its connection.
            port: u16,
        },
        /// Whether the directory knows the connection.
        HeartbeatAck {
            /// The user.
            user: String,
            /// The port that the heartbeat named.
            port: u16,
            /// Whether that connection stands.
            known: bool,
        },
        /// The directory calls the logging server with lines of the operation log.
        Report {
            /// Lines with ascending sequence numbers, without gaps.
            lines: Rc<[LogLine]>,
        },
        /// How far the operation log reaches.
        ReportAck {
            /// All lines up to this sequence number are in the log, durably.
            upto: u64,
        },
    }
}

/// A line of the operation log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// From 1, without gaps.
    pub sequence: u64,
    /// The user that has asked.
    pub user: String,
    /// The service.
    pub operation: Word,
    /// Date and time that came with the request.
    pub date: String,
    /// The file; empty if the operation is not about one.
    pub file: String,
}

/// Headers of IP and UDP.
const HEADER_BYTES: usize = 28;

impl Message for P2pMessage {
    fn to_json(&self, names: &[String]) -> Option<serde_json::Value> {
        crate::wire::to_json(self, names)
    }

    fn from_json(body: &serde_json::Value, names: &[String]) -> Result<Self, String> {
        crate::wire::from_json(body, names)
    }

    fn name(&self) -> &'static str {
        self.kind_name()
    }

    fn size(&self) -> u32 {
        let body = match self {
            P2pMessage::TerminalOpen => 1,
            P2pMessage::TerminalOpened { .. }
            | P2pMessage::TerminalClosed { .. }
            | P2pMessage::ReportAck { .. } => 9,
            P2pMessage::Command { command, .. } => 17 + command.size(),
            P2pMessage::Answer { answer, .. } => 10 + answer.detail.len(),
            P2pMessage::Heartbeat { user, .. } | P2pMessage::HeartbeatAck { user, .. } => {
                5 + user.len()
            }
            P2pMessage::Report { lines } => {
                9 + lines
                    .iter()
                    .map(|line| {
                        12 + line.user.len()
                            + line.operation.len()
                            + line.date.len()
                            + line.file.len()
                    })
                    .sum::<usize>()
            }
        };
        u32::try_from(HEADER_BYTES + body).unwrap_or(u32::MAX)
    }

    fn detail(&self) -> Detail {
        match self {
            P2pMessage::Command { serial, .. } => {
                Detail::Numbers(&["serial"], [*serial as i64, 0, 0])
            }
            P2pMessage::Answer { serial, answer } => Detail::Numbers(
                &["serial", "status"],
                [*serial as i64, i64::from(answer.status), 0],
            ),
            P2pMessage::Heartbeat { port, .. } => {
                Detail::Numbers(&["port"], [i64::from(*port), 0, 0])
            }
            P2pMessage::HeartbeatAck { port, known, .. } => {
                Detail::Numbers(&["port", "known"], [i64::from(*port), i64::from(*known), 0])
            }
            P2pMessage::Report { lines } => {
                let first = lines.first().map_or(0, |line| line.sequence as i64);
                Detail::Numbers(&["first", "count"], [first, lines.len() as i64, 0])
            }
            P2pMessage::ReportAck { upto } => Detail::Numbers(&["upto"], [*upto as i64, 0, 0]),
            P2pMessage::TerminalOpen
            | P2pMessage::TerminalOpened { .. }
            | P2pMessage::TerminalClosed { .. } => Detail::None,
        }
    }
}
