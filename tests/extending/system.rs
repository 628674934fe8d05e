//! Lamps: each tells the others that it is lit, and counts those that it has heard of.

mod checks;
mod vocabulary;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::System;
use crate::node::{Ctx, Identity, Node, NodeId, Probe};
use crate::settings;
use crate::sim::{self, Cluster, Io};
use crate::trace::Word;
use crate::vocabulary::Metrics;
use vocabulary::{LampMetrics, Lit, Message};

settings! {
    /// `[lamp]`: what a scenario can choose.
    #[derive(Debug)]
    pub struct LampSettings {
        /// How often a lamp tells the others that it is lit.
        interval: Duration = duration("100ms", "1ms"..="10s"),
    }
}

/// The system.
pub static SYSTEM: System = System {
    vocabulary: &[&vocabulary::VOCABULARY],
    checks: checks::CHECKS,
    ..System::new(
        "lamp",
        "Lamps that tell each other that they are lit.",
        |section| std::sync::Arc::new(LampSettings::read(section)),
        |scenario, options| {
            let interval = scenario.settings::<LampSettings>().interval;
            sim::run(scenario, options, || Lamps { interval })
        },
    )
};

struct Lamps {
    interval: Duration,
}

struct Lamp {
    interval: Duration,
    heard: BTreeSet<NodeId>,
}

impl Node for Lamp {
    type Msg = Message;
    type Timer = ();

    fn boot(&mut self, ctx: &mut Ctx<'_, Self>) {
        ctx.set_timer((), self.interval);
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, from: NodeId, _: Message) {
        if self.heard.insert(from) {
            ctx.emit(Lit { lamp: from });
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, (): ()) {
        for peer in ctx.peers().to_vec() {
            ctx.send(peer, Message::Light);
        }
        ctx.set_timer((), self.interval);
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        LampMetrics { lit_lamps: self.heard.len() as u64 }.show(probe);
    }
}

impl Cluster for Lamps {
    type Node = Lamp;

    fn node(&self, _: &Identity, _: &str) -> Lamp {
        Lamp { interval: self.interval, heard: BTreeSet::new() }
    }

    fn clients(&self) -> Vec<(String, Word)> {
        vec![]
    }

    fn client(&self, _: usize, _: Io<Message>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async {})
    }
}
