//! Every defect is caught, by the check that names it, through the whole pipeline, while
//! the correct twin of the same runs is valid.
//!
//! A check that is never seen to fire proves nothing. Here each is, and the table of
//! `docs/defects.md` says where and how soon.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use seedbed::checkers::{Overall, Verdict};
use seedbed::defects::DefectInfo;
use seedbed::run::{Run, sweep_run};
use seedbed::scenario::Scenario;
use seedbed::systems::SYSTEMS;
use seedbed::systems::read_file;

/// The checks that no defect is the example of, and why.
const WITHOUT_A_DEFECT: &[(&str, &str)] = &[
    (
        "leader_append_only",
        "a leader has no code that removes entries: it would have to follow another leader of its \
            term, which `election_safety` sees first",
    ),
    (
        "one_leader_at_last",
        "these nodes enter a higher term in one place, for all messages; a wrong solution of the \
            assignment `raft-election` shows it at work",
    ),
];

/// A defect that needs more seeds than this wants a sharper scenario.
const SEEDS_MAX: u32 = 150;

/// All defects, with the names of their systems.
fn defects() -> Vec<(&'static str, &'static DefectInfo)> {
    SYSTEMS
        .iter()
        .flat_map(|system| system.defects.iter().map(|defect| (system.name, defect)))
        .collect()
}

fn scenario(defect: &DefectInfo, planted: bool) -> Scenario {
    let path = root().join("scenarios").join(format!("{}.toml", defect.scenario));
    let planted = if planted { vec![defect.name.to_owned()] } else { vec![] };
    read_file(&path, &[], &planted).unwrap_or_else(|error| panic!("{error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Whether this check found a violation.
fn caught(run: &Run, check: &str) -> bool {
    run.judgements.iter().any(|judgement| {
        judgement.check == check && matches!(judgement.verdict, Verdict::Invalid(_))
    })
}

/// What became of a defect: the first seed that catches it, and the check that saw something first
/// in that run.
type Catch = Option<(u64, &'static str)>;

/// Seed by seed until the named check finds something, at most as often as the table allows.
fn catch(defect: &DefectInfo) -> Catch {
    let scenario = scenario(defect, true);
    (0..u64::from(defect.seeds)).find_map(|seed| {
        let run = sweep_run(&scenario, seed);
        let first = run.first_violation().map_or("", |violation| violation.check);
        caught(&run, defect.caught_by).then_some((seed, first))
    })
}

/// Do this for each, on all cores; the results in the order of the items.
fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = work(item);
                    done.lock()
                        .expect("no worker panics while it holds the lock")
                        .insert(at, result);
                }
            });
        }
    });
    done.into_inner().expect("no worker panics while it holds the lock").into_values().collect()
}

/// The defect is seen and its absence is not: either alone would be worth nothing.
#[test]
fn every_defect_is_caught_and_its_correct_twin_is_valid() {
    let defects = defects();
    let catches = on_all_cores(&defects, |(_, defect)| catch(defect));
    println!(
        "{:28} {:38} {:26} {:>7} {:>7}  first check",
        "defect", "scenario", "check", "seed", "allowed"
    );
    let mut missed = Vec::new();
    let mut seeds: BTreeMap<&str, (&DefectInfo, u64)> = BTreeMap::new();
    for ((_, defect), catch) in defects.iter().zip(&catches) {
        let (seed, first) =
            catch.map_or(("missed".to_owned(), ""), |(seed, first)| (seed.to_string(), first));
        println!(
            "{:28} {:38} {:26} {seed:>7} {:>7}  {first}",
            defect.name, defect.scenario, defect.caught_by, defect.seeds
        );
        if catch.is_none() {
            missed.push(defect.name);
        }
        let last = &mut seeds.entry(defect.scenario).or_insert((*defect, 0)).1;
        *last = catch.map_or(0, |(seed, _)| seed).max(*last);
    }
    assert!(missed.is_empty(), "not caught within the seeds that the table allows: {missed:?}");
    let twins: Vec<(&DefectInfo, u64)> = seeds
        .into_values()
        .flat_map(|(defect, last)| (0..=last).map(move |seed| (defect, seed)))
        .collect();
    let verdicts = on_all_cores(&twins, |(defect, seed)| {
        let run = sweep_run(&scenario(defect, false), *seed);
        (run.verdict() != Overall::Valid)
            .then(|| format!("{} seed {seed}: {:?}", defect.scenario, run.first_violation()))
    });
    let alarms: Vec<String> = verdicts.into_iter().flatten().collect();
    assert!(alarms.is_empty(), "correct nodes are called wrong: {alarms:#?}");
}

/// What the table says of a defect leads somewhere, and fewer than 38 defects would be a thin
/// proof.
#[test]
fn the_table_of_defects_is_sound() {
    let defects = defects();
    assert!(defects.iter().filter(|(system, _)| *system == "raft").count() >= 38);
    let names: BTreeSet<_> =
        defects.iter().map(|(system, defect)| (*system, defect.name)).collect();
    assert_eq!(names.len(), defects.len(), "a name stands twice");
    for (_, defect) in defects {
        assert!((1..=SEEDS_MAX).contains(&defect.seeds), "{}: {} seeds", defect.name, defect.seeds);
        assert!(defect.summary.ends_with('.'), "{}: {}", defect.name, defect.summary);
        let scenario = scenario(defect, true);
        let judged = scenario.checks.is_empty()
            || scenario.checks.iter().any(|check| check.name == defect.caught_by);
        assert!(
            judged,
            "{} is not judged by {} in {}",
            defect.name, defect.caught_by, defect.scenario
        );
    }
}

/// A check is shown to work by a defect, or it is said why there is none.
#[test]
fn every_check_catches_a_defect() {
    let catchers: BTreeSet<&str> = defects().iter().map(|(_, defect)| defect.caught_by).collect();
    for checker in seedbed::systems::checks().iter() {
        let excused = WITHOUT_A_DEFECT.iter().any(|(name, _)| *name == checker.name);
        assert!(
            catchers.contains(checker.name) != excused,
            "{}: a defect or an explanation, not both",
            checker.name
        );
    }
    let known = |name: &str| seedbed::systems::checks().iter().any(|checker| checker.name == name);
    assert!(
        catchers
            .iter()
            .chain(WITHOUT_A_DEFECT.iter().map(|(name, _)| name))
            .all(|name| known(name)),
        "unknown check: {catchers:?}"
    );
}

/// Readers find the same table in the documentation. `SEEDBED_WRITE_DOCS=1 cargo test`
/// rewrites it.
#[test]
fn the_defects_in_the_documentation_are_those_of_the_code() {
    let path = root().join("docs/defects.md");
    let current = page();
    if std::env::var_os("SEEDBED_WRITE_DOCS").is_some() {
        std::fs::write(&path, &current).expect("the documentation can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/defects.md is old: SEEDBED_WRITE_DOCS=1 cargo test --test defects documentation \
            rewrites it"
    );
}

fn page() -> String {
    let mut page = "# Defects

What is planted into our systems, by name, to show that the checks find it.

Each can be switched on with `--defect NAME`, or with `defects = [\"NAME\"]` in the section of the
system. This page is printed from the code; a test runs every line: within this many seeds of the
scenario, from seed 0, the check finds the defect, and the same seeds without the defect are valid.

The number of seeds is that within which the defect is found with 99 % confidence, from the part p
of 40 to 200 seeds that found it: ln 0.01 / ln(1 − p), but at least 2. A defect often breaks several
promises: `seedbed run` shows every check that finds it, and a sweep the one violated first.
"
    .to_owned();
    for system in SYSTEMS.iter().filter(|system| !system.defects.is_empty()) {
        page += &format!(
            "\n## `{}`\n\n| defect | what is wrong | scenario | check | seeds \
                |\n|---|---|---|---|---|\n",
            system.name
        );
        for DefectInfo { name, summary, caught_by, scenario, seeds } in system.defects {
            page += &format!("| `{name}` | {summary} | `{scenario}` | `{caught_by}` | {seeds} |\n");
        }
    }
    page += "\n## Checks without a defect\n\n";
    for (name, why) in WITHOUT_A_DEFECT {
        page += &format!("- `{name}`: {why}.\n");
    }
    page
}
