//! The conformance node of PROTOCOL.md: `seedbed conform -- target/debug/examples/conformance`.

use seedbed_node::{Ctx, Node, StreamId, Value, run};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    Timer { name: String, after: u64 },
    Cancel { name: String },
    Save { key: String, value: Value },
    Load { key: String },
    Broadcast { text: String },
    Observe { event: String, fields: Value },
    Show { metric: String, value: Value },
    Draw,
    Now,
    Print { text: String },
    Crash { text: String },
    Listen { port: u16 },
    Connect { dest: String, port: u16, text: String },
}

struct Conformance;

impl Conformance {
    fn tell(&self, ctx: &mut Ctx, message: &Value) {
        let first = ctx.peers()[0].clone();
        ctx.send(&first, message);
    }
}

impl Node for Conformance {
    /// `Echo` has arbitrary fields, so it is not a variant.
    type Message = Value;

    fn on_restart(&mut self, ctx: &mut Ctx) {
        self.tell(ctx, &json!({"type": "Restarted"}));
    }

    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        self.tell(ctx, &json!({"type": "Timer", "name": name}));
    }

    fn on_command(&mut self, ctx: &mut Ctx, command: &str) {
        self.tell(ctx, &json!({"type": "Command", "command": command}));
    }

    fn on_stop(&mut self, ctx: &mut Ctx) {
        self.tell(ctx, &json!({"type": "Stopped"}));
    }

    fn on_data(&mut self, ctx: &mut Ctx, stream: StreamId, data: &[u8]) {
        ctx.write(stream, data);
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Value) {
        if message["type"] == "Echo" {
            return ctx.send(src, &message);
        }
        let Ok(message) = serde_json::from_value(message) else { return };
        match message {
            Message::Timer { name, after } => ctx.set_timer(&name, after as f64 / 1e9),
            Message::Cancel { name } => ctx.cancel_timer(&name),
            Message::Save { key, value } => {
                ctx.save(&key, &value);
                ctx.send(src, &json!({"type": "Saved", "key": key}));
            }
            Message::Load { key } => {
                let value: Option<Value> = ctx.saved(&key);
                ctx.send(src, &json!({"type": "Loaded", "key": key, "value": value}));
            }
            Message::Broadcast { text } => ctx.broadcast(&json!({"type": "Hello", "text": text})),
            Message::Observe { event, fields } => ctx.observe(&event, fields),
            Message::Show { metric, value } => ctx.show(&metric, value),
            Message::Draw => {
                let number = ctx.random().bits() >> 32;
                ctx.send(src, &json!({"type": "Drawn", "number": number}));
            }
            Message::Now => {
                let answer = json!({"type": "Now", "now": ctx.now_ns(), "wall": ctx.wall_ns()});
                ctx.send(src, &answer);
            }
            Message::Print { text } => {
                print!("{text}");
                ctx.send(src, &json!({"type": "Printed"}));
            }
            Message::Crash { text } => panic!("{text}"),
            Message::Listen { port } => ctx.listen(port),
            Message::Connect { dest, port, text } => {
                let stream = ctx.connect(&dest, port);
                ctx.write(stream, text.as_bytes());
            }
        }
    }
}

fn main() {
    run(|_start| Conformance);
}
