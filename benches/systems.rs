//! How fast each system is simulated, and how its cost grows: `cargo bench --bench systems`, or `--
//! p2p` for one system alone.
//!
//! First the tour scenario of each system, without checks and files, everything recorded: virtual
//! seconds a second of processor time. Then one scenario of each system in several sizes, as a
//! sweep runs it (messages are counted and not kept), without checks and with all of them. Only
//! numbers differ between the sizes, so that the messages are of one kind, and the cost of one
//! message may not grow with the number of nodes. Where every node speaks to every other one, the
//! number of messages grows faster than that of the nodes; a message should cost the same, and one
//! that is longer (a list of all users) as much more as it is longer.

mod measure;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use seedbed::run::{sweep_run, system_of};
use seedbed::scenario::Scenario;
use seedbed::sim::RunOptions;
use seedbed::systems::SYSTEMS;
use seedbed::systems::read_file;

use measure::processor_time;

fn main() {
    // Cargo hands over flags of its own.
    let only: Option<String> = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let asked = |system: &str| only.as_ref().is_none_or(|only| only == system);
    println!(
        "{:24} {:>12} {:>12} {:>14} {:>24}",
        "tour", "virtual s", "messages", "µs a message", "virtual seconds per second"
    );
    for name in SYSTEMS.iter().map(|system| system.name).filter(|name| asked(name)) {
        tour(&format!("{name}/{}", if name == "raft" { "leader-isolated" } else { "tour" }));
    }
    for growth in
        GROWTHS.iter().filter(|growth| asked(growth.scenario.split('/').next().unwrap_or_default()))
    {
        growth.print();
    }
}

fn tour(name: &str) {
    let scenario = scenario(name, &[]);
    let system = system_of(&scenario);
    let Spent { runs, messages, seconds } = spend(Duration::from_secs(2), |seed| {
        (system.run)(&scenario, &RunOptions { seed, ..RunOptions::default() }).trace.message_count()
    });
    let virtual_s = (scenario.duration + scenario.recovery).as_secs_f64() * runs as f64;
    let cost_us = seconds * 1e6 / messages as f64;
    println!(
        "{name:24} {virtual_s:12.0} {messages:12} {cost_us:14.2} {:24.0}",
        virtual_s / seconds
    );
}

/// A scenario that is made larger.
struct Growth {
    scenario: &'static str,
    /// What there is more of.
    of: &'static str,
    /// The sizes; the first is what the others are compared with.
    sizes: &'static [u32],
    /// Keys that hold the size, times this many hundredths.
    keys: &'static [(&'static str, u32)],
    /// Keys that are not the scenario's in every size.
    fixed: &'static [(&'static str, &'static str)],
}

const GROWTHS: &[Growth] = &[
    Growth {
        scenario: "raft/leader-isolated",
        of: "peers",
        sizes: &[3, 5, 9, 15],
        keys: &[("nodes.count", 100)],
        fixed: &[],
    },
    // As many clients a key in every size: a search for an order of operations that overlap is
    // exponential in how many do.
    Growth {
        scenario: "raft/leader-isolated",
        of: "clients",
        sizes: &[3, 12, 48],
        keys: &[("workload.clients", 100), ("workload.keys", 167)],
        fixed: &[],
    },
    Growth {
        scenario: "audio/fifty-listeners",
        of: "listeners",
        sizes: &[10, 50, 200],
        keys: &[("nodes.node.listener.count", 100)],
        fixed: &[],
    },
    Growth {
        scenario: "cristian/fifty-servers",
        of: "servers",
        sizes: &[10, 50, 200],
        keys: &[("nodes.node.s.count", 100), ("nemesis.1.targets", 20)],
        fixed: &[],
    },
    Growth {
        scenario: "zookeeper/tour",
        of: "servers",
        sizes: &[3, 5, 7],
        keys: &[("nodes.node.zk.count", 100)],
        fixed: &[],
    },
    Growth {
        scenario: "zookeeper/tour",
        of: "instances",
        sizes: &[3, 10, 30],
        keys: &[("nodes.node.instance.count", 100)],
        fixed: &[],
    },
    Growth {
        scenario: "zookeeper/tour",
        of: "clients",
        sizes: &[2, 10, 50],
        keys: &[("workload.clients", 100), ("workload.keys", 250)],
        fixed: &[],
    },
    Growth {
        scenario: "replication/seven-replicas",
        of: "replicas",
        sizes: &[3, 5, 7, 9],
        keys: &[("nodes.node.replica.count", 100)],
        fixed: &[("nemesis.1.targets", "1")],
    },
    Growth {
        scenario: "replication/seven-replicas",
        of: "clients",
        sizes: &[4, 16, 64],
        keys: &[("workload.clients", 100), ("workload.keys", 250)],
        fixed: &[],
    },
    Growth {
        scenario: "p2p/two-hundred-peers",
        of: "peers",
        sizes: &[25, 50, 100, 200, 400],
        keys: &[("nodes.node.p.count", 100), ("workload.clients", 100)],
        fixed: &[],
    },
    // The same without lists of users, which name everybody: what is left does not grow.
    Growth {
        scenario: "p2p/two-hundred-peers",
        of: "no lists",
        sizes: &[25, 50, 100, 200, 400],
        keys: &[("nodes.node.p.count", 100), ("workload.clients", 100)],
        fixed: &[("workload.mix", "{ connect = 0.1, publish = 0.6, list_content = 0.3 }")],
    },
];

impl Growth {
    fn print(&self) {
        println!(
            "\n{}: {} ({})",
            self.scenario,
            self.of,
            self.keys.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(", ")
        );
        println!(
            "{:>10} {:>14} {:>16} {:>8} {:>14} {:>8} {:>14} {:>8}",
            self.of,
            "messages a run",
            "bytes a message",
            "ratio",
            "µs a message",
            "ratio",
            "with checks",
            "ratio"
        );
        let scenarios: Vec<Scenario> =
            self.sizes.iter().map(|size| self.scenario_of(*size)).collect();
        let mut least = vec![(0, f64::INFINITY, f64::INFINITY); scenarios.len()];
        // The sizes take turns, and the least counts: others who use the machine disturb a while,
        // and not one size alone.
        for _ in 0..PASSES {
            for (scenario, (messages, simulated_us, judged_us)) in scenarios.iter().zip(&mut least)
            {
                let system = system_of(scenario);
                let options =
                    |seed| RunOptions { seed, fold_messages: true, ..RunOptions::default() };
                let simulated = spend(PASS, |seed| {
                    (system.run)(scenario, &options(seed)).trace.message_count()
                });
                let judged =
                    spend(PASS, |seed| black_box(sweep_run(scenario, seed)).trace.message_count());
                *messages = simulated.messages / simulated.runs;
                *simulated_us = simulated_us.min(simulated.cost_us());
                *judged_us = judged_us.min(judged.cost_us());
            }
        }
        let bytes: Vec<f64> = scenarios.iter().map(bytes_a_message).collect();
        let (_, first_simulated, first_judged) = least[0];
        for ((size, (messages, simulated, judged)), bytes_now) in
            self.sizes.iter().zip(&least).zip(&bytes)
        {
            let (by, by_judged, longer) =
                (simulated / first_simulated, judged / first_judged, bytes_now / bytes[0]);
            println!(
                "{size:10} {messages:14} {bytes_now:16.0} {longer:8.2} {simulated:14.2} {by:8.2} \
                    {judged:14.2} {by_judged:8.2}"
            );
        }
    }

    fn scenario_of(&self, size: u32) -> Scenario {
        let numbers = self
            .keys
            .iter()
            .map(|(key, hundredths)| ((*key).to_owned(), (size * hundredths / 100).to_string()));
        let fixed = self.fixed.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        scenario(self.scenario, &numbers.chain(fixed).collect::<Vec<_>>())
    }
}

const PASSES: u32 = 4;
const PASS: Duration = Duration::from_millis(400);

fn scenario(name: &str, set: &[(String, String)]) -> Scenario {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).with_extension("toml");
    read_file(&path, set, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// How long a message is: a list of all users grows with their number.
fn bytes_a_message(scenario: &Scenario) -> f64 {
    let trace =
        (system_of(scenario).run)(scenario, &RunOptions { seed: 0, ..RunOptions::default() }).trace;
    let bytes: u64 = trace.messages.iter().map(|message| u64::from(message.bytes)).sum();
    bytes as f64 / trace.messages.len().max(1) as f64
}

/// What runs took.
struct Spent {
    runs: u64,
    messages: u64,
    seconds: f64,
}

impl Spent {
    fn cost_us(&self) -> f64 {
        self.seconds * 1e6 / self.messages as f64
    }
}

/// Enough runs, of the seeds from 0 on, that the clock's resolution of 10 ms does not matter.
fn spend(least: Duration, run: impl Fn(u64) -> u64) -> Spent {
    let (mut runs, mut messages) = (0, 0);
    let start = processor_time();
    let mut spent = Duration::ZERO;
    while spent < least {
        messages += run(runs);
        runs += 1;
        spent = processor_time() - start;
    }
    Spent { runs, messages: messages.max(1), seconds: spent.as_secs_f64() }
}
