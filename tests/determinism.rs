//! A run is a function of (binary, scenario, seed): these tests look for whatever could break that.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

fn seedbed() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("the folder is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name =
                    path.strip_prefix(folder).expect("inside").to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).expect("readable"));
            }
        }
    }
    found
}

/// Every scenario, run in two processes, leaves the same bytes in every file: CSV, plots, results.
/// The second process has a different environment (variables, locale, time zone, content of the
/// working folder, address space), which must not matter.
#[test]
fn two_processes_write_the_same_bytes_for_every_scenario() {
    let out = tempfile::tempdir().expect("a temporary folder");
    let run = |name: &str, prepare: &dyn Fn(&mut Command)| {
        let mut command = seedbed();
        command.args(["run", "scenarios", "--out"]).arg(out.path().join(name));
        prepare(&mut command);
        let output = command.output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        files(&out.path().join(name))
    };
    let first = run("first", &|_| {});
    let second = run("second", &|command| {
        command
            .env("LC_ALL", "de_DE.UTF-8")
            .env("TZ", "Asia/Tokyo")
            .env("SEED", "7")
            .env("FILLER", "x".repeat(10_000));
    });
    assert!(first.len() > 24 * 6, "{} files", first.len());
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        assert!(*bytes == second[name], "{name} differs");
    }
}

/// The table of a sweep is the same on one thread and on several.
#[test]
fn a_sweep_gives_the_same_table_on_any_number_of_threads() {
    let out = tempfile::tempdir().expect("a temporary folder");
    let table = |jobs: &str| {
        let folder = out.path().join(jobs);
        let mut command = seedbed();
        command.args([
            "sweep",
            "scenarios/raft/swarm.toml",
            "scenarios/raft/figure-8.toml",
            "--seeds",
            "0..12",
            "--jobs",
            jobs,
            "--out",
        ]);
        let output = command.arg(&folder).output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let files = files(&folder);
        let (_, table) = files
            .into_iter()
            .find(|(name, _)| name.ends_with("sweep.csv"))
            .expect("a table is written");
        String::from_utf8(table).expect("UTF-8")
    };
    let one = table("1");
    assert_eq!(one.lines().count(), 25);
    assert_eq!(one, table("3"));
}

/// Replaying a stored run gives the same digest.
#[test]
fn a_report_replays() {
    let out = tempfile::tempdir().expect("a temporary folder");
    let run = seedbed()
        .args(["run", "scenarios/raft/torn-writes.toml", "--seed", "5", "--out"])
        .arg(out.path())
        .status();
    assert!(run.expect("it starts").success());
    let replay = seedbed()
        .arg("replay")
        .arg(out.path().join("raft/torn-writes/5"))
        .output()
        .expect("it starts");
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stdout));
}
