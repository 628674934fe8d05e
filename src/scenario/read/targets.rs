//! `targets`: whom an entry hits, and whether there can be anybody.

use super::nodes::TARGET_WORDS;
use crate::error::excerpt;
use crate::faults::Names;
use crate::faults::{Fault, FaultSpec, TargetSpec};
use crate::language::reader::{Key, Problem, Section};
use crate::language::reading::{and_list, mistake_at, name_hint};
use crate::language::tree::{Item, Value};
use crate::language::units::show_text;
use crate::language::values::show_names;

const DOC: &str = "Whom it hits: one, minority, majority, leader, followers, follower, all, \
    random; a number of nodes; a list of nodes, \
                           groups and (for faults of links) clients; or { role = \"…\" }.";

pub(super) fn describe(section: &mut Section<'_>) {
    let key = Key {
        name: "targets",
        kind: "a word, a number, a list of names or a role",
        range: String::new(),
        doc: DOC,
    };
    section.take(&key, None);
}

pub(super) fn read(
    section: &mut Section<'_>,
    info: &Fault,
    fault: Option<&FaultSpec>,
    names: &Names,
) -> Option<TargetSpec> {
    let key = Key {
        name: "targets",
        kind: "a word, a number, a list of names or a role",
        range: String::new(),
        doc: DOC,
    };
    let given = section.take(&key, None);
    if let Some((why, hint)) = fault.and_then(|fault| fault.refuses_targets()) {
        if let Some(entry) = given {
            let name = info.name;
            section.reading.note_at(
                format!("`{name}` takes no targets here: {why}"),
                &entry.key_at,
                "no meaning here",
                hint,
            );
        }
        return Some(TargetSpec::All);
    }
    let Some(entry) = given else {
        let default = fault.map_or(info.targets, |fault| fault.default_targets());
        section.resolve("targets", show_text(default));
        return word(default);
    };
    let targets = parse(section, &key, &entry.item, info, names)?;
    section.resolve("targets", show(&targets));
    judge(section, &targets, &entry.item, names);
    Some(targets)
}

fn parse(
    section: &Section<'_>,
    key: &Key<'_>,
    item: &Item,
    info: &Fault,
    names: &Names,
) -> Option<TargetSpec> {
    let reading = section.reading;
    if let Some(found) = item.text().and_then(word) {
        return Some(found);
    }
    match &item.value {
        Value::Integer(Some(count)) => match u32::try_from(*count).ok().filter(|count| *count >= 1)
        {
            Some(count) => return Some(TargetSpec::Count(count)),
            None => section.complain(
                key,
                Problem::new(
                    &item.at,
                    "no number of nodes",
                    format!("from 1 to {}", names.nodes.len()),
                ),
            ),
        },
        Value::Table(table) => {
            let known: Vec<String> = names
                .system
                .as_ref()
                .map_or(vec![], |system| system.roles.iter().map(ToString::to_string).collect());
            let mut inner = section.of_item("targets", table, &item.at, "targets");
            let role = match &names.system {
                Some(_) => inner.optional_name("role", "roles", &known, "All nodes of this role."),
                None => inner.optional_text("role", "All nodes of this role."),
            };
            if role.is_none() && !inner.has("role") {
                let role = known.first().map_or("peer", String::as_str);
                section.complain(
                    key,
                    Problem::new(
                        &item.at,
                        "no `role`",
                        format!("as in: targets = {{ role = \"{role}\" }}"),
                    ),
                );
            }
            inner.finish();
            return role.map(TargetSpec::Role);
        }
        Value::Text(text) if !known_name(names, text) => {
            let words = TARGET_WORDS.iter().copied();
            let all: Vec<&str> =
                words.chain(names.nodes.iter().chain(&names.groups).map(String::as_str)).collect();
            // The words come first, so they are seen where the names are too many to be listed.
            let hint = name_hint(text, "nodes", all.iter().copied());
            reading.note_at(
                format!("there is no target `{}`", excerpt(text)),
                &item.at,
                "neither a word nor a name",
                hint,
            );
        }
        Value::Text(_) | Value::List(_) => {
            // A client has links and a clock of its own, but no process that could be killed and no
            // disk.
            let mut known: Vec<String> = names.nodes.iter().chain(&names.groups).cloned().collect();
            let clients = info.hits.clients();
            if clients {
                known.extend(names.clients.iter().cloned());
            } else if let Some(client) = first_client(item, names) {
                let hint = "only faults of links and clocks reach clients: name nodes, or choose \
                    such a fault";
                reading.note_at(
                    format!("`{}` cannot hit a client", info.name),
                    &client.at,
                    "a client",
                    hint,
                );
                return None;
            }
            let found = section.read_names(
                key,
                item,
                if clients { "nodes, groups or clients" } else { "nodes or groups" },
                &known,
            );
            if let Value::List(list) = &item.value
                && list.is_empty()
            {
                section.complain(key, Problem::new(&item.at, "nobody", an_example()));
            }
            return (!found.is_empty()).then_some(TargetSpec::Names(found));
        }
        _ => section.complain(key, Problem::found(item, an_example())),
    }
    None
}

fn an_example() -> String {
    format!("as in \"leader\", 2 or [\"n1\", \"n2\"]; the words are {}", TARGET_WORDS.join(", "))
}

fn first_client<'i>(item: &'i Item, names: &Names) -> Option<&'i Item> {
    let is_client = |item: &Item| {
        item.text().is_some_and(|text| names.clients.iter().any(|client| client == text))
    };
    match &item.value {
        Value::List(list) => list.iter().find(|item| is_client(item)),
        _ => is_client(item).then_some(item),
    }
}

fn known_name(names: &Names, text: &str) -> bool {
    names.nodes.iter().chain(&names.groups).chain(&names.clients).any(|name| name == text)
}

fn word(text: &str) -> Option<TargetSpec> {
    Some(match text {
        "one" => TargetSpec::One,
        "minority" => TargetSpec::Minority,
        "majority" => TargetSpec::Majority,
        "leader" => TargetSpec::Leader,
        "followers" => TargetSpec::Followers,
        "follower" => TargetSpec::Follower,
        "all" => TargetSpec::All,
        "random" => TargetSpec::Random,
        _ => return None,
    })
}

fn show(targets: &TargetSpec) -> String {
    let word = match targets {
        TargetSpec::One => "one",
        TargetSpec::Minority => "minority",
        TargetSpec::Majority => "majority",
        TargetSpec::Leader => "leader",
        TargetSpec::Followers => "followers",
        TargetSpec::Follower => "follower",
        TargetSpec::All => "all",
        TargetSpec::Random => "random",
        TargetSpec::Count(count) => return count.to_string(),
        TargetSpec::Role(role) => return format!("{{ role = {} }}", show_text(role)),
        TargetSpec::Names(names) => return show_names(names),
    };
    show_text(word)
}

/// Targets that there can never be.
fn judge(section: &Section<'_>, targets: &TargetSpec, item: &Item, names: &Names) {
    let count = names.nodes.len();
    let reading = section.reading;
    let nodes = if count == 1 { "is one node".to_string() } else { format!("are {count} nodes") };
    match targets {
        TargetSpec::Count(wanted) if *wanted as usize > count => {
            reading.note_at(
                format!("`{}` asks for more nodes than there are", section.full("targets")),
                &item.at,
                format!("there {nodes}"),
                format!("the most is {count}; \"all\" is all of them"),
            );
        }
        TargetSpec::Role(role) if !names.roles.contains(role) => {
            let mut roles: Vec<&str> = names.roles.iter().map(String::as_str).collect();
            roles.sort_unstable();
            roles.dedup();
            let hint = format!(
                "the nodes here have the role {}: name one that there is, or add a node of this \
                    role",
                and_list(&roles)
            );
            reading.note_at(format!("no node has the role `{role}`"), &item.at, "nobody", hint);
        }
        TargetSpec::Follower | TargetSpec::Followers if count == 1 => {
            let hint =
                "name the node, as \"leader\" or \"n1\", or add others: count = 3 in [nodes]";
            reading.note_at("a single node has no followers", &item.at, "nobody", hint);
        }
        TargetSpec::Leader | TargetSpec::Follower | TargetSpec::Followers => {
            let led = names
                .system
                .as_ref()
                .is_none_or(|system| system.metrics().iter().any(|metric| metric.name == "role"));
            if !led {
                let hint = "name the nodes, as [\"n1\"], or say how many: \"one\", \"minority\", \
                    \"majority\", 2";
                let mistake = mistake_at(
                    format!("`{}` has no leader", section.full("targets")),
                    &item.at,
                    "nobody leads",
                    hint,
                );
                reading.note(mistake.note(
                    "a leader is a node whose metric `role` is `leader`, and \
                    this system has no such metric",
                ));
            }
        }
        _ => {}
    }
}
