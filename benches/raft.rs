//! How fast a Raft cluster is simulated and judged, and whether memory stays flat: `cargo bench
//! --bench raft`.
//!
//! Five peers and 100 operations a second, everything recorded in memory; a sweep of the 40 s
//! scenario `raft/leader-isolated` with all checks; and ten thousand runs in one process. Times are
//! processor time of this process, read from the system, so that a busy machine disturbs little.

mod measure;

use std::path::Path;

use seedbed::report::{Repeat, write_report};
use seedbed::run::{run_scenario, sweep_run, system_of};
use seedbed::scenario::Scenario;
use seedbed::sim::RunOptions;
use seedbed::sweep::sweep;
use seedbed::systems::read_file;

use measure::processor_time;

fn main() {
    // First, before the long traces of the others have been in the memory.
    memory();
    simulation();
    judged();
    reported();
    jobs();
}

fn scenario(set: &[(&str, &str)]) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/raft/leader-isolated.toml");
    let overrides: Vec<(String, String)> =
        set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    read_file(&path, &overrides, &[]).expect("the scenario is valid")
}

/// Virtual seconds a second on one core.
fn simulation() {
    let scenario = scenario(&[
        ("nemesis", "[]"),
        ("workload.clients", "10"),
        ("workload.rate", "100"),
        ("duration", "600s"),
        ("recovery", "10s"),
    ]);
    let system = system_of(&scenario);
    let mut least = f64::INFINITY;
    let mut operations = 0;
    for seed in 0..5 {
        let start = processor_time();
        let trace = (system.run)(&scenario, &RunOptions { seed, ..RunOptions::default() }).trace;
        least = least.min((processor_time() - start).as_secs_f64());
        operations = trace.history.len() / 2;
    }
    let virtual_seconds = (scenario.duration + scenario.recovery).as_secs_f64();
    println!(
        "5 peers, {:.0} operations a second, all traces in memory:",
        operations as f64 / virtual_seconds
    );
    println!(
        "    {:8.0} virtual seconds per second (goal: at least 1,000)",
        virtual_seconds / least
    );
}

/// Processor time of a sweep with all checks.
fn judged() {
    let scenario = scenario(&[]);
    let start = processor_time();
    for seed in 0..1_000 {
        std::hint::black_box(sweep_run(&scenario, seed));
    }
    let spent = (processor_time() - start).as_secs_f64();
    println!("1,000 seeds of raft/leader-isolated (40 s), all checks, no files:");
    println!("    {spent:8.1} s of processor time (goal: at most 40 s)");
}

/// Processor time of a run as `seedbed run` does it: all CSV files, plots and checks.
fn reported() {
    const RUNS: u64 = 20;
    let scenario = scenario(&[]);
    let out = tempfile::tempdir().expect("a temporary folder");
    let start = processor_time();
    for seed in 0..RUNS {
        let run = run_scenario(&scenario, seed);
        write_report(&run, &scenario, &Repeat::default(), out.path())
            .expect("the report can be written");
    }
    let spent = (processor_time() - start).as_secs_f64();
    println!("a run of it with all CSV files, plots and checks:");
    println!("    {:8.2} s of processor time (goal: under 1.5 s)", spent / RUNS as f64);
}

/// How much sooner two jobs are done than one. Elapsed time, the best of three each, taken in
/// turns: only a machine with two idle cores shows it.
#[allow(clippy::disallowed_methods, reason = "a bench measures real time")]
fn jobs() {
    let scenarios = [scenario(&[])];
    let mut best = [f64::INFINITY; 2];
    for _ in 0..3 {
        for (jobs, best) in (1..).zip(&mut best) {
            let start = std::time::Instant::now();
            sweep(&scenarios, 0..200, jobs, &sweep_run, |_, _| {});
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    println!("200 seeds of the same with two jobs, against one:");
    println!("    {:8.2} times as fast (goal: at least 1.8)", best[0] / best[1]);
}

/// Memory after this many runs in one process.
fn memory() {
    let scenario = scenario(&[("duration", "3s"), ("recovery", "1s"), ("nemesis", "[]")]);
    let system = system_of(&scenario);
    println!("runs of 4 s in one process, and the memory that the process then holds:");
    let mut done = 0;
    for goal in [100, 1_000, 5_000, 10_000] {
        while done < goal {
            std::hint::black_box((system.run)(
                &scenario,
                &RunOptions { seed: done, ..RunOptions::default() },
            ));
            done += 1;
        }
        println!("    {goal:8} runs: {:6.1} MB", resident_bytes() as f64 / 1e6);
    }
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0)
        * 4_096
}
