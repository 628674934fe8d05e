//! Elect with ephemeral znodes: a beginning. It asks for a session, and does no more; instructions.en.md and instructions.es.md say what is to be done.
//!
//! The client of ZooKeeper in Python, `seedbed_zookeeper.py`, shows what a session has to do; here it is yours to write.

use seedbed_node::{run, Ctx, Node};
use serde_json::{json, Value};

const ENSEMBLE: [&str; 3] = ["zk1", "zk2", "zk3"];
const SESSION_TIMEOUT_MS: u32 = 2_000;

#[derive(Default)]
struct Instance {
    /// The connection, by a random number of our own, and the number of the next packet on it.
    channel: u64,
    next_seq: u64,
    /// The last packet that has arrived without a gap.
    received: u64,
}

impl Instance {
    /// Send a packet. TODO: again, until it is acknowledged.
    fn send(&mut self, ctx: &mut Ctx, mut body: Value) {
        body["channel"] = json!(self.channel);
        body["seq"] = json!(self.next_seq);
        body["ack"] = json!(self.received);
        self.next_seq += 1;
        ctx.send(ENSEMBLE[0], &body);
    }
}

impl Node for Instance {
    type Message = Value;

    /// The process starts, for the first time or after a crash.
    fn on_init(&mut self, ctx: &mut Ctx) {
        ctx.show("role", "outside");
        self.channel = ctx.random().bits() >> 1;
        self.next_seq = 1;
        self.send(ctx, json!({ "type": "Connect", "session": 0, "password": 0, "timeout_ms": SESSION_TIMEOUT_MS, "last_zxid": 0 }));
    }

    fn on_timer(&mut self, _ctx: &mut Ctx, _name: &str) {
        // TODO: packets that are sent again, signs of life, measurements, means.
    }

    fn on_message(&mut self, _ctx: &mut Ctx, _src: &str, _message: Value) {
        // TODO: ConnectReply, Reply, WatchEvent, PacketAck and Reset of the ensemble; HttpResponse of the balancer.
    }
}

fn main() {
    run(|_start| Instance::default());
}
