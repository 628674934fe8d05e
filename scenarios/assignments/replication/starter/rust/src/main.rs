//! A store of forms on a leader and its followers: a skeleton. It starts and answers nobody yet;
//! instructions.en.md and instructions.es.md describe the task.

use seedbed_node::{Ctx, Node, run};
use serde::{Deserialize, Serialize};

const COORDINATOR: &str = "k";
const HEARTBEAT: f64 = 0.100;
const REGISTER: f64 = 0.250;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    /// A client asks. `body` is a text with JSON in it.
    Request { req: u64, verb: String, body: String },
    /// The answer; without a body: ask somebody else.
    Answer { req: u64, body: Option<String>, leader: Option<String> },
    /// To the coordinator: this replica lives.
    Register { nonce: u64, version: u64 },
    /// From the coordinator: who leads.
    ViewUpdate { view: View },
    /// From the coordinator: all epochs before this one are over.
    Fence { epoch: u64 },
    /// To the coordinator: how far this log goes.
    Position { epoch: u64, log_epoch: u64, seq: u64, hash: u64 },
    // TODO: your own: records for the followers, and what they say to it.
}

/// Other fields are of no interest here.
#[derive(Serialize, Deserialize)]
struct View {
    version: u64,
    epoch: u64,
    /// A place in the list of all nodes.
    leader: Option<usize>,
}

#[derive(Default)]
struct Replica {
    leader: Option<String>,
}

impl Node for Replica {
    type Message = Message;

    /// The process starts, for the first time or after a crash.
    fn on_init(&mut self, ctx: &mut Ctx) {
        // TODO: after a crash, continue with what was saved: ctx.saved("meta").
        ctx.set_timer("register", REGISTER);
        ctx.set_timer("heartbeat", HEARTBEAT);
    }

    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        if name == "register" {
            ctx.send(COORDINATOR, &Message::Register { nonce: 0, version: 0 });
            ctx.set_timer("register", REGISTER);
        } else {
            // TODO: a leader reports itself, and resends what was lost.
            ctx.set_timer("heartbeat", HEARTBEAT);
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Message) {
        // TODO: ViewUpdate, Fence, and your own.
        if let Message::Request { req, .. } = message {
            // TODO: a write is first a record, and takes effect when a majority has it.
            ctx.send(src, &Message::Answer { req, body: None, leader: self.leader.clone() });
        }
    }
}

fn main() {
    run(|_start| Replica::default());
}
