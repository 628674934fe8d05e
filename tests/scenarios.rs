//! Every scenario that ships: it can be read, states its claim, and holds with the correct nodes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use seedbed::checkers::Overall;
use seedbed::report::write_inputs;
use seedbed::run::{run_with, sweep_run, system_of};
use seedbed::scenario::Scenario;
use seedbed::sim::{LogLine, RunOptions};
use seedbed::sweep::sweep;
use seedbed::systems::SYSTEMS;
use seedbed::systems::read_file;
use seedbed::trace::{Metric, Value};

/// All scenario files, sorted, without assignments.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() && !path.ends_with("assignments") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn scenarios() -> Vec<Scenario> {
    files()
        .iter()
        .map(|path| read_file(path, &[], &[]).unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

/// A scenario opens with a comment that a student can learn from, and its description is one
/// complete sentence.
#[test]
fn every_scenario_is_a_claim() {
    for path in files() {
        let text = fs::read_to_string(&path).expect("readable");
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("# ") && first.len() > 20,
            "{}: the first line is the claim",
            path.display()
        );
        let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
        assert!(
            scenario.description.len() > 30 && scenario.description.ends_with('.'),
            "{}: {}",
            path.display(),
            scenario.description
        );
    }
}

/// A fault that no scenario uses has never been seen at work.
#[test]
fn every_fault_is_shown_by_a_scenario() {
    let texts: Vec<String> =
        files().iter().map(|path| fs::read_to_string(path).expect("readable")).collect();
    let used = |fault: &str| texts.iter().any(|text| text.contains(&format!("\"{fault}\"")));
    let unused: Vec<&str> =
        seedbed::faults::FAULTS.iter().map(|info| info.name).filter(|fault| !used(fault)).collect();
    assert!(unused.is_empty(), "no scenario shows {unused:?}");
}

/// With all defaults written out, a scenario is still the same scenario: this is what a report
/// keeps for replays.
#[test]
fn a_resolved_scenario_is_the_same_scenario() {
    for scenario in scenarios() {
        let report = tempfile::tempdir().expect("a folder");
        fs::write(report.path().join("scenario.toml"), &scenario.resolved).expect("writable");
        write_inputs(&scenario, report.path()).expect("writable");
        let again = read_file(&report.path().join("scenario.toml"), &[], &[])
            .unwrap_or_else(|error| panic!("{error}"));
        let again = Scenario { name: scenario.name.clone(), ..again };
        assert_eq!(format!("{scenario:?}"), format!("{again:?}"), "{}", scenario.name);
    }
}

/// No false alarms: the correct nodes keep every promise in every scenario. Ten seeds here, a
/// hundred in CI, thousands before a release.
#[test]
fn correct_nodes_are_valid_in_every_scenario() {
    let mut alarms = Vec::new();
    let scenarios = scenarios();
    assert!(scenarios.iter().filter(|scenario| scenario.system == "raft").count() >= 24);
    sweep(&scenarios, 1_000..1_010, 2, &sweep_run, |_, row| {
        if !matches!(row.verdict, seedbed::sweep::RowVerdict::Judged(Overall::Valid)) {
            alarms
                .push(format!("{} seed {}: {} {}", row.scenario, row.seed, row.check, row.message));
        }
    });
    assert!(alarms.is_empty(), "{alarms:#?}");
}

/// Conditions on unknown words are refused by the lists of `metric_words`, so these must have every
/// word that nodes report, and none may belong to a numeric metric.
#[test]
fn metrics_take_the_words_that_their_system_names() {
    for system in SYSTEMS {
        let tours = files()
            .into_iter()
            .filter(|path| path.parent().is_some_and(|folder| folder.ends_with(system.name)));
        for path in tours.filter(|path| path.ends_with("tour.toml") || path.ends_with("swarm.toml"))
        {
            let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
            let trace = (system.run)(
                &scenario,
                &RunOptions { seed: 3, fold_messages: true, ..RunOptions::default() },
            )
            .trace;
            for Metric { name, value, node, .. } in
                trace.metrics.iter().filter(|metric| metric.name != "status")
            {
                let words = system.metric_words(name);
                // A metric that is a node is `none` without one.
                let word = match value {
                    Value::Text(word) if word != "none" => Some(word),
                    _ => None,
                };
                let named = word.map_or(words.is_empty(), |word| words.contains(&word.as_ref()));
                assert!(
                    named,
                    "{}: {name} = {value:?} of {}, where {words:?} are named",
                    scenario.name,
                    trace.name(*node)
                );
            }
        }
    }
}

/// The time series file has every mean that the store accepted, in order, with the instance that
/// sent it, and marks exactly those outside the band as anomalies.
#[test]
fn the_time_series_of_a_report_is_what_the_trace_says() {
    let mut anomalies = [0, 0];
    for name in ["zookeeper/tour", "zookeeper/paused-leader"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.toml"));
        let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
        let system = system_of(&scenario);
        let trace = (system.run)(
            &scenario,
            &RunOptions { seed: 42, fold_messages: true, ..RunOptions::default() },
        )
        .trace;
        let files = (system.artifacts)(&scenario, &trace);
        let (_, bytes) =
            files.iter().find(|(file, _)| file == "time_series.csv").expect("there is a store");
        let mut rows = csv::Reader::from_reader(&bytes[..]);
        assert_eq!(
            rows.headers().expect("one line").iter().collect::<Vec<_>>(),
            ["ms", "value", "epoch", "sender", "anomaly"]
        );
        let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("whole")).collect();

        let events =
            |name: &'static str| trace.events.iter().filter(move |event| event.name == name);
        let band = events("band").next().expect("the store has started");
        let (low, high) =
            (band.fields.int("low").expect("a number"), band.fields.int("high").expect("a number"));
        let leaders: BTreeMap<i64, &str> = events("lead")
            .map(|event| (event.fields.int("epoch").expect("a number"), trace.name(event.node)))
            .collect();
        let stored: Vec<_> = events("store_mean").collect();
        assert_eq!(rows.len(), stored.len(), "{name}");
        assert!(stored.len() > 3, "{name} has {} means", stored.len());
        for (row, event) in rows.iter().zip(stored) {
            let (epoch, milli) = (
                event.fields.int("epoch").expect("a number"),
                event.fields.int("milli").expect("a number"),
            );
            let outside = milli < low || milli > high;
            anomalies[usize::from(outside)] += 1;
            let value = format!("{}.{:03}", milli / 1_000, milli % 1_000);
            let (ms, epoch_shown) = ((event.time_us / 1_000).to_string(), epoch.to_string());
            let anomaly = if outside { "yes" } else { "no" };
            let expected = [ms.as_str(), &value, &epoch_shown, leaders[&epoch], anomaly];
            assert_eq!(row.iter().collect::<Vec<_>>(), expected, "{name}");
        }
    }
    assert!(
        anomalies.iter().all(|count| *count > 0),
        "means within and outside of the band: {anomalies:?}"
    );
}

/// For debugging a recovery, the log shows what the crash left on the disk.
#[test]
fn the_log_tells_what_a_crash_has_torn() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/raft/torn-writes.toml");
    let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    let is_torn = |line: &LogLine| {
        line.kind == "disk"
            && line.text.starts_with("crash with unsynced operations: ")
            && line.text.contains(" is torn after ")
    };
    let torn = (0..20).any(|seed| {
        run_with(&scenario, &RunOptions { seed, log: true, ..RunOptions::default() })
            .log
            .iter()
            .any(is_torn)
    });
    assert!(torn, "no crash of twenty runs tore a write");
}
