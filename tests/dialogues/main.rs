//! Golden dialogues: what the nodes of each system do, step by step, as texts to learn from.
//!
//! Each file of `tests/dialogues/SYSTEM/` is played again and must come out as it is. After a
//! deliberate change run the test with `UPDATE_DIALOGUES=1`, and read the difference.

mod p2p;
mod raft;
mod zookeeper;

use std::fs;
use std::path::Path;

use seedbed::scenario::Scenario;

/// Play all dialogues of a system. `play` writes one anew.
fn check(system: &str, at_least: usize, play: impl Fn(&str) -> Result<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues").join(system);
    let update = std::env::var_os("UPDATE_DIALOGUES").is_some();
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    assert!(files.len() >= at_least, "{} of {at_least} dialogues: {files:?}", files.len());
    let mut wrong = vec![];
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a dialogue is a text");
        match play(&text) {
            Ok(played) if played == text => {}
            Ok(played) if update => fs::write(&path, played).expect("a dialogue can be written"),
            Ok(played) => wrong.push(format!("{name}: {}", difference(&text, &played))),
            Err(error) => wrong.push(format!("{name}, {error}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nIf that is as it should be, run this test with UPDATE_DIALOGUES=1.",
        wrong.join("\n")
    );
}

/// The scenario of a dialogue.
fn scenario(text: &str) -> Result<Scenario, String> {
    seedbed::systems::read_text("dialogue", text, &[], &[])
        .map_err(|error| format!("its scenario: {error}"))
}

/// The first line that differs.
fn difference(old: &str, new: &str) -> String {
    let (mut old, mut new) = (old.lines(), new.lines());
    for line in 1.. {
        match (old.next(), new.next()) {
            (a, b) if a == b && a.is_some() => {}
            (a, b) => {
                let (a, b) = (a.unwrap_or("(the end)"), b.unwrap_or("(the end)"));
                return format!("line {line}\n  was: {a}\n  is:  {b}");
            }
        }
    }
    unreachable!("texts end")
}
