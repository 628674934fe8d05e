//! From a file to an [`Assignment`].

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::model::{Language, Text};
use super::items::{Draft, draft};
use super::played::{digest_of, file_beside, name_checks, names_to_play, normal, played_nodes};
use super::{Assignment, Item, Played};
use crate::error::{Error, Mistake, Source, excerpt, name_hint, nearest};
use crate::language::reader::{Key, Problem, Section};
use crate::language::reading::{Reading, and_list, mistake_at};
use crate::language::tree::{At, Value, parse};
use crate::run::{checks_of, system_of};
use crate::shipped;
use crate::systems::read_file as read_scenario;

/// The folder in which assignments are looked up by name.
pub const ASSIGNMENTS_FOLDER: &str = "scenarios/assignments";

/// An assignment has a few kilobytes; a larger file is something else, given by mistake.
const BYTES_MAX: u64 = 1024 * 1024;

/// The file that an argument of the command line stands for: a path, or the name of an assignment
/// in [`ASSIGNMENTS_FOLDER`].
pub fn find(named: &Path) -> PathBuf {
    let below =
        shipped::locate(&Path::new(ASSIGNMENTS_FOLDER).join(format!("{}.toml", named.display())));
    if !named.is_file() && below.is_file() { below } else { shipped::locate(named) }
}

/// Read an assignment and its scenarios. The file's errors come first, then those of each scenario.
pub fn read_file(path: &Path) -> Result<Assignment, Vec<Error>> {
    let text = text_of(path).map_err(|error| vec![error])?;
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let source = Arc::new(Source { path: path.display().to_string(), text });
    let table = parse(&source).map_err(|mistakes| vec![Error::of(mistakes)])?;
    if !table.entries.iter().any(|entry| entry.key == "item") {
        let hint = "an assignment has items: [[item]] with name, scenario, seeds and points; \
            docs/grading.md explains each key";
        let message = format!("`{}` is not an assignment: it has no [[item]]", path.display());
        let found = table.entries.first().map(|entry| entry.key_at.label("the file starts here"));
        return Err(vec![Error::from(Mistake { place: found, ..Mistake::new(message, hint) })]);
    }
    let reading = Reading::of_other("an assignment", Some(&folder));
    let mut root = Section::root(&reading, &table);
    let mut reader =
        Reader { reading: &reading, folder: folder.clone(), scenarios: vec![], errors: vec![] };
    let name =
        path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let title = localised(&mut root, "title", "What the assignment is called.")
        .unwrap_or_else(|| Text::plain(&name));
    let instructions = reader.instructions(&mut root);
    let plays = plays_of(&mut root);
    let languages = root.words(
        "languages",
        &Language::ALL.map(Language::word),
        "The languages that submissions may use.",
    );
    let languages = Language::ALL
        .into_iter()
        .filter(|language| languages.iter().any(|word| word == language.word()))
        .collect();
    let python_packages = root.flag(
        "python_packages",
        false,
        "Whether Python programs may import installed packages besides the standard library.",
    );
    let per_student =
        root.flag("per_student", false, "Whether each student has their own hidden seeds.");
    let points = super::items::points(&mut root, "points", "The total of all items' points.");
    let mut sections = root.tables("item");
    let drafts: Vec<Draft> =
        sections.iter_mut().map(|section| draft(section, &mut reader)).collect();
    root.close_all("item", sections);
    let points_at = root.entry("points").map(|entry| entry.item.at.clone());
    let plays_at = root.entry("plays").map(|entry| entry.item.at.clone());
    let _ = root.finish();

    reader.judge_points(points.zip(points_at), &drafts);
    reader.judge_names(&drafts);
    let gates = reader.gates(&drafts);
    reader.judge_plays(&plays, plays_at.as_ref());
    let checks = reader.checks(&drafts);
    let Reader { scenarios, mut errors, .. } = reader;
    let mistakes = reading.into_mistakes();
    if !mistakes.is_empty() {
        errors.insert(0, Error::of(mistakes));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut scenarios: Vec<Played> = scenarios.into_iter().filter_map(|known| known.read).collect();
    let items: Vec<Item> = drafts
        .into_iter()
        .zip(gates)
        .zip(checks)
        .map(|((draft, gate), checks)| draft.into_item(gate, checks))
        .collect();
    for (position, played) in scenarios.iter_mut().enumerate() {
        played.nodes = played_nodes(&played.scenario, &plays);
        name_checks(position, &mut played.scenario, &items);
    }
    let digest = digest_of(&source.text, &scenarios);
    Ok(Assignment {
        name,
        title,
        instructions,
        folder,
        languages,
        python_packages,
        per_student,
        plays,
        scenarios,
        items,
        digest,
    })
}

fn text_of(path: &Path) -> Result<String, Error> {
    let shown = path.display();
    let metadata = fs::metadata(path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => missing(path),
        _ => Error::io("read", path, &cause, "name an existing, readable file"),
    })?;
    if metadata.is_dir() {
        return Err(Error::new(
            format!("`{shown}` is a folder, not an assignment"),
            "name the TOML file of the assignment; submissions follow it",
        ));
    }
    if !metadata.is_file() || metadata.len() > BYTES_MAX {
        let message = format!("`{shown}` is not a file of at most {BYTES_MAX} bytes");
        return Err(Error::new(message, "an assignment is a TOML file of a few kilobytes"));
    }
    let bytes = fs::read(path)
        .map_err(|cause| Error::io("read", path, &cause, "name an existing, readable file"))?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        Error::new(
            format!("`{shown}` is not UTF-8 text in line {line}"),
            "an assignment is a TOML file: save it as UTF-8",
        )
    })
}

fn missing(path: &Path) -> Error {
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().take(1_000).flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
            .collect();
        files.sort();
        files
    };
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = |path: &Path| path.strip_prefix(".").unwrap_or(path).display().to_string();
    let stem = |path: &Path| {
        path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    };
    let there: Vec<PathBuf> = files(&shipped::locate(Path::new(ASSIGNMENTS_FOLDER)))
        .into_iter()
        .chain(files(parent))
        .collect();
    let stems: Vec<String> = there.iter().map(|path| stem(path)).collect();
    let near = nearest(&stem(path), stems.iter().map(String::as_str))
        .and_then(|near| stems.iter().position(|stem| stem == near));
    let hint = match near {
        Some(position) => format!("did you mean `{}`?", shown(&there[position])),
        None => format!(
            "name a TOML file with items, or an assignment in {ASSIGNMENTS_FOLDER} by its name"
        ),
    };
    Error::new(format!("there is no assignment `{}`", path.display()), hint)
}

/// A text in one language or in two.
pub(super) fn localised(
    section: &mut Section<'_>,
    key: &'static str,
    doc: &'static str,
) -> Option<Text> {
    let name =
        Key { name: key, kind: "a text, or a table with `en` and `es`", range: String::new(), doc };
    let entry = section.take(&name, None)?;
    match &entry.item.value {
        Value::Text(text) => Some(Text::plain(text)),
        Value::Table(table) => {
            let mut both = section.of_item(key, table, &entry.item.at, "");
            let en = both.optional_text("en", "In English.");
            let es = both.optional_text("es", "In Spanish.");
            let is_text = both.entry("en").or(both.entry("es")).is_some();
            let _ = both.finish();
            if !is_text {
                section.reading.note_at(
                    format!("`{}` has no text", section.full(key)),
                    &entry.key_at,
                    "empty",
                    "write { en = \"…\", es = \"…\" }",
                );
            }
            // A text in one language only serves both.
            Some(match (en, es) {
                (Some(en), es) => Text { en, es },
                (None, es) => Text { en: es.clone().unwrap_or_default(), es },
            })
        }
        _ => {
            section.complain(
                &name,
                Problem::found(&entry.item, "write one text, or { en = \"…\", es = \"…\" }"),
            );
            None
        }
    }
}

fn plays_of(root: &mut Section<'_>) -> Vec<String> {
    let doc = "Roles, groups or names of the nodes that a submission plays; by default those of \
        the system's first role.";
    if root.entry("plays").is_some_and(|entry| entry.item.text().is_some()) {
        return root.optional_text("plays", doc).into_iter().collect();
    }
    let plays = root.words("plays", &[], doc);
    if let Some(entry) = root.entry("plays")
        && matches!(&entry.item.value, Value::List(list) if list.is_empty())
    {
        root.reading.note_at(
            "a submission plays no node",
            &entry.item.at,
            "an empty list",
            "name a role, as in [\"server\"], or leave `plays` out",
        );
    }
    plays
}

/// A scenario that items name.
pub(super) struct Named {
    written: String,
    at: At,
    read: Option<Played>,
}

pub(super) struct Reader<'a> {
    pub(super) reading: &'a Reading,
    folder: PathBuf,
    scenarios: Vec<Named>,
    /// The mistakes of the scenarios.
    errors: Vec<Error>,
}

impl Reader<'_> {
    fn instructions(&self, root: &mut Section<'_>) -> Option<Text> {
        let text = localised(
            root,
            "instructions",
            "The files with the instructions for students, relative to the assignment's folder.",
        )?;
        let entry = root.entry("instructions")?;
        for path in std::iter::once(&text.en).chain(text.es.iter().filter(|es| **es != text.en)) {
            if !self.folder.join(path).is_file() {
                let at = match &entry.item.value {
                    Value::Table(table) => table
                        .entries
                        .iter()
                        .find(|below| below.item.text() == Some(path))
                        .map(|below| &below.item.at),
                    _ => None,
                };
                let message = format!("there is no file `{}`", self.folder.join(path).display());
                let hint = "the path is relative to the folder of the assignment";
                self.reading.note_at(message, at.unwrap_or(&entry.item.at), "no such file", hint);
            }
        }
        Some(text)
    }

    /// The position of a scenario; `None`, with a complaint, if it cannot be read.
    pub(super) fn scenario(&mut self, written: &str, at: &At) -> Option<usize> {
        if let Some(position) = self.scenarios.iter().position(|known| known.written == written) {
            return self.scenarios[position].read.is_some().then_some(position);
        }
        let file = self.folder.join(written);
        let read = if !file.is_file() {
            let hint = match file_beside(&self.folder, written) {
                Some(near) => format!(
                    "did you mean \"{near}\"? the path is relative to the folder of the assignment"
                ),
                None => "the path is relative to the folder of the assignment".to_owned(),
            };
            self.reading.note_at(
                format!("there is no scenario `{}`", file.display()),
                at,
                "no such file",
                hint,
            );
            None
        } else {
            match read_scenario(&file, &[], &[]) {
                Ok(scenario) => {
                    Some(Played { written: normal(written), file, scenario, nodes: vec![] })
                }
                Err(error) => {
                    self.errors.push(error);
                    None
                }
            }
        };
        let is_read = read.is_some();
        self.scenarios.push(Named { written: written.to_owned(), at: at.clone(), read });
        is_read.then_some(self.scenarios.len() - 1)
    }

    fn judge_points(&self, whole: Option<(super::Points, At)>, drafts: &[Draft]) {
        let sum: super::Points = drafts.iter().filter_map(|draft| draft.points).sum();
        let all_read = drafts.iter().all(|draft| draft.points.is_some());
        if let Some((points, at)) = whole.filter(|(points, _)| all_read && *points != sum) {
            let parts: Vec<String> = drafts
                .iter()
                .filter_map(|draft| draft.points)
                .map(|points| points.to_string())
                .collect();
            let mistake = mistake_at(
                "the points of the items do not add up",
                &at,
                format!("{points} here"),
                format!("write points = {sum}, or change the points of an item"),
            );
            self.reading
                .note(mistake.note(format!("the items add up to {} = {sum}", parts.join(" + "))));
        }
    }

    fn judge_names(&self, drafts: &[Draft]) {
        for (position, draft) in drafts.iter().enumerate() {
            let Some((name, at)) = &draft.name else { continue };
            let earlier = drafts[..position]
                .iter()
                .find_map(|other| other.name.as_ref().filter(|(other, _)| other == name));
            if let Some((_, first)) = earlier {
                let mut mistake = mistake_at(
                    format!("two items are named `{name}`"),
                    at,
                    "the second one",
                    "give it another name",
                );
                mistake.also.push(first.label("the first one"));
                self.reading.note(mistake);
            }
        }
    }

    /// The gates as positions. A gate that names no item, or leads back to itself, is an error.
    fn gates(&self, drafts: &[Draft]) -> Vec<Option<usize>> {
        let position_of = |name: &str| {
            drafts
                .iter()
                .position(|draft| draft.name.as_ref().is_some_and(|(known, _)| known == name))
        };
        let mut gates = vec![];
        for draft in drafts {
            let found = draft.gate.as_ref().and_then(|(name, at)| {
                let position = position_of(name);
                if position.is_none() {
                    let names = drafts
                        .iter()
                        .filter_map(|other| other.name.as_ref().map(|(name, _)| name.as_str()))
                        .filter(|other| draft.name.as_ref().is_none_or(|(own, _)| own != other));
                    let names: Vec<&str> = names.collect();
                    let hint = match names.as_slice() {
                        [] => {
                            "remove the gate: there is no other item that could be one".to_owned()
                        }
                        names => name_hint(name, "items", names.iter().copied()),
                    };
                    self.reading.note_at(
                        format!("there is no item `{}`", excerpt(name)),
                        at,
                        "unknown item",
                        hint,
                    );
                }
                position
            });
            gates.push(found);
        }
        let mut told: Vec<usize> = vec![];
        for start in 0..drafts.len() {
            let mut way = vec![start];
            while let Some(next) = gates[way[way.len() - 1]] {
                if next == start {
                    if !way.iter().any(|item| told.contains(item)) {
                        self.complain_of_circle(drafts, &way);
                    }
                    told.extend(&way);
                    break;
                }
                if way.contains(&next) {
                    break;
                }
                way.push(next);
            }
        }
        gates
    }

    fn complain_of_circle(&self, drafts: &[Draft], way: &[usize]) {
        let Some((_, at)) = &drafts[way[0]].gate else { return };
        let names: Vec<String> = way
            .iter()
            .filter_map(|item| drafts[*item].name.as_ref())
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        let (message, label) = match names.as_slice() {
            [one] => (format!("{one} is its own gate"), "itself"),
            _ => (
                format!("the items {} wait for each other", and_list(&names)),
                "leads back to this item",
            ),
        };
        self.reading.note_at(
            message,
            at,
            label,
            "remove one of these gates: none of these items could ever be run",
        );
    }

    /// Complain about nodes that no scenario has, and scenarios without a node to play.
    fn judge_plays(&self, plays: &[String], at: Option<&At>) {
        let scenarios = || {
            self.scenarios
                .iter()
                .filter_map(|named| named.read.as_ref().map(|read| (named, &read.scenario)))
        };
        let mut known: Vec<String> =
            scenarios().flat_map(|(_, scenario)| names_to_play(scenario)).collect();
        known.sort();
        known.dedup();
        let all_read =
            self.scenarios.iter().all(|named| named.read.is_some()) && !self.scenarios.is_empty();
        let mut unknown = false;
        for word in plays.iter().filter(|word| all_read && !known.contains(word)) {
            if let Some(at) = at {
                unknown = true;
                let hint =
                    name_hint(word, "roles, groups and nodes", known.iter().map(String::as_str));
                self.reading.note_at(
                    format!("no scenario of the assignment has a node `{}`", excerpt(word)),
                    at,
                    "unknown node",
                    hint,
                );
            }
        }
        for (named, scenario) in scenarios() {
            if played_nodes(scenario, plays).is_empty() && !unknown {
                let hint = format!("`plays` is one of: {}", names_to_play(scenario).join(", "));
                self.reading.note_at(
                    "a submission would play no node of this scenario",
                    &named.at,
                    "nothing to play",
                    hint,
                );
            }
        }
    }

    /// The checks of each item. They must exist and be applicable to its scenario.
    fn checks(&self, drafts: &[Draft]) -> Vec<Vec<String>> {
        drafts.iter().map(|draft| self.checks_of_item(draft)).collect()
    }

    fn checks_of_item(&self, draft: &Draft) -> Vec<String> {
        let Some(scenario) = draft
            .scenario
            .and_then(|position| self.scenarios[position].read.as_ref())
            .map(|read| &read.scenario)
        else {
            return vec![];
        };
        let system = system_of(scenario);
        let voided = (system.voided_checks)(scenario);
        let mut wanted = vec![];
        for (name, at) in &draft.checks {
            if !system.checks.iter().any(|check| check.name == name) {
                let hint = name_hint(
                    name,
                    "checks",
                    system
                        .checks
                        .iter()
                        .map(|check| check.name)
                        .collect::<Vec<_>>()
                        .iter()
                        .copied(),
                );
                self.reading.note_at(
                    format!("`{}` has no check `{}`", system.name, excerpt(name)),
                    at,
                    "unknown check",
                    hint,
                );
            } else if voided.contains(&name.as_str()) {
                let message =
                    format!("with the settings of `{}`, `{name}` does not apply", scenario.name);
                self.reading.note_at(
                    message,
                    at,
                    "never judged",
                    "remove it, or choose another scenario",
                );
            }
            wanted.push(name.as_str());
        }
        let of_scenario: Vec<&str> =
            checks_of(scenario).iter().map(|(checker, _)| checker.name).collect();
        let in_order = system.checks.iter().map(|check| check.name);
        let decides = |name: &&str| {
            if draft.checks.is_empty() { of_scenario.contains(name) } else { wanted.contains(name) }
        };
        let checks: Vec<String> = in_order.filter(decides).map(str::to_owned).collect();
        if checks.is_empty() && draft.checks.is_empty() {
            let at = &self.scenarios[draft.scenario.unwrap_or_default()].at;
            self.reading.note_at(
                "nothing is judged",
                at,
                "a scenario without a check",
                "name the checks of the item: checks = [\"…\"]",
            );
        }
        checks
    }
}
