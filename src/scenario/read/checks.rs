//! `[checks]`: what is judged, with the parameters of each check.

use std::time::Duration;

use crate::error::excerpt;
use crate::scenario::known::KnownSystem;
use crate::system_names::{CheckNames, ParamInfo, Params, SystemNames};

use crate::faults::Names;
use crate::language::reader::{Key, Problem, Section};
use crate::language::reading::name_hint;
use crate::language::units::{plain_number, show_duration, show_float};
use crate::language::values::{quoted, read_duration, read_number};
use crate::scenario::types::CheckSpec;

pub(super) fn read(
    root: &mut Section<'_>,
    names: &Names,
    systems: &[KnownSystem],
) -> Vec<CheckSpec> {
    let mut section = root.table("checks");
    let doc = "A check of the system by name, with a table of its parameters, `{}` for none. \
        Without any, all checks of the system judge the run.";
    if section.reading.is_describing() {
        section.take(&Key { name: "CHECK", kind: "a table", range: String::new(), doc }, None);
    }
    let doc = "Judge by all checks of the system; those named here take the parameters given here.";
    let all = section.flag("all", false, doc);
    let doc = "Judge by all checks of the system but these: those that the scenario gives no right \
        to judge by.";
    let known: Vec<&'static str> = names
        .system
        .as_ref()
        .map(|system| system.checks.iter().map(|check| check.name).collect())
        .unwrap_or_default();
    let except = section.words("except", &known, doc);
    let Some(system) = &names.system else {
        section.free_entries();
        return vec![];
    };
    for entry in
        section.free_entries().iter().filter(|entry| entry.key != "all" && entry.key != "except")
    {
        if !system.checks.iter().any(|check| check.name == entry.key) {
            unknown(&section, entry, system, systems);
        }
    }
    let named = |check: &&CheckNames| section.has(check.name);
    let some = system.checks.iter().any(|check| named(&check));
    let wanted = |check: &&CheckNames| all || !some || !except.is_empty() || named(check);
    let kept = |check: &&CheckNames| !except.iter().any(|name| name == check.name);
    let chosen: Vec<&CheckNames> =
        system.checks.iter().filter(|check| wanted(check) && kept(check)).collect();
    let mut specs = vec![];
    for check in chosen {
        let mut parameters = section.table(check.name);
        let params = read_params(&mut parameters, check.params);
        section.close_inline(check.name, parameters);
        specs.push(CheckSpec { name: check.name.into(), params });
    }
    root.close("checks", section);
    specs
}

fn unknown(
    section: &Section<'_>,
    entry: &crate::language::tree::Entry,
    system: &SystemNames,
    systems: &[KnownSystem],
) {
    let written = entry.key.as_str();
    let message = format!("`{}` has no check `{}`", system.name, excerpt(written));
    let elsewhere = systems
        .iter()
        .map(|other| &other.names)
        .find(|other| other.checks.iter().any(|check| check.name == written));
    let hint = match elsewhere {
        Some(other) => format!("`{written}` is a check of `{}`", other.name),
        None => name_hint(written, "checks", system.checks.iter().map(|check| check.name)),
    };
    section.reading.note_at(message, &entry.key_at, "unknown check", hint);
}

fn read_params(section: &mut Section<'_>, infos: &'static [ParamInfo]) -> Params {
    infos.iter().map(|info| (info.name.to_string(), read_param(section, info))).collect()
}

fn read_param(section: &mut Section<'_>, info: &'static ParamInfo) -> f64 {
    let (least, most) = info.range;
    if !info.duration {
        let range = match (least, most) {
            (least, most) if most >= 1e15 => format!("{} up", plain_number(least)),
            (least, most) => format!("{} to {}", plain_number(least), plain_number(most)),
        };
        let kind = if info.range == (0.0, 1.0) { "a probability" } else { "a number" };
        let key = Key { name: info.name, kind, range, doc: info.doc };
        return section.value(
            key,
            info.default,
            |item| read_number(item, &(least..=most)),
            |value| show_float(*value),
        );
    }
    let range = micros(least)..=micros(most);
    let shown = format!("{} to {}", show_duration(*range.start()), show_duration(*range.end()));
    let key = Key { name: info.name, kind: "a duration", range: shown, doc: info.doc };
    let read = |item: &crate::language::tree::Item| -> Result<f64, Problem> {
        let value = read_duration(item, &range)?;
        Ok(crate::time::nanos(value) as f64 / 1_000.0)
    };
    section.value(key, info.default, read, |value| quoted(micros(*value)))
}

/// A parameter in microseconds as a duration; ends of ranges can be larger than any run.
pub(crate) fn micros(value: f64) -> Duration {
    const LONGEST_US: f64 = 1e12;
    Duration::from_nanos((value.clamp(0.0, LONGEST_US) * 1_000.0) as u64)
}
