//! The parameters of each fault. A parameter of a link fault has the name that the link's property
//! has in `[network]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::condition::named;
use super::{Names, targets};
use crate::error::{Mistake, excerpt};
use crate::language::Latency;
use crate::language::reader::{Key, Problem, Resolved, Section};
use crate::language::reading::{mistake_at, name_hint};
use crate::language::section::toml_inline;
use crate::language::tree::{At, Item, Value};
use crate::language::units::show_text;
use crate::nemesis::FAULTS;
use crate::scenario::catalog::grammar;
use crate::scenario::faults::{Direction, Fault, PartitionShape};
use crate::systems::System;

const PROBABILITY: RangeInclusive<f64> = 0.0..=1.0;
const HOUR: Duration = Duration::from_secs(3_600);

/// Every shape of a partition.
pub(crate) const SHAPES: &[&str] = &[
    "halves",
    "one",
    "majority",
    "majorities_ring",
    "bridge",
    "minority_third",
    "groups",
    "between",
];

const AS_IN_AMONG: &str =
    "as in: among = [\"partition\", \"kill\", { fault = \"loss\", loss = 0.5 }]";
pub(super) const AS_IN_GROUPS: &str =
    "as in: groups = [[\"n1\", \"n2\"], [\"n3\", \"n4\", \"n5\"]]";

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Read the parameters of this fault. `targeted`: its entry says whom it hits. `None`: what was
/// wrong has been noted.
pub(crate) fn read(
    section: &mut Section<'_>,
    fault: &str,
    names: &Names,
    targeted: bool,
) -> Option<Fault> {
    match fault {
        "partition" | "flap" => partition(section, fault, names, targeted),
        "latency" | "loss" | "duplicate" | "reorder" | "corrupt" | "bandwidth" => {
            links(section, fault)
        }
        "hold" | "drop" | "delay" => messages(section, fault, names),
        "random" | "swarm" | "swizzle" => composed(section, fault, names, targeted),
        _ => of_nodes(section, fault, names),
    }
}

fn partition(
    section: &mut Section<'_>,
    fault: &str,
    names: &Names,
    targeted: bool,
) -> Option<Fault> {
    let shape = shape(section, names, targeted);
    let direction = direction(
        section,
        "Which way the links are cut: both, only towards the targets, or only away from them.",
    );
    let clients = section.flag(
        "clients",
        false,
        "Whether clients are cut off too; where false, every client reaches every node.",
    );
    if fault == "partition" {
        return Some(Fault::Partition { shape: shape?, direction, clients });
    }
    let up =
        section.span("up", (ms(500), ms(500)), ms(1)..=HOUR, "How long the links work each time.");
    let down =
        section.span("down", (ms(500), ms(500)), ms(1)..=HOUR, "How long they are cut each time.");
    Some(Fault::Flap { shape: shape?, direction, clients, up, down })
}

fn links(section: &mut Section<'_>, fault: &str) -> Option<Fault> {
    own_probability(section, fault);
    let slow = Latency::Uniform(ms(100), ms(300));
    let direction_of = |section: &mut Section<'_>| {
        direction(
            section,
            "Which links of the targets: both ways, towards them, or away from them.",
        )
    };
    Some(match fault {
        "latency" => {
            let latency =
                section.latency("latency", slow, "One-way delay in place of the link's own.");
            Fault::Latency { latency, direction: direction_of(section) }
        }
        "loss" => {
            let probability = section.amount(
                "loss",
                (0.2, 0.2),
                PROBABILITY,
                "Probability that a message is lost, besides the link's own.",
            );
            let doc = "Probability that the message after a lost one is lost as well: bursts.";
            let correlation = section.number("loss_correlation", 0.0, 0.0..=0.999, doc);
            Fault::Loss { probability, correlation, direction: direction_of(section) }
        }
        "duplicate" => {
            let probability = section.amount(
                "duplicate",
                (0.2, 0.2),
                PROBABILITY,
                "Probability that a second copy arrives.",
            );
            Fault::Duplicate { probability, direction: direction_of(section) }
        }
        "reorder" => {
            let probability = section.amount(
                "reorder",
                (0.2, 0.2),
                PROBABILITY,
                "Probability that a message is held back.",
            );
            let delay = section.latency(
                "reorder_delay",
                Latency::Uniform(ms(10), ms(100)),
                "How long it is held back.",
            );
            Fault::Reorder { probability, delay, direction: direction_of(section) }
        }
        "corrupt" => {
            let probability = section.amount(
                "corrupt",
                (0.05, 0.05),
                PROBABILITY,
                "Probability that bits of a message are flipped.",
            );
            Fault::Corrupt { probability, direction: direction_of(section) }
        }
        _ => {
            let bytes_per_second =
                section.amount("bandwidth", (10_000.0, 10_000.0), 1.0..=1e12, "Bytes a second.");
            let queue = section.integer(
                "queue",
                64 * 1024,
                0..=u64::MAX,
                "Bytes that wait at the most; what comes on top is discarded.",
            );
            Fault::Bandwidth { bytes_per_second, queue, direction: direction_of(section) }
        }
    })
}

/// `probability` is that of the entry, so that of a message has the name of the link's property.
/// Who has written only the first means the second.
fn own_probability(section: &Section<'_>, fault: &str) {
    let own = match fault {
        "loss" | "duplicate" | "reorder" | "corrupt" => fault,
        "disk_error" => "errors",
        _ => return,
    };
    if let Some(entry) = section.entry("probability").filter(|_| !section.has(own)) {
        let message = format!(
            "`{}` is how probable it is that the entry happens at all",
            section.full("probability")
        );
        let hint = format!(
            "write `{own}` for the probability of the fault itself; with both, each has its own \
                meaning"
        );
        section.reading.note_at(message, &entry.key_at, format!("`{own}` is meant?"), hint);
    }
}

fn messages(section: &mut Section<'_>, fault: &str, names: &Names) -> Option<Fault> {
    let known: Option<Vec<String>> = names
        .system
        .map(|system| system.messages().iter().map(|shown| shown.name.to_string()).collect());
    let message = named(
        section,
        "message",
        "message types",
        known.as_deref(),
        "Only messages of this type; left out, all.",
    );
    let ends = names.fault_ends();
    let what = "nodes, groups, roles, clients, `any` or `targets`";
    let src = section.names(
        "src",
        &[],
        what,
        &ends,
        "Only messages from these; `targets` stands for the entry's targets. Empty: from all.",
    );
    let dest = section.names(
        "dest",
        &[],
        what,
        &ends,
        "Only messages to these. Where `src` and `dest` are empty, those from and to the targets.",
    );
    if fault == "hold" {
        return Some(Fault::Hold { message, src, dest });
    }
    let doc = "Only the n-th of them since the fault began, from 1; left out, all.";
    let nth = section.optional_integer("nth", 1..=1_000_000_000, doc);
    if fault == "drop" {
        return Some(Fault::Drop { message, src, dest, nth });
    }
    let delay = section.span(
        "by",
        (ms(500), ms(500)),
        Duration::ZERO..=HOUR,
        "How much later they arrive.",
    );
    Some(Fault::Delay { message, src, dest, delay, nth })
}

fn of_nodes(section: &mut Section<'_>, fault: &str, names: &Names) -> Option<Fault> {
    own_probability(section, fault);
    let by = |section: &mut Section<'_>, default: f64, doc: &'static str| {
        section.signed_milliseconds("by", default, doc)
    };
    let down = |section: &mut Section<'_>| {
        section.span(
            "down",
            (ms(500), ms(500)),
            Duration::ZERO..=HOUR,
            "How long the node is down.",
        )
    };
    let file = |section: &mut Section<'_>| {
        section.optional_text("file", "The file; left out, one is drawn.")
    };
    Some(match fault {
        "kill" => Fault::Kill,
        "restart" => Fault::Restart { down: down(section) },
        "pause" => Fault::Pause,
        "slow" => Fault::Slow {
            factor: section.amount(
                "factor",
                (10.0, 10.0),
                1.0..=1e6,
                "How many times as long an input takes.",
            ),
        },
        "wipe" => Fault::Wipe { down: down(section) },
        "stop" => Fault::Stop,
        "command" => Fault::Command { command: command(section, names)? },
        "join" => Fault::Join,
        "leave" => Fault::Leave,
        "clock_bump" => Fault::ClockBump {
            by_ms: by(section, 500.0, "How far the clock steps; forward without a sign."),
        },
        "clock_drift" => {
            let doc = "How much too fast the oscillator runs, parts per million.";
            Fault::ClockDrift {
                ppm: section.amount("ppm", (10_000.0, 10_000.0), -500_000.0..=500_000.0, doc),
            }
        }
        "clock_strobe" => {
            let by_ms = by(section, 200.0, "How far the clock steps to and fro.");
            Fault::ClockStrobe {
                by_ms,
                period: section.span(
                    "period",
                    (ms(100), ms(100)),
                    ms(1)..=HOUR,
                    "How long between two steps.",
                ),
            }
        }
        "clock_freeze" => Fault::ClockFreeze,
        "clock_reset" => Fault::ClockReset,
        "disk_loss" => Fault::DiskLoss { down: down(section) },
        "torn_write" => Fault::TornWrite { down: down(section) },
        "bitflip" => {
            let bits = section.integer("bits", 1, 1..=1_000_000, "How many bits.");
            Fault::Bitflip { file: file(section), bits: u32::try_from(bits).expect("in range") }
        }
        "truncate" => {
            let bytes =
                section.integer("bytes", 16, 1..=u64::MAX, "How many bytes at the end are gone.");
            Fault::Truncate { file: file(section), bytes }
        }
        "disk_full" => Fault::DiskFull,
        "disk_error" => Fault::DiskError {
            probability: section.amount(
                "errors",
                (0.1, 0.1),
                PROBABILITY,
                "Probability that a sync fails.",
            ),
        },
        "disk_slow" => Fault::DiskSlow {
            factor: section.amount(
                "factor",
                (10.0, 10.0),
                1.0..=1e6,
                "How many times as long a sync takes.",
            ),
        },
        "disk_stall" => Fault::DiskStall,
        "stale_restore" => Fault::StaleRestore { down: down(section) },
        unknown => unreachable!("`{unknown}` is not in the list of faults"),
    })
}

fn command(section: &mut Section<'_>, names: &Names) -> Option<String> {
    let command = section.optional_text("command", "What is asked for. Must be given.");
    if let (false, Some(at)) = (section.has("command"), &section.at) {
        let known = names
            .system
            .map(|system| system.commands.iter().map(|shown| shown.name).collect::<Vec<_>>())
            .unwrap_or_default();
        let hint = match known.first() {
            Some(form) => {
                format!("as in: command = \"{}\"", form.split(' ').next().unwrap_or(form))
            }
            None => "take the entry out: this system has no commands".into(),
        };
        section.reading.note_at("a `command` needs a `command`", at, "nothing is asked for", hint);
    }
    if let (Some(text), Some(entry), Some(system)) =
        (&command, section.entry("command"), names.system)
        && let Err(mistake) = judge_command(text, &entry.item.at, system, names)
    {
        section.reading.note(*mistake);
    }
    command
}

/// A system leaves alone what it does not understand, and a misspelt command would look like one
/// without effect.
fn judge_command(text: &str, at: &At, system: &System, names: &Names) -> Result<(), Box<Mistake>> {
    let word_of = |form: &'static str| form.split(' ').next().unwrap_or(form);
    let forms = system.commands.iter().map(|shown| shown.name);
    let mut written = text.split_whitespace();
    let word = written.next().unwrap_or_default();
    let Some(form) = forms.clone().find(|form| word_of(form) == word) else {
        let message = format!("`{}` has no command `{}`", system.name, excerpt(word));
        let known: Vec<&str> = forms.map(word_of).collect();
        return Err(Box::new(mistake_at(
            message,
            at,
            "unknown command",
            name_hint(word, "commands", known.iter().copied()),
        )));
    };
    let takes = form.split(' ').nth(1).unwrap_or_default();
    let (nodes, more) = (written.next(), written.next());
    let as_written = format!("it is written `{form}`");
    let Some(nodes) = nodes else {
        if takes.is_empty() || takes.starts_with('[') {
            return Ok(());
        }
        return Err(Box::new(mistake_at(
            format!("`{word}` needs a node"),
            at,
            "no node",
            as_written,
        )));
    };
    if takes.is_empty() || more.is_some() || (nodes.contains(',') && !takes.contains(',')) {
        return Err(Box::new(mistake_at(
            format!("`{word}` does not take so much"),
            at,
            "too many words or nodes",
            as_written,
        )));
    }
    let named: Vec<&str> = nodes.split(',').collect();
    if let Some(twice) =
        named.iter().enumerate().find(|(i, node)| named[..*i].contains(node)).map(|(_, node)| *node)
    {
        let message = format!("`{word}` is given `{}` twice", excerpt(twice));
        return Err(Box::new(mistake_at(message, at, "named twice", "name each once")));
    }
    match nodes.split(',').find(|node| !names.nodes.iter().any(|known| known == node)) {
        None => Ok(()),
        Some(node) => {
            let hint = name_hint(node, "nodes", names.nodes.iter().map(String::as_str));
            Err(Box::new(mistake_at(
                format!("`{word}` is given `{}`, which is no node", excerpt(node)),
                at,
                "unknown node",
                hint,
            )))
        }
    }
}

fn composed(
    section: &mut Section<'_>,
    fault: &str,
    names: &Names,
    targeted: bool,
) -> Option<Fault> {
    if fault == "swizzle" {
        return Some(Fault::Swizzle);
    }
    let among = among(section, names, targeted);
    if fault == "random" {
        return Some(Fault::Random { among: among? });
    }
    let keep = section.amount(
        "keep",
        (0.5, 0.5),
        PROBABILITY,
        "Probability with which each of them takes part in a run at all.",
    );
    Some(Fault::Swarm { among: among?, keep })
}

/// Faults by name, or as tables with parameters.
fn among(section: &mut Section<'_>, names: &Names, targeted: bool) -> Option<Vec<Fault>> {
    let doc = "Faults by name, or as tables with parameters: [\"kill\", \
        { fault = \"loss\", loss = 0.5 }]. Must be given.";
    let key = Key { name: "among", kind: "a list of faults", range: String::new(), doc };
    let Some(given) = section.take(&key, None) else {
        if let Some(at) = &section.at {
            section.reading.note_at(
                format!("`{}` needs a list `among`", section.path),
                at,
                "nothing to choose from",
                AS_IN_AMONG,
            );
        }
        return None;
    };
    let Value::List(list) = &given.item.value else {
        section.complain(&key, Problem::found(&given.item, AS_IN_AMONG));
        return None;
    };
    if list.is_empty() {
        section.complain(&key, Problem::new(&given.item.at, "nothing to choose from", AS_IN_AMONG));
        return None;
    }
    let mut faults = vec![];
    let mut resolved = vec![];
    for (i, item) in list.iter().enumerate() {
        let Some((fault, text)) = one_of(section, i + 1, item, names, targeted) else { continue };
        faults.push(fault);
        resolved.push(text);
    }
    section.resolve("among", format!("[{}]", resolved.join(", ")));
    Some(faults)
}

/// One element of `among`, and how it is written when its defaults are filled in.
fn one_of(
    section: &Section<'_>,
    position: usize,
    item: &Item,
    names: &Names,
    targeted: bool,
) -> Option<(Fault, String)> {
    let empty = crate::language::tree::Table::default();
    let (name_item, table) = match &item.value {
        Value::Text(_) => (item, &empty),
        Value::Table(table) => match table.get("fault") {
            Some(entry) => (&entry.item, table),
            None => {
                section.reading.note_at(
                    "which fault is this?",
                    &item.at,
                    "no `fault`",
                    "as in { fault = \"loss\", loss = 0.5 }",
                );
                return None;
            }
        },
        _ => {
            let key =
                Key { name: "among", kind: "a list of faults", range: String::new(), doc: "" };
            section.complain(&key, Problem::found(item, AS_IN_AMONG));
            return None;
        }
    };
    let name = fault_name(section, name_item)?;
    if matches!(name, "random" | "swarm" | "swizzle") {
        let hint = "name the simple faults, or write a second [[nemesis]] entry";
        section.reading.note_at(
            format!("`{name}` cannot be chosen by another fault"),
            &name_item.at,
            "composed itself",
            hint,
        );
        return None;
    }
    let path = format!("{}.among.{position}", section.path);
    let mut inner = Section::new(
        section.reading,
        Some(table),
        Some(item.at.clone()),
        path,
        format!("nemesis {name}"),
    );
    inner.allow("fault");
    let fault = read(&mut inner, name, names, targeted);
    if let Some(fault) = &fault {
        targets::judge_shape(&inner, fault, names);
    }
    let mut resolved = vec![("fault".to_string(), Resolved::Value(show_text(name)))];
    resolved.extend(inner.finish());
    Some((fault?, toml_inline(&resolved)))
}

/// The name of a fault that there is.
pub(super) fn fault_name(section: &Section<'_>, item: &Item) -> Option<&'static str> {
    let Some(written) = item.text() else {
        section.reading.note_at(
            format!("`{}` must be the name of a fault", section.full("fault")),
            &item.at,
            format!("found {}", item.found()),
            "as in \"partition\"; `seedbed list faults` shows them all",
        );
        return None;
    };
    if let Some(grammar) = grammar(written) {
        return Some(grammar.name);
    }
    // Words that people bring from other tools.
    let meant = match written {
        "crash" => Some("kill"),
        "isolate" | "split" | "split_brain" => Some("partition"),
        "packet_loss" => Some("loss"),
        "reset" | "reboot" => Some("restart"),
        "freeze" | "suspend" => Some("pause"),
        "skew" | "clock_skew" => Some("clock_bump"),
        _ => None,
    };
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => name_hint(written, "faults", FAULTS.iter().map(|info| info.name)),
    };
    section.reading.note_at(
        format!("there is no fault `{}`", excerpt(written)),
        &item.at,
        "unknown fault",
        hint,
    );
    None
}

fn shape(section: &mut Section<'_>, names: &Names, targeted: bool) -> Option<PartitionShape> {
    let implied = match (section.has("groups"), section.has("between")) {
        (true, _) => "groups",
        (_, true) => "between",
        _ if targeted => "one",
        _ => "halves",
    };
    let doc = "How the nodes are parted. Where it is left out: `groups` or `between` where that is \
        given, `one` with `targets`, otherwise `halves`.";
    let shape = section.word("shape", implied, SHAPES, doc);
    section.exclusive(
        &["groups", "between"],
        "choose: the first parts all nodes, the second cuts only some links",
    );
    let doc = "With the shape `groups`: lists of nodes, each alone.";
    let key = Key { name: "groups", kind: "a list of lists of names", range: "nodes".into(), doc };
    let groups =
        section.take(&key, None).map(|entry| (entry, groups(section, &key, &entry.item, names)));
    let ends = names.fault_ends();
    let between = match section.has("between") || section.reading.is_describing() {
        true => section.names(
            "between",
            &[],
            "nodes, groups or clients",
            &ends,
            "With the shape `between`: the links to these are cut, no others.",
        ),
        false => {
            section.allow("between");
            vec![]
        }
    };
    if let Some((_, groups)) = &groups {
        let lists: Vec<String> = groups
            .iter()
            .map(|group| {
                format!(
                    "[{}]",
                    group.iter().map(|name| show_text(name)).collect::<Vec<_>>().join(", ")
                )
            })
            .collect();
        section.resolve("groups", format!("[{}]", lists.join(", ")));
    }
    for (key, wanted) in [("groups", "groups"), ("between", "between")] {
        // Of two that exclude each other one never fits the shape, and that has been said.
        let alone = !(section.has("groups") && section.has("between"));
        if let (Some(entry), true) = (section.entry(key), alone && shape != wanted) {
            let hint = format!("take it out, or write shape = \"{wanted}\"");
            section.reading.note_at(
                format!("`{key}` has no meaning with the shape `{shape}`"),
                &entry.key_at,
                "no meaning",
                hint,
            );
        }
    }
    Some(match shape {
        "halves" => PartitionShape::Halves,
        "one" => PartitionShape::One,
        "majority" => PartitionShape::Majority,
        "majorities_ring" => PartitionShape::MajoritiesRing,
        "bridge" => PartitionShape::Bridge,
        "minority_third" => PartitionShape::MinorityThird,
        "groups" => PartitionShape::Groups(groups.map(|(_, groups)| groups).unwrap_or_default()),
        _ => PartitionShape::Between(between),
    })
}

fn groups(section: &Section<'_>, key: &Key<'_>, item: &Item, names: &Names) -> Vec<Vec<String>> {
    let known = names.fault_ends();
    let Value::List(lists) = &item.value else {
        section.complain(key, Problem::found(item, AS_IN_GROUPS));
        return vec![];
    };
    let mut seen: Vec<String> = vec![];
    let mut groups = vec![];
    for item in lists {
        let group =
            section.read_names(key, item, "nodes, groups, roles, clients or `targets`", &known);
        for name in group.iter().filter(|name| seen.contains(name)) {
            let hint = "each node is on one side: take it out of one; the shape `bridge` joins two \
                sides by a node";
            section.reading.note_at(
                format!("`{name}` stands in two groups"),
                &item.at,
                "the second of them",
                hint,
            );
        }
        seen.extend(group.iter().cloned());
        groups.push(group);
    }
    groups
}

fn direction(section: &mut Section<'_>, doc: &'static str) -> Direction {
    match section.word("direction", "both", &["both", "in", "out"], doc) {
        "in" => Direction::In,
        "out" => Direction::Out,
        _ => Direction::Both,
    }
}
