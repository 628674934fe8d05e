//! The rule that holds for all messages, whichever test has them: a mistake says what to do about
//! it.

use std::fs;
use std::path::{Path, PathBuf};

/// The committed messages: those of the reader, and those of the program from outside.
const FOLDERS: &[&str] = &["tests/messages/snapshots", "tests/snapshots"];

#[test]
fn every_message_has_one_hint() {
    // The type of a mistake has a hint, so what can go wrong is that it is empty, or that a message
    // is not of that type.
    let mut without = vec![];
    let mut count = 0;
    for path in snapshots() {
        let text = fs::read_to_string(&path).expect("readable");
        // What stands above the second line of dashes is the header.
        let body = text.splitn(3, "---\n").nth(2).unwrap_or_default();
        for message in messages(body) {
            count += 1;
            if hints(&message) != 1 {
                without.push(format!("{}:\n{message}", path.display()));
            }
        }
    }
    assert!(
        without.is_empty(),
        "{} of {count} messages do not have one hint:\n\n{}",
        without.len(),
        without.join("\n\n")
    );
    assert!(count > 250, "only {count} messages were found");
}

fn snapshots() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = FOLDERS
        .iter()
        .flat_map(|folder| fs::read_dir(here.join(folder)).expect("a folder of snapshots"));
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Each message with all its lines: it ends where the next one begins, or a line of the test.
fn messages(body: &str) -> Vec<String> {
    let mut found: Vec<String> = vec![];
    let mut inside = false;
    for line in body.lines() {
        if line.starts_with("error: ") {
            found.push(String::new());
            inside = true;
        } else if line.starts_with("--- ") || line.starts_with("$ ") {
            inside = false;
        }
        if let (true, Some(message)) = (inside, found.last_mut()) {
            message.push_str(line);
            message.push('\n');
        }
    }
    found
}

/// How many hints a message has. What clap says of the command line has its usage, its possible
/// values or the way to the help.
fn hints(message: &str) -> usize {
    let own = message
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("= help: "))
        .filter(|hint| !hint.trim().is_empty())
        .count();
    own + usize::from(message.contains("For more information, try '--help'."))
}
