//! Synchronise clocks by Cristian's algorithm: a skeleton. It starts and reports a clock that
//! nobody has set; instructions.en.md and instructions.es.md describe the task.

use seedbed_node::{Ctx, Node, run};
use serde::{Deserialize, Serialize};
use serde_json::json;

const SHOW_EVERY: f64 = 0.050;

/// Hours and durations are in ns; those of records in µs.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    /// The coordinator has this server synchronise.
    Synchronise { round: u64 },
    /// What is the time? `hour` is this server's.
    TimeRequest { nonce: u64, hour: i64 },
    /// The hours when the question came and when the answer left, and what they may be wrong by.
    TimeResponse { nonce: u64, received: i64, sent: i64, error_bound: Option<i64> },
    /// What a round has done to the clock.
    RoundReport { record: Record },
    /// It is recorded.
    RoundReportAck { round: u64 },
}

#[derive(Clone, Serialize, Deserialize)]
struct Record {
    round: u64,
    previous_us: i64,
    corrected_us: i64,
    adjustment_us: i64,
}

struct Server {
    /// The time is the monotonic clock plus this, in ns.
    offset: i64,
}

impl Server {
    /// The hour, ns since 1970.
    fn read(&self, ctx: &Ctx) -> i64 {
        // TODO: once set, a clock never goes backwards.
        ctx.now_ns() as i64 + self.offset
    }

    fn show_clock(&mut self, ctx: &mut Ctx) {
        // TODO: state the error bound of the clock; -1 means unknown.
        let clock_us = self.read(ctx) / 1_000;
        ctx.observe("reading", json!({ "clock_us": clock_us, "error_bound_us": -1 }));
        ctx.set_timer("show", SHOW_EVERY);
    }
}

impl Node for Server {
    type Message = Message;

    /// The process starts, for the first time or after a crash. The coordinator is the node "time".
    fn on_init(&mut self, ctx: &mut Ctx) {
        // Until the first round there is nothing better than the wall clock.
        self.offset = ctx.wall_ns() - ctx.now_ns() as i64;
        // TODO: after a crash, continue with the saved records: ctx.saved("records").
        ctx.set_timer("show", SHOW_EVERY);
    }

    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        if name == "show" {
            self.show_clock(ctx);
        }
    }

    fn on_message(&mut self, _ctx: &mut Ctx, _src: &str, message: Message) {
        match message {
            // TODO: ask with ctx.send("time", &Message::TimeRequest { … }), and again if no
            // answer comes.
            Message::Synchronise { .. } => {}
            // TODO: correct the clock, observe "round", save the record, observe "round_stored",
            // report it.
            Message::TimeResponse { .. } => {}
            // TODO: the record no longer has to be reported.
            Message::RoundReportAck { .. } => {}
            Message::TimeRequest { .. } | Message::RoundReport { .. } => {}
        }
    }
}

fn main() {
    run(|_start| Server { offset: 0 });
}
