//! A time server for the system `cristian`: it follows the UTC source by Cristian's algorithm, and
//! returns the time with an error bound.
//!
//! Cristian, "Probabilistic clock synchronization", 1989: a client that asks at `begin` and gets
//! `utc` at `end` knows that the time is between `utc` and `utc + (end - begin)`; the middle is
//! wrong by at most half the round trip.

use seedbed_node::{Ctx, Node, run};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const INTERVAL_S: f64 = 2.0;
const PATIENCE_S: f64 = 0.3;
/// The number of round trips of which the shortest is used, because half of it is the bound.
const TRIES: u32 = 3;
/// The maximum drift of a clock.
const DRIFT_PPM: i64 = 200;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    UtcRequest { nonce: u64 },
    UtcResponse { nonce: u64, utc: i64 },
    TimeRequest { nonce: u64 },
    TimeResponse { nonce: u64, received: i64, sent: i64, error_bound: i64 },
    Synchronise { round: u64 },
    RoundReport { record: Value },
    RoundReportAck { round: u64 },
}

/// An estimate of UTC, in ns.
#[derive(Clone, Copy)]
struct Known {
    /// UTC minus the monotonic clock.
    offset: i64,
    /// Its error bound.
    error: i64,
    /// When it was measured.
    since: i64,
}

#[derive(Default)]
struct TimeServer {
    known: Option<Known>,
    /// The best of the current tries, and the outstanding one: its nonce and start.
    best: Option<Known>,
    asked: Option<(u64, i64)>,
    tries: u32,
    round: u64,
}

fn now(ctx: &Ctx) -> i64 {
    ctx.now_ns() as i64
}

impl TimeServer {
    fn ask(&mut self, ctx: &mut Ctx) {
        self.tries += 1;
        let nonce = ctx.random().bits() >> 1;
        self.asked = Some((nonce, now(ctx)));
        ctx.send("utc", &Message::UtcRequest { nonce });
        ctx.set_timer("silent", PATIENCE_S);
    }

    /// After each try, start another one or finish the round.
    fn go_on(&mut self, ctx: &mut Ctx) {
        if self.tries < TRIES {
            return self.ask(ctx);
        }
        self.tries = 0;
        self.known = self.best.take().or(self.known);
        if self.known.is_some() {
            self.round += 1;
            ctx.save("round", &self.round);
            let servers: Vec<String> =
                ctx.start().nodes.iter().filter(|name| name.starts_with('s')).cloned().collect();
            servers
                .iter()
                .for_each(|server| ctx.send(server, &Message::Synchronise { round: self.round }));
        }
        ctx.set_timer("interval", INTERVAL_S);
    }
}

impl Node for TimeServer {
    type Message = Message;

    fn on_init(&mut self, ctx: &mut Ctx) {
        self.round = ctx.saved("round").unwrap_or(0);
        self.ask(ctx);
    }

    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        match name {
            "silent" => self.go_on(ctx),
            _ => self.ask(ctx),
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Message) {
        let end = now(ctx);
        match message {
            Message::UtcResponse { nonce, utc } => {
                let Some((_, begin)) = self.asked.take_if(|(asked, _)| *asked == nonce) else {
                    return;
                };
                let error = (end - begin) / 2 + 1;
                if self.best.is_none_or(|best| error < best.error) {
                    self.best =
                        Some(Known { offset: utc + (end - begin) / 2 - end, error, since: end });
                }
                ctx.cancel_timer("silent");
                self.go_on(ctx);
            }
            Message::TimeRequest { nonce } => {
                // A client without an answer asks again.
                let Some(known) = self.known else { return };
                let hour = end + known.offset;
                let error_bound =
                    known.error + (end - known.since) / 1_000_000 * DRIFT_PPM + DRIFT_PPM;
                ctx.send(
                    src,
                    &Message::TimeResponse { nonce, received: hour, sent: hour, error_bound },
                );
            }
            Message::RoundReport { record } => {
                ctx.save(&format!("record/{src}"), &record);
                ctx.send(
                    src,
                    &Message::RoundReportAck { round: record["round"].as_u64().unwrap_or(0) },
                );
            }
            _ => {}
        }
    }
}

fn main() {
    run(|_start| TimeServer::default());
}
