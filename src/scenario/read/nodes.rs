//! `[nodes]`: who takes part, with which clocks, and the groups.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::excerpt;
use crate::scenario::program::ProgramSpec;

use crate::faults::Names;
use crate::language::reader::{Key, Problem, Section};
use crate::language::reading::{Reading, known_hint, name_hint};
use crate::language::tree::{At, Item, Value};
use crate::language::units::{show_signed, show_text};
use crate::language::values::{read_pair, read_signed, show_names, show_pair};
use crate::scenario::types::{ClockSpec, NodeSpec, NodesSpec};

/// More nodes than this no scenario has.
const NODES_MAX: u64 = 1_000;

/// Ten years: a clock whose battery is empty begins again at its date of birth.
const OFFSET_MAX_NS: i64 = 10 * 365 * 86_400 * 1_000_000_000;

/// Words that say whom a fault hits, which therefore cannot be names.
pub(super) const TARGET_WORDS: &[&str] =
    &["one", "minority", "majority", "leader", "followers", "follower", "all", "random"];

/// Names that mean something else in a scenario or in a trace.
const RESERVED: &[&str] = &["any", "none", "client", "nemesis", "network"];

/// In `[nodes.programs]`: all nodes.
const EVERYBODY: &str = "all";

/// Where the clocks of the nodes are set, for messages of the fault model.
#[derive(Default)]
pub(crate) struct ClockPlaces {
    pub(crate) offset: BTreeMap<String, At>,
    pub(crate) drift: BTreeMap<String, At>,
}

pub(super) fn read(root: &mut Section<'_>, names: &mut Names) -> (NodesSpec, ClockPlaces) {
    let mut section = root.table("nodes");
    let roles: Vec<String> = names
        .system
        .as_ref()
        .map_or(vec![], |system| system.roles.iter().map(ToString::to_string).collect());
    let first_role = roles.first().cloned().unwrap_or_default();
    let listed = section.entry("node").is_some();
    let count = section.integer(
        "count",
        if listed { 0 } else { 5 },
        0..=NODES_MAX,
        "Nodes named n1, n2, … of the system's first role. 0 where `[[nodes.node]]` lists the \
            nodes; with both, an entry named like one of them \
         gives it settings of its own, and any other adds a node.",
    );
    let mut places = ClockPlaces::default();
    let mut of_all = Own { clock: ClockSpec::default(), slowness: 1.0, program: None };
    of_all = read_own(&mut section, &of_all);
    let zero = Duration::ZERO;
    let processing = section.duration(
        "processing",
        zero,
        zero..=Duration::from_secs(10),
        "Processor time of one handled input; 0 is infinitely fast.",
    );
    let restart_after = section.duration(
        "restart_after",
        Duration::from_secs(1),
        zero..=Duration::from_secs(3_600),
        "How long after a panic, an exit or a disk error a node is started again.",
    );
    let numbered = |count: u64| -> Vec<NodeSpec> {
        let numbered = |i| {
            let Own { clock, slowness, program } = of_all.clone();
            NodeSpec { name: format!("n{i}"), role: first_role.clone(), clock, slowness, program }
        };
        (1..=count).map(numbered).collect()
    };
    let mut nodes = numbered(count);
    for node in &nodes {
        places.note(&section, &node.name);
    }
    let mut entries = section.tables("node");
    let (mut seen, mut refused): (Vec<String>, Vec<String>) = (vec![], vec![]);
    let mut counted: Vec<(String, Vec<String>)> = vec![];
    for entry in &mut entries {
        let Some((spec, members)) = read_node(entry, &roles, &first_role, &of_all, names, &seen)
        else {
            // It was meant to be a node, and who names it elsewhere makes no further mistake.
            refused
                .extend(entry.entry("name").and_then(|entry| entry.item.text()).map(String::from));
            continue;
        };
        for name in members.clone().unwrap_or_else(|| vec![spec.name.clone()]) {
            let spec = NodeSpec { name, ..spec.clone() };
            places.note(&section, &spec.name);
            places.note(entry, &spec.name);
            seen.push(spec.name.clone());
            match nodes.iter_mut().find(|node| node.name == spec.name) {
                Some(node) => *node = spec,
                None => nodes.push(spec),
            }
        }
        counted.extend(members.map(|members| (spec.name, members)));
    }
    if let Some(at) =
        section.entry("node").map(|entry| &entry.key_at).filter(|_| nodes.len() as u64 > NODES_MAX)
    {
        let hint = format!(
            "the most is {NODES_MAX}, those of [nodes] count and of each entry's count together"
        );
        section.reading.note_at(
            "the scenario has too many nodes",
            at,
            format!("{} nodes", nodes.len()),
            hint,
        );
    }
    // Where nodes are listed but none of them is right, or the list is none, that has been
    // complained of.
    let judged = section
        .entry("node")
        .is_some_and(|entry| !matches!(&entry.item.value, Value::List(list) if list.is_empty()));
    section.close_all("node", entries);
    if nodes.is_empty() && !judged && !section.reading.is_describing() {
        let at =
            section.entry("count").map(|entry| &entry.item.at).or(section.at.as_ref()).cloned();
        if let Some(at) = at {
            section.reading.note_at(
                "a scenario needs a node",
                &at,
                "no nodes",
                "write count = 5, or list them as [[nodes.node]]",
            );
        }
    }
    if nodes.is_empty() {
        // What names a node or asks for several is complained of when there are some, not for want
        // of all.
        nodes = numbered(5);
    }
    names.nodes = nodes.iter().map(|node| node.name.clone()).chain(refused).collect();
    names.roles = nodes.iter().map(|node| node.role.clone()).collect();
    let mut groups = read_groups(&mut section, names);
    for (name, members) in counted {
        // A group of the file's own that has the name is meant; so is a node.
        if !names.nodes.contains(&name) {
            groups.entry(name).or_insert(members);
        }
    }
    names.groups = groups.keys().cloned().collect();
    read_programs(&mut section, &roles, &groups, &mut nodes);
    root.close("nodes", section);
    (NodesSpec { nodes, groups, processing, restart_after }, places)
}

impl ClockPlaces {
    fn note(&mut self, section: &Section<'_>, node: &str) {
        if let Some(entry) = section.entry("clock_offset") {
            self.offset.insert(node.into(), entry.item.at.clone());
        }
        if let Some(entry) = section.entry("drift_ppm") {
            self.drift.insert(node.into(), entry.item.at.clone());
        }
    }
}

/// The settings that all nodes and each of them can have.
#[derive(Clone)]
struct Own {
    clock: ClockSpec,
    slowness: f64,
    program: Option<ProgramSpec>,
}

fn read_own(section: &mut Section<'_>, default: &Own) -> Own {
    let kind = "a duration with a sign or a range of two";
    let doc = "Error of the wall clock at the start, drawn for each node where it is a range.";
    let key = Key { name: "clock_offset", kind, range: String::new(), doc };
    let offset_ns = section.value(
        key,
        default.clock.offset_ns,
        |item| read_pair(item, read_offset),
        |pair| show_pair(pair, |end| show_text(&show_signed(*end))),
    );
    let doc = "How much too fast the oscillator runs, in parts per million, drawn for each node \
        where it is a range.";
    let drift_ppm =
        section.numbers("drift_ppm", default.clock.drift_ppm, -500_000.0..=500_000.0, doc);
    let doc = "How much slower than normal the processor is; `processing` is multiplied by it.";
    let slowness = section.number("slowness", default.slowness, 1.0..=1e6, doc);
    let doc = "A program instead of the system's own node: the executable and its arguments, \
        started in the scenario's folder. See sdk/PROTOCOL.md.";
    let key = Key { name: "command", kind: "a list of words", range: String::new(), doc };
    let folder = section.reading.folder().map_or_else(PathBuf::new, Path::to_path_buf);
    let command = section.optional(key, read_command, |words| {
        format!("[{}]", words.iter().map(|word| show_text(word)).collect::<Vec<_>>().join(", "))
    });
    let program = command
        .map(|command| ProgramSpec::trusted(command, folder))
        .or_else(|| default.program.clone());
    Own { clock: ClockSpec { offset_ns, drift_ppm }, slowness, program }
}

/// `[nodes.programs]`: who is played by a program, said in one place. What says less (a role) comes
/// before what says more (a node).
fn read_programs(
    section: &mut Section<'_>,
    roles: &[String],
    groups: &BTreeMap<String, Vec<String>>,
    nodes: &mut [NodeSpec],
) {
    let mut table = section.table("programs");
    let doc = "A node, a group, a role or `all`, and the program instead of the system's own \
        nodes: the executable and its arguments, or \
               { command = […], folder = \"…\" } for one that is started elsewhere than in the \
               scenario's folder.";
    if table.reading.is_describing() {
        let key = Key { name: "NAME", kind: "a list of words", range: String::new(), doc };
        table.take(&key, None);
    }
    let here = section.reading.folder().map_or_else(PathBuf::new, Path::to_path_buf);
    let mut found: Vec<(u8, String, ProgramSpec)> = vec![];
    for entry in table.free_entries() {
        let who = entry.key.as_str();
        let rank = match nodes.iter().any(|node| node.name == who) {
            true => 2,
            false if groups.contains_key(who) => 1,
            false if who == EVERYBODY => 0,
            false if roles.iter().any(|role| role == who) => 0,
            false => {
                let known = nodes
                    .iter()
                    .map(|node| node.name.as_str())
                    .chain(groups.keys().map(String::as_str))
                    .chain(roles.iter().map(String::as_str));
                let hint = name_hint(who, "nodes, groups and roles", known);
                table.reading.note_at(
                    format!("`{}` is not a node, group or role", excerpt(who)),
                    &entry.key_at,
                    "unknown",
                    hint,
                );
                continue;
            }
        };
        match read_program(&entry.item, &here) {
            Ok(program) => {
                table.resolve(who, show_program(&program, &here));
                found.push((rank, who.to_owned(), program));
            }
            Err(problem) => table.complain(
                &Key { name: who, kind: "a list of words", range: String::new(), doc },
                problem,
            ),
        }
    }
    found.sort_by_key(|(rank, who, _)| (*rank, who != EVERYBODY));
    for (rank, who, program) in found {
        let plays = |node: &NodeSpec| match rank {
            2 => node.name == who,
            1 => groups[&who].contains(&node.name),
            _ => who == EVERYBODY || node.role == who,
        };
        nodes
            .iter_mut()
            .filter(|node| plays(node))
            .for_each(|node| node.program = Some(program.clone()));
    }
    section.close("programs", table);
}

fn read_program(item: &Item, here: &Path) -> Result<ProgramSpec, Problem> {
    let Value::Table(parts) = &item.value else {
        return Ok(ProgramSpec::trusted(read_command(item)?, here.to_path_buf()));
    };
    let hint = "write { command = [\"python3\", \"node.py\"], folder = \"…\" }";
    let mut program = ProgramSpec::trusted(vec![], here.to_path_buf());
    for entry in &parts.entries {
        match entry.key.as_str() {
            "command" => program.command = read_command(&entry.item)?,
            "folder" => {
                program.folder =
                    here.join(entry.item.text().ok_or_else(|| Problem::found(&entry.item, hint))?)
            }
            _ => return Err(Problem::new(&entry.key_at, "unknown key", hint)),
        }
    }
    if program.command.is_empty() {
        Err(Problem::new(&item.at, "no command", hint))
    } else {
        Ok(program)
    }
}

fn show_program(program: &ProgramSpec, here: &Path) -> String {
    let command = format!(
        "[{}]",
        program.command.iter().map(|word| show_text(word)).collect::<Vec<_>>().join(", ")
    );
    if program.folder == here {
        command
    } else {
        format!(
            "{{ command = {command}, folder = {} }}",
            show_text(&program.folder.display().to_string())
        )
    }
}

fn read_command(item: &Item) -> Result<Vec<String>, Problem> {
    let hint =
        "write the executable and its arguments, as in: command = [\"python3\", \"node.py\"]";
    let Value::List(list) = &item.value else { return Err(Problem::found(item, hint)) };
    if list.is_empty() {
        return Err(Problem::new(&item.at, "no command", hint));
    }
    list.iter()
        .map(|word| word.text().map(str::to_owned).ok_or_else(|| Problem::found(word, hint)))
        .collect()
}

fn read_offset(item: &Item) -> Result<i64, Problem> {
    let nanos = read_signed(item)?;
    if nanos.abs() > OFFSET_MAX_NS {
        return Err(Problem::new(
            &item.at,
            "more than ten years",
            "the most is \"87600h\", ten years, either way",
        ));
    }
    Ok(nanos)
}

/// A node, or with `count` the pattern of several and their names.
fn read_node(
    section: &mut Section<'_>,
    roles: &[String],
    first_role: &str,
    of_all: &Own,
    names: &Names,
    seen: &[String],
) -> Option<(NodeSpec, Option<Vec<String>>)> {
    let name = section.optional_text("name", "Its name. Must be given.");
    let doc = "This many nodes alike, named like this one with a number appended, from 1; the name \
        alone stands for all of them, as a group.";
    let count = section.optional_integer("count", 1..=NODES_MAX, doc);
    let role = section.name(
        "role",
        first_role,
        "roles",
        roles,
        "Its role in the system; the first one where none is given.",
    );
    let own = read_own(section, of_all);
    let reading = section.reading;
    let Some(name) = name else {
        if let (false, Some(at)) = (section.has("name"), &section.at) {
            let hint = "a node of [[nodes.node]] is named, as in: name = \"n1\"";
            reading.note_at(format!("`{}` needs a `name`", section.path), at, "no name", hint);
        }
        return None;
    };
    let at = &section.entry("name").expect("it has a name").item.at;
    if !good_name(reading, &name, at, "node") {
        return None;
    }
    let members: Option<Vec<String>> =
        count.map(|count| (1..=count).map(|number| format!("{name}{number}")).collect());
    for member in members.as_deref().unwrap_or(std::slice::from_ref(&name)) {
        if names.clients.contains(member) {
            let hint = format!("choose another name: clients are c1 to c{}", names.clients.len());
            reading.note_at(format!("`{member}` is the name of a client"), at, "taken", hint);
            return None;
        }
        if seen.contains(member) {
            let hint = "give each a name of its own; `count` makes several alike";
            reading.note_at(
                format!("two nodes are named `{member}`"),
                at,
                "the second of them",
                hint,
            );
            return None;
        }
    }
    Some((
        NodeSpec { name, role, clock: own.clock, slowness: own.slowness, program: own.program },
        members,
    ))
}

/// Whether a name of the file's own can stand in traces and file names; a mistake is noted where
/// not.
pub(super) fn good_name(reading: &Reading, name: &str, at: &At, what: &str) -> bool {
    let letters = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && name.len() <= 32;
    if !letters {
        let message = format!("`{}` cannot name a {what}", excerpt(name));
        let hint = "a name begins with a letter and has at most 32 letters, digits, `-` and `_`";
        reading.note_at(message, at, "not a name", hint);
        return false;
    }
    if TARGET_WORDS.contains(&name) || RESERVED.contains(&name) {
        let message = format!("`{name}` cannot name a {what}");
        reading.note_at(
            message,
            at,
            "has a meaning of its own",
            format!("choose another name, as `{name}-1`"),
        );
        return false;
    }
    true
}

fn read_groups(section: &mut Section<'_>, names: &Names) -> BTreeMap<String, Vec<String>> {
    let mut table = section.table("groups");
    let known: Vec<String> = names.nodes.iter().chain(&names.clients).cloned().collect();
    let doc = "A name and the nodes that it stands for, in targets and links.";
    if table.reading.is_describing() {
        let key = Key { name: "NAME", kind: "a list of names", range: "nodes".into(), doc };
        table.take(&key, None);
    }
    let mut groups = BTreeMap::new();
    for entry in table.free_entries() {
        let good = good_name(table.reading, &entry.key, &entry.key_at, "group");
        if good && known.contains(&entry.key) {
            let message = format!("the group `{}` has the name of a node or a client", entry.key);
            table.reading.note_at(
                message,
                &entry.key_at,
                "taken",
                "choose another name for the group, as `east`",
            );
        }
        let key = Key { name: &entry.key, kind: "a list of names", range: "nodes".into(), doc };
        let members = table.read_names(&key, &entry.item, "nodes", &known);
        if members.is_empty() && matches!(&entry.item.value, Value::List(list) if list.is_empty()) {
            let hint = format!(
                "name its nodes, or take the group out; {}",
                known_hint("nodes", known.iter().map(String::as_str))
            );
            table.reading.note_at(
                format!("the group `{}` has no nodes", excerpt(&entry.key)),
                &entry.item.at,
                "empty",
                hint,
            );
        }
        table.resolve(&entry.key, show_names(&members));
        groups.insert(entry.key.clone(), members);
    }
    section.close("groups", table);
    groups
}
