//! How fast each system is simulated, and how its cost grows: `cargo bench --bench systems`.
//!
//! The tour scenario of each system, without checks and files, everything recorded: virtual seconds a second of processor time. Then the same system
//! with few nodes and with many: the cost of a message may not grow with their number.

mod measure;

use std::path::Path;
use std::time::Duration;

use seedbed::run::system_of;
use seedbed::scenario::{Scenario, read_file};
use seedbed::sim::RunOptions;
use seedbed::systems::SYSTEMS;

use measure::processor_time;

fn main() {
    println!("{:28} {:>12} {:>12} {:>14} {:>24}", "scenario", "virtual s", "messages", "µs a message", "virtual seconds a second");
    for system in SYSTEMS {
        let name = if system.name() == "raft" { "leader-isolated" } else { "tour" };
        row(&format!("{}/{name}", system.name()));
    }
    println!("with many nodes:");
    LARGE.iter().for_each(|name| row(name));
}

/// The largest cluster that ships for each system that has one.
const LARGE: &[&str] =
    &["raft/nine-peers", "audio/fifty-listeners", "cristian/fifty-servers", "replication/seven-replicas", "p2p/two-hundred-peers"];

fn row(name: &str) {
    let measured = measure(&scenario(&format!("scenarios/{name}.toml"), &[]));
    let Measured { virtual_s, messages, spent_s } = measured;
    println!("{name:28} {virtual_s:12.0} {messages:12} {:14.2} {:24.0}", measured.cost_us(), virtual_s / spent_s);
}

fn scenario(path: &str, set: &[(String, String)]) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    read_file(&path, set, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// What the simulation of a scenario takes.
struct Measured {
    virtual_s: f64,
    messages: u64,
    spent_s: f64,
}

impl Measured {
    fn cost_us(&self) -> f64 {
        self.spent_s * 1e6 / self.messages.max(1) as f64
    }
}

/// So many runs that the clock's resolution of 10 ms does not matter.
fn measure(scenario: &Scenario) -> Measured {
    let system = system_of(scenario);
    let (mut runs, mut messages) = (0, 0);
    let start = processor_time();
    while processor_time() - start < Duration::from_secs(2) {
        messages += system.run(scenario, &RunOptions { seed: runs, ..RunOptions::default() }).trace.message_count();
        runs += 1;
    }
    let spent_s = (processor_time() - start).as_secs_f64();
    Measured { virtual_s: (scenario.duration + scenario.recovery).as_secs_f64() * runs as f64, messages, spent_s }
}
