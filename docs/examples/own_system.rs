//! A system of your own in a crate of your own, with the whole command line.
//!
//! Some nodes pass a token around a ring; a check says that there are never two. Run it:
//!
//! ```sh
//! cargo run --release --example own_system -- run docs/examples/ring.toml
//! cargo run --release --example own_system -- sweep docs/examples/ring.toml --defect two-tokens
//! ```

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use seedbed::checkers::{Case, Checker, Params, Verdict, Violation};
use seedbed::node::{Ctx, Identity, Message, Node, NodeId, Probe};
use seedbed::sim::{self, Cluster, Io};
use seedbed::systems::System;
use seedbed::trace::Word;
use seedbed::vocabulary::{Event, Metrics, Vocabulary};

seedbed::events! {
    /// A node has the token now.
    Token "token" {
        /// How often it was passed on.
        hops: u64,
    }
}

seedbed::metrics! {
    /// What a node shows.
    pub struct RingMetrics {
        /// The hops of the last token that it had.
        hops: u64,
    }
}

seedbed::messages! {
    /// What nodes say.
    #[derive(Clone, Debug)]
    pub enum RingMessage {
        /// The token is passed on.
        Pass {
            /// How often it was passed on, this time included.
            hops: u64,
        },
    }
}

seedbed::defects! {
    TwoTokens "two-tokens" "one_token" "ring" 2
        "Every node makes a token when it starts, not only the first one."
}

seedbed::settings! {
    /// `[ring]`: what a scenario can choose.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RingSettings {
        /// How long a node keeps the token.
        hold: Duration = duration("10ms", "1ms"..="1h"),
        /// Planted defects, by name.
        planted as "defects": Planted = planted(),
    }
}

impl Message for RingMessage {
    fn name(&self) -> &'static str {
        self.kind_name()
    }

    fn size(&self) -> u32 {
        16
    }
}

struct Member {
    settings: RingSettings,
    hops: u64,
}

impl Member {
    fn take(&mut self, ctx: &mut Ctx<'_, Self>, hops: u64) {
        self.hops = hops;
        ctx.emit(Token { hops });
        ctx.set_timer((), self.settings.hold);
    }
}

impl Node for Member {
    type Msg = RingMessage;
    type Timer = ();

    fn boot(&mut self, ctx: &mut Ctx<'_, Self>) {
        let first = ctx.peers().iter().all(|peer| ctx.id() < *peer);
        if first || self.settings.planted.plants(Defect::TwoTokens) {
            self.take(ctx, 0);
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, _: NodeId, message: RingMessage) {
        let RingMessage::Pass { hops } = message;
        self.take(ctx, hops);
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, (): ()) {
        // The next one in the order of the scenario; after the last one, the first.
        let after = ctx.peers().iter().copied().find(|peer| *peer > ctx.id());
        if let Some(next) = after.or(ctx.peers().first().copied()) {
            ctx.send(next, RingMessage::Pass { hops: self.hops + 1 });
        }
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        probe.show(&RingMetrics { hops: self.hops });
    }
}

struct Ring {
    settings: RingSettings,
}

impl Cluster for Ring {
    type Node = Member;

    fn node(&self, _: &Identity, _: &str) -> Member {
        Member { settings: self.settings.clone(), hops: 0 }
    }

    fn clients(&self) -> Vec<(String, Word)> {
        vec![]
    }

    fn client(&self, _: usize, _: Io<RingMessage>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async {})
    }
}

static ONE_TOKEN: Checker = Checker {
    name: "one_token",
    summary: "The token has never as many hops at two nodes.",
    source: "the defining property of a token ring",
    params: &[],
    liveness: false,
    check: one_token,
};

fn one_token(case: &Case<'_>, _: &Params) -> Verdict {
    let mut last = None;
    for event in case.trace.events.iter().filter(|event| event.name == Token::NAME) {
        let Some(Token { hops }) = Token::read(&event.fields) else { continue };
        if last.is_some_and(|last| hops <= last) {
            return Verdict::Invalid(vec![Violation {
                check: ONE_TOKEN.name,
                time_us: event.time_us,
                nodes: vec![event.node],
                message: format!("{} has a second token", case.trace.name(event.node)),
            }]);
        }
        last = Some(hops);
    }
    match last {
        Some(_) => Verdict::Valid,
        None => Verdict::Unknown("nobody ever had a token".to_owned()),
    }
}

static VOCABULARY: Vocabulary =
    Vocabulary { events: EVENTS, metrics: &[RingMetrics::INFO], messages: &[RingMessage::SHOWN] };

static RING: System = System {
    roles: &["member"],
    vocabulary: &[&VOCABULARY],
    checks: &[&ONE_TOKEN],
    defects: DEFECTS,
    ..System::new(
        "ring",
        "A token goes around.",
        |section| Arc::new(RingSettings::read(section)),
        |scenario, options| {
            let settings = scenario.settings::<RingSettings>().clone();
            sim::run(scenario, options, move || Ring { settings })
        },
    )
};

fn main() -> ExitCode {
    seedbed::main_with(&[&RING])
}
