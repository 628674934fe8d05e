//! `[[nemesis]]`: when a fault begins and how long it lasts.

use std::collections::BTreeSet;
use std::time::Duration;

use super::condition;
use super::nodes::good_name;
use super::{RUN_MAX, targets};
use crate::error::nearest;
use crate::faults::Names;
use crate::faults::{Fault, Lasting};
use crate::language::Span;
use crate::language::reader::{Key, Problem, Section};
use crate::language::reading::{known_hint, mistake_at};
use crate::language::tree::{At, Item};
use crate::language::units::{show_duration, show_text};
use crate::language::values::unknown_name;
use crate::scenario::nemesis::{NemesisEntry, Repeat, When};

/// Where an entry stands, for messages of the fault model.
#[derive(Clone, Debug)]
pub(crate) struct EntryPlace {
    /// The value of `fault`.
    pub(crate) fault: At,
}

const WHENS: &[&str] = &["at", "after", "when", "every"];

pub(super) fn read_all(
    root: &mut Section<'_>,
    names: &Names,
) -> (Vec<NemesisEntry>, Vec<EntryPlace>) {
    let mut sections = root.tables("nemesis");
    let entry_names = entry_names(&sections);
    let mut entries: Vec<NemesisEntry> = vec![];
    let mut places = vec![];
    for (i, section) in sections.iter_mut().enumerate() {
        let Some((entry, place)) = read_one(section, i, names, &entry_names) else { continue };
        if let Some(first) = entries.iter().position(|known| known.name == entry.name) {
            let at = section.entry("name").map_or(&place.fault, |entry| &entry.item.at);
            let message = format!("two entries are named `{}`", entry.name);
            let mut mistake =
                mistake_at(message, at, "the second of them", "give each a `name` of its own");
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

/// The names of all entries, given or implied, by position; empty where an entry has no fault to be
/// named after.
fn entry_names(sections: &[Section<'_>]) -> Vec<String> {
    let text = |section: &Section<'_>, key: &str| {
        section.entry(key).and_then(|entry| entry.item.text()).map(String::from)
    };
    let implied = |section: &Section<'_>, i: usize| {
        text(section, "fault").map(|fault| format!("{fault}-{}", i + 1))
    };
    sections
        .iter()
        .enumerate()
        .map(|(i, section)| {
            text(section, "name").or_else(|| implied(section, i)).unwrap_or_default()
        })
        .collect()
}

fn read_one(
    section: &mut Section<'_>,
    i: usize,
    names: &Names,
    entry_names: &[String],
) -> Option<(NemesisEntry, EntryPlace)> {
    let reading = section.reading;
    let doc = "What happens; the faults and their parameters follow below.";
    let key = Key { name: "fault", kind: "a name", range: "faults".into(), doc };
    let given = section.take(&key, None);
    let info = given.and_then(|entry| names.fault(section, &entry.item));
    if let (None, Some(at)) = (given, &section.at) {
        let hint = "as in: fault = \"partition\"; `seedbed list faults` shows them all";
        reading.note_at(format!("`{}` needs a `fault`", section.path), at, "what happens?", hint);
    }
    if let Some(info) = info {
        section.resolve("fault", show_text(info.name));
    }
    let implied = entry_names.get(i).cloned().unwrap_or_default();
    let name = section.text(
        "name",
        &implied,
        "How other entries and the history call it; left out, the fault and the entry's position: \
            `kill-2`.",
    );
    if let Some(entry) = section.entry("name") {
        good_name(reading, &name, &entry.item.at, "nemesis entry");
    }
    let when = read_when(section, names, entry_names, &name);
    let lasts = read_lasts(section, names, info);
    judge_end(section, names, when.as_ref(), lasts);
    let repeats = matches!(when, Some(When::Every(_)));
    let doc = "How often at most. With `every`: without a limit where it is left out. Otherwise 1; \
        a `when` is armed again after each healing.";
    let repeat =
        Repeat {
            times: section
                .optional_integer("repeat", 1..=1_000_000_000, doc)
                .unwrap_or(if repeats { u64::MAX } else { 1 }),
        };
    if let (Some(entry), Some(When::At(at))) =
        (section.entry("repeat").filter(|_| repeat.times > 1), &when)
        && at.min == at.max
    {
        let hint = "give `at` a range, from which each time is drawn, or use `every`";
        reading.note_at(
            "an entry that begins at one time cannot repeat",
            &entry.key_at,
            "no meaning here",
            hint,
        );
    }
    let probability = section.number(
        "probability",
        1.0,
        0.0..=1.0,
        "Probability that it happens at all when its time has come.",
    );
    let Some(info) = info else {
        // Without a fault the parameters cannot be told from mistakes.
        section.free_entries();
        if reading.is_describing() {
            targets::describe(section);
        }
        return None;
    };
    let targeted = section.has("targets");
    let fault = (info.read)(section, names, targeted);
    let whom = targets::read(section, info, fault.as_ref(), names);
    let place = EntryPlace { fault: given?.item.at.clone() };
    let (fault, when) = (fault?, when?);
    fault.judge(section, names);
    Some((NemesisEntry { name, when, lasts, repeat, probability, targets: whom?, fault }, place))
}

fn read_when(
    section: &mut Section<'_>,
    names: &Names,
    entry_names: &[String],
    own: &str,
) -> Option<When> {
    let reading = section.reading;
    section.exclusive(WHENS, "an entry begins in one way: choose `at`, `after`, `when` or `every`");
    let after_name = || section.entry("after").map(|entry| entry.item.at.clone());
    let after_at = after_name();
    let whole = Duration::ZERO..=RUN_MAX;
    let at = section.optional_durations(
        "at",
        whole.clone(),
        "When it begins; drawn where it is a range.",
    );
    let every = section.optional_durations(
        "every",
        Duration::from_millis(1)..=RUN_MAX,
        "It begins again and again, this far apart, until the end of `duration`.",
    );
    let doc = "It begins after another entry, by name, has begun.";
    let key = Key { name: "after", kind: "a name", range: ENTRIES.into(), doc };
    let after = section.optional(
        key,
        |item| read_entry_name(item, entry_names, own),
        |name| show_text(name),
    );
    if section.reading.is_describing() {
        let key = Key {
            name: "when",
            kind: "a condition",
            range: String::new(),
            doc: "It begins as soon as a condition holds.",
        };
        section.take(&key, None);
    }
    let condition = read_condition(section, names);
    let mut delay = Span { min: Duration::ZERO, max: Duration::ZERO };
    let mut ended = false;
    if after.is_some() || condition.is_some() || reading.is_describing() {
        let zero = (Duration::ZERO, Duration::ZERO);
        delay = section.span("delay", zero, whole, "With `after` and `when`: so much later.");
    } else {
        misplaced(
            section,
            "delay",
            "`delay` goes with `after` or `when`",
            "take it out, or add it to `at`",
        );
    }
    if after.is_some() || reading.is_describing() {
        ended = section.flag(
            "after_end",
            false,
            "With `after`: once the other entry has healed, not when it begins.",
        );
    } else {
        misplaced(
            section,
            "after_end",
            "`after_end` goes with `after`",
            "take it out, or name the entry to wait for: after = \"…\"",
        );
    }
    if let (Some(after), Some(at)) = (after.as_ref().filter(|after| *after == own), &after_at) {
        let hint = other_entries(entry_names, own);
        reading.note_at(format!("`{after}` cannot come after itself"), at, "this entry", hint);
    }
    let late = |begins: Duration, key: &str| {
        if let Some(entry) = section.entry(key).filter(|_| begins >= names.duration) {
            let label = format!("the faults end at {}", show_duration(names.duration));
            let hint = "let it begin earlier, or make `duration` longer; `recovery` has no faults";
            reading.note_at(
                format!("`{}` is after the end of `duration`", section.full(key)),
                &entry.item.at,
                label,
                hint,
            );
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
        let label = "no `at`, `after`, `when` or `every`";
        reading.note_at(
            format!("`{}` never begins", section.path),
            at,
            label,
            "as in: at = \"5s\"",
        );
    }
    let of = |(min, max)| Span { min, max };
    // In the order of WHENS, so that of two that exclude each other the first counts.
    at.map(of)
        .map(When::At)
        .or(after.map(|entry| When::After { entry, delay, ended }))
        .or(condition.map(|condition| When::Condition { condition, delay }))
        .or(every.map(of).map(When::Every))
}

fn read_condition(
    section: &mut Section<'_>,
    names: &Names,
) -> Option<crate::scenario::nemesis::Condition> {
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

/// What `after` names.
const ENTRIES: &str = "nemesis entries";

/// The name of an entry. Its own is a name too: what is wrong with it is said where the entry is
/// judged.
fn read_entry_name(item: &Item, entry_names: &[String], own: &str) -> Result<String, Problem> {
    let Some(name) = item.text() else {
        return Err(Problem::found(item, other_entries(entry_names, own)));
    };
    if !name.is_empty() && entry_names.iter().any(|known| known == name) {
        return Ok(name.into());
    }
    let others =
        entry_names.iter().map(String::as_str).filter(|known| *known != own && !known.is_empty());
    let hint = nearest(name, others)
        .map_or_else(|| other_entries(entry_names, own), |near| format!("did you mean `{near}`?"));
    Err(unknown_name(item, name, ENTRIES, hint))
}

fn other_entries(entry_names: &[String], own: &str) -> String {
    let others: Vec<&str> = entry_names
        .iter()
        .map(String::as_str)
        .filter(|known| *known != own && !known.is_empty())
        .collect();
    match others.is_empty() {
        true => {
            "there is no other entry to come after: let this one begin with `at`, `when` or `every`"
                .into()
        }
        false => known_hint("entries", others),
    }
}

fn misplaced(section: &mut Section<'_>, key: &'static str, why: &str, hint: &str) {
    section.allow(key);
    let begins = section.has("after") || section.has("when");
    if let Some(entry) = section.entry(key).filter(|_| !begins || key == "after_end") {
        section.reading.note_at(why, &entry.key_at, "no meaning here", hint);
    }
}

fn read_lasts(section: &mut Section<'_>, names: &Names, info: Option<&Fault>) -> Option<Span> {
    match info.map(|info| (info.lasting, info.name)) {
        Some((Lasting::Down, name)) => {
            section.allow("duration");
            if let Some(entry) = section.entry("duration") {
                let hint = "how long the node is down is `down`: write down = \"2s\"";
                section.reading.note_at(
                    format!("`{name}` has no `duration`"),
                    &entry.key_at,
                    "no meaning here",
                    hint,
                );
            }
            return None;
        }
        Some((Lasting::Instant, name)) => {
            section.allow("duration");
            if let Some(entry) = section.entry("duration") {
                let message = format!("`{name}` has no `duration`: it happens immediately");
                section.reading.note_at(message, &entry.key_at, "no meaning here", "take it out");
            }
            return None;
        }
        _ => {}
    }
    let doc = "How long it lasts, drawn where it is a range; left out, until the end of the \
        scenario's `duration`.";
    let lasts = section
        .optional_durations("duration", Duration::ZERO..=RUN_MAX, doc)
        .map(|(min, max)| Span { min, max });
    if let (Some(lasts), Some(entry)) = (lasts, section.entry("duration"))
        && lasts.min > names.duration
    {
        let label = format!("longer than the scenario's {}", show_duration(names.duration));
        let hint = "leave it out to let the fault last until the end";
        section.reading.note_at(
            format!("`{}` is longer than the run", section.full("duration")),
            &entry.item.at,
            label,
            hint,
        );
        return None;
    }
    lasts
}

/// A fault that cannot but outlast the load was meant otherwise: everything heals at the end of
/// `duration`.
fn judge_end(section: &Section<'_>, names: &Names, when: Option<&When>, lasts: Option<Span>) {
    let (Some(When::At(begins)), Some(lasts), Some(entry)) =
        (when, lasts, section.entry("duration"))
    else {
        return;
    };
    let end = begins.min.saturating_add(lasts.min);
    if end > names.duration && begins.max < names.duration {
        let label = format!(
            "it would end at {}, and all heals at {}",
            show_duration(end),
            show_duration(names.duration)
        );
        let message =
            format!("`{}` reaches beyond the scenario's `duration`", section.full("duration"));
        let hint = "leave it out to let the fault last until the end, or make the scenario's \
            `duration` longer";
        section.reading.note_at(message, &entry.item.at, label, hint);
    }
}

/// Entries that wait for each other never begin.
fn judge_circles(sections: &[Section<'_>], entries: &[NemesisEntry]) {
    for section in sections {
        let Some(after) = section.entry("after") else { continue };
        let Some(own) =
            entries.iter().find(|entry| Some(entry.name.as_str()) == name_of(section, entries))
        else {
            continue;
        };
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
                        "let one of them begin with `at`, `when` or `every`",
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
    let implied = section
        .entry("fault")
        .and_then(|entry| entry.item.text())
        .map(|fault| format!("{fault}-{position}"));
    entries
        .iter()
        .map(|entry| entry.name.as_str())
        .find(|name| Some(*name) == given.or(implied.as_deref()))
}
