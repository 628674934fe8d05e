//! The directory of a file-sharing network: a skeleton. It listens and answers nobody yet;
//! instructions.en.md and instructions.es.md describe the task.

use std::collections::BTreeMap;

use seedbed_node::{Closed, Ctx, Node, StreamId, run};
use serde::{Deserialize, Serialize};

const PORT: u16 = 4000;

/// The datagrams.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    /// A peer shows that its user is still connected.
    Heartbeat { user: String, port: u16 },
    /// Whether the directory knows that connection.
    HeartbeatAck { user: String, port: u16, known: bool },
    /// Lines for the operation log, to the node `log`.
    Report { lines: Vec<LogLine> },
    /// All lines up to this number are in the log.
    ReportAck { upto: u64 },
}

#[derive(Clone, Serialize, Deserialize)]
struct LogLine {
    sequence: u64,
    user: String,
    operation: String,
    date: String,
    file: String,
}

#[derive(Default)]
struct Directory {
    /// What has come on each connection, and from which host.
    received: BTreeMap<StreamId, (String, Vec<u8>)>,
}

impl Directory {
    /// How many strings follow service, date and number.
    #[allow(dead_code, reason = "nothing is read yet")]
    fn arguments(service: &str) -> Option<usize> {
        match service {
            "REGISTER" | "UNREGISTER" | "DISCONNECT" | "LIST_USERS" => Some(1),
            "CONNECT" | "DELETE" | "LIST_CONTENT" => Some(2),
            "PUBLISH" => Some(3),
            _ => None,
        }
    }
}

impl Node for Directory {
    type Message = Message;

    /// The process starts, for the first time or after a crash.
    fn on_init(&mut self, ctx: &mut Ctx) {
        // TODO: after a crash, continue with what was saved: ctx.saved("state").
        ctx.listen(PORT);
    }

    /// Somebody has connected. Many connections are open at the same time, so each needs its own
    /// place for what has come.
    fn on_accept(&mut self, _ctx: &mut Ctx, stream: StreamId, src: &str, _port: u16) {
        self.received.insert(stream, (src.to_owned(), vec![]));
    }

    /// Bytes have come: a part of a string, a string, or several.
    fn on_data(&mut self, _ctx: &mut Ctx, stream: StreamId, data: &[u8]) {
        let Some((_host, received)) = self.received.get_mut(&stream) else { return };
        received.extend_from_slice(data);
        // TODO: once service, date, number and all arguments are there, each with its zero byte
        // behind it, execute the request, save what has changed, and answer: ctx.write(stream,
        // b"0"); ctx.close(stream).
    }

    /// Nothing more comes on this connection.
    fn on_close(&mut self, ctx: &mut Ctx, stream: StreamId, reason: Closed) {
        self.received.remove(&stream);
        if reason == Closed::ByPeer {
            ctx.close(stream);
        }
    }

    /// A datagram.
    fn on_message(&mut self, _ctx: &mut Ctx, _src: &str, message: Message) {
        match message {
            // TODO: leases; the operation log.
            Message::Heartbeat { .. } | Message::ReportAck { .. } => {}
            Message::HeartbeatAck { .. } | Message::Report { .. } => {}
        }
    }
}

fn main() {
    run(|_start| Directory::default());
}
