//! The JSON forms of messages: programs receive exactly what was sent.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use seedbed::run::system_of;
use seedbed::sim::RunOptions;
use seedbed::systems::SYSTEMS;
use seedbed::systems::read_file;
use seedbed::trace::Digest;
use serde_json::Value;

/// All scenarios of a system.
fn scenarios(system: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(system);
    let entries = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

/// The JSON form loses nothing of any message in any scenario: sent through JSON, a run has the
/// same digest. The page with an example of each message is generated from these runs:
/// `SEEDBED_WRITE_DOCS=1 cargo test` rewrites it.
#[test]
fn no_form_of_a_message_loses_anything() {
    let mut page = PAGE_HEAD.to_owned();
    for system in SYSTEMS {
        let (mut runs, mut messages, mut forms) = (0, 0, BTreeMap::new());
        for path in scenarios(system.name) {
            let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
            let run = |through_json| {
                let options = RunOptions {
                    seed: 5,
                    fold_messages: true,
                    through_json,
                    ..RunOptions::default()
                };
                (system_of(&scenario).run)(&scenario, &options)
            };
            let (plain, through_json) = (run(false), run(true));
            assert_eq!(
                Digest::of(&plain.trace),
                Digest::of(&through_json.trace),
                "{}",
                path.display()
            );
            (runs, messages) = (runs + 1, messages + plain.trace.message_count());
            through_json.forms.into_iter().for_each(|(name, form)| {
                forms.entry(name).or_insert(form);
            });
        }
        assert!(
            runs >= 8 && messages > 10_000,
            "{}: {messages} messages in {runs} scenarios",
            system.name
        );
        section(&mut page, system.name, &system.messages(), &forms);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/MESSAGES.md");
    if std::env::var_os("SEEDBED_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("writable");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "sdk/MESSAGES.md is old: SEEDBED_WRITE_DOCS=1 cargo test --test wire writes it anew"
    );
}

const PAGE_HEAD: &str = "# Messages of the systems, as programs see them\n\n\
    A program that takes the place of a node speaks with nodes and clients of the testbed in the \
    messages of the system: JSON objects whose `type` is the\n\
    name that traces show. This page has one example of each, from runs of the scenarios that \
    ship; `seedbed explain NAME` says more of a message.\n\n\
    Nodes are names. Times are in ns or µs as the field's name says. Bytes are a text where they \
    are one without control characters, and otherwise\n\
    `{\"base64\": \"…\"}`. Whole numbers go up to 2^64 - 1. Where this page says `…`, a longer \
    text was cut.\n";

fn section(
    page: &mut String,
    system: &str,
    shown: &[seedbed::vocabulary::Shown],
    forms: &BTreeMap<&'static str, Value>,
) {
    let _ = write!(page, "\n## {system}\n\n");
    for message in shown {
        let Some(form) = forms.get(message.name) else { continue };
        let mut form = form.clone();
        shorten(&mut form);
        let _ =
            write!(page, "**{}**: {}\n\n```json\n{form}\n```\n\n", message.name, message.summary);
    }
    let told: Vec<&str> = shown.iter().map(|message| message.name).collect();
    let untold: Vec<&&str> = forms.keys().filter(|name| !told.contains(name)).collect();
    assert!(untold.is_empty(), "{system} does not describe {untold:?}");
    page.truncate(page.trim_end().len());
    page.push('\n');
}

/// Shorten long texts and lists, so that the page is readable.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > 60 => {
            *text = format!("{}…", text.chars().take(40).collect::<String>())
        }
        Value::Array(items) => {
            items.truncate(3);
            items.iter_mut().for_each(shorten);
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}
