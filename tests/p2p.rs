//! File sharing: a transfer that is cut at every possible place.

use std::collections::BTreeSet;
use std::path::Path;

use seedbed::checkers::Overall;
use seedbed::run::{sweep_run, system_of};
use seedbed::scenario::Scenario;
use seedbed::sim::RunOptions;
use seedbed::systems::p2p::DEFECTS;
use seedbed::systems::{read_file, read_text};
use seedbed::trace::Trace;

/// The scenario with its one cut at this time, by this fault, possibly with a defect.
fn scenario(fault: &str, at_ms: u64, defect: Option<&str>) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/p2p/cut-at-every-place.toml");
    let overrides = [
        ("nemesis.cut.fault", format!("\"{fault}\"")),
        ("nemesis.cut.at", format!("\"{at_ms}ms\"")),
    ];
    let overrides: Vec<(String, String)> =
        overrides.map(|(key, value)| (key.to_owned(), value)).to_vec();
    let defects: Vec<String> = defect.into_iter().map(str::to_owned).collect();
    read_file(&path, &overrides, &defects).unwrap_or_else(|error| panic!("{error}"))
}

fn trace(scenario: &Scenario) -> Trace {
    (system_of(scenario).run)(
        scenario,
        &RunOptions { seed: scenario.seed, ..RunOptions::default() },
    )
    .trace
}

/// When the transfer starts and ends if nothing cuts it, ms.
fn transfer_ms() -> (u64, u64) {
    let trace = trace(&scenario("kill", 16_500, None));
    let time = |name: &str| {
        trace.events.iter().find(|event| event.name == name).expect("there is a transfer").time_us
            / 1_000
    };
    (time("fetch"), time("fetched"))
}

/// However far the first transfer has got, all promises hold: the copy is the whole song or what it
/// was before. The cuts hit the transfer at nearly every segment: 60,000 bytes are 43 of them.
#[test]
fn a_transfer_is_whole_or_nothing_wherever_it_is_cut() {
    let (begin, end) = transfer_ms();
    assert!(end > begin + 200, "the transfer takes its time: {begin} to {end} ms");
    for fault in ["kill", "stop", "partition"] {
        let mut lengths = BTreeSet::new();
        for at_ms in (begin - 20..end + 20).step_by(3) {
            let scenario = scenario(fault, at_ms, None);
            let run = sweep_run(&scenario, scenario.seed);
            assert_eq!(
                run.verdict(),
                Overall::Valid,
                "{fault} at {at_ms} ms: {:?}",
                run.first_violation()
            );
            let trace = trace(&scenario);
            let first = trace
                .events
                .iter()
                .find(|event| event.name == "fetched")
                .expect("the transfer ends in some way");
            lengths.insert(first.fields.int("bytes").unwrap_or(-1));
        }
        // When a process stops, its machine still sends the buffer, so the cut is at the end of a
        // buffer, not of a segment.
        let wanted = if fault == "stop" { 8 } else { 30 };
        assert!(
            lengths.len() >= wanted,
            "{fault}: the transfer ended at {} lengths: {lengths:?}",
            lengths.len()
        );
        assert!(lengths.contains(&60_000), "{fault}: a late cut leaves the transfer alone");
    }
}

/// The same cuts show the defects they were made for.
#[test]
fn cuts_show_short_files_and_lost_copies() {
    let (begin, end) = transfer_ms();
    let middle = (begin + end) / 2;
    for (fault, defect, check) in [
        ("stop", "partial-file", "p2p_files_whole"),
        ("kill", "overwrite-first", "p2p_failure_leaves_files"),
    ] {
        let scenario = scenario(fault, middle, Some(defect));
        let run = sweep_run(&scenario, scenario.seed);
        assert_eq!(run.first_violation().map(|violation| violation.check), Some(check), "{defect}");
    }
}

/// One bit of the directory's journal flips, wherever it lies, and the directory restarts. A length
/// that no longer fits must not pass for a write that a crash has torn: all that follows it would
/// vanish, users and files that were answered for.
#[test]
fn a_flipped_bit_in_the_journal_is_reported() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/p2p/directory-crashes.toml");
    let text = std::fs::read_to_string(path).expect("the scenario is there");
    let (peaceful, _) = text.split_once("[[nemesis]]").expect("it has a fault");
    let text = format!(
        "{peaceful}[[nemesis]]\nfault = \"bitflip\"\nfile = \"journal\"\ntargets = [\"dir\"]\n\
         at = \"3s\"\n\n[[nemesis]]\nfault = \"restart\"\ntargets = [\"dir\"]\nat = \"3500ms\"\n\
         down = \"300ms\"\n\n[model]\ndurable_disks = false\n"
    );
    let overrides = [("duration".to_owned(), "5s".to_owned()), ("recovery".into(), "1s".into())];
    let scenario =
        read_text("flip", &text, &overrides, &[]).unwrap_or_else(|error| panic!("{error}"));
    for seed in 1..=7 {
        let run =
            (system_of(&scenario).run)(&scenario, &RunOptions { seed, ..RunOptions::default() });
        let crashes = run.trace.events.iter().filter(|event| event.name == "crash");
        let messages: Vec<&str> =
            crashes.filter_map(|event| event.fields.text("message")).collect();
        let reported =
            messages.iter().any(|message| message.contains("the file `journal` is damaged"));
        assert!(reported, "seed {seed}: {messages:?}");
    }
}

/// A guard is asked only where its answer changes what happens, so in the scenario that shows a
/// defect the run knows when it acted, and a run without defects knows of none.
#[test]
fn every_defect_acts_where_it_is_shown_and_nowhere_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let read = |scenario: &str, defects: &[String]| {
        read_file(&root.join(format!("{scenario}.toml")), &[], defects)
            .unwrap_or_else(|error| panic!("{error}"))
    };
    for defect in DEFECTS {
        let planted = read(defect.scenario, &[defect.name.to_owned()]);
        let acted = (0..u64::from(defect.seeds)).any(|seed| {
            let run = sweep_run(&planted, seed);
            run.acted.iter().any(|moment| moment.defect == defect.name)
        });
        assert!(acted, "{} does nothing in {}", defect.name, defect.scenario);
    }
    assert_eq!(sweep_run(&read("p2p/tour", &[]), 0).acted.len(), 0);
}
