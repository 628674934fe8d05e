//! Every assignment that ships: its files exist, the built-in nodes and the reference solution lose
//! nothing, and each wrong solution loses exactly the points it should, for the right reason.
//!
//! A wrong solution is an edit of the reference in `wrong.toml`, with the points that it keeps, and
//! for each item that it loses the check or verdict that takes the points. Programs need a
//! `python3`; if there is none, the tests say so and pass.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use seedbed::grade::assignment::{Assignment, read_file};
use seedbed::grade::batch::Opened;
use seedbed::grade::entrant::Entrant;
use seedbed::grade::model::{Graded, ItemResult, Points};
use seedbed::grade::run::{Plan, run_assignment};
use seedbed::grade::submission::Handed;
use seedbed::program::sandbox::Confined;
use serde::Deserialize;
use tempfile::TempDir;

/// How many public seeds of each item are run here. A mistake that needs more of them is not found
/// robustly; `seedbed grade` runs all.
const SEEDS: usize = 2;
/// The built-in nodes are cheap to run.
const SEEDS_BUILT_IN: usize = 10;
/// The item that is the gate of all others, and the only one that a starting point earns.
const GATE: &str = "starts";

/// A wrong solution: a mistake that students make.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrong {
    name: String,
    summary: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    edits: Vec<Edit>,
    /// The points that it still earns.
    points: f64,
    /// For each lost item, the checks or verdicts that cost its points.
    loses: BTreeMap<String, String>,
    /// The items among them that are lost only in some seeds, so that a few seeds may not show it.
    #[serde(default)]
    seldom: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    from: String,
    to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrongs {
    wrong: Vec<Wrong>,
}

impl Wrong {
    /// The reference with this mistake. Each text to be replaced occurs in it exactly once.
    fn of(&self, reference: &str) -> String {
        let one = Edit { from: self.from.clone(), to: self.to.clone() };
        let edits = if self.edits.is_empty() { std::slice::from_ref(&one) } else { &self.edits };
        edits.iter().fold(reference.to_owned(), |text, Edit { from, to }| {
            assert_eq!(
                text.matches(from.as_str()).count(),
                1,
                "{}: `{from}` must stand in the reference once",
                self.name
            );
            text.replace(from, to)
        })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/assignments")
}

/// The assignments with the folders of their files, by name.
fn assignments() -> Vec<(Assignment, PathBuf)> {
    let entries = fs::read_dir(root())
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let read = |file: &PathBuf| {
        (
            read_file(file).unwrap_or_else(|errors| panic!("{}", error_texts(&errors))),
            file.with_extension(""),
        )
    };
    files.iter().map(read).collect()
}

fn error_texts(errors: &[seedbed::error::Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn wrongs(folder: &Path) -> Vec<Wrong> {
    let path = folder.join("wrong.toml");
    let wrongs: Wrongs =
        toml::from_str(&text(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    wrongs.wrong
}

fn plan(seeds: usize) -> Plan {
    // The deciding check is known without the explanations.
    Plan { jobs: 2, first_seeds: Some(seeds), explain: false, ..Plan::default() }
}

/// Grade a Python program, confined as in `seedbed grade`.
fn grade(assignment: &Assignment, program: &str) -> Graded {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("node.py"), program).expect("writable");
    let handed = Handed { id: "one".to_owned(), path: folder.path().to_owned() };
    let confined = Confined::by(env!("CARGO_BIN_EXE_seedbed").into());
    let plan = Plan { confined: Some(confined), ..plan(SEEDS) };
    let graded = Opened::new(&handed, 0, assignment, &plan).grade(assignment, &plan, &|_| ());
    assert!(graded.is_complete(), "{}: {:?} {:?}", assignment.name, graded.outcome, graded.infra);
    graded
}

/// What cost the points of an item: the checks and verdicts of its lost runs.
fn reasons(item: &ItemResult) -> BTreeSet<String> {
    let lost = item.seeds.iter().filter(|seed| seed.loss.is_some());
    lost.map(|seed| {
        seed.loss
            .as_ref()
            .and_then(|loss| loss.check.clone())
            .unwrap_or_else(|| seed.verdict.word().to_owned())
    })
    .collect()
}

/// An instructor can hand out an assignment as it is: both languages, a starting point, and proof
/// that its points mean something.
#[test]
fn every_assignment_is_complete() {
    for (assignment, folder) in assignments() {
        let name = &assignment.name;
        assert!(assignment.title.es.is_some(), "{name}: a title in Spanish");
        for language in ["en", "es"] {
            let instructions = text(&folder.join(format!("instructions.{language}.md")));
            assert!(
                instructions.starts_with("# ") && instructions.len() > 2_000,
                "{name}: instructions.{language}.md"
            );
            for item in &assignment.items {
                assert!(
                    instructions.contains(&format!("`{}`", item.name)),
                    "{name}: instructions.{language}.md and {}",
                    item.name
                );
            }
        }
        for file in [
            "reference/node.py",
            "starter/python/node.py",
            "starter/rust/Cargo.toml",
            "starter/rust/src/main.rs",
        ] {
            assert!(folder.join(file).is_file(), "{name}: {file}");
        }
        assert!(
            (5..=10).contains(&assignment.items.len()),
            "{name}: {} items",
            assignment.items.len()
        );
        assert_eq!(assignment.points(), Points(2_000), "{name}");
        assert_eq!(assignment.items[0].name, GATE, "{name}");
        for item in &assignment.items[1..] {
            assert!(item.gate.is_some() && item.hidden_seeds > 0, "{name}: {}", item.name);
            assert!(
                item.feedback.as_ref().is_some_and(|feedback| feedback.es.is_some()),
                "{name}: feedback of {}",
                item.name
            );
        }
    }
}

/// What `wrong.toml` says of a mistake adds up, and its edits can be made.
#[test]
fn every_wrong_solution_is_an_edit_of_the_reference() {
    for (assignment, folder) in assignments() {
        let reference = text(&folder.join("reference/node.py"));
        let wrongs = wrongs(&folder);
        assert!(wrongs.len() >= 6, "{}: {} wrong solutions", assignment.name, wrongs.len());
        let names: BTreeSet<&str> = wrongs.iter().map(|wrong| wrong.name.as_str()).collect();
        assert_eq!(names.len(), wrongs.len(), "{}: a name occurs twice", assignment.name);
        for wrong in &wrongs {
            assert_ne!(wrong.of(&reference), reference, "{}", wrong.name);
            assert!(wrong.summary.ends_with('.') && !wrong.loses.is_empty(), "{}", wrong.name);
            let lost = assignment.items.iter().filter(|item| wrong.loses.contains_key(&item.name));
            assert_eq!(
                lost.clone().count(),
                wrong.loses.len(),
                "{}: {:?}",
                wrong.name,
                wrong.loses
            );
            let kept = assignment.points().0 - lost.map(|item| item.points.0).sum::<u32>();
            assert_eq!(
                (wrong.points * 100.0).round() as u32,
                kept,
                "{}: the points that it keeps",
                wrong.name
            );
        }
    }
}

/// No false alarms: the built-in nodes get full points.
#[test]
fn the_built_in_nodes_lose_nothing() {
    for (assignment, _) in assignments() {
        let entrant =
            Entrant::built_in(&assignment, None).unwrap_or_else(|error| panic!("{error}"));
        let results = run_assignment(&assignment, &entrant, "", &plan(SEEDS_BUILT_IN), &|_| ());
        for item in results.items {
            assert!(item.is_full(), "{}: {} {:?}", assignment.name, item.name, reasons(&item));
        }
    }
}

/// The reference solutions are correct.
#[test]
fn the_references_have_all_points() {
    if !support::has("python3") {
        return;
    }
    for (assignment, folder) in assignments() {
        let graded = grade(&assignment, &text(&folder.join("reference/node.py")));
        let lost: Vec<_> = graded
            .items
            .iter()
            .filter(|item| !item.is_full())
            .map(|item| (&item.name, reasons(item)))
            .collect();
        assert!(lost.is_empty(), "{}: {lost:?}", assignment.name);
    }
}

/// Each mistake costs the points of what it breaks, for the right reason, and no others.
#[test]
fn wrong_solutions_lose_what_they_should() {
    if !support::has("python3") {
        return;
    }
    let mut surprises = vec![];
    for (assignment, folder) in assignments() {
        let reference = text(&folder.join("reference/node.py"));
        for wrong in wrongs(&folder) {
            let graded = grade(&assignment, &wrong.of(&reference));
            for item in &graded.items {
                let (reasons, loses) = (reasons(item), wrong.loses.get(&item.name));
                let as_said = match loses {
                    None => item.is_full(),
                    Some(_) if item.is_full() => wrong.seldom.contains(&item.name),
                    // An item whose gate lost points is not run.
                    Some(reason) => {
                        reasons.contains(reason) || reason == "gate" && item.seeds.is_empty()
                    }
                };
                if !as_said {
                    let (assignment, wrong, item) = (&assignment.name, &wrong.name, &item.name);
                    surprises.push(format!(
                        "{assignment}: {wrong} should lose {item} by {loses:?}, \
                        and does by {reasons:?}"
                    ));
                }
            }
        }
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
}

/// A starting point runs, and earns only the first item.
#[test]
fn the_starters_in_python_earn_the_first_item() {
    if !support::has("python3") {
        return;
    }
    for (assignment, folder) in assignments() {
        let graded = grade(&assignment, &text(&folder.join("starter/python/node.py")));
        let full: Vec<&str> = graded
            .items
            .iter()
            .filter(|item| item.is_full())
            .map(|item| item.name.as_str())
            .collect();
        assert_eq!(full, [GATE], "{}", assignment.name);
    }
}

/// The Rust starting points compile, with only those dependencies that the testbed itself has.
#[test]
fn the_starters_in_rust_compile() {
    if !support::has("cargo") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (assignment, _) in assignments() {
        let own = folder.path().join(&assignment.name);
        let mut begin = Command::new(env!("CARGO_BIN_EXE_seedbed"));
        begin
            .args(["new", "submission", "--lang", "rust", "--out"])
            .arg(&own)
            .arg(&assignment.name);
        assert!(begin.output().is_ok_and(|output| output.status.success()), "{}", assignment.name);
        let mut check = Command::new("cargo");
        check
            .args(["check", "--offline", "--quiet", "--target-dir"])
            .arg(folder.path().join("target"));
        let output =
            check.current_dir(&own).env("RUSTFLAGS", "-D warnings").output().expect("cargo starts");
        assert!(
            output.status.success(),
            "{}: {}",
            assignment.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
