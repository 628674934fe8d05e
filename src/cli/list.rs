//! `seedbed list`: tables of everything that has a name, printed from the registries, so nothing
//! can be missing.

use std::path::Path;

use crate::error::{Error, excerpt, name_hint};
use crate::faults::FAULTS;
use crate::scenario::{TESTBED_EVENTS, TESTBED_METRICS, scenario_files};
use crate::systems::{self, System};
use crate::vocabulary::Shown;

/// The lists, each with a summary.
pub const LISTS: &[(&str, &str)] = &[
    ("systems", "what can be simulated"),
    ("faults", "what the nemesis can do to it"),
    ("checks", "what is judged"),
    ("plots", "what is drawn"),
    ("defects", "bugs that can be planted in a system"),
    ("metrics", "what nodes report of their state, for conditions and plots"),
    ("events", "what nodes do, for conditions and checks"),
    ("messages", "what nodes send, for conditions and faults"),
    ("scenarios", "the files below `scenarios`"),
];

/// The table with this name; without a name, the list of tables. Scenarios are looked up in
/// `folder`.
pub fn list(
    what: Option<&str>,
    systems: &[&'static System],
    folder: &Path,
) -> Result<String, Error> {
    let Some(what) = what else {
        let rows: Vec<Vec<String>> = LISTS
            .iter()
            .map(|(name, summary)| vec![format!("list {name}"), summary.to_string()])
            .collect();
        return Ok(table(&["command", "shows"], &rows));
    };
    match what {
        "systems" => Ok(table(
            &["system", "checks", "defects", "summary"],
            &systems
                .iter()
                .map(|system| {
                    let (checks, defects) = (system.checks.len(), system.defects.len());
                    vec![
                        system.name.into(),
                        checks.to_string(),
                        defects.to_string(),
                        system.summary.into(),
                    ]
                })
                .collect::<Vec<_>>(),
        )),
        "faults" => Ok(table(
            &["fault", "group", "summary"],
            &FAULTS
                .iter()
                .map(|info| vec![info.name.into(), info.group.into(), info.summary.into()])
                .collect::<Vec<_>>(),
        )),
        "checks" => Ok(table(
            &["check", "systems", "source", "summary"],
            &systems::checks()
                .iter()
                .map(|check| {
                    let judges = |system: &&&'static System| {
                        system.checks.iter().any(|one| one.name == check.name)
                    };
                    vec![
                        check.name.into(),
                        names_of(systems, judges),
                        check.source.into(),
                        check.summary.into(),
                    ]
                })
                .collect::<Vec<_>>(),
        )),
        "plots" => Ok(table(
            &["plot", "systems", "summary"],
            &systems::plots()
                .iter()
                .map(|plot| {
                    let draws = |system: &&&'static System| {
                        system.plots.iter().any(|one| one.name == plot.name)
                    };
                    vec![plot.name.into(), names_of(systems, draws), plot.summary.into()]
                })
                .collect::<Vec<_>>(),
        )),
        "defects" => Ok(defects(systems)),
        "metrics" => Ok(shown("metric", systems, |system| system.metrics(), TESTBED_METRICS)),
        "events" => Ok(shown("event", systems, |system| system.events(), TESTBED_EVENTS)),
        "messages" => Ok(shown("message", systems, |system| system.messages(), &[])),
        "scenarios" => Ok(scenarios(folder)),
        _ => {
            let names: Vec<&str> = LISTS.iter().map(|(name, _)| *name).collect();
            Err(Error::new(
                format!("there is no list of `{}`", excerpt(what)),
                name_hint(what, "lists", names.iter().copied()),
            ))
        }
    }
}

fn names_of(systems: &[&'static System], has: impl FnMut(&&&'static System) -> bool) -> String {
    let names: Vec<&str> = systems.iter().filter(has).map(|system| system.name).collect();
    if names.is_empty() { "-".into() } else { names.join(" ") }
}

fn defects(systems: &[&'static System]) -> String {
    let row = |system: &'static System| {
        system.defects.iter().map(move |defect| {
            vec![
                defect.name.to_string(),
                system.name.to_string(),
                defect.caught_by.to_string(),
                format!("{} x{}", defect.scenario, defect.seeds),
                defect.summary.to_string(),
            ]
        })
    };
    let rows: Vec<Vec<String>> = systems.iter().flat_map(|system| row(system)).collect();
    table(&["defect", "system", "caught by", "scenario and seeds", "summary"], &rows)
}

fn shown(
    what: &str,
    systems: &[&'static System],
    of: impl Fn(&'static System) -> Vec<Shown>,
    testbed: &[Shown],
) -> String {
    let row = |shown: &Shown, system: &str| {
        vec![shown.name.to_string(), system.to_string(), shown.summary.to_string()]
    };
    let mut rows: Vec<Vec<String>> = systems
        .iter()
        .flat_map(|system| of(system).into_iter().map(|shown| row(&shown, system.name)))
        .collect();
    rows.extend(testbed.iter().map(|shown| row(shown, "every")));
    table(&[what, "system", "meaning"], &rows)
}

fn scenarios(folder: &Path) -> String {
    let rows: Vec<Vec<String>> = scenario_files(folder)
        .into_iter()
        .map(|path| {
            let name = crate::scenario::name_of(Path::new(&path));
            vec![name, description(Path::new(&path))]
        })
        .collect();
    if rows.is_empty() {
        format!("no scenarios below `{}`\n", folder.display())
    } else {
        table(&["scenario", "claim"], &rows)
    }
}

/// The claim of a scenario, whether or not the rest of the file is valid: one broken file must not
/// end the list.
fn description(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let table: Option<toml::Table> = text.parse().ok();
    let description =
        table.as_ref().and_then(|table| table.get("description")).and_then(|value| value.as_str());
    description.map_or_else(|| "-".into(), |text| text.lines().collect::<Vec<_>>().join(" "))
}

/// Columns as wide as their widest cell, separated by two spaces, without trailing spaces.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    let mut text = String::new();
    for row in std::iter::once(&header).chain(rows) {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
