//! Elect a leader with Raft: a skeleton. It starts and does nothing yet; instructions.en.md and
//! instructions.es.md describe the task.

use seedbed_node::{Ctx, Node, run};
use serde::{Deserialize, Serialize};
use serde_json::json;

const ELECTION_TIMEOUT: (f64, f64) = (0.150, 0.300);

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    /// A client looks for the leader.
    ClientRequest { serial: u64 },
    /// The answer: `value` by the leader, `not_leader` by anybody else.
    ClientReply {
        serial: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        not_leader: Option<Option<String>>,
    },
    // TODO: your own: RequestVote, its answer, heartbeats.
}

#[derive(PartialEq)]
enum Role {
    Follower,
    #[allow(dead_code, reason = "nobody leads yet")]
    Leader,
}

struct Server {
    current_term: u64,
    role: Role,
    leader: Option<String>,
}

impl Server {
    fn wait_for_leader(&mut self, ctx: &mut Ctx) {
        // TODO: a random time between the two, drawn anew each time: ctx.random().
        ctx.set_timer("election", ELECTION_TIMEOUT.1);
    }
}

impl Node for Server {
    type Message = Message;

    /// The process starts, for the first time or after a crash.
    fn on_init(&mut self, ctx: &mut Ctx) {
        // TODO: after a crash, continue with what was saved: ctx.saved("state").
        ctx.observe("term", json!({ "term": self.current_term }));
        ctx.show("role", "follower");
        self.wait_for_leader(ctx);
    }

    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        if name == "election" {
            // TODO: become a candidate: the next term, a vote for itself, saved, and
            // ctx.broadcast(&Message::RequestVote { … }).
            self.wait_for_leader(ctx);
        }
        // TODO: a leader sends heartbeats.
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Message) {
        match message {
            Message::ClientRequest { serial } if self.role == Role::Leader => {
                ctx.send(
                    src,
                    &Message::ClientReply {
                        serial,
                        value: Some("nil".to_owned()),
                        not_leader: None,
                    },
                );
            }
            Message::ClientRequest { serial } => {
                ctx.send(
                    src,
                    &Message::ClientReply {
                        serial,
                        value: None,
                        not_leader: Some(self.leader.clone()),
                    },
                );
            }
            // TODO: a higher term; RequestVote and its answer; heartbeats.
            Message::ClientReply { .. } => {}
        }
    }
}

fn main() {
    run(|_start| Server { current_term: 0, role: Role::Follower, leader: None });
}
