//! The reference of the scenario language, from the calls that read it.

use crate::faults::{FAULTS, Lasting};
use crate::system_names::SystemNames;

use super::known::KnownSystem;
use super::read;
use crate::language::reader::Section;
use crate::language::reading::{KeyInfo, Reading};
use crate::language::tree::Table;

/// Every key of the scenario language, in the order of the documentation: the common sections, the
/// parameters of conditions, distributions and faults, and the sections of these systems.
pub fn keys(systems: &[KnownSystem]) -> Vec<KeyInfo> {
    let reading = Reading::describing();
    read::read_root(&reading, &Table::default(), systems, "reference");
    let names = read::no_names();
    for kind in read::CONDITIONS {
        let mut section = titled(&reading, &format!("condition {kind}"));
        read::condition_of_kind(&mut section, kind, &names);
    }
    crate::language::distributions::latency_keys(&reading);
    for info in FAULTS {
        let mut section = titled(&reading, &format!("nemesis {}", info.name));
        (info.read)(&mut section, &names, false);
    }
    for KnownSystem { names: system, .. } in systems {
        (system.read_settings)(&mut titled(&reading, system.name));
    }
    reading.into_keys()
}

/// The keys of a system's own section.
pub fn keys_of_system(system: &SystemNames) -> Vec<KeyInfo> {
    let reading = Reading::describing();
    (system.read_settings)(&mut titled(&reading, system.name));
    reading.into_keys()
}

fn titled<'a>(reading: &'a Reading, title: &str) -> Section<'a> {
    Section::new(reading, None, None, title.into(), title.into())
}

/// The sections other than `own` that have this key, as a hint names them; empty text for the top
/// of the file.
pub(super) fn homes_of(keys: &[KeyInfo], key: &str, own: &str) -> Vec<String> {
    const MOST: usize = 4;
    let mut homes: Vec<String> = keys
        .iter()
        .filter(|info| info.key == key && info.section != own)
        .map(|info| home(&info.section))
        .collect();
    homes.dedup();
    homes.truncate(MOST);
    homes
}

/// How a section is named in a sentence.
pub(crate) fn home(section: &str) -> String {
    match section.split_once(' ') {
        None if section.is_empty() => String::new(),
        None if section == "nemesis"
            || section.ends_with(".node")
            || section.ends_with(".link") =>
        {
            format!("[[{section}]]")
        }
        None if section == "distribution" => "a distribution".into(),
        None => format!("[{section}]"),
        Some(("nemesis", fault)) => format!("the fault `{fault}`"),
        Some(("condition", kind)) => {
            format!("a condition on a {kind}").replace("a event", "an event")
        }
        Some((what, name)) => format!("the {what} `{name}`"),
    }
}

/// The whole reference as Markdown.
pub fn markdown(systems: &[KnownSystem]) -> String {
    let keys = keys(systems);
    let mut text = String::from(INTRODUCTION);
    let mut sections: Vec<&str> = vec![];
    for info in &keys {
        if !sections.contains(&info.section.as_str()) {
            sections.push(&info.section);
        }
    }
    let common = |section: &&&str| {
        !section.contains(' ') && !systems.iter().any(|system| system.names.name == **section)
    };
    for section in sections.iter().filter(common) {
        let title = match *section {
            "" => "The top of the file".to_string(),
            "distribution" => continue,
            section => format!("`{}`", home(section)),
        };
        text.push_str(&format!("\n## {title}\n\n"));
        push_table(&mut text, &keys, section);
    }
    text.push_str(CONDITIONS_TEXT);
    for kind in read::CONDITIONS {
        text.push_str(&format!("\n### `{kind}`\n\n"));
        push_table(&mut text, &keys, &format!("condition {kind}"));
    }
    text.push_str(DISTRIBUTIONS_TEXT);
    for section in sections.iter().filter(|section| section.starts_with("distribution ")) {
        text.push_str(&format!("\n### `dist = \"{}\"`\n\n", &section["distribution ".len()..]));
        push_table(&mut text, &keys, section);
    }
    push_faults(&mut text, &keys);
    for KnownSystem { names: system, .. } in systems {
        text.push_str(&format!("\n## `[{}]`\n\n{}\n\n", system.name, system.summary));
        push_table(&mut text, &keys, system.name);
    }
    text
}

fn push_faults(text: &mut String, keys: &[KeyInfo]) {
    text.push_str(FAULTS_TEXT);
    let mut group = "";
    for info in FAULTS {
        if group != info.group {
            group = info.group;
            text.push_str(&format!("\n### Faults: {group}\n"));
        }
        let lasting = match info.lasting {
            Lasting::Duration => "Lasts for `duration`.",
            Lasting::Down => "Lasts for `down`.",
            Lasting::Instant => "Happens immediately and takes no `duration`.",
        };
        let targets = format!("Hits `{}` if `targets` is left out.", info.targets);
        text.push_str(&format!(
            "\n#### `{}`\n\n{} {lasting} {targets}\n\n",
            info.name, info.summary
        ));
        push_table(text, keys, &format!("nemesis {}", info.name));
    }
}

fn push_table(text: &mut String, keys: &[KeyInfo], section: &str) {
    let keys: Vec<&KeyInfo> = keys.iter().filter(|info| info.section == section).collect();
    if keys.is_empty() {
        return;
    }
    text.push_str("| key | takes | default | meaning |\n|---|---|---|---|\n");
    for info in keys {
        let default = info
            .default
            .as_ref()
            .map_or(String::new(), |default| format!("`{}`", default.replace('|', "\\|")));
        text.push_str(&format!(
            "| `{}` | {} | {default} | {} |\n",
            info.key,
            takes(info),
            info.doc
        ));
    }
}

/// Type and range of a key in a few words.
pub(crate) fn takes(info: &KeyInfo) -> String {
    match info.range.as_str() {
        "" => info.kind.clone(),
        range if range.starts_with("one of") || range.starts_with("any of") => {
            format!("{}: {range}", info.kind)
        }
        range if info.kind == "probability" && range == "0 to 1" => "probability, 0 to 1".into(),
        range => format!("{}, {range}", info.kind),
    }
}

const INTRODUCTION: &str = "# The scenario language

A scenario is a TOML file. Together with a seed it decides everything that happens in a run. This page is printed from the code that reads
scenarios (`seedbed explain scenario`); a test fails when the two differ.

- Durations are texts with a unit: `\"150ms\"`, `\"1.5s\"`. The units are ns, us, ms, s, min and h.
- A range of two, `[\"150ms\", \"300ms\"]`, means that a value between the two is drawn from the seed, each time or for each node.
- Probabilities go from 0 to 1; rates are counts a second.
- Nodes are named `n1`, `n2`, … unless `[[nodes.node]]` names them; clients are `c1`, `c2`, …
- `--set KEY.PATH=VALUE` replaces a value for one run: `--set workload.rate=50`, `--set nemesis.1.at=3s`. In lists of tables a step is a
  position from 1 or the name of an entry, which for a fault without a `name` is `kill-2`.
- Every key has a default unless its meaning says that it must be given. A report's `scenario.toml` has them all filled in.
";

const CONDITIONS_TEXT: &str = "
## Conditions

The value of `when` in `[[nemesis]]`: `when = { metric = \"current_term\", node = \"any\", at_least = 3 }`. Exactly one of `metric`,
`event` and `message` says what is looked at; `seedbed list metrics`, `list events` and `list messages` show what there is.
";

const DISTRIBUTIONS_TEXT: &str = "
## Distributions of durations

Where a key takes a distribution, `\"5ms\"` is always that, `[\"1ms\", \"5ms\"]` is uniform between the two, and a table says more:
`{ dist = \"lognormal\", median = \"5ms\", p99 = \"25ms\" }`.
";

const FAULTS_TEXT: &str = "
## Faults and their parameters

The value of `fault` in `[[nemesis]]`, or an element of `among`. The parameters stand in the same table.
";
