//! What belongs to a system is in its room, `src/systems/<name>/`, and within a room the protocol
//! knows nothing of what judges it, nor the judges of how it works.

use crate::layers::{BUILT_ON, rooms};
use crate::modules::{Crate, Edge};
use crate::source::{offences, refuse, sources};

// What is not done yet, by path; an entry that is done fails its test.
const CHECKS_WITH_PROTOCOLS: &[&str] = &[];
const PROTOCOLS_WITH_CHECKS: &[&str] = &["src/systems/audio/complaints.rs"];
const OUTSIDE_OF_THEIR_ROOM: &[&str] = &[];
const WITHOUT_GUARDS: &[&str] = &[];

/// What a check may import of the systems' floor beside its own room's vocabulary and checks.
const SHARED_WITH_CHECKS: &[&str] = &["system", "vocabulary"];

/// A check may import the vocabulary and the checks of its room, and the checks of a system that
/// its own is built on; a plot may import all of that too.
fn may_import(edge: &Edge) -> bool {
    let (part, to) = (edge.from[2].as_str(), edge.to.as_slice());
    if to.first().is_none_or(|top| top != "systems") {
        return true;
    }
    match to {
        [_, shared] => SHARED_WITH_CHECKS.contains(&shared.as_str()),
        [_, room, of_room, ..] if *room == edge.from[1] => {
            of_room == "vocabulary" || of_room == part || part == "plots" && of_room == "checks"
        }
        [_, room, of_room, ..] => {
            BUILT_ON.contains(&(edge.from[1].as_str(), room)) && of_room == "checks"
        }
        _ => false,
    }
}

fn show(edge: &Edge) -> String {
    format!("{}:{}: `{}` leads to `{}`", edge.file, edge.line, edge.shown, edge.to.join("::"))
}

/// A check that shared code with the protocol would share its mistakes: it would call wrong right.
#[test]
fn checks_and_plots_know_nothing_of_the_protocol() {
    let all = Crate::read();
    let wrong: Vec<String> = all
        .edges()
        .iter()
        .filter(|edge| {
            edge.from.len() >= 3
                && edge.from[0] == "systems"
                && (edge.from[2] == "checks" || edge.from[2] == "plots")
        })
        .filter(|edge| !may_import(edge))
        .map(show)
        .collect();
    refuse("checks and plots import from a protocol", &wrong, CHECKS_WITH_PROTOCOLS);
}

/// The other way round: only the room's `mod.rs`, which lists them, names checks and plots.
#[test]
fn protocols_know_nothing_of_their_checks() {
    let all = Crate::read();
    let rooms = rooms(&all);
    let wrong: Vec<String> = all
        .edges()
        .iter()
        .filter(|edge| {
            let judges = |path: &[String]| {
                path.first().is_some_and(|top| top == "checkers" || top == "plots")
                    || path.get(2).is_some_and(|part| part == "checks" || part == "plots")
            };
            edge.from.len() >= 3
                && edge.from[0] == "systems"
                && rooms.contains(&edge.from[1])
                && !judges(&edge.from)
                && judges(&edge.to)
        })
        .map(show)
        .collect();
    refuse("a protocol imports its checks or plots", &wrong, PROTOCOLS_WITH_CHECKS);
}

/// Nothing of one system stands outside of its room.
#[test]
fn no_system_has_a_folder_elsewhere() {
    let rooms = rooms(&Crate::read());
    let strays: Vec<String> = sources(&["src/checkers", "src/plots"], &["rs"])
        .into_iter()
        .map(|source| source.path)
        .filter(|path| rooms.iter().any(|room| path.contains(&format!("/{room}/"))))
        .collect();
    refuse("these belong into src/systems/<name>/", &strays, OUTSIDE_OF_THEIR_ROOM);
}

/// A defect is one named guard beside the right rule, `plants(Defect::…)`. Nothing asks whether any
/// is planted: an invariant holds unless the very defect that breaks it is there.
#[test]
fn a_defect_is_asked_for_by_its_name() {
    let any = offences("src/systems", |line| {
        line.contains(".any()") || line.contains(".has(Defect::") || line.contains("Flaw::")
    });
    refuse("a defect is asked for in another way", &any, WITHOUT_GUARDS);
}

/// What is switched off is switched off for one item, with the reason beside it.
#[test]
fn no_lint_is_switched_off_without_a_reason() {
    let without: Vec<String> = offences("src", |line| {
        let line = line.trim();
        line.starts_with("#![allow")
            || line.starts_with("#[allow(") && line.ends_with(")]") && !line.contains("reason")
    });
    assert!(without.is_empty(), "{without:#?}");
}
