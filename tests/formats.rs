//! Formats outlive programs: what an earlier program wrote is read, and what a later one writes is
//! refused with a sentence. The files below `tests/formats/` are frozen: they are never changed,
//! and a new version of a format adds its own beside them.

use std::fs;
use std::path::{Path, PathBuf};

use seedbed::program::protocol::{self, Answer};
use seedbed::report::{self, Stored};
use seedbed::scenario::{self};
use seedbed::systems::{read_file, read_text};
use seedbed::trace;
use seedbed_node::{Ctx, Machine, Node, Value};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn frozen(name: &str) -> PathBuf {
    root().join("tests/formats").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(frozen(name)).expect("it is frozen there")
}

/// The page is where people look, and the code is where the numbers are.
#[test]
fn the_table_of_formats_has_the_versions_of_the_code() {
    let page = fs::read_to_string(root().join("docs/formats.md")).expect("the page is there");
    let row = |format: &str, newest: u32, oldest: u32| {
        let begins = format!("| {format} |");
        let row = page.lines().find(|line| line.starts_with(&begins)).expect(format);
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!((cells[3], cells[4]), (&*newest.to_string(), &*oldest.to_string()), "{row}");
    };
    row("scenario", scenario::FORMAT, 1);
    row("report", report::FORMAT, report::FORMAT_OLDEST);
    row("trace", trace::FORMAT, 1);
    row("child protocol", protocol::VERSION, 1);
    row("grade", seedbed::grade::model::FORMAT, seedbed::grade::model::FORMAT);
}

/// A scenario without the key is in the first format, and the key changes nothing of it.
#[test]
fn scenarios_of_the_first_format_are_read() {
    let without = read_file(&frozen("scenario-1.toml"), &[], &[]).expect("it is readable");
    let named = format!("format = 1\n{}", text("scenario-1.toml"));
    let with = read_text("scenario-1", &named, &[], &[]).expect("it is readable");
    assert_eq!(with.resolved, without.resolved);
}

/// Whatever else a scenario of a later program holds, the one thing that is said is that it is of a
/// later program.
#[test]
fn scenarios_of_a_newer_format_are_refused() {
    let newer = "format = 2\nsystem = \"raft\"\n[galaxies]\ncount = 3\n";
    let said = read_text("newer", newer, &[], &[]).expect_err("it is newer").to_string();
    let expected = "\
error: this scenario is in format 2, and this program reads up to format 1
 --> newer.toml:1:10
  |
1 | format = 2
  |          ^ a newer format
  |
  = help: use a newer seedbed: `seedbed --version` shows which this is";
    assert_eq!(said, expected);
    for wrong in ["0", "\"2\"", "1.5"] {
        let text = format!("format = {wrong}\nsystem = \"raft\"\n");
        let said = read_text("wrong", &text, &[], &[]).expect_err("it is wrong").to_string();
        assert!(said.contains("`format` is a whole number from 1"), "{said}");
    }
}

/// The CSV files of every version so far give the trace that was recorded: the digest is that of
/// `results.json`.
#[test]
fn reports_of_every_format_are_read() {
    for (folder, format) in [("report-1", 1), ("report-2", 2)] {
        let stored = Stored::open(&frozen(folder)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((stored.results.format, stored.results.trace_format), (format, 1));
        let trace = stored.trace().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(trace.history.len(), 16);
    }
}

/// A copy of a report whose `results.json` says something else.
fn changed(from: &str, to: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(frozen("report-2")).expect("it is frozen there") {
        let entry = entry.expect("readable");
        fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("writable");
    }
    let results = text("report-2/results.json");
    assert!(results.contains(from), "{from}");
    fs::write(folder.path().join("results.json"), results.replace(from, to)).expect("writable");
    let said = Stored::open(folder.path()).expect_err("it is newer").to_string();
    said.replace(&folder.path().display().to_string(), "FOLDER")
}

#[test]
fn reports_of_a_newer_format_are_refused() {
    let said = changed("\"format\": 2", "\"format\": 3");
    let expected = "`FOLDER/results.json` was written by seedbed 0.1.0, in format 3; this program \
        reads up to format 2";
    assert!(said.contains(expected) && said.contains("the seedbed that wrote it"), "{said}");
    let said = changed("\"trace_format\": 1", "\"trace_format\": 2");
    let expected = "`FOLDER/results.json` was written by seedbed 0.1.0, with CSV files in format \
        2; this program reads up to format 1";
    assert!(said.contains(expected) && said.contains("the seedbed that wrote it"), "{said}");
}

/// Answers a ping with a number one higher, and saves at its start.
struct Pong;

impl Node for Pong {
    type Message = Value;

    fn on_init(&mut self, ctx: &mut Ctx) {
        ctx.save("started", &1);
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Value) {
        let count = message["count"].as_u64().unwrap_or(0) + 1;
        ctx.send(src, &serde_json::json!({ "type": "Pong", "count": count }));
    }
}

/// Both sides of the first protocol: the SDK understands the frozen turns and answers as it did,
/// and the testbed understands the frozen answers.
#[test]
fn the_first_protocol_is_spoken() {
    let lines = text("protocol-1.jsonl");
    let lines: Vec<&str> = lines.lines().collect();
    let mut machine = Machine::new(|_| Pong);
    for pair in lines.chunks(2) {
        assert_eq!(machine.turn(pair[0]), pair[1]);
        serde_json::from_str::<Answer>(pair[1]).expect("the testbed understands it");
    }
}

/// A program cannot be asked before it starts, so its SDK refuses: its node crashes with a sentence
/// that says what each of them speaks.
#[test]
fn a_newer_protocol_is_refused_by_the_sdk() {
    let init = text("protocol-1.jsonl").lines().next().expect("a turn").to_owned();
    let newer = init.replace("\"protocol\":1", "\"protocol\":2");
    let mut machine = Machine::new(|_| Pong);
    let answer = machine.turn(&newer);
    let said = "this SDK speaks version 1 of the protocol, but the testbed speaks 2";
    assert!(machine.is_over() && answer.contains(said), "{answer}");
}
