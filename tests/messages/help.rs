//! `list`, `explain`, `new` and the reference: what people read before they write.

use std::path::Path;

use seedbed::cli::{explain, list, new};
use seedbed::scenario::reference;
use seedbed::systems::SYSTEMS;
use seedbed::systems::{read_file, read_text_with};

use crate::toy;

#[test]
fn lists_are_aligned_and_complete() {
    // They are printed from the registries; the toy keeps them from changing with every new check
    // of a real system.
    let folder = tempfile::tempdir().expect("a folder");
    let scenarios = folder.path().join("scenarios/toy");
    std::fs::create_dir_all(&scenarios).expect("a folder");
    std::fs::write(scenarios.join("b-second.toml"), "description = \"Two leaders never meet.\"\n")
        .expect("a file");
    std::fs::write(scenarios.join("a-first.toml"), "description = [broken").expect("a file");
    let list = |what: Option<&str>| {
        list::list(what, toy::SYSTEMS, &folder.path().join("scenarios"))
            .unwrap_or_else(|error| error.to_string())
    };
    let shown: Vec<String> = [
        None,
        Some("systems"),
        Some("defects"),
        Some("metrics"),
        Some("events"),
        Some("messages"),
        Some("scenarios"),
        Some("fault"),
        Some("x"),
    ]
    .map(|what| format!("--- list {}\n{}", what.unwrap_or_default(), list(what)))
    .to_vec();
    insta::assert_snapshot!(shown.join("\n"));
    for what in ["faults", "checks", "plots"] {
        assert!(list(Some(what)).lines().count() > 5, "{what}");
    }
}

#[test]
fn every_name_is_explained() {
    // Anything that a list shows can be asked for.
    let explain =
        |name: &str| explain::explain(name, toy::SYSTEMS).unwrap_or_else(|error| error.to_string());
    let names = [
        "toy",
        "partition",
        "kill",
        "latency",
        "vote-not-persisted",
        "role",
        "leader",
        "AppendEntries",
        "workload.rate",
        "network.stream",
        "seed",
        "partitoin",
        "qqqqq",
    ];
    let shown: Vec<String> =
        names.map(|name| format!("--- explain {name}\n{}", explain(name))).to_vec();
    insta::assert_snapshot!(shown.join("\n"));
    for check in seedbed::systems::checks().iter() {
        assert!(explain(check.name).contains(check.source), "{}", check.name);
    }
}

#[test]
fn the_example_of_every_fault_is_right() {
    // People copy it; a copy that is refused would teach nothing. The nodes and messages are those
    // of Raft.
    for info in seedbed::faults::FAULTS {
        let example = info
            .example
            .replace("AppendEntriesResponse", "AppendEntries")
            .replace("RequestVoteResponse", "RequestVote");
        let example = example.replace("InstallSnapshot", "AppendEntries");
        let text = format!(
            "system = \"toy\"\n[nodes]\ncount = 6\n[model]\ndurable_disks = \
                false\n\n[[nemesis]]\n{example}\n"
        );
        let read = read_text_with(toy::SYSTEMS, "example", &text, &[], &[]);
        let scenario = read.unwrap_or_else(|error| panic!("{}:\n{error}", info.name));
        assert_eq!(scenario.nemesis[0].fault.name(), info.name);
    }
}

#[test]
fn a_new_scenario_is_a_scenario() {
    // As it stands, and with every line that is commented out taken in as far as they go together.
    for system in toy::SYSTEMS.iter().chain(SYSTEMS) {
        let text = new::scenario(system);
        if system.starting_settings.is_empty() {
            read_text_with(&[*system], "new", &text, &[], &[])
                .unwrap_or_else(|error| panic!("{}:\n{error}", system.name));
            continue;
        }
        // What it names lies beside it.
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::copy("scenarios/audio/melody.wav", folder.path().join("melody.wav"))
            .expect("the song is there");
        std::fs::write(folder.path().join("new.toml"), &text).expect("writable");
        read_file(&folder.path().join("new.toml"), &[], &[])
            .unwrap_or_else(|error| panic!("{}:\n{error}", system.name));
    }
    let text = new::scenario(toy::SYSTEMS[0]);
    let whole: Vec<&str> = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(code) if code.contains(" = ") || code.starts_with('[') => code,
            _ => line,
        })
        .collect();
    read_text_with(toy::SYSTEMS, "new", &whole.join("\n"), &[], &[])
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn every_scenario_of_the_project_is_read() {
    // They are the examples that people begin with. Without a registered system there is nothing to
    // read them with.
    for path in seedbed::scenario::scenario_files(Path::new("scenarios")) {
        let text = std::fs::read_to_string(&path).expect("a scenario");
        let known =
            SYSTEMS.iter().any(|system| text.contains(&format!("system = \"{}\"", system.name)));
        if known {
            read_file(Path::new(&path), &[], &[]).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[test]
fn the_reference_in_the_documentation_is_the_one_of_the_code() {
    // Printed from the calls that read the keys. `SEEDBED_WRITE_DOCS=1 cargo test` writes it anew.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scenario-reference.md");
    let current = reference::markdown(&seedbed::systems::known(SYSTEMS));
    if std::env::var_os("SEEDBED_WRITE_DOCS").is_some() {
        std::fs::write(path, &current).expect("the documentation can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/scenario-reference.md is old: SEEDBED_WRITE_DOCS=1 cargo test --test messages \
            reference writes it anew"
    );
}
