//! `seedbed new submission`: the folder in which a student begins.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{sdk, support};

fn seedbed_in(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_seedbed"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it runs");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr),
    )
}

const ASSIGNMENT: &str = r#"
title = { en = "Count", es = "Contar" }
instructions = { en = "count/instructions.en.md", es = "count/instructions.es.md" }
languages = ["python"]
[[item]]
name = "counts"
title = { en = "It counts", es = "Cuenta" }
scenario = "count/plain.toml"
seeds = "0..2"
points = 3
"#;

/// A folder for a student to start from; the commands in its README work there.
#[test]
fn a_submission_is_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let starter = folder.path().join("tasks/count/starter/python");
    fs::create_dir_all(&starter).expect("writable");
    fs::write(folder.path().join("tasks/count.toml"), ASSIGNMENT).expect("writable");
    for (language, text) in [("en", "Count.\n"), ("es", "Cuenta.\n")] {
        let file = format!("tasks/count/instructions.{language}.md");
        fs::write(folder.path().join(file), text).expect("writable");
    }
    fs::write(starter.join("helper.py"), "ONE = 1\n").expect("writable");
    let plain = "system = \"raft\"\nduration = \"1s\"\nrecovery = \"1ms\"\n[nodes]\ncount = \
        3\n[checks]\nno_panic = {}\n";
    fs::write(folder.path().join("tasks/count/plain.toml"), plain).expect("writable");
    let new = |arguments: &[&str]| {
        seedbed_in(folder.path(), &[&["new", "submission"], arguments].concat())
    };

    assert_eq!(
        new(&["tasks/count.toml"]),
        (Some(0), "wrote count; start with its README.md\n".to_owned())
    );
    let made = folder.path().join("count");
    let mut files: Vec<String> = fs::read_dir(&made)
        .expect("made")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let instructions = ["instructions.en.md", "instructions.es.md"];
    let expected = [&["README.md", "helper.py"], &instructions[..], &["node.py", "seedbed.py"]];
    assert_eq!(files, expected.concat());
    let readme = fs::read_to_string(made.join("README.md")).expect("made");
    assert!(
        readme.contains("seedbed grade ../tasks/count.toml .")
            && readme.contains("| `counts` | It counts | Cuenta | 3 |"),
        "{readme}"
    );
    if support::has("python3") {
        let run = readme
            .lines()
            .find_map(|line| line.strip_prefix("seedbed run "))
            .and_then(|line| line.split_once(" --node-command "))
            .expect("told");
        let (code, said) = seedbed_in(
            &made,
            &["run", "--no-files", run.0, "--node-command", run.1.trim_matches(['"', '\''])],
        );
        assert_eq!(code, Some(0), "{said}");
    }

    // If the starting point uses the ZooKeeper client, the client is added.
    let (mine, out) =
        (sdk("../scenarios/assignments/zookeeper-election.toml"), folder.path().join("elects"));
    let (code, said) = new(&[mine.to_str().expect("UTF-8"), "--out", out.to_str().expect("UTF-8")]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        fs::read(out.join("seedbed_zookeeper.py")).ok(),
        fs::read(sdk("python/seedbed_zookeeper.py")).ok()
    );

    // A shipped assignment is found from everywhere, and the README says which nodes it plays.
    assert_eq!(new(&["cristian-sync"]).0, Some(0));
    let readme = fs::read_to_string(folder.path().join("cristian-sync/README.md")).expect("made");
    let (run, plays) =
        ("scenarios/assignments/cristian-sync/steady.toml", "server=python3 node.py");
    let told = readme.contains("seedbed grade cristian-sync .\n")
        && readme.contains(&format!("seedbed run {run} --node-command '{plays}'\n"));
    assert!(told, "{readme}");
    // The interpreter would exit immediately, and the run would look like a bug in the program.
    let (code, said) =
        seedbed_in(folder.path(), &["run", "--no-files", run, "--node-command", plays]);
    assert!(
        code == Some(2)
            && said.contains("is to run `node.py`, which does not exist in")
            && said.contains("help:"),
        "{said}"
    );

    let mistakes = [
        (vec!["tasks/count.toml"], "`count` already exists and is not overwritten"),
        (
            vec!["tasks/count.toml", "--lang", "rust", "--out", "other"],
            "does not accept submissions in rust",
        ),
        (vec!["no-such-task"], "there is no assignment `no-such-task`"),
        (vec!["tasks/count/instructions.en.md", "--out", "other"], "not TOML"),
    ];
    for (arguments, message) in mistakes {
        let (code, said) = new(&arguments);
        assert!(
            code == Some(2) && said.contains(message) && said.contains("help:"),
            "{arguments:?}: {said}"
        );
        assert!(!folder.path().join("other").exists());
    }
}
