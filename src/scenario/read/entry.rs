//! `[[nemesis]]`: when a fault begins, how long it lasts, whom it hits.

use std::collections::BTreeSet;
use std::time::Duration;

use super::condition;
use super::fault::{self, fault_name, span};
use super::nodes::{TARGET_WORDS, good_name};
use super::{Names, RUN_MAX};
use crate::error::excerpt;
use crate::scenario::catalog::{FaultGrammar, Hits, Lasting, grammar};
use crate::scenario::faults::{Fault, NemesisEntry, PartitionShape, Repeat, Span, TargetSpec, When};
use crate::scenario::reader::{Key, Problem, Section};
use crate::scenario::reading::{mistake_at, name_hint};
use crate::scenario::tree::{At, Item, Value};
use crate::scenario::units::{show_duration, show_text};
use crate::scenario::values::show_names;

/// Where an entry stands, for messages of the fault model.
#[derive(Clone, Debug)]
pub(crate) struct EntryPlace {
    /// The value of `fault`.
    pub(crate) fault: At,
}

const WHENS: &[&str] = &["at", "after", "when", "every"];

pub(super) fn read_all(root: &mut Section<'_>, names: &Names) -> (Vec<NemesisEntry>, Vec<EntryPlace>) {
    let mut sections = root.tables("nemesis");
    let entry_names = entry_names(&sections);
    let mut entries: Vec<NemesisEntry> = vec![];
    let mut places = vec![];
    for (i, section) in sections.iter_mut().enumerate() {
        let Some((entry, place)) = read_one(section, i, names, &entry_names) else { continue };
        if let Some(first) = entries.iter().position(|known| known.name == entry.name) {
            let at = section.entry("name").map_or(&place.fault, |entry| &entry.item.at);
            let mut mistake = mistake_at(format!("two entries are named `{}`", entry.name), at, "the second of them");
            let first: &EntryPlace = &places[first];
            mistake.also.push(first.fault.label("the first"));
            section.reading.note(mistake);
        }
        entries.push(entry);
        places.push(place);
    }
    judge_circles(&sections, &entries);
    root.close_all("nemesis", sections);
    (entries, places)
}

/// The names of all entries, given or implied, by position; empty where an entry has no fault to be named after.
fn entry_names(sections: &[Section<'_>]) -> Vec<String> {
    let text = |section: &Section<'_>, key: &str| section.entry(key).and_then(|entry| entry.item.text()).map(String::from);
    let implied = |section: &Section<'_>, i: usize| text(section, "fault").map(|fault| format!("{fault}-{}", i + 1));
    sections.iter().enumerate().map(|(i, section)| text(section, "name").or_else(|| implied(section, i)).unwrap_or_default()).collect()
}

fn read_one(section: &mut Section<'_>, i: usize, names: &Names, entry_names: &[String]) -> Option<(NemesisEntry, EntryPlace)> {
    let reading = section.reading;
    let doc = "What happens; the faults and their parameters follow below.";
    let key = Key { name: "fault", kind: "a name", range: "faults".into(), doc };
    let given = section.take(&key, None);
    let info = given.and_then(|entry| fault_name(section, &entry.item)).and_then(grammar);
    if let (None, Some(at)) = (given, &section.at) {
        let mistake = mistake_at(format!("`{}` needs a `fault`", section.path), at, "what happens?");
        reading.note(mistake.hint("as in: fault = \"partition\"; `seedbed list faults` shows them all"));
    }
    if let Some(info) = info {
        section.resolve("fault", show_text(info.name));
    }
    let implied = entry_names.get(i).cloned().unwrap_or_default();
    let name = section.text(
        "name",
        &implied,
        "How other entries and the history call it; left out, the fault and the entry's position: `kill-2`.",
    );
    if let Some(entry) = section.entry("name") {
        good_name(reading, &name, &entry.item.at, "nemesis entry");
    }
    let when = read_when(section, names, entry_names, &name);
    let lasts = read_lasts(section, names, info);
    judge_end(section, names, when.as_ref(), lasts);
    let repeats = matches!(when, Some(When::Every(_)));
    let doc =
        "How often at most. With `every`: without a limit where it is left out. Otherwise 1; a `when` is armed again after each healing.";
    let repeat = Repeat { times: section.optional_integer("repeat", 1..=1_000_000_000, doc).unwrap_or(if repeats { u64::MAX } else { 1 }) };
    if let (Some(entry), Some(When::At(at))) = (section.entry("repeat").filter(|_| repeat.times > 1), &when)
        && at.min == at.max
    {
        let mistake = mistake_at("an entry that begins at one time cannot repeat", &entry.key_at, "no meaning here");
        reading.note(mistake.hint("give `at` a range, from which each time is drawn, or use `every`"));
    }
    let probability = section.number("probability", 1.0, 0.0..=1.0, "Probability that it happens at all when its time has come.");
    let Some(info) = info else {
        // Without a fault the parameters cannot be told from mistakes.
        section.free_entries();
        if reading.is_describing() {
            describe_targets(section);
        }
        return None;
    };
    let fault = fault::read(section, info.name, names, section.has("targets"));
    let targets = read_targets(section, info, fault.as_ref(), names);
    let place = EntryPlace { fault: given?.item.at.clone() };
    let (fault, when) = (fault?, when?);
    judge_shape(section, &fault, names);
    Some((NemesisEntry { name, when, lasts, repeat, probability, targets: targets?, fault }, place))
}

fn read_when(section: &mut Section<'_>, names: &Names, entry_names: &[String], own: &str) -> Option<When> {
    let reading = section.reading;
    section.exclusive(WHENS, "an entry begins in one way: choose `at`, `after`, `when` or `every`");
    let after_name = || section.entry("after").map(|entry| entry.item.at.clone());
    let after_at = after_name();
    let whole = Duration::ZERO..=RUN_MAX;
    let at = section.optional_durations("at", whole.clone(), "When it begins; drawn where it is a range.");
    let every = section.optional_durations(
        "every",
        Duration::from_millis(1)..=RUN_MAX,
        "It begins again and again, this far apart, until the end of `duration`.",
    );
    let known: Vec<String> = entry_names.iter().filter(|name| !name.is_empty()).cloned().collect();
    let after = section.optional_name("after", "nemesis entries", &known, "It begins after another entry, by name, has begun.");
    if section.reading.is_describing() {
        let key = Key { name: "when", kind: "a condition", range: String::new(), doc: "It begins as soon as a condition holds." };
        section.take(&key, None);
    }
    let condition = read_condition(section, names);
    let mut delay = Span { min: Duration::ZERO, max: Duration::ZERO };
    let mut ended = false;
    if after.is_some() || condition.is_some() || reading.is_describing() {
        let zero = (Duration::ZERO, Duration::ZERO);
        delay = span(section, "delay", zero, whole, "With `after` and `when`: so much later.");
    } else {
        misplaced(section, "delay", "`delay` goes with `after` or `when`");
    }
    if after.is_some() || reading.is_describing() {
        ended = section.flag("after_end", false, "With `after`: once the other entry has healed, not when it begins.");
    } else {
        misplaced(section, "after_end", "`after_end` goes with `after`");
    }
    if let (Some(after), Some(at)) = (after.as_ref().filter(|after| *after == own), &after_at) {
        reading.note_at(format!("`{after}` cannot come after itself"), at, "this entry");
    }
    let late = |begins: Duration, key: &str| {
        if let Some(entry) = section.entry(key).filter(|_| begins >= names.duration) {
            let label = format!("the faults end at {}", show_duration(names.duration));
            let mistake = mistake_at(format!("`{}` is after the end of `duration`", section.full(key)), &entry.item.at, label);
            reading.note(mistake.hint("let it begin earlier, or make `duration` longer; `recovery` has no faults"));
        }
    };
    if let Some((_, last)) = at {
        late(last, "at");
    }
    if let Some((first, _)) = every {
        late(first, "every");
    }
    if !WHENS.iter().any(|key| section.has(key))
        && let Some(at) = &section.at
    {
        let mistake = mistake_at(format!("`{}` never begins", section.path), at, "no `at`, `after`, `when` or `every`");
        reading.note(mistake.hint("as in: at = \"5s\""));
    }
    let of = |(min, max)| Span { min, max };
    // In the order of WHENS, so that of two that exclude each other the first counts.
    at.map(of)
        .map(When::At)
        .or(after.map(|entry| When::After { entry, delay, ended }))
        .or(condition.map(|condition| When::Condition { condition, delay }))
        .or(every.map(of).map(When::Every))
}

fn read_condition(section: &mut Section<'_>, names: &Names) -> Option<crate::scenario::faults::Condition> {
    if !section.has("when") {
        section.allow("when");
        return None;
    }
    let mut inner = section.table("when");
    inner.title = "condition".into();
    inner.table?;
    let condition = condition::read(&mut inner, names);
    section.close_inline("when", inner);
    condition
}

fn misplaced(section: &mut Section<'_>, key: &'static str, why: &str) {
    section.allow(key);
    let begins = section.has("after") || section.has("when");
    if let Some(entry) = section.entry(key).filter(|_| !begins || key == "after_end") {
        section.reading.note_at(why, &entry.key_at, "no meaning here");
    }
}

fn read_lasts(section: &mut Section<'_>, names: &Names, info: Option<&FaultGrammar>) -> Option<Span> {
    match info.map(|info| (info.lasting, info.name)) {
        Some((Lasting::Down, name)) => {
            section.allow("duration");
            if let Some(entry) = section.entry("duration") {
                let mistake = mistake_at(format!("`{name}` has no `duration`"), &entry.key_at, "no meaning here");
                section.reading.note(mistake.hint("how long the node is down is `down`"));
            }
            return None;
        }
        Some((Lasting::Instant, name)) => {
            section.allow("duration");
            if let Some(entry) = section.entry("duration") {
                section.reading.note_at(format!("`{name}` has no `duration`: it happens at once"), &entry.key_at, "no meaning here");
            }
            return None;
        }
        _ => {}
    }
    let doc = "How long it lasts, drawn where it is a range; left out, until the end of the scenario's `duration`.";
    let lasts = section.optional_durations("duration", Duration::ZERO..=RUN_MAX, doc).map(|(min, max)| Span { min, max });
    if let (Some(lasts), Some(entry)) = (lasts, section.entry("duration"))
        && lasts.min > names.duration
    {
        let label = format!("longer than the scenario's {}", show_duration(names.duration));
        let mistake = mistake_at(format!("`{}` is longer than the run", section.full("duration")), &entry.item.at, label);
        section.reading.note(mistake.hint("leave it out to let the fault last until the end"));
        return None;
    }
    lasts
}

/// A fault that cannot but outlast the load was meant otherwise: everything heals at the end of `duration`.
fn judge_end(section: &Section<'_>, names: &Names, when: Option<&When>, lasts: Option<Span>) {
    let (Some(When::At(begins)), Some(lasts), Some(entry)) = (when, lasts, section.entry("duration")) else { return };
    let end = begins.min.saturating_add(lasts.min);
    if end > names.duration && begins.max < names.duration {
        let label = format!("it would end at {}, and all heals at {}", show_duration(end), show_duration(names.duration));
        let mistake = mistake_at(format!("`{}` reaches beyond the scenario's `duration`", section.full("duration")), &entry.item.at, label);
        section.reading.note(mistake.hint("leave it out to let the fault last until the end, or make the scenario's `duration` longer"));
    }
}

/// Entries that wait for each other never begin.
fn judge_circles(sections: &[Section<'_>], entries: &[NemesisEntry]) {
    for section in sections {
        let Some(after) = section.entry("after") else { continue };
        let Some(own) = entries.iter().find(|entry| Some(entry.name.as_str()) == name_of(section, entries)) else { continue };
        let mut seen = BTreeSet::new();
        let mut next = own;
        while let When::After { entry, .. } = &next.when {
            if !seen.insert(entry) {
                break;
            }
            if *entry == own.name {
                // An entry after itself has a message of its own.
                if next.name != own.name {
                    section.reading.note_at(
                        "these entries wait for each other",
                        &after.item.at,
                        format!("`{}` waits for this one", next.name),
                    );
                }
                break;
            }
            let Some(found) = entries.iter().find(|other| other.name == *entry) else { break };
            next = found;
        }
    }
}

fn name_of<'n>(section: &Section<'_>, entries: &'n [NemesisEntry]) -> Option<&'n str> {
    let position = section.path.rsplit('.').next()?.parse::<usize>().ok()?;
    let given = section.entry("name").and_then(|entry| entry.item.text());
    let implied = section.entry("fault").and_then(|entry| entry.item.text()).map(|fault| format!("{fault}-{position}"));
    entries.iter().map(|entry| entry.name.as_str()).find(|name| Some(*name) == given.or(implied.as_deref()))
}

const TARGETS_DOC: &str = "Whom it hits: one, minority, majority, leader, followers, follower, all, random; a number of nodes; a list of nodes, \
                           groups and (for faults of links) clients; or { role = \"…\" }.";

fn describe_targets(section: &mut Section<'_>) {
    let key = Key { name: "targets", kind: "a word, a number, a list of names or a role", range: String::new(), doc: TARGETS_DOC };
    section.take(&key, None);
}

fn read_targets(section: &mut Section<'_>, info: &FaultGrammar, fault: Option<&Fault>, names: &Names) -> Option<TargetSpec> {
    let key = Key { name: "targets", kind: "a word, a number, a list of names or a role", range: String::new(), doc: TARGETS_DOC };
    let given = section.take(&key, None);
    if let (Some(why), Some(fault)) = (fault.and_then(targetless), fault) {
        if let Some(entry) = given {
            let name = crate::nemesis::fault_name(fault);
            section.reading.note_at(format!("`{name}` takes no targets here: {why}"), &entry.key_at, "no meaning here");
        }
        return Some(TargetSpec::All);
    }
    let Some(entry) = given else {
        // Any node may be the bridge.
        let bridge = matches!(
            fault,
            Some(Fault::Partition { shape: PartitionShape::Bridge, .. } | Fault::Flap { shape: PartitionShape::Bridge, .. })
        );
        let default = if bridge { "all" } else { info.targets };
        section.resolve("targets", show_text(default));
        return word(default);
    };
    let targets = parse_targets(section, &key, &entry.item, info, names)?;
    section.resolve("targets", show_targets(&targets));
    judge_targets(section, &targets, &entry.item, names);
    Some(targets)
}

/// Why the targets of an entry have no meaning; `None`: they have one.
fn targetless(fault: &Fault) -> Option<&'static str> {
    match fault {
        Fault::Partition { shape, .. } | Fault::Flap { shape, .. } => match shape {
            PartitionShape::One | PartitionShape::Between(_) => None,
            // The targets bridge.
            PartitionShape::Bridge => None,
            PartitionShape::Groups(groups) if groups.concat().iter().any(|name| name == "targets") => None,
            _ => Some("this shape parts all nodes"),
        },
        Fault::Hold { src, dest, .. } | Fault::Drop { src, dest, .. } | Fault::Delay { src, dest, .. } => {
            let stands = (src.is_empty() && dest.is_empty()) || src.iter().chain(dest).any(|name| name == "targets");
            (!stands).then_some("`src` and `dest` say which messages, and neither names `targets`")
        }
        _ => None,
    }
}

fn parse_targets(section: &Section<'_>, key: &Key<'_>, item: &Item, info: &FaultGrammar, names: &Names) -> Option<TargetSpec> {
    let reading = section.reading;
    if let Some(found) = item.text().and_then(word) {
        return Some(found);
    }
    match &item.value {
        Value::Integer(Some(count)) => match u32::try_from(*count).ok().filter(|count| *count >= 1) {
            Some(count) => return Some(TargetSpec::Count(count)),
            None => section.complain(key, Problem::new(&item.at, "at least 1 node")),
        },
        Value::Table(table) => {
            let known: Vec<String> = names.system.map_or(vec![], |system| system.roles().iter().map(ToString::to_string).collect());
            let mut inner = section.of_item("targets", table, &item.at, "targets");
            let role = match names.system {
                Some(_) => inner.optional_name("role", "roles", &known, "All nodes of this role."),
                None => inner.optional_text("role", "All nodes of this role."),
            };
            if role.is_none() && !inner.has("role") {
                section.complain(key, Problem::new(&item.at, "no `role`").hint("as in: targets = { role = \"peer\" }"));
            }
            inner.finish();
            return role.map(TargetSpec::Role);
        }
        Value::Text(text) if !known_name(names, text) => {
            let words = TARGET_WORDS.iter().copied();
            let all: Vec<&str> = words.chain(names.nodes.iter().chain(&names.groups).map(String::as_str)).collect();
            let mistake = mistake_at(format!("there is no target `{}`", excerpt(text)), &item.at, "neither a word nor a name");
            let near = name_hint(text, "nodes", all.iter().copied());
            // Where the names are too many to be listed, the words still are few.
            let listed = near.starts_with("did") || near.starts_with("known");
            let hint = if listed { near } else { format!("{near}; the words are {}", TARGET_WORDS.join(", ")) };
            reading.note(mistake.hint(hint));
        }
        Value::Text(_) | Value::List(_) => {
            // A client has links and a clock of its own, but no process that could be killed and no disk.
            let mut known: Vec<String> = names.nodes.iter().chain(&names.groups).cloned().collect();
            let clients = info.hits != Hits::Nodes;
            if clients {
                known.extend(names.clients.iter().cloned());
            } else if let Some(client) = first_client(item, names) {
                let mistake = mistake_at(format!("`{}` cannot hit a client", info.name), &client.at, "a client");
                reading.note(mistake.hint("only faults of links and clocks reach clients"));
                return None;
            }
            let found = section.read_names(key, item, if clients { "nodes, groups or clients" } else { "nodes or groups" }, &known);
            if let Value::List(list) = &item.value
                && list.is_empty()
            {
                section.complain(key, Problem::new(&item.at, "nobody"));
            }
            return (!found.is_empty()).then_some(TargetSpec::Names(found));
        }
        _ => section.complain(key, Problem::found(item)),
    }
    None
}

fn first_client<'i>(item: &'i Item, names: &Names) -> Option<&'i Item> {
    let is_client = |item: &Item| item.text().is_some_and(|text| names.clients.iter().any(|client| client == text));
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

fn show_targets(targets: &TargetSpec) -> String {
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
fn judge_targets(section: &Section<'_>, targets: &TargetSpec, item: &Item, names: &Names) {
    let count = names.nodes.len();
    let reading = section.reading;
    let nodes = if count == 1 { "is one node".to_string() } else { format!("are {count} nodes") };
    match targets {
        TargetSpec::Count(wanted) if *wanted as usize > count => {
            reading.note_at(
                format!("`{}` asks for more nodes than there are", section.full("targets")),
                &item.at,
                format!("there {nodes}"),
            );
        }
        TargetSpec::Role(role) if !names.roles.contains(role) => {
            reading.note_at(format!("no node has the role `{role}`"), &item.at, "nobody");
        }
        TargetSpec::Follower | TargetSpec::Followers if count == 1 => {
            reading.note_at("a single node has no followers", &item.at, "nobody");
        }
        TargetSpec::Leader | TargetSpec::Follower | TargetSpec::Followers => {
            let led = names.system.is_none_or(|system| system.metrics().iter().any(|metric| metric.name == "role"));
            if !led {
                let mistake = mistake_at(format!("`{}` has no leader", section.full("targets")), &item.at, "nobody leads");
                reading.note(mistake.note("a leader is a node whose metric `role` is `leader`, and this system has no such metric"));
            }
        }
        _ => {}
    }
}

/// Partitions that need more nodes than there are.
pub(super) fn judge_shape(section: &Section<'_>, fault: &Fault, names: &Names) {
    let (Fault::Partition { shape, .. } | Fault::Flap { shape, .. }) = fault else { return };
    let (least, what) = match shape {
        PartitionShape::Bridge | PartitionShape::MajoritiesRing => (3, "three nodes"),
        PartitionShape::Groups(groups) => {
            if groups.is_empty()
                && !section.has("groups")
                && let Some(entry) = section.entry("shape")
            {
                let mistake = mistake_at("the shape `groups` needs `groups`", &entry.item.at, "which groups?");
                section.reading.note(mistake.hint("as in: groups = [[\"n1\", \"n2\"], [\"n3\", \"n4\", \"n5\"]]"));
            }
            return;
        }
        PartitionShape::Between(others) => {
            if others.is_empty()
                && !section.has("between")
                && let Some(entry) = section.entry("shape")
            {
                let mistake = mistake_at("the shape `between` needs `between`", &entry.item.at, "between the targets and whom?");
                section.reading.note(mistake.hint("as in: targets = [\"n1\"], between = [\"n3\"]"));
            }
            return;
        }
        _ => (2, "two nodes"),
    };
    if names.nodes.len() < least
        && let Some(entry) = section.entry("shape").or(section.entry("fault"))
    {
        let label = if names.nodes.len() == 1 { "there is one".into() } else { format!("there are {}", names.nodes.len()) };
        section.reading.note_at(format!("this partition needs {what}"), &entry.item.at, label);
    }
}
