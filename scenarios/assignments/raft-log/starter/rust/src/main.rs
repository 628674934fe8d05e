//! Replicate the log with Raft: a skeleton. It starts and leads nobody; instructions.en.md and
//! instructions.es.md describe the task.
//!
//! Replace the placeholder for elections with your solution of raft-election.

use std::collections::BTreeMap;

use seedbed_node::{Ctx, Node, run};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    /// What a client asks for.
    ClientRequest {
        serial: u64,
        op: String,
        key: Option<String>,
        value: Option<String>,
        expected: Option<String>,
    },
    /// The answer: `value` when it is done, `not_leader` by a server that does not lead.
    ClientReply {
        serial: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<serde_json::Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        not_leader: Option<Option<String>>,
    },
    // TODO: your own: RequestVote, AppendEntries, and their answers.
}

/// An entry of the log.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    term: u64,
    client: Option<String>,
    serial: u64,
    op: String,
    key: String,
    value: String,
    expected: String,
}

#[derive(Default)]
struct Server {
    leads: bool,
    leader: Option<String>,
    /// The entry with the index 1 comes first.
    log: Vec<Entry>,
    commit_index: usize,
    last_applied: usize,
    store: BTreeMap<String, String>,
}

impl Server {
    /// Apply the entries up to `commit_index`, one after the other.
    #[allow(dead_code, reason = "nothing is committed yet")]
    fn apply_committed(&mut self, ctx: &mut Ctx) {
        while self.last_applied < self.commit_index {
            self.last_applied += 1;
            let entry = self.log[self.last_applied - 1].clone();
            let (term, client, serial) = (entry.term, &entry.client, entry.serial);
            let index = self.last_applied;
            let told = json!({ "index": index, "term": term, "client": client, "serial": serial });
            ctx.observe("apply", told);
            // TODO: execute it, unless this client's request has been executed already; the leader
            // answers.
            let _answer = self.execute(&entry);
        }
    }

    fn execute(&mut self, entry: &Entry) -> String {
        let present = self.store.get(&entry.key).cloned();
        let is = present.clone().unwrap_or_else(|| "nil".to_owned());
        let new = match entry.op.as_str() {
            "read" => return is,
            "cas" if is != entry.expected => return "mismatch".to_owned(),
            "append" if present.is_some() => format!("{is},{}", entry.value),
            _ => entry.value.clone(),
        };
        self.store.insert(entry.key.clone(), new);
        "ok".to_owned()
    }
}

impl Node for Server {
    type Message = Message;

    /// The process starts, for the first time or after a crash.
    fn on_init(&mut self, ctx: &mut Ctx) {
        // TODO: after a crash, restore what was saved: ctx.saved("state"), ctx.saved("entry/1"), …
        ctx.show("role", "follower");
    }

    fn on_timer(&mut self, _ctx: &mut Ctx, _name: &str) {
        // TODO: elections and heartbeats.
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Message) {
        match message {
            Message::ClientRequest { serial, .. } if !self.leads => {
                ctx.send(
                    src,
                    &Message::ClientReply {
                        serial,
                        value: None,
                        not_leader: Some(self.leader.clone()),
                    },
                );
            }
            // TODO: append an entry with the client's name and serial number, save it, send it to
            // the peers; answer when it is applied.
            Message::ClientRequest { .. } | Message::ClientReply { .. } => {}
        }
    }
}

fn main() {
    run(|_start| Server::default());
}
