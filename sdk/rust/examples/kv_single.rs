//! A store on one server: n1 serves, and the others send clients to it.
//!
//! It is not replicated, so it is only as good as its disk: it saves each change before it answers,
//! and remembers each client's last answer, so that a repeated request takes effect once.

use std::collections::BTreeMap;

use seedbed_node::{Ctx, Node, Value, run};
use serde::{Deserialize, Serialize};

const SERVER: &str = "n1";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Message {
    ClientRequest {
        serial: u64,
        op: Op,
        key: Option<String>,
        value: Option<String>,
        expected: Option<String>,
    },
    ClientReply {
        serial: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_leader: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Op {
    OpenSession,
    Read,
    Write,
    Append,
    Cas,
}

#[derive(Default)]
pub(crate) struct Store {
    store: BTreeMap<String, String>,
    /// The last request of each client, and its answer.
    answers: BTreeMap<String, (u64, Value)>,
}

impl Node for Store {
    type Message = Message;

    fn on_init(&mut self, ctx: &mut Ctx) {
        // Nothing is saved at the first start.
        self.store = ctx.saved("store").unwrap_or_default();
        self.answers = ctx.saved("answers").unwrap_or_default();
        ctx.show("role", if ctx.name() == SERVER { "leader" } else { "follower" });
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Message) {
        let Message::ClientRequest { serial, op, key, value, expected } = message else { return };
        if ctx.name() != SERVER {
            return ctx.send(
                src,
                &Message::ClientReply { serial, value: None, not_leader: Some(SERVER.to_owned()) },
            );
        }
        if self.answers.get(src).is_none_or(|(last, _)| *last < serial) {
            let done = self.execute(
                serial,
                op,
                key.unwrap_or_default(),
                value.unwrap_or_default(),
                expected,
            );
            self.answers.insert(src.to_owned(), (serial, done));
            ctx.save("store", &self.store);
            ctx.save("answers", &self.answers);
        }
        if let Some((last, done)) = self.answers.get(src).filter(|(last, _)| *last == serial) {
            ctx.send(
                src,
                &Message::ClientReply {
                    serial: *last,
                    value: Some(done.clone()),
                    not_leader: None,
                },
            );
        }
    }
}

impl Store {
    fn execute(
        &mut self,
        serial: u64,
        op: Op,
        key: String,
        value: String,
        expected: Option<String>,
    ) -> Value {
        let present = self.store.get(&key).map_or("nil", String::as_str).to_owned();
        match op {
            Op::OpenSession => return Value::from(serial),
            Op::Read => return Value::from(present),
            Op::Append if present != "nil" => self.store.insert(key, format!("{present},{value}")),
            Op::Cas if Some(present) != expected => return Value::from("mismatch"),
            Op::Append | Op::Write | Op::Cas => self.store.insert(key, value),
        };
        Value::from("ok")
    }
}

#[allow(dead_code)]
fn main() {
    run(|_start| Store::default());
}
