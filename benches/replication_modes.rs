//! What each mode of `replication` costs and what it loses, under the same seeds: `cargo bench
//! --bench replication_modes`.
//!
//! The scenario is `replication/async-loses-what-was-under-way`, with links of 20 to 60 ms and a
//! leader that dies every three to five seconds, run again in each mode and transfer with nothing
//! else changed. Times are virtual, so the table is the same on every machine. With an argument the
//! latencies and the lost writes are drawn into that file (SVG): `cargo bench --bench
//! replication_modes -- docs/replication-modes.svg`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use seedbed::plots::{Bars, bars};
use seedbed::run::system_of;
use seedbed::scenario::Scenario;
use seedbed::sim::RunOptions;
use seedbed::systems::read_file;
use seedbed::trace::{NEMESIS, OpType, Trace, Value};

const SEEDS: u64 = 20;

fn main() {
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    println!(
        "| mode | transfer | writes answered | median | 99th percentile | messages per write | \
            promotions | downtime each | lost | lost each |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let copies = &[("replication.transfer", "full-copy"), ("replication.copy_interval", "500ms")];
    let mut measured = vec![];
    for mode in ["sync-all", "sync-quorum", "async"] {
        measured.push(row(mode, "incremental", &[]));
        measured.push(row(mode, "full copy every 500 ms", copies));
    }
    if let Some(path) = path {
        std::fs::write(path, draw(&measured)).expect("the drawing can be written");
    }
}

/// What the drawing shows of a row.
struct Measured {
    name: String,
    median_ms: f64,
    percentile_99_ms: f64,
    lost: u64,
}

fn draw(measured: &[Measured]) -> String {
    let names: Vec<String> = measured.iter().map(|row| row.name.clone()).collect();
    let waits = Bars {
        axis: "what a write waits for its answer (ms)".to_owned(),
        names: vec!["median".to_owned(), "99th percentile".to_owned()],
        rows: measured.iter().map(|row| vec![row.median_ms, row.percentile_99_ms]).collect(),
    };
    let lost = Bars {
        axis: "writes".to_owned(),
        names: vec!["answered, and lost at a failover".to_owned()],
        rows: measured.iter().map(|row| vec![row.lost as f64]).collect(),
    };
    let title = format!(
        "What each mode of replication costs and loses, {SEEDS} seeds with the same crashes"
    );
    bars(&title, &names, &[(3.0, waits), (2.0, lost)]).svg
}

fn scenario(mode: &str, set: &[(&str, &str)]) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios/replication/async-loses-what-was-under-way.toml");
    let all = [("replication.mode", mode)].into_iter().chain(set.iter().copied());
    let overrides: Vec<(String, String)> =
        all.map(|(key, value)| (key.to_owned(), format!("\"{value}\""))).collect();
    read_file(&path, &overrides, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// What the runs of one mode add up to.
#[derive(Default)]
struct Sums {
    latencies_us: Vec<u64>,
    messages: u64,
    promotions: u64,
    downtime_us: u64,
    lost: u64,
}

fn row(mode: &str, transfer: &str, set: &[(&str, &str)]) -> Measured {
    let scenario = scenario(mode, set);
    let mut sums = Sums::default();
    for seed in 0..SEEDS {
        let run = system_of(&scenario).run;
        let trace =
            run(&scenario, &RunOptions { seed, fold_messages: true, ..RunOptions::default() })
                .trace;
        sums.messages += trace.message_count();
        sums.lost += lost(&trace);
        add_latencies(&trace, &mut sums);
        add_downtimes(&trace, &mut sums);
    }
    sums.latencies_us.sort_unstable();
    let writes = sums.latencies_us.len().max(1);
    let percentile = |percent: usize| {
        sums.latencies_us.get((writes * percent).div_ceil(100).max(1) - 1).copied().unwrap_or(0)
            as f64
            / 1e3
    };
    let each = |sum: u64| sum as f64 / sums.promotions.max(1) as f64;
    println!(
        "| `{mode}` | {transfer} | {writes} | {:.0} ms | {:.0} ms | {:.1} | {} | {:.0} ms | {} | \
            {:.2} |",
        percentile(50),
        percentile(99),
        sums.messages as f64 / writes as f64,
        sums.promotions,
        each(sums.downtime_us) / 1e3,
        sums.lost,
        each(sums.lost)
    );
    Measured {
        name: format!("{mode}, {transfer}"),
        median_ms: percentile(50),
        percentile_99_ms: percentile(99),
        lost: sums.lost,
    }
}

/// How many answered writes are not in the log that is final at the end.
fn lost(trace: &Trace) -> u64 {
    let hash = |value: Option<&Value>| match value {
        Some(Value::Hash(hash)) => Some(*hash),
        _ => None,
    };
    let named = |name: &'static str| trace.events.iter().filter(move |event| event.name == name);
    let told = named("stored").chain(named("kept"));
    let prev: BTreeMap<u64, u64> = told
        .filter_map(|event| {
            Some((hash(event.fields.get("hash"))?, hash(event.fields.get("prev"))?))
        })
        .collect();
    let mut log = BTreeSet::new();
    let mut head = named("final").next_back().and_then(|event| hash(event.fields.get("hash")));
    while let Some(record) = head.filter(|record| *record != 0) {
        log.insert(record);
        head = prev.get(&record).copied();
    }
    let answered: BTreeSet<u64> =
        named("answered").filter_map(|event| hash(event.fields.get("hash"))).collect();
    answered.difference(&log).count() as u64
}

fn is_write(f: &str) -> bool {
    matches!(f, "insert" | "update" | "delete")
}

/// What the clients waited for their writes.
fn add_latencies(trace: &Trace, sums: &mut Sums) {
    let mut open = BTreeMap::new();
    for op in trace.history.iter().filter(|op| is_write(&op.f)) {
        match op.op_type {
            OpType::Invoke => {
                open.insert(op.process.clone(), op.time_us);
            }
            OpType::Ok | OpType::Fail => {
                sums.latencies_us.extend(open.remove(&op.process).map(|begun| op.time_us - begun))
            }
            OpType::Info => {}
        }
    }
}

/// For each promotion the time from the last answer of the old leader to the first of the new one.
fn add_downtimes(trace: &Trace, sums: &mut Sums) {
    let answers: Vec<u64> = trace
        .history
        .iter()
        .filter(|op| op.process != NEMESIS && matches!(op.op_type, OpType::Ok | OpType::Fail))
        .map(|op| op.time_us)
        .collect();
    for leads in trace.events.iter().filter(|event| event.name == "leads").skip(1) {
        let after = answers.partition_point(|time| *time <= leads.time_us);
        if let (Some(before), Some(next)) =
            (after.checked_sub(1).map(|at| answers[at]), answers.get(after))
        {
            sums.promotions += 1;
            sums.downtime_us += next - before;
        }
    }
}
