//! A module imports only from below. The order is the table in `src/lib.rs`; every path of the
//! source is followed to the module that declares what it names.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::{Crate, Edge};
use crate::source::root;

/// Paths that still point upward: from a module, to a module, until when. An entry that no path
/// needs fails the test.
const UPWARD: &[(&str, &str)] = &[];

/// Modules of one parent that still use each other in a circle, by any one of them.
const CIRCLES: &[&str] = &[
    "checkers::linearizable::key",
    "faults::fault",
    "grade::assignment::items",
    "language::reader",
    "program::child",
    "scenario::read",
    "sim::driver",
];

/// The rooms that another room may import from: a system that is built on another.
pub const BUILT_ON: &[(&str, &str)] = &[("audio", "raft"), ("replication", "zookeeper")];

/// The modules in their order, from the ground up, as the table of `src/lib.rs` lists them.
fn order() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let mut order = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [floor, modules, ..] = cells.as_slice() else { continue };
        if floor.parse::<u32>().is_ok() {
            let names = modules.split('`').skip(1).step_by(2);
            order.extend(names.map(|name| name.trim_end_matches("/*").to_owned()));
        }
    }
    assert!(order.len() > 10, "src/lib.rs has no table of layers: {order:?}");
    order
}

/// Why a path may not be there.
fn complaint(edge: &Edge, order: &[String], rooms: &BTreeSet<String>) -> Option<String> {
    let top = edge.from.first()?;
    let rank = |name: &str| {
        order.iter().position(|module| module == name).unwrap_or_else(|| {
            panic!("`{name}` is not in the table of layers of src/lib.rs");
        })
    };
    match edge.to.first() {
        None => Some("the root stands above everything".to_owned()),
        Some(to) if to == top => (top == "systems").then(|| between_rooms(edge, rooms)).flatten(),
        Some(to) => (rank(to) > rank(top)).then(|| format!("`{to}` stands above `{top}`")),
    }
}

/// What stands above the list of systems: reading and building a scenario of any that is known.
const ABOVE_THE_LIST: &[&str] = &["reading", "builder"];

/// Inside of `systems`: what serves all of them, then the rooms, then the list of them.
fn between_rooms(edge: &Edge, rooms: &BTreeSet<String>) -> Option<String> {
    let (from, to) = (edge.from.get(1)?, edge.to.get(1));
    if ABOVE_THE_LIST.contains(&from.as_str()) {
        return None;
    }
    let Some(to) = to else {
        return Some("the list of systems stands above the systems".to_owned());
    };
    if ABOVE_THE_LIST.contains(&to.as_str()) {
        return Some(format!("`{to}` knows all systems, and stands above them"));
    }
    if from == to || !rooms.contains(to) {
        return None;
    }
    if !rooms.contains(from) {
        return Some(format!("`{from}` serves all systems and may not know `{to}`"));
    }
    let listed =
        BUILT_ON.iter().any(|(above, below)| (above, below) == (&from.as_str(), &to.as_str()));
    (!listed).then(|| format!("`{from}` is not built on `{to}`"))
}

/// The folders below `systems`: a room is a folder.
pub fn rooms(all: &Crate) -> BTreeSet<String> {
    let is_room = |name: &String| root().join("src/systems").join(name).is_dir();
    all.modules()
        .filter(|path| path.len() == 2 && path[0] == "systems")
        .map(|path| path[1].clone())
        .filter(is_room)
        .collect()
}

/// Whether a module is this one or below it.
fn is_below(path: &[String], name: &str) -> bool {
    let path = path.join("::");
    path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"))
}

#[test]
fn every_path_points_downward() {
    let all = Crate::read();
    let (order, rooms) = (order(), rooms(&all));
    let declared: BTreeSet<&String> =
        all.modules().filter(|path| path.len() == 1).map(|path| &path[0]).collect();
    let listed: BTreeSet<&String> =
        order.iter().filter(|name| *name != "main" && *name != "guest").collect();
    assert_eq!(declared, listed, "the table of src/lib.rs lists each module once");
    let mut unused: BTreeSet<_> = UPWARD.iter().collect();
    let mut upward = Vec::new();
    for edge in all.edges() {
        let Some(complaint) = complaint(&edge, &order, &rooms) else { continue };
        let excuse =
            UPWARD.iter().find(|(from, to)| is_below(&edge.from, from) && is_below(&edge.to, to));
        match excuse {
            Some(excuse) => drop(unused.remove(excuse)),
            None => upward.push(format!(
                "{}:{}: `{}` leads to `{}`: {complaint}",
                edge.file,
                edge.line,
                edge.shown,
                edge.to.join("::")
            )),
        }
    }
    assert!(upward.is_empty(), "{} paths point upward: {upward:#?}", upward.len());
    assert!(unused.is_empty(), "no path needs these exceptions any more: {unused:?}");
}

/// Below one parent too, no two modules need each other: one of them can be read first.
#[test]
fn no_modules_use_each_other_in_a_circle() {
    let edges = Crate::read().edges();
    let mut uses: BTreeMap<Vec<String>, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for edge in &edges {
        let common = edge.from.iter().zip(&edge.to).take_while(|(a, b)| a == b).count();
        if let (Some(from), Some(to)) = (edge.from.get(common), edge.to.get(common)) {
            let siblings = uses.entry(edge.from[..common].to_vec()).or_default();
            siblings.entry(from).or_default().insert(to);
        }
    }
    let mut unused: BTreeSet<_> = CIRCLES.iter().collect();
    let mut found = Vec::new();
    for (parent, uses) in &uses {
        // The files of one protocol are one state machine, whose parts call each other.
        if parent.len() > 1 && parent[0] == "systems" {
            continue;
        }
        for circle in circles(uses) {
            let named: Vec<String> = circle
                .iter()
                .map(|name| {
                    parent.iter().map(String::as_str).chain([*name]).collect::<Vec<_>>().join("::")
                })
                .collect();
            match CIRCLES.iter().find(|excuse| named.iter().any(|name| name == **excuse)) {
                Some(excuse) => drop(unused.remove(excuse)),
                None => found.push(named.join(" <-> ")),
            }
        }
    }
    assert!(found.is_empty(), "modules use each other: {found:#?}");
    assert!(unused.is_empty(), "these circles are gone: {unused:?}");
}

/// The largest groups of names of which each reaches each other.
fn circles<'a>(uses: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<BTreeSet<&'a str>> {
    let reached = |start: &'a str| {
        let mut reached = BTreeSet::new();
        let mut open = vec![start];
        while let Some(name) = open.pop() {
            for next in uses.get(name).into_iter().flatten() {
                if reached.insert(*next) {
                    open.push(next);
                }
            }
        }
        reached
    };
    let all: BTreeMap<&str, BTreeSet<&str>> =
        uses.keys().map(|name| (*name, reached(name))).collect();
    let mut circles = Vec::new();
    let mut done = BTreeSet::new();
    for (name, below) in &all {
        if below.contains(name) && !done.contains(name) {
            let circle: BTreeSet<&str> = below
                .iter()
                .copied()
                .filter(|other| all.get(other).is_some_and(|theirs| theirs.contains(name)))
                .collect();
            done.extend(circle.iter().copied());
            circles.push(circle);
        }
    }
    circles
}
