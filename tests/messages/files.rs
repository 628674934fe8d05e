//! What is wrong with the file itself, and how a scenario gets its name.

use std::fs;
use std::path::Path;

use seedbed::error::Error;
use seedbed::scenario::{SCENARIO_BYTES_MAX, name_of};
use seedbed::systems::read_file;

/// The message with the path of the temporary folder taken out.
fn message(folder: &Path, name: &str) -> String {
    let error: Error = read_file(&folder.join(name), &[], &[]).expect_err(name);
    error.to_string().replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn files_that_cannot_be_read() {
    // Each gets one clear message with a hint, and nothing of an enormous file is read.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::create_dir_all(path.join("scenarios/raft")).expect("a folder");
    fs::write(path.join("scenarios/raft/leader-isolated.toml"), "system = \"raft\"")
        .expect("a file");
    fs::write(path.join("latin1.toml"), b"system = \"raft\"\ndescription = \"caf\xe9\"\n")
        .expect("a file");
    let large = fs::File::create(path.join("large.toml")).expect("a file");
    large.set_len(SCENARIO_BYTES_MAX * 1_000).expect("a sparse file");
    let shown: Vec<String> = [
        "scenarios/raft/leader-isolatd.toml",
        "leader-isolated.toml",
        "nothing.toml",
        "scenarios",
        "latin1.toml",
        "large.toml",
    ]
    .map(|name| format!("--- {name}\n{}\n", message(path, name)))
    .to_vec();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_scenario_is_named_by_its_place() {
    // Reports lie below the name, so two files named alike in different folders must not be the
    // same scenario.
    assert_eq!(name_of(Path::new("scenarios/raft/leader-isolated.toml")), "raft/leader-isolated");
    assert_eq!(name_of(Path::new("/a/scenarios/b/scenarios/c.toml")), "c");
    assert_eq!(name_of(Path::new("elsewhere/mine.toml")), "mine");
    assert_eq!(name_of(Path::new("v1.2.toml")), "v1.2");
}
