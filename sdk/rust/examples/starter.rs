//! A node that counts the messages it receives. Change it as you like; `seedbed-node/src/lib.rs`
//! documents what you can use.

use seedbed_node::{Ctx, Node, run};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    Hello { heard: u64 },
}

#[derive(Default)]
struct Counter {
    heard: u64,
}

impl Counter {
    fn wait(&self, ctx: &mut Ctx) {
        let after_s = 0.1 + 0.1 * ctx.random().float();
        ctx.set_timer("tick", after_s);
    }
}

impl Node for Counter {
    type Message = Message;

    fn on_init(&mut self, ctx: &mut Ctx) {
        // Also called after a crash: what was saved is there, and everything else is lost.
        self.heard = ctx.saved("heard").unwrap_or(0);
        self.wait(ctx);
    }

    fn on_timer(&mut self, ctx: &mut Ctx, _name: &str) {
        ctx.broadcast(&Message::Hello { heard: self.heard });
        self.wait(ctx);
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Message) {
        let Message::Hello { heard } = message;
        self.heard += 1;
        ctx.save("heard", &self.heard);
        ctx.log(format!("{src} has heard {heard}"));
    }
}

fn main() {
    run(|_start| Counter::default());
}
