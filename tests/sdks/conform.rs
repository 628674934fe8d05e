//! `seedbed conform`: whether a program holds to the protocol, for authors of SDKs.

use std::fs;
use std::process::Command;

use crate::{example, sdk, support};

fn conform(command: &[String]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_seedbed"))
        .args(["conform", "--quiet", "--"])
        .args(command)
        .output()
        .expect("it runs");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr),
    )
}

/// Each SDK follows every rule of the protocol.
fn conforms(language: &str) {
    let Some(command) = example(language, "conformance") else { return };
    let (is_good, said) = conform(&command);
    assert!(is_good && said.contains("PASS end") && !said.contains("FAIL"), "{said}");
}

#[test]
fn the_python_sdk_conforms() {
    conforms("python");
}

#[test]
fn the_rust_sdk_conforms() {
    conforms("rust");
}

#[test]
fn the_c_sdk_conforms() {
    conforms("c");
}

/// An author's mistake is found by the rule about it, and by no other.
#[test]
fn conform_tells_what_is_wrong() {
    if !support::has("python3") {
        return;
    }
    let good =
        fs::read_to_string(sdk("python/examples/conformance.py")).expect("the example is there");
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(sdk("python/seedbed.py"), folder.path().join("seedbed.py")).expect("the SDK is there");
    let edits = [
        ("self.random.getrandbits(32)", "7", vec!["seed"]),
        (
            "\"number\": self.random.getrandbits(32)",
            "\"number\": __import__('os').times()[4]",
            vec!["deterministic", "seed"],
        ),
        ("raise RuntimeError(message[\"text\"])", "pass", vec!["crash"]),
        (
            "print(message[\"text\"], end=\"\")",
            "__import__('os').write(4, message[\"text\"].encode())",
            vec!["print", "deterministic"],
        ),
        ("message[\"after\"] / 1e9", "message[\"after\"] / 1e6", vec!["timers"]),
    ];
    for (from, to, rules) in edits {
        let wrong = good.replace(from, to);
        assert_ne!(wrong, good, "{from}");
        let path = folder.path().join("wrong.py");
        fs::write(&path, wrong).expect("writable");
        let (is_good, said) =
            conform(&["python3".to_owned(), path.to_str().expect("UTF-8").to_owned()]);
        let failed: Vec<&str> =
            said.lines().filter_map(|line| line.strip_prefix("FAIL ")?.split(':').next()).collect();
        assert!(!is_good, "{said}");
        assert_eq!(failed, rules, "{to}: {said}");
    }
}

/// If a program is gone, that is reported once, and the remaining rules are not tested one by one.
#[test]
fn conform_stops_where_nothing_answers() {
    for command in [&["true"][..], &["sh", "-c", "exit 3"]] {
        let words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let (is_good, said) = conform(&words);
        assert!(
            !is_good
                && said.contains("it exited without an answer")
                && said.contains("0 rules hold, 1 do not"),
            "{said}"
        );
    }
}

/// A command that is not a program is an error in the command line, not a verdict.
#[test]
fn conform_needs_a_program_that_starts() {
    let output = Command::new(env!("CARGO_BIN_EXE_seedbed"))
        .args(["conform", "--", "./no-such-program"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot start `./no-such-program`") && said.contains("after `--`"),
        "{said}"
    );
}
