//! What the readers of special values stand on: taking keys, tables below tables, unknown keys, and
//! the resolved text.

use crate::error::{Mistake, excerpt, nearest};

use super::reader::{Key, Problem, Resolved, Section};
use super::reading::{KeyInfo, and_list, mistake_at};
use super::tree::{At, Entry, Item, Table, Value};
use super::units::show_text;

/// More entries than this no list of tables has.
const TABLES_MAX: usize = 1_000;

/// Words that people write for a key, and that are too far from it for a comparison of letters.
const SYNONYMS: &[(&str, &str)] = &[
    ("by_ms", "by"),
    ("delay", "by"),
    ("delay", "latency"),
    ("bytes_per_second", "bandwidth"),
    ("correlation", "loss_correlation"),
    ("drift", "drift_ppm"),
    ("offset", "clock_offset"),
    ("type", "fault"),
    ("kind", "fault"),
    ("nodes", "targets"),
    ("start", "at"),
    ("time", "at"),
    ("length", "duration"),
    ("for", "duration"),
    ("from", "src"),
    ("to", "dest"),
];

impl<'a> Section<'a> {
    /// Whether the file has this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.table.and_then(|table| table.get(key))
    }

    /// Take a key, and tell the reference of it.
    pub(crate) fn take(&mut self, key: &Key<'_>, default: Option<String>) -> Option<&'a Entry> {
        let kind = key
            .kind
            .strip_prefix("an ")
            .or_else(|| key.kind.strip_prefix("a "))
            .unwrap_or(key.kind);
        let info = KeyInfo {
            section: self.title.clone(),
            key: key.name.into(),
            kind: kind.into(),
            default,
            range: key.range.clone(),
            doc: key.doc,
        };
        self.reading.describe(info);
        self.taken.push(key.name.into());
        self.entry(key.name)
    }

    pub(crate) fn resolve(&mut self, key: &str, value: String) {
        self.resolved.push((key.into(), Resolved::Value(value)));
    }

    /// A key with a default.
    pub(crate) fn value<T>(
        &mut self,
        key: Key<'_>,
        default: T,
        read: impl FnOnce(&Item) -> Result<T, Problem>,
        show: impl Fn(&T) -> String,
    ) -> T {
        let value = match self.take(&key, Some(show(&default))).map(|entry| read(&entry.item)) {
            Some(Ok(value)) => value,
            Some(Err(problem)) => {
                self.complain(&key, problem);
                default
            }
            None => default,
        };
        self.resolve(key.name, show(&value));
        value
    }

    /// A key that may be left out.
    pub(crate) fn optional<T>(
        &mut self,
        key: Key<'_>,
        read: impl FnOnce(&Item) -> Result<T, Problem>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        match read(&self.take(&key, None)?.item) {
            Ok(value) => {
                self.resolve(key.name, show(&value));
                Some(value)
            }
            Err(problem) => {
                self.complain(&key, problem);
                None
            }
        }
    }

    /// Note that a key does not have what it takes.
    pub(crate) fn complain(&self, key: &Key<'_>, problem: Problem) {
        const WORDS_MAX: usize = 80;
        let range = key.range.as_str();
        let words = range.starts_with("one of") || range.starts_with("any of");
        let takes = match range {
            _ if words && key.kind == "a word" && range.len() <= WORDS_MAX => range.to_string(),
            _ if words || range.is_empty() => key.kind.to_string(),
            range if range.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                format!("{} from {range}", key.kind)
            }
            range => format!("{} of {range}", key.kind),
        };
        let message =
            problem.message.unwrap_or_else(|| format!("`{}` must be {takes}", self.full(key.name)));
        self.reading.note_at(message, &problem.at, problem.label, problem.hint);
    }

    /// The key with all that leads to it, as `--set` takes it.
    pub(crate) fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }

    /// A table below this one; an empty one where the file has none.
    pub(crate) fn table(&mut self, key: &'static str) -> Section<'a> {
        self.taken.push(key.into());
        let (path, title) = (self.full(key), self.below(key));
        let Some(entry) = self.entry(key) else {
            return Section::new(self.reading, None, self.at.clone(), path, title);
        };
        let at = Some(entry.key_at.clone());
        let Value::Table(table) = &entry.item.value else {
            let brackets = if matches!(entry.item.value, Value::List(_)) {
                ", in single brackets"
            } else {
                ""
            };
            // A header cannot name one of several entries.
            let of_entry = self.path.split('.').any(|step| step.parse::<usize>().is_ok());
            let hint = match (entry.item.at.is_override(), of_entry) {
                (true, _) => format!("set its keys: --set {path}.KEY=…"),
                (false, true) => format!("its keys stand in braces: {key} = {{ KEY = … }}"),
                (false, false) => format!("its keys stand below the header [{path}]{brackets}"),
            };
            self.no_table(&path, &entry.item, hint);
            return Section::new(self.reading, None, at, path, title);
        };
        Section::new(self.reading, Some(table), at, path, title)
    }

    /// A list of tables, `[[key]]`; empty where the file has none, and one empty table where the
    /// keys are described.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<Section<'a>> {
        self.taken.push(key.into());
        let (path, title) = (self.full(key), self.below(key));
        if self.reading.is_describing() {
            return vec![Section::new(self.reading, None, None, path, title)];
        }
        let Some(entry) = self.entry(key) else { return vec![] };
        let Value::List(list) = &entry.item.value else {
            let message = format!("`{path}` must be a list of tables");
            let hint = match entry.item.at.is_override() {
                true => {
                    format!("set the keys of its entries, counted from 1: --set {path}.1.KEY=…")
                }
                false => format!("write the header of each in double brackets: [[{path}]]"),
            };
            self.reading.note_at(
                message,
                &entry.key_at,
                format!("found {}", entry.item.found()),
                hint,
            );
            return vec![];
        };
        if let Some(item) = list.get(TABLES_MAX) {
            let message = format!("`{path}` has too many entries");
            self.reading.note_at(
                message,
                &item.at,
                format!("{} of them", list.len()),
                format!("the most is {TABLES_MAX}"),
            );
        }
        let mut sections = vec![];
        for (i, item) in list.iter().take(TABLES_MAX).enumerate() {
            let header = format!("write its keys below a header of its own: [[{path}]]");
            let path = format!("{path}.{}", i + 1);
            match &item.value {
                Value::Table(table) => sections.push(Section::new(
                    self.reading,
                    Some(table),
                    Some(item.at.clone()),
                    path,
                    title.clone(),
                )),
                _ => self.no_table(&path, item, header),
            }
        }
        sections
    }

    fn no_table(&self, path: &str, item: &Item, hint: String) {
        self.reading.note_at(
            format!("`{path}` must be a table"),
            &item.at,
            format!("found {}", item.found()),
            hint,
        );
    }

    fn below(&self, key: &str) -> String {
        if self.title.is_empty() { key.into() } else { format!("{}.{key}", self.title) }
    }

    /// The entries of a table whose keys are names of the file's own.
    pub(crate) fn free_entries(&mut self) -> &'a [Entry] {
        self.free = true;
        self.table.map_or(&[], |table| table.entries.as_slice())
    }

    /// A table that is the value of a list's element or of a key with several forms.
    pub(crate) fn of_item(&self, key: &str, table: &'a Table, at: &At, title: &str) -> Section<'a> {
        Section::new(self.reading, Some(table), Some(at.clone()), self.full(key), title.into())
    }

    /// Take a key without reading it: another call does.
    pub(crate) fn allow(&mut self, key: &'static str) {
        self.taken.push(key.into());
    }

    /// A table below this one has been read.
    pub(crate) fn close(&mut self, key: &str, section: Section<'_>) {
        let resolved = section.finish();
        if !resolved.is_empty() {
            self.resolved.push((key.into(), Resolved::Table(resolved)));
        }
    }

    /// A list of tables has been read.
    pub(crate) fn close_all(&mut self, key: &str, sections: Vec<Section<'_>>) {
        if !sections.is_empty() {
            self.resolved.push((
                key.into(),
                Resolved::Tables(sections.into_iter().map(Section::finish).collect()),
            ));
        }
    }

    /// A table that stands in one line of the resolved scenario.
    pub(crate) fn close_inline(&mut self, key: &str, section: Section<'_>) {
        let inline = section.finish_inline();
        self.resolve(key, inline);
    }

    /// All keys are read: complain of the others, and give the resolved table as one line.
    pub(crate) fn finish_inline(self) -> String {
        toml_inline(&self.finish())
    }

    /// All keys are read: complain of the others.
    pub(crate) fn finish(self) -> Vec<(String, Resolved)> {
        if let Some(table) =
            self.table.filter(|_| !self.free && !self.reading.passes_over_unknown())
        {
            for entry in table.entries.iter().filter(|entry| !self.taken.contains(&entry.key)) {
                if self.reading.is_full() {
                    break;
                }
                self.reading.note(self.unknown(entry));
            }
        }
        self.resolved
    }

    fn unknown(&self, entry: &Entry) -> Mistake {
        let written = entry.key.as_str();
        let what = self.reading.other();
        let home = if self.path.is_empty() {
            what.unwrap_or("a scenario").into()
        } else {
            format!("`{}`", self.path)
        };
        let mistake = |hint| {
            mistake_at(
                format!("{home} has no key `{}`", excerpt(written)),
                &entry.key_at,
                "unknown key",
                hint,
            )
        };
        let mut known: Vec<&str> = self.taken.iter().map(String::as_str).collect();
        known.sort_unstable();
        known.dedup();
        let synonym = SYNONYMS
            .iter()
            .find(|(word, key)| *word == written && known.contains(key))
            .map(|(_, key)| *key);
        if let Some(near) = synonym.or_else(|| nearest(written, known.iter().copied())) {
            return mistake(format!("did you mean `{near}`?"));
        }
        let keys = match known.len() {
            1.. if what.is_some() => format!("its keys are {}", and_list(&known)),
            0 => "it has no keys: take this one out".into(),
            1..=24 => format!("its keys are {}", and_list(&known)),
            _ => {
                let name = self
                    .title
                    .rsplit(' ')
                    .next()
                    .filter(|title| !title.is_empty())
                    .unwrap_or("scenario");
                format!("`seedbed explain {name}` shows its keys")
            }
        };
        let homes = self.reading.homes_of(written, &self.title);
        match homes.as_slice() {
            [] => mistake(keys),
            [home] if home.is_empty() => mistake(format!(
                "`{written}` belongs to the top of the file, above the first [table]"
            )),
            homes => mistake(format!("`{written}` is a key of {}; {keys}", and_list(homes))),
        }
    }

    /// Complain that values contradict each other, at the first of these keys that the file gives.
    pub fn contradiction(&self, keys: &[&str], message: &str, found: String, hint: &str) {
        if let Some(entry) = keys.iter().find_map(|key| self.entry(key)) {
            self.reading.note_at(message, &entry.item.at, found, hint);
        }
    }

    /// Complain where more than one of these keys is given; the first given one counts.
    pub(crate) fn exclusive(&self, keys: &[&str], why: &str) {
        let given: Vec<&Entry> = keys.iter().filter_map(|key| self.entry(key)).collect();
        let [first, others @ ..] = given.as_slice() else { return };
        for other in others {
            let message =
                format!("`{}` and `{}` exclude each other", self.full(&first.key), other.key);
            let mut mistake = mistake_at(
                message,
                &other.key_at,
                format!("not together with `{}`", first.key),
                why,
            );
            mistake.also.push(first.key_at.label("given here"));
            self.reading.note(mistake);
        }
    }
}

/// The resolved scenario as text.
pub(crate) fn toml_text(resolved: &[(String, Resolved)]) -> String {
    let mut text = String::new();
    write_toml(&mut text, "", resolved);
    text
}

fn write_toml(text: &mut String, path: &str, resolved: &[(String, Resolved)]) {
    for (key, value) in resolved {
        if let Resolved::Value(value) = value {
            text.push_str(&format!("{} = {value}\n", show_key(key)));
        }
    }
    for (key, value) in resolved {
        let below =
            if path.is_empty() { show_key(key) } else { format!("{path}.{}", show_key(key)) };
        match value {
            Resolved::Value(_) => {}
            Resolved::Table(table) => {
                // A table that only holds tables needs no header of its own.
                if table.iter().any(|(_, value)| matches!(value, Resolved::Value(_))) {
                    text.push_str(&format!("\n[{below}]\n"));
                }
                write_toml(text, &below, table);
            }
            Resolved::Tables(tables) => {
                for table in tables {
                    text.push_str(&format!("\n[[{below}]]\n"));
                    write_toml(text, &below, table);
                }
            }
        }
    }
}

/// A table in one line.
pub(crate) fn toml_inline(resolved: &[(String, Resolved)]) -> String {
    let parts: Vec<String> = resolved
        .iter()
        .map(|(key, value)| match value {
            Resolved::Value(value) => format!("{} = {value}", show_key(key)),
            Resolved::Table(table) => format!("{} = {}", show_key(key), toml_inline(table)),
            Resolved::Tables(tables) => {
                format!(
                    "{} = [{}]",
                    show_key(key),
                    tables.iter().map(|table| toml_inline(table)).collect::<Vec<_>>().join(", ")
                )
            }
        })
        .collect();
    if parts.is_empty() { "{}".into() } else { format!("{{ {} }}", parts.join(", ")) }
}

fn show_key(key: &str) -> String {
    let bare =
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.into() } else { show_text(key) }
}
