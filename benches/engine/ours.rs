//! The engine, with everything recorded and the digest computed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use seedbed::node::{Ctx, Identity, Message, Node, NodeId, Probe};
use seedbed::scenario::{NodeSpec, NodesSpec, Scenario, Settings};
use seedbed::sim::{Cluster, Io, RunOptions, run};
use seedbed::trace::{Digest, Outcome, Word};

use super::bare::{LOSS, WINDOW, latency};

#[derive(Clone, Debug)]
pub struct Ball(u64);

impl Message for Ball {
    fn name(&self) -> &'static str {
        "Ball"
    }
    fn size(&self) -> u32 {
        64
    }
}

pub struct Player {
    others: u64,
}

impl Player {
    fn throw(&self, ctx: &mut Ctx<'_, Self>, ball: u64) {
        let dest = ctx.rng().below(self.others) as usize;
        let dest = ctx.peers()[dest];
        ctx.send(dest, Ball(ball));
    }
}

impl Node for Player {
    type Msg = Ball;
    type Timer = u8;

    fn boot(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.others = ctx.peers().len() as u64;
        for _ in 0..WINDOW {
            self.throw(ctx, 0);
        }
        ctx.set_timer(0, Duration::from_millis(100));
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, _: NodeId, ball: Ball) {
        self.throw(ctx, ball.0 + 1);
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, _: u8) {
        self.throw(ctx, 0);
        ctx.set_timer(0, Duration::from_secs(2));
    }

    fn probe(&self, _: &mut Probe<'_>) {}
}

struct Game;

impl Cluster for Game {
    type Node = Player;

    fn node(&self, _: &Identity, _: &str) -> Player {
        Player { others: 0 }
    }

    fn clients(&self) -> Vec<(String, Word)> {
        vec![]
    }

    fn client(&self, _: usize, _: Io<Ball>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async {})
    }
}

#[derive(Debug)]
struct NoSettings;

impl Settings for NoSettings {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

pub fn ping_pong(nodes: u32, messages: u64) -> u64 {
    // A message takes 6.2 ms on average.
    let nanos = messages * 6_200_000 / (WINDOW * u64::from(nodes));
    let node = |i| NodeSpec { name: format!("n{i}"), role: "peer".into(), clock: Default::default(), slowness: 1.0 };
    let mut scenario = Scenario {
        name: "bench".into(),
        description: String::new(),
        system: "bench".into(),
        seed: 1,
        duration: Duration::from_nanos(nanos),
        recovery: Duration::ZERO,
        nodes: NodesSpec { nodes: (1..=nodes).map(node).collect(), ..NodesSpec::default() },
        network: Default::default(),
        disk: Default::default(),
        workload: Default::default(),
        nemesis: vec![],
        model: Default::default(),
        settings: Arc::new(NoSettings),
        checks: vec![],
        resolved: String::new(),
    };
    scenario.network.default.latency = latency();
    scenario.network.default.loss = LOSS;
    let trace = run(&scenario, &RunOptions { seed: 1, log: false }, || Game).trace;
    std::hint::black_box(Digest::of(&trace));
    trace.messages.iter().filter(|message| message.outcome == Outcome::Delivered).count() as u64
}
