//! Every scenario that ships: it reads, says its claim, and holds with the correct nodes.

use std::fs;
use std::path::{Path, PathBuf};

use seedbed::checkers::Overall;
use seedbed::run::sweep_run;
use seedbed::scenario::{Scenario, read_file};
use seedbed::sweep::sweep;

/// All scenario files, sorted; rubrics are none.
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
    files().iter().map(|path| read_file(path, &[], &[]).unwrap_or_else(|error| panic!("{error}"))).collect()
}

/// A scenario opens with a comment that a student can learn from, and its description is one whole sentence.
#[test]
fn every_scenario_is_a_claim() {
    for path in files() {
        let text = fs::read_to_string(&path).expect("readable");
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("# ") && first.len() > 20, "{}: the first line is the claim", path.display());
        let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
        assert!(scenario.description.len() > 30 && scenario.description.ends_with('.'), "{}: {}", path.display(), scenario.description);
    }
}

/// A fault that no scenario uses is one that nobody has seen at work.
#[test]
fn every_fault_is_shown_by_a_scenario() {
    let texts: Vec<String> = files().iter().map(|path| fs::read_to_string(path).expect("readable")).collect();
    let used = |fault: &str| texts.iter().any(|text| text.contains(&format!("\"{fault}\"")));
    let unused: Vec<&str> = seedbed::nemesis::FAULTS.iter().map(|info| info.name).filter(|fault| !used(fault)).collect();
    assert!(unused.is_empty(), "no scenario shows {unused:?}");
}

/// With all defaults written out, a scenario reads as the same scenario: that is what a report keeps to be run again.
#[test]
fn a_resolved_scenario_is_the_same_scenario() {
    for scenario in scenarios() {
        let again = seedbed::scenario::read_text(&scenario.name, &scenario.resolved, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format!("{scenario:?}"), format!("{again:?}"), "{}", scenario.name);
    }
}

/// No false alarm: the correct nodes keep every promise in every scenario. Ten seeds here, a hundred in CI, thousands before a release.
#[test]
fn correct_nodes_are_valid_in_every_scenario() {
    let mut alarms = Vec::new();
    let scenarios = scenarios();
    assert!(scenarios.iter().filter(|scenario| scenario.system == "raft").count() >= 24);
    sweep(&scenarios, 1_000..1_010, 2, &sweep_run, |_, row| {
        if !matches!(row.verdict, seedbed::sweep::RowVerdict::Judged(Overall::Valid)) {
            alarms.push(format!("{} seed {}: {} {}", row.scenario, row.seed, row.check, row.message));
        }
    });
    assert!(alarms.is_empty(), "{alarms:#?}");
}
