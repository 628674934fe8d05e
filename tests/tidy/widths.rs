//! Lines of 100 columns, as rustfmt keeps them in code, also in comments and texts; files of 600
//! lines.

use std::collections::BTreeSet;

use crate::source::{Source, refuse, sources};

const COLUMNS: usize = 100;
const LINES: usize = 600;

/// All Rust that we write; guest programs and starters of assignments included.
const RUST: &[&str] = &["src", "tests", "benches", "sdk/rust", "scenarios"];

// What is not done yet, by path; an entry that is done fails its test.
const LONG_FILES: &[&str] = &[];
const LONG_LINES: &[&str] = &["src/"];

/// A file is one idea; what needs more than 600 lines is two.
#[test]
fn no_file_is_long() {
    let long: Vec<String> = sources(RUST, &["rs"])
        .iter()
        .map(|source| (&source.path, source.text.lines().count()))
        .filter(|(_, lines)| *lines > LINES)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    refuse("split these files", &long, LONG_FILES);
}

/// Lines fit beside each other on a screen. What stands in a raw string is not ours to break: it is
/// the text of a file, or a line of a protocol.
#[test]
fn no_line_is_long() {
    let mut long = Vec::new();
    for source in sources(RUST, &["rs"]) {
        let is_long = |line: &str| line.chars().count() > COLUMNS;
        if !source.text.lines().any(is_long) {
            continue;
        }
        let exempt = raw_lines(&source);
        for (number, line) in source.text.lines().enumerate().map(|(i, line)| (i + 1, line)) {
            if is_long(line) && !exempt.contains(&number) {
                long.push(format!("{}:{number}: {} columns", source.path, line.chars().count()));
            }
        }
    }
    refuse("lines are long", &long, LONG_LINES);
}

/// The lines that a raw string reaches, from its first to its last.
fn raw_lines(source: &Source) -> BTreeSet<usize> {
    let (_, literals) = source.words();
    literals
        .iter()
        .filter(|literal| {
            let text = literal.to_string();
            ["r\"", "r#", "br\"", "br#", "cr\"", "cr#"].iter().any(|raw| text.starts_with(raw))
        })
        .flat_map(|literal| literal.span().start().line..=literal.span().end().line)
        .collect()
}
