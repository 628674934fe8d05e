//! From text to a [`Scenario`]: the sections in the order in which they need each other's names.

mod checks;
mod condition;
mod entry;
mod network;
mod nodes;
mod targets;
mod workload;

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Mistake, Source, excerpt, nearest};
use crate::faults::{FAULTS, Names};
use crate::system_names::SystemNames;

use super::known::KnownSystem;
use super::reference::{self, homes_of};
use super::types::{DiskSpec, FaultModel, Scenario};
use super::{format, model};
use crate::language::Settings;
use crate::language::reader::{Key, Section};
use crate::language::reading::{Reading, known_hint, name_hint};
use crate::language::section::toml_text;
use crate::language::tree::{self, Table};

pub(crate) use condition::{CONDITIONS, of_kind as condition_of_kind};
pub(crate) use entry::EntryPlace;
pub(crate) use nodes::ClockPlaces;

/// A scenario of more bytes is refused: people write a few kilobytes, and a gigabyte given by
/// mistake must not be read.
pub const SCENARIO_BYTES_MAX: u64 = 1024 * 1024;

/// The longest run, two days of virtual time.
const RUN_MAX: Duration = Duration::from_secs(48 * 3_600);

/// Read a scenario file. `overrides` are pairs of key path and value (`--set`), `defects` are
/// appended to the system's own.
pub fn read_file(
    systems: &[KnownSystem],
    path: &Path,
    overrides: &[(String, String)],
    defects: &[String],
) -> Result<Scenario, Error> {
    let text = file_text(path)?;
    let named = (name_of(path), path.display().to_string());
    read(systems, (&named.0, &named.1), path.parent(), &text, overrides, defects)
}

/// Read a scenario from its text. `name` is the scenario's own, `raft/leader-isolated`. A text has
/// no folder, so it can name no files.
pub fn read_text(
    systems: &[KnownSystem],
    name: &str,
    text: &str,
    overrides: &[(String, String)],
    defects: &[String],
) -> Result<Scenario, Error> {
    if text.len() as u64 > SCENARIO_BYTES_MAX {
        return Err(too_large(&format!("{name}.toml"), text.len() as u64));
    }
    read(systems, (name, &format!("{name}.toml")), None, text, overrides, defects)
}

/// A scenario's name: its path below the last folder named `scenarios`, without `.toml`; elsewhere
/// the file's name.
pub fn name_of(path: &Path) -> String {
    let parts: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let below = parts
        .iter()
        .rposition(|part| part == "scenarios")
        .map_or(parts.len().saturating_sub(1), |folder| folder + 1);
    parts.get(below..).unwrap_or_default().join("/")
}

fn too_large(path: &str, bytes: u64) -> Error {
    let message = format!(
        "`{path}` is too large for a scenario: {bytes} bytes, and at most {SCENARIO_BYTES_MAX} are \
            read"
    );
    Error::new(
        message,
        "name a TOML file of a few kilobytes; `seedbed list scenarios` shows those there are",
    )
}

const THOSE_THERE_ARE: &str = "`seedbed list scenarios` shows those there are, `seedbed new \
    scenario` prints one to begin with";

fn file_text(path: &Path) -> Result<String, Error> {
    let shown = path.display();
    let not_read = |error: &std::io::Error| {
        Error::io("read", path, error, "name a file that is there and that you may read")
    };
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(path),
        _ => not_read(&error),
    })?;
    if metadata.is_dir() {
        let inside = scenario_files(path);
        let hint = inside.first().map_or_else(
            || THOSE_THERE_ARE.into(),
            |first| format!("name a file in it, as {first}"),
        );
        return Err(Error::new(format!("`{shown}` is a folder, not a scenario"), hint));
    }
    // To open a pipe waits for somebody who writes to it, and a device may never end.
    if !metadata.is_file() {
        let message = format!("`{shown}` is not a regular file but a pipe, a device or a socket");
        return Err(Error::new(
            message,
            "a scenario is a TOML file: store what the pipe would give in one",
        ));
    }
    // The size is asked for first, and the reading is bounded as well: some files below /proc say
    // that they have none.
    if metadata.len() > SCENARIO_BYTES_MAX {
        return Err(too_large(&shown.to_string(), metadata.len()));
    }
    let mut bytes = vec![];
    let read = std::fs::File::open(path).and_then(|file| {
        use std::io::Read;
        file.take(SCENARIO_BYTES_MAX + 1).read_to_end(&mut bytes)
    });
    read.map_err(|error| not_read(&error))?;
    if bytes.len() as u64 > SCENARIO_BYTES_MAX {
        return Err(too_large(&shown.to_string(), bytes.len() as u64));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!(
            "`{shown}` is not UTF-8 text: line {line} has the byte 0x{:02x}",
            error.as_bytes()[valid]
        );
        Error::new(message, "a scenario is a TOML file in UTF-8: store it so, or name another file")
    })
}

fn missing(path: &Path) -> Error {
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Of two that are as near, the one beside the missing file is the better guess.
    let mut there = scenario_files(parent);
    there.extend(scenario_files(Path::new("scenarios")));
    let names: Vec<String> = there.iter().map(|path| name_of(Path::new(path))).collect();
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_string();
    let last_names: Vec<String> = names.iter().map(|name| last(name)).collect();
    let wanted = name_of(path);
    // The same file name in another folder is a better guess than another name in the same one.
    let near = position_of_nearest(&last(&wanted), &last_names)
        .or_else(|| position_of_nearest(&wanted, &names));
    let hint = near
        .map_or_else(|| THOSE_THERE_ARE.into(), |near| format!("did you mean `{}`?", there[near]));
    Error::new(format!("there is no scenario `{}`", path.display()), hint)
}

fn position_of_nearest(wanted: &str, names: &[String]) -> Option<usize> {
    let near = nearest(wanted, names.iter().map(String::as_str))?;
    names.iter().position(|name| name == near)
}

/// The TOML files below a folder, two levels deep and sorted, so that no hint depends on the order
/// of a directory.
pub fn scenario_files(folder: &Path) -> Vec<String> {
    const FILES_MAX: usize = 500;
    let mut found = vec![];
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let mut paths: Vec<_> =
            entries.take(FILES_MAX).flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let hidden =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if path.is_dir() && depth < 2 && !hidden {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|extension| extension == "toml")
                && found.len() < FILES_MAX
            {
                found.push(path.display().to_string());
            }
        }
    }
    found.sort();
    found
}

fn read(
    systems: &[KnownSystem],
    (name, path): (&str, &str),
    folder: Option<&Path>,
    text: &str,
    overrides: &[(String, String)],
    defects: &[String],
) -> Result<Scenario, Error> {
    let source = Arc::new(Source { path: path.into(), text: text.into() });
    let mut table = tree::parse(&source).map_err(Error::of)?;
    if table.entries.is_empty() {
        let what = if text.trim().is_empty() { "is empty" } else { "holds nothing but comments" };
        return Err(Error::new(
            format!("`{path}` {what}"),
            "`seedbed new scenario` prints one to begin with",
        ));
    }
    let mut mistakes = vec![];
    for (key, value) in overrides {
        mistakes.extend(tree::graft(&mut table, key, value).err().map(|mistake| *mistake));
    }
    if let Some(system) = table.get("system").and_then(|entry| entry.item.text()).map(String::from)
    {
        for defect in defects {
            tree::graft_defect(&mut table, &system, defect);
        }
    }
    if let Some(newer) = format::refuse_newer(&table) {
        return Err(Error::of(vec![newer]));
    }
    let (known, keys) = (systems.to_vec(), OnceCell::new());
    let reading = Reading::of_folder(folder).with_homes(move |key, own| {
        homes_of(keys.get_or_init(|| reference::keys(&known)), key, own)
    });
    let scenario = read_root(&reading, &table, systems, name);
    mistakes.extend(reading.into_mistakes());
    match scenario {
        Some(scenario) if mistakes.is_empty() => Ok(scenario),
        _ => Err(Error::of(mistakes)),
    }
}

/// The names that there are before anything is read.
pub(crate) fn no_names() -> Names {
    Names {
        system: None,
        faults: FAULTS,
        nodes: vec![],
        roles: vec![],
        clients: vec![],
        groups: vec![],
        duration: Duration::from_secs(30),
    }
}

/// Read all sections. `None`, or a scenario with defaults instead of mistakes, where any was
/// noted.
pub(crate) fn read_root(
    reading: &Reading,
    table: &Table,
    systems: &[KnownSystem],
    name: &str,
) -> Option<Scenario> {
    let mut root = Section::root(reading, table);
    let description =
        root.text("description", "", "The claim that the scenario makes, in a sentence.");
    format::describe(&mut root);
    let (system, system_name) = read_system(&mut root, systems);
    let seed = root.integer(
        "seed",
        1,
        0..=i64::MAX as u64,
        "The seed of everything that is drawn, unless `--seed` gives another.",
    );
    let second = Duration::from_secs(1);
    let duration = root.duration(
        "duration",
        30 * second,
        Duration::from_millis(1)..=RUN_MAX,
        "How long faults and load go on.",
    );
    let recovery = root.duration(
        "recovery",
        10 * second,
        Duration::ZERO..=RUN_MAX,
        "What follows `duration`: everything is healed, a light load goes on, and liveness is \
            judged.",
    );
    let mut names = Names { duration, ..no_names() };
    names.system = system.as_ref().map(|system| system.names.clone());
    names.clients = workload::client_names(&mut root, &names);
    let (nodes, clocks) = nodes::read(&mut root, &mut names);
    reading.set_nodes(&names.nodes);
    let settings = read_settings(&mut root, &names);
    let network = network::read(&mut root, &names);
    let disk = read_disk(&mut root);
    let workload = workload::read(&mut root, &names);
    let (fault_model, model_place) = read_model(&mut root);
    let (nemesis, places) = entry::read_all(&mut root, &names);
    let checks = checks::read(&mut root, &names, systems);
    if reading.is_describing() {
        return None;
    }
    // What no system claims is a mistake, unless the system itself could not be found.
    if system.is_none() && !system_name.is_empty() {
        reading.pass_over_unknown(table.get(&system_name).is_some());
    }
    let resolved = toml_text(&root.finish());
    let (system, settings) = (system?, settings?);
    let mut scenario = Scenario {
        name: name.into(),
        description,
        system: system.names.name.into(),
        seed,
        duration,
        recovery,
        nodes,
        network,
        disk,
        workload,
        nemesis,
        model: fault_model,
        settings,
        checks,
        inputs: reading.take_inputs(),
        resolved: String::new(),
    };
    scenario.resolved = resolved;
    if reading.is_clean() {
        for complaint in (system.complaints)(&scenario) {
            reading.note_at(
                complaint.message,
                &place_of(table, complaint.key),
                complaint.found,
                complaint.hint,
            );
        }
    }
    if reading.is_clean() && !scenario.model.beyond_model {
        model::Judge {
            scenario: &scenario,
            reading,
            places: &places,
            clocks: &clocks,
            model: &model_place,
        }
        .judge();
    }
    Some(scenario)
}

/// Where a key stands, or else the nearest table above it; the place of `system` for what the file
/// says nothing of.
fn place_of(table: &Table, path: &str) -> tree::At {
    let (mut table, mut place) = (Some(table), None);
    for key in path.split('.') {
        let Some(entry) = table.and_then(|table| table.get(key)) else { break };
        place = Some(entry);
        table = match &entry.item.value {
            tree::Value::Table(below) => Some(below),
            _ => None,
        };
    }
    let place = place.or(table.and_then(|table| table.get("system")));
    match place {
        Some(entry) if matches!(entry.item.value, tree::Value::Table(_) | tree::Value::List(_)) => {
            entry.key_at.clone()
        }
        Some(entry) => entry.item.at.clone(),
        None => unreachable!("a scenario that was read has a system"),
    }
}

fn read_system(root: &mut Section<'_>, systems: &[KnownSystem]) -> (Option<KnownSystem>, String) {
    let known: Vec<String> = systems.iter().map(|system| system.names.name.to_string()).collect();
    let doc = "The system that runs; `seedbed list systems` shows them.";
    let key = Key { name: "system", kind: "a text", range: String::new(), doc };
    let Some(entry) = root.take(&key, None) else {
        if !root.reading.is_describing() {
            let first = known.first().map_or("raft", String::as_str);
            let hint = format!(
                "say what is to run, as in: system = \"{first}\"; `seedbed new scenario` prints an \
                    example"
            );
            let is_assignment = root.table.is_some_and(|table| table.get("item").is_some());
            let mistake = if is_assignment {
                let hint = "`seedbed grade FILE SUBMISSION…` grades by it; each of its items names \
                    a scenario, which `seedbed run` runs";
                Mistake::new("this is an assignment, not a scenario", hint)
            } else {
                Mistake::new("this is not a scenario: it has no `system`", hint)
            };
            let mistake = match root.table.and_then(|table| table.entries.first()) {
                Some(entry) => {
                    Mistake { place: Some(entry.key_at.label("the file begins here")), ..mistake }
                }
                None => mistake,
            };
            root.reading.note(mistake);
            root.reading.pass_over_unknown(true);
        }
        return (None, String::new());
    };
    let Some(name) = entry.item.text() else {
        let hint = known_hint("systems", known.iter().map(String::as_str));
        root.reading.note_at(
            "`system` must be a text",
            &entry.item.at,
            format!("found {}", entry.item.found()),
            hint,
        );
        root.reading.pass_over_unknown(true);
        return (None, String::new());
    };
    let system = systems.iter().find(|system| system.names.name == name).cloned();
    if system.is_none() {
        let hint = name_hint(name, "systems", known.iter().map(String::as_str));
        root.reading.note_at(
            format!("there is no system `{}`", excerpt(name)),
            &entry.item.at,
            "unknown system",
            hint,
        );
    }
    root.resolve("system", crate::language::units::show_text(name));
    (system, name.into())
}

fn read_settings(root: &mut Section<'_>, names: &Names) -> Option<Arc<dyn Settings>> {
    let SystemNames { name, read_settings, .. } = names.system.as_ref()?;
    let mut section = root.table(name);
    let settings = read_settings(&mut section);
    root.close(name, section);
    Some(settings)
}

fn read_disk(root: &mut Section<'_>) -> DiskSpec {
    let mut section = root.table("disk");
    let disk = DiskSpec::read(&mut section);
    root.close("disk", section);
    disk
}

/// Where the limits of the fault model stand.
#[derive(Default)]
pub(crate) struct ModelPlace {
    places: Vec<(String, tree::At)>,
}

impl ModelPlace {
    pub(crate) fn of(&self, key: &str) -> Option<&tree::At> {
        self.places.iter().find(|(name, _)| name == key).map(|(_, at)| at)
    }
}

fn read_model(root: &mut Section<'_>) -> (FaultModel, ModelPlace) {
    let mut section = root.table("model");
    let mut place = ModelPlace::default();
    for entry in section.table.iter().flat_map(|table| &table.entries) {
        let whole = entry.key_at.span.start..entry.item.at.span.end.max(entry.key_at.span.end);
        let same = entry.key_at.source == entry.item.at.source;
        let at = if same {
            tree::At { span: whole, ..entry.key_at.clone() }
        } else {
            entry.item.at.clone()
        };
        place.places.push((entry.key.clone(), at));
    }
    let model = FaultModel::read(&mut section);
    root.close("model", section);
    (model, place)
}
