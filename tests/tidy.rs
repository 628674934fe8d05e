//! The style, by machine: what a reviewer should not have to say.

use std::fs;
use std::path::{Path, PathBuf};

/// All Rust files below a folder of the project, with their text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is UTF-8");
                found.push((
                    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("inside").to_owned(),
                    text,
                ));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no source below {folder}");
    found
}

/// The lines of a file before its tests, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    code.lines().enumerate().map(|(number, line)| (number + 1, line))
}

fn offences(folder: &str, rule: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        let lines =
            code(&text).filter(|(_, line)| !line.trim_start().starts_with("//") && rule(line));
        found.extend(
            lines.map(|(number, line)| format!("{}:{number}: {}", path.display(), line.trim())),
        );
    }
    found
}

/// A file is one idea; what needs more than 600 lines is two.
#[test]
fn no_file_is_long() {
    let long: Vec<String> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| sources(folder))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > 600)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// Lines fit beside each other on a screen; what a table says in words may be longer.
#[test]
fn no_line_is_long() {
    let without_texts =
        |line: &str| line.split('"').step_by(2).map(|code| code.chars().count()).sum::<usize>();
    let long = offences("src", |line| without_texts(line) > 150);
    assert!(long.is_empty(), "{long:#?}");
}

/// Systems are pure state machines: no runtime, no files, no true time, no threads (invariant 2).
/// Only clients, which are sequential programs, may be async, and they say so by their file name.
#[test]
fn systems_know_nothing_of_the_outside() {
    for word in [
        "madsim",
        "std::fs",
        "std::time::Instant",
        "SystemTime",
        "std::thread",
        "std::env",
        "HashMap",
        "HashSet",
        "println!",
    ] {
        let found = offences("src/systems", |line| line.contains(word));
        assert!(found.is_empty(), "{word} in src/systems: {found:#?}");
    }
    let found: Vec<String> = offences("src/systems", |line| line.contains("async "))
        .into_iter()
        .filter(|at| !at.contains("client"))
        .collect();
    assert!(found.is_empty(), "async outside of a client: {found:#?}");
}

/// Checkers and plots read a trace and nothing else (invariant 5).
#[test]
fn checkers_and_plots_see_only_the_trace() {
    for folder in ["src/checkers", "src/plots"] {
        for word in ["std::fs", "std::env", "SystemTime", "Instant::now", "crate::sim::", "madsim"]
        {
            let found = offences(folder, |line| line.contains(word));
            assert!(found.is_empty(), "{word} in {folder}: {found:#?}");
        }
    }
}

/// Floating point that differs from machine to machine (invariant 10).
#[test]
fn no_floating_point_of_the_system() {
    for word in [".ln()", ".exp()", ".powf(", ".log10()", ".sin()", ".cos()", ".log2()", ".tanh()"]
    {
        let found = offences("src", |line| line.contains(word));
        assert!(found.is_empty(), "{word}: {found:#?}");
    }
}

/// Nothing is left for later.
#[test]
fn nothing_is_a_stub() {
    for word in ["todo!(", "unimplemented!(", "FIXME", "XXX", "dbg!("] {
        let found = offences("src", |line| line.contains(word));
        assert!(found.is_empty(), "{word}: {found:#?}");
    }
}
