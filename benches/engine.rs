//! What an event costs: `cargo bench --bench engine`.
//!
//! Ping-pong of 64-byte messages: each node answers a message with one to a random node. Against
//! the bare heap the links have lognormal latency and loss; against the peers they have what all of
//! them can do, a uniform latency of 1 to 10 ms, and one ball for each node. Rounds of all
//! contestants are interleaved and the least time of each counts, so that a noisy machine disturbs
//! all alike; what is reported are ratios within this one run.

mod engine {
    pub mod bare;
    pub mod ours;
    pub mod peers;
}

use std::time::{Duration, Instant};

const ROUNDS: usize = 9;

/// A contestant: its name, and a run that gives how many messages were delivered.
type Contestant = (&'static str, fn() -> u64);

#[allow(clippy::disallowed_methods, reason = "a bench measures real time")]
fn main() {
    let contestants: [Contestant; 7] = [
        ("bare heap, 5 nodes", || engine::bare::ping_pong(5, 400_000)),
        ("seedbed, 5 nodes", || engine::ours::ping_pong(5, 400_000)),
        ("bare heap, 500 nodes", || engine::bare::ping_pong(500, 400_000)),
        ("seedbed, 500 nodes", || engine::ours::ping_pong(500, 400_000)),
        ("seedbed, 5 nodes, as the peers", || engine::ours::peers_ping_pong(5, 400_000)),
        ("madsim Endpoint, 5 nodes", || engine::peers::madsim_ping_pong(5, 40_000)),
        ("turmoil, 5 nodes", || engine::peers::turmoil_ping_pong(5, 10_000)),
    ];
    let mut least = [f64::INFINITY; 7];
    for _ in 0..ROUNDS {
        for (place, (_, run)) in contestants.iter().enumerate() {
            let start = Instant::now();
            let messages = run();
            least[place] = least[place].min(nanos(start.elapsed()) / messages as f64);
        }
    }
    println!("{:32} {:>12}", "", "ns a message");
    for ((name, _), ns) in contestants.iter().zip(least) {
        println!("{name:32} {ns:12.0}");
    }
    println!();
    println!(
        "seedbed against the bare heap, 5 nodes:  {:6.2} times the cost (goal: at most 4)",
        least[1] / least[0]
    );
    println!(
        "seedbed, 500 nodes against 5:            {:6.2} times the cost (goal: at most 2)",
        least[3] / least[1]
    );
    println!(
        "madsim Endpoint against seedbed:         {:6.2} times the cost (goal: at least 5)",
        least[5] / least[4]
    );
    println!(
        "turmoil against seedbed:                 {:6.2} times the cost (goal: at least 15)",
        least[6] / least[4]
    );
}

fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}
