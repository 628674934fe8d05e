//! `seedbed explain NAME`: what is known about any registered name. If a name has several meanings,
//! all are explained.

use std::path::Path;

use crate::checkers::Checker;
use crate::defects::DefectInfo;
use crate::error::{Error, excerpt, nearest};
use crate::faults::{FAULTS, Fault};
use crate::scenario::reference::{self, home, takes};
use crate::scenario::{
    KeyInfo, TESTBED_EVENTS, TESTBED_METRICS, name_of, scenario_files, show_duration,
};
use crate::systems::{self, System, known};
use crate::vocabulary::{EventInfo, MetricInfo, Shown};

/// Explain a name: a system, fault, check, plot, defect, metric, event, message or key. `scenario`
/// explains the whole language.
pub fn explain(name: &str, systems: &[&'static System]) -> Result<String, Error> {
    if name == "scenario" {
        return Ok(reference(systems));
    }
    // Error messages name a check by its key in a scenario: `checks.availability`.
    let name = name.strip_prefix("checks.").unwrap_or(name);
    let keys = reference::keys(&known(systems));
    if name.is_empty() {
        return Err(unknown(name, systems, &keys));
    }
    let mut found: Vec<String> = vec![];
    found.extend(
        systems.iter().filter(|system| system.name == name).map(|system| of_system(system)),
    );
    found.extend(FAULTS.iter().filter(|info| info.name == name).map(|info| of_fault(info, &keys)));
    found.extend(
        crate::systems::checks()
            .iter()
            .filter(|check| check.name == name)
            .map(|check| of_check(check, systems)),
    );
    found.extend(
        systems::plots()
            .iter()
            .filter(|plot| plot.name == name)
            .map(|plot| format!("{name}: a plot\n{}", wrapped("  ", plot.summary))),
    );
    for system in systems {
        found.extend(
            system
                .defects
                .iter()
                .filter(|defect| defect.name == name)
                .map(|defect| of_defect(defect, system.name)),
        );
        let parts = || system.vocabulary.iter();
        let metrics = parts().flat_map(|part| part.metrics).copied().flatten();
        found.extend(
            metrics.filter(|info| info.name == name).map(|info| of_metric(info, system.name)),
        );
        let events = parts().flat_map(|part| part.events);
        found.extend(
            events.filter(|info| info.name == name).map(|info| of_event(info, system.name)),
        );
        found.extend(of_shown(name, "message", system.name, &system.messages()));
    }
    found.extend(of_shown(name, "metric", "every system", TESTBED_METRICS));
    found.extend(of_shown(name, "event", "every system", TESTBED_EVENTS));
    let is_system = systems.iter().any(|system| system.name == name);
    found.extend(of_keys(name, &keys).filter(|_| !is_system));
    if found.is_empty() { Err(unknown(name, systems, &keys)) } else { Ok(found.join("\n")) }
}

/// Explain a scenario by its name or the last part of it (`raft/two-leaders` or `two-leaders`): its
/// claim and its leading comment.
pub fn scenario(name: &str, folder: &Path) -> Option<String> {
    let last = |each: &str| each.rsplit('/').next() == Some(name);
    let path = scenario_files(folder).into_iter().find(|path| {
        let each = name_of(Path::new(path));
        each == name || last(&each) || path == name
    })?;
    let text = std::fs::read_to_string(&path).ok()?;
    let table: toml::Table = text.parse().ok()?;
    let claim =
        table.get("description").and_then(toml::Value::as_str).unwrap_or("It has no description.");
    let comment: Vec<&str> =
        text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim).collect();
    let system = table.get("system").and_then(toml::Value::as_str).unwrap_or("none");
    Some(format!(
        "{}: a scenario of {system}\n{}{}    seedbed run {path}\n",
        name_of(Path::new(&path)),
        wrapped("  ", claim),
        wrapped("  ", &comment.join(" ")),
    ))
}

/// The whole reference of the scenario language, as Markdown.
pub fn reference(systems: &[&'static System]) -> String {
    reference::markdown(&known(systems))
}

fn unknown(name: &str, systems: &[&'static System], keys: &[KeyInfo]) -> Error {
    let mut known: Vec<&str> = systems.iter().map(|system| system.name).collect();
    known.extend(FAULTS.iter().map(|info| info.name));
    known.extend(crate::systems::checks().iter().map(|check| check.name));
    known.extend(systems::plots().iter().map(|plot| plot.name));
    for system in systems {
        known.extend(system.defects.iter().map(|defect| defect.name));
        known.extend(
            [system.metrics(), system.events(), system.messages()]
                .concat()
                .iter()
                .map(|shown| shown.name),
        );
    }
    known.extend(keys.iter().map(|info| info.key.as_str()));
    let hint = nearest(name, known).map_or_else(
        || "`seedbed list` shows what there is".into(),
        |near| format!("did you mean `{near}`?"),
    );
    Error::new(format!("nothing is named `{}`", excerpt(name)), hint)
}

fn of_system(system: &System) -> String {
    let counts =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!(
        "{name}: a system\n{summary}  Roles: {roles}. Operations: {operations}.\n  {checks}, \
            {plots}, \
         {defects}: `seedbed list checks`, `list plots`, `list defects`.\n  Its settings are the \
         section [{name}] of a scenario:\n{settings}",
        name = system.name,
        summary = wrapped("  ", system.summary),
        roles = system.roles.join(", "),
        operations =
            if system.operations.is_empty() { "none".into() } else { system.operations.join(", ") },
        checks = counts(system.checks.len(), "check"),
        plots = counts(system.plots.len(), "plot"),
        defects = counts(system.defects.len(), "defect"),
        settings =
            key_lines(&reference::keys_of_system(&system.names()).iter().collect::<Vec<_>>()),
    )
}

fn of_fault(info: &Fault, keys: &[KeyInfo]) -> String {
    let section = format!("nemesis {}", info.name);
    let parameters: Vec<&KeyInfo> = keys.iter().filter(|key| key.section == section).collect();
    let parameters = if parameters.is_empty() {
        "  No parameters.\n".into()
    } else {
        format!("  Parameters:\n{}", key_lines(&parameters))
    };
    let example: String = info.example.lines().map(|line| format!("    {line}\n")).collect();
    let summary = wrapped("  ", info.summary);
    format!(
        "{}: a fault ({})\n{summary}{parameters}  For example:\n    [[nemesis]]\n{example}",
        info.name, info.group
    )
}

/// A duration of this many microseconds (eleven days) or more limits nothing.
const UNLIMITED_US: f64 = 1e12;

fn of_check(check: &Checker, systems: &[&'static System]) -> String {
    let of: Vec<&str> = systems
        .iter()
        .filter(|system| system.checks.iter().any(|one| one.name == check.name))
        .map(|system| system.name)
        .collect();
    let of = if of.is_empty() { String::new() } else { format!(" of {}", of.join(", ")) };
    let (summary, source) =
        (wrapped("  ", check.summary), wrapped("  ", &format!("Source: {}", check.source)));
    let mut text = format!("{}: a check{of}\n{summary}{source}", check.name);
    if check.params.is_empty() {
        text.push_str(&format!(
            "  No parameters.\n  In a scenario:\n    [checks]\n    {} = {{}}\n",
            check.name
        ));
        return text;
    }
    let value = |info: &crate::checkers::ParamInfo, value: f64| {
        let duration = || {
            show_duration(std::time::Duration::from_nanos(
                (value.clamp(0.0, 1e12) * 1_000.0) as u64,
            ))
        };
        if info.duration && value >= UNLIMITED_US {
            "no limit".into()
        } else if info.duration {
            duration()
        } else {
            format!("{value}")
        }
    };
    text.push_str("  Parameters:\n");
    for info in check.params {
        let range = format!("{} to {}", value(info, info.range.0), value(info, info.range.1));
        text.push_str(&wrapped(
            "    ",
            &format!(
                "{} ({range}; default {}): {}",
                info.name,
                value(info, info.default),
                info.doc
            ),
        ));
    }
    let quote = |info: &crate::checkers::ParamInfo| {
        let value = value(info, info.default);
        if info.duration {
            format!("{} = \"{value}\"", info.name)
        } else {
            format!("{} = {value}", info.name)
        }
    };
    let limited =
        check.params.iter().filter(|info| !(info.duration && info.default >= UNLIMITED_US));
    let parameters: Vec<String> = limited.map(quote).collect();
    text.push_str(&format!(
        "  In a scenario:\n    [checks]\n    {} = {{ {} }}\n",
        check.name,
        parameters.join(", ")
    ));
    text
}

fn of_defect(defect: &DefectInfo, system: &str) -> String {
    format!(
        "{name}: a defect of {system}\n{summary}  Caught by `{check}`, within {seeds} seeds of \
            {scenario}:\n    seedbed sweep \
         scenarios/{scenario}.toml --seeds 0..{seeds} --defect {name}\n",
        name = defect.name,
        summary = wrapped("  ", defect.summary),
        check = defect.caught_by,
        seeds = defect.seeds,
        scenario = defect.scenario,
    )
}

fn of_metric(info: &MetricInfo, system: &str) -> String {
    let shown = [Shown { name: info.name, summary: info.summary }];
    let text = of_shown(info.name, "metric", system, &shown).expect("it has that name");
    format!("{text}  It takes: {}\n", info.kind.describe())
}

fn of_event(info: &EventInfo, system: &str) -> String {
    let shown = [Shown { name: info.name, summary: info.summary }];
    let mut text = of_shown(info.name, "event", system, &shown).expect("it has that name");
    if info.fields.is_empty() {
        return text;
    }
    text.push_str("  Fields:\n");
    for field in info.fields {
        let optional = if field.optional { "; a program may leave it out" } else { "" };
        let what = format!("{} ({}{optional})", field.name, field.kind.describe());
        let about =
            if field.summary.is_empty() { String::new() } else { format!(": {}", field.summary) };
        text.push_str(&wrapped("    ", &(what + &about)));
    }
    text
}

fn of_shown(name: &str, what: &str, system: &str, shown: &[Shown]) -> Option<String> {
    let shown = shown.iter().find(|shown| shown.name == name)?;
    let article = if what == "event" { "an" } else { "a" };
    let used = match what {
        "metric" => format!(
            "when = {{ metric = \"{name}\", equals = \"VALUE\" }}, or at_least and at_most for \
                numbers"
        ),
        "event" => format!("when = {{ event = \"{name}\" }}"),
        _ => format!("when = {{ message = \"{name}\" }}"),
    };
    Some(format!(
        "{name}: {article} {what} of {system}\n{}  In a condition: {used}\n",
        wrapped("  ", shown.summary)
    ))
}

/// Keys by their name alone or with their section: `loss`, `network.loss`.
fn of_keys(name: &str, keys: &[KeyInfo]) -> Option<String> {
    let full = |info: &KeyInfo| {
        if info.section.is_empty() {
            info.key.clone()
        } else {
            format!("{}.{}", info.section, info.key)
        }
    };
    let found: Vec<&KeyInfo> =
        keys.iter().filter(|info| info.key == name || full(info) == name).collect();
    let sections: Vec<&KeyInfo> = keys.iter().filter(|info| info.section == name).collect();
    let mut text = String::new();
    if !sections.is_empty() {
        text.push_str(&format!("{name}: the section {}\n{}", home(name), key_lines(&sections)));
    }
    for info in found {
        let of = match home(&info.section) {
            home if home.is_empty() => "the top level of a scenario".into(),
            home => home,
        };
        text.push_str(&format!("{}: a key of {of}\n{}", info.key, key_lines(&[info])));
    }
    (!text.is_empty()).then_some(text)
}

fn key_lines(keys: &[&KeyInfo]) -> String {
    let line = |info: &&KeyInfo| {
        let default =
            info.default.as_ref().map_or(String::new(), |default| format!("; default {default}"));
        wrapped("    ", &format!("{} ({}{default}): {}", info.key, takes(info), info.doc))
    };
    keys.iter().map(line).collect()
}

/// A paragraph wrapped to lines that fit a screen, with a hanging indent.
fn wrapped(indent: &str, text: &str) -> String {
    const WIDTH: usize = 110;
    let mut lines = vec![String::from(indent)];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        if line.trim().is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("{indent}  {word}"));
        }
    }
    lines.join("\n") + "\n"
}
