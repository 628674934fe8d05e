//! The engine, with the digest over every message, as in a sweep.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use seedbed::node::{Ctx, Identity, Message, Node, NodeId, Probe};
use seedbed::scenario::{Latency, LinkSpec, NodeSpec, NodesSpec, Scenario, Settings};
use seedbed::sim::{Cluster, Io, RunOptions, run};
use seedbed::trace::{Digest, Word};

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
    balls: u64,
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
        for _ in 0..self.balls {
            self.throw(ctx, 0);
        }
        if self.balls > 1 {
            ctx.set_timer(0, Duration::from_millis(100));
        }
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

struct Game {
    balls: u64,
}

impl Cluster for Game {
    type Node = Player;

    fn node(&self, _: &Identity, _: &str) -> Player {
        Player { others: 0, balls: self.balls }
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

/// Lognormal latency and loss.
pub fn ping_pong(nodes: u32, messages: u64) -> u64 {
    // A message takes 6.2 ms on average.
    let nanos = messages * 6_200_000 / (WINDOW * u64::from(nodes));
    play(
        nodes,
        WINDOW,
        LinkSpec { latency: latency(), loss: LOSS, ..LinkSpec::default() },
        Duration::from_nanos(nanos),
    )
}

/// A uniform latency of 1 to 10 ms and one ball for each node: what the peers play.
pub fn peers_ping_pong(nodes: u32, messages: u64) -> u64 {
    let latency = Latency::Uniform(Duration::from_millis(1), Duration::from_millis(10));
    let nanos = messages * 5_500_000 / u64::from(nodes);
    play(nodes, 1, LinkSpec { latency, ..LinkSpec::default() }, Duration::from_nanos(nanos))
}

fn play(nodes: u32, balls: u64, link: LinkSpec, duration: Duration) -> u64 {
    let node = |i| NodeSpec {
        name: format!("n{i}"),
        role: "peer".into(),
        clock: Default::default(),
        slowness: 1.0,
        program: None,
    };
    let mut scenario = Scenario {
        name: "bench".into(),
        description: String::new(),
        system: "bench".into(),
        seed: 1,
        duration,
        recovery: Duration::ZERO,
        nodes: NodesSpec { nodes: (1..=nodes).map(node).collect(), ..NodesSpec::default() },
        network: Default::default(),
        disk: Default::default(),
        workload: Default::default(),
        nemesis: vec![],
        model: Default::default(),
        settings: Arc::new(NoSettings),
        checks: vec![],
        inputs: vec![],
        resolved: String::new(),
    };
    scenario.network.default = link;
    let trace = run(
        &scenario,
        &RunOptions { seed: 1, fold_messages: true, ..RunOptions::default() },
        || Game { balls },
    )
    .trace;
    std::hint::black_box(Digest::of(&trace));
    trace.message_count()
}
