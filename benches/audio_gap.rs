//! How long a listener hears nothing when the leader crashes, over many seeds, for several election
//! timeouts and buffer depths: `cargo bench --bench audio_gap -- 1000`. With a second argument the
//! distribution is drawn into that file (SVG).
//!
//! The gap is the longest time without a frame of the song, less the frame's own: what a person
//! hears as a pause. The network loses one packet in fifty, so that an election timeout that is too
//! short shows too: in elections that nobody needed.

use std::path::Path;

use seedbed::plots::{Series, distribution};
use seedbed::run::system_of;
use seedbed::scenario::Scenario;
use seedbed::sim::RunOptions;
use seedbed::systems::read_file;
use seedbed::trace::Trace;

/// Election timeout, heartbeat interval.
const ELECTIONS: [((u32, u32), u32); 6] = [
    ((30, 60), 10),
    ((75, 150), 25),
    ((150, 300), 50),
    ((300, 600), 100),
    ((500, 1_000), 150),
    ((1_000, 2_000), 300),
];

/// Target depths of the jitter buffer, ms.
const DEPTHS: [u32; 4] = [60, 200, 400, 800];

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let seeds: u64 = arguments.first().and_then(|count| count.parse().ok()).unwrap_or(50);
    let mut drawn = vec![];
    println!("audible gap at a leader crash, ms, over {seeds} seeds; target depth 200 ms");
    println!("| election timeout | median | 95 % | 99 % | most | inaudible | other elections |");
    println!("|---|---|---|---|---|---|---|");
    for (timeout, heartbeat) in ELECTIONS {
        let runs = measure(&scenario(timeout, heartbeat, 200), seeds);
        row(&format!("{}–{} ms", timeout.0, timeout.1), &runs);
        drawn.push(Series {
            name: format!("{}–{} ms", timeout.0, timeout.1),
            values: runs.iter().map(|run| run.gap_ms).collect(),
        });
    }
    println!("\nthe same by target depth, with an election timeout of 150–300 ms");
    println!("| target depth | median | 95 % | 99 % | most | inaudible | other elections |");
    println!("|---|---|---|---|---|---|---|");
    for depth in DEPTHS {
        row(&format!("{depth} ms"), &measure(&scenario((150, 300), 50, depth), seeds));
    }
    if let Some(path) = arguments.get(1) {
        let title = format!("Audible gap at a leader crash, {seeds} seeds, by election timeout");
        std::fs::write(path, distribution(&title, "longest time without sound (ms)", &drawn).svg)
            .expect("the drawing can be written");
    }
}

fn scenario(timeout: (u32, u32), heartbeat: u32, depth: u32) -> Scenario {
    let set = [
        ("audio.election_timeout", format!("[\"{}ms\", \"{}ms\"]", timeout.0, timeout.1)),
        ("audio.heartbeat_interval", format!("{heartbeat}ms")),
        ("audio.target_depth", format!("{depth}ms")),
        ("audio.buffer_max", "3s".to_owned()),
        ("network.loss", "0.02".to_owned()),
        // Within the song in any case, which begins after the first election.
        (
            "nemesis.crash.at",
            if timeout.0 < 1_000 { "[\"2500ms\", \"5s\"]" } else { "[\"4s\", \"5500ms\"]" }
                .to_owned(),
        ),
        ("nemesis.crash.duration", "3s".to_owned()),
    ];
    let overrides: Vec<(String, String)> =
        set.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/audio/leader-crash.toml");
    read_file(&path, &overrides, &[]).expect("the scenario is valid")
}

struct Measured {
    gap_ms: f64,
    /// Leaders beyond the first and the one after the crash.
    elections: usize,
}

/// Nothing is judged and no message is kept: what is measured stands in the events.
fn measure(scenario: &Scenario, seeds: u64) -> Vec<Measured> {
    let options = |seed| RunOptions { seed, fold_messages: true, ..RunOptions::default() };
    (0..seeds)
        .map(|seed| measured(&(system_of(scenario).run)(scenario, &options(seed)).trace))
        .collect()
}

fn measured(trace: &Trace) -> Measured {
    let listener = trace.with_role("listener").next().expect("there is one");
    let heard = trace.events.iter().filter(|event| event.node == listener);
    let (mut longest, mut row) = (0_u32, 0_u32);
    for event in heard {
        match event.name.as_ref() {
            "conceal" => row += 1,
            "play" => row = 0,
            _ => {}
        }
        longest = longest.max(row);
    }
    let leaders = trace.events.iter().filter(|event| event.name == "leader").count();
    Measured { gap_ms: f64::from(20 * longest), elections: leaders.saturating_sub(2) }
}

fn row(name: &str, runs: &[Measured]) {
    let mut gaps: Vec<f64> = runs.iter().map(|run| run.gap_ms).collect();
    gaps.sort_by(f64::total_cmp);
    let at = |percent: usize| gaps[(gaps.len() * percent / 100).min(gaps.len() - 1)];
    let inaudible = gaps.iter().filter(|gap| **gap == 0.0).count() * 100 / gaps.len();
    let elections: usize = runs.iter().map(|run| run.elections).sum();
    println!(
        "| {name} | {} | {} | {} | {} | {inaudible} % | {elections} |",
        at(50),
        at(95),
        at(99),
        at(100)
    );
}
