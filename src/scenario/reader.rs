//! The machinery of reading: sections, keys, spans, hints; it also prints the reference.
//!
//! The calls that read a key describe it too, with its type, default, range and meaning, and write its value to the resolved scenario. So the
//! parser, the reference and `scenario.toml` of a report cannot disagree.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::{Mistake, excerpt, nearest};

use super::reading::{KeyInfo, Reading, and_list, mistake_at, name_hint};
use super::tree::{At, Entry, Item, Table, Value};
use super::units::{parse_duration, plain_number, show_duration, show_float, show_text};

/// A table of the file while it is read. Each call takes one key; what no call took is an unknown key. A mistake is noted with its place and
/// the default goes on, so that all mistakes of a file are shown at once. Every call also tells the reference what the key means.
pub struct Section<'a> {
    pub(crate) reading: &'a Reading,
    /// `None`: the file has no such table, and everything has its default.
    pub(crate) table: Option<&'a Table>,
    /// Where the table is, for mistakes that concern all of it.
    pub(crate) at: Option<At>,
    /// The keys that lead here, for messages: `network.stream`, `nemesis.2`.
    pub(crate) path: String,
    /// The name in the reference: `network.stream`, `nemesis partition`.
    pub(crate) title: String,
    taken: Vec<String>,
    /// The keys are names of the file's own: none is unknown.
    free: bool,
    resolved: Vec<(String, Resolved)>,
}

/// A value of the resolved scenario.
pub(crate) enum Resolved {
    /// As TOML.
    Value(String),
    Table(Vec<(String, Resolved)>),
    Tables(Vec<Vec<(String, Resolved)>>),
}

/// A value that is not what its key takes.
pub(crate) struct Problem {
    pub(crate) at: At,
    pub(crate) label: String,
    pub(crate) hints: Vec<String>,
}

impl Problem {
    pub(crate) fn new(at: &At, label: impl Into<String>) -> Self {
        Problem { at: at.clone(), label: label.into(), hints: vec![] }
    }

    pub(crate) fn found(item: &Item) -> Self {
        Problem::new(&item.at, format!("found {}", item.found()))
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// What a key takes, for messages and for the reference.
pub(crate) struct Key<'r> {
    pub(crate) name: &'r str,
    /// With its article, as a message says it: `a duration`.
    pub(crate) kind: &'r str,
    /// `1ms to 10s`; may be empty.
    pub(crate) range: String,
    pub(crate) doc: &'static str,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(crate) fn root(reading: &'a Reading, table: &'a Table) -> Self {
        Section::new(reading, Some(table), None, String::new(), String::new())
    }

    pub(crate) fn new(reading: &'a Reading, table: Option<&'a Table>, at: Option<At>, path: String, title: String) -> Self {
        Section { reading, table, at, path, title, taken: vec![], free: false, resolved: vec![] }
    }

    /// A duration with a unit: `"150ms"`.
    pub fn duration(&mut self, key: &'static str, default: Duration, range: RangeInclusive<Duration>, doc: &'static str) -> Duration {
        let key = Key { name: key, kind: "a duration", range: duration_range(&range), doc };
        self.value(key, default, |item| read_duration(item, &range), |value| quoted(*value))
    }

    /// A duration that may be left out.
    pub(crate) fn optional_duration(&mut self, key: &'static str, range: RangeInclusive<Duration>, doc: &'static str) -> Option<Duration> {
        let key = Key { name: key, kind: "a duration", range: duration_range(&range), doc };
        self.optional(key, |item| read_duration(item, &range), |value| quoted(*value))
    }

    /// A range of durations, `["150ms", "300ms"]`, or one duration for both ends.
    pub fn durations(
        &mut self,
        key: &'static str,
        default: (Duration, Duration),
        range: RangeInclusive<Duration>,
        doc: &'static str,
    ) -> (Duration, Duration) {
        let key = Key { name: key, kind: "a duration or a range of two", range: duration_range(&range), doc };
        self.value(key, default, |item| read_pair(item, |item| read_duration(item, &range)), |pair| show_pair(pair, |end| quoted(*end)))
    }

    /// A range of durations that may be left out.
    pub(crate) fn optional_durations(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        doc: &'static str,
    ) -> Option<(Duration, Duration)> {
        let key = Key { name: key, kind: "a duration or a range of two", range: duration_range(&range), doc };
        self.optional(key, |item| read_pair(item, |item| read_duration(item, &range)), |pair| show_pair(pair, |end| quoted(*end)))
    }

    /// A whole number.
    pub fn integer(&mut self, key: &'static str, default: u64, range: RangeInclusive<u64>, doc: &'static str) -> u64 {
        let key = Key { name: key, kind: "an integer", range: integer_range(&range), doc };
        self.value(key, default, |item| read_integer(item, &range), u64::to_string)
    }

    /// A whole number that may be left out.
    pub fn optional_integer(&mut self, key: &'static str, range: RangeInclusive<u64>, doc: &'static str) -> Option<u64> {
        let key = Key { name: key, kind: "an integer", range: integer_range(&range), doc };
        self.optional(key, |item| read_integer(item, &range), u64::to_string)
    }

    /// A whole number or `"unlimited"`.
    pub(crate) fn limit(&mut self, key: &'static str, default: Option<u64>, range: RangeInclusive<u64>, doc: &'static str) -> Option<u64> {
        let key = Key { name: key, kind: "an integer or \"unlimited\"", range: integer_range(&range), doc };
        let read = |item: &Item| match item.text() {
            Some("unlimited") => Ok(None),
            _ => read_integer(item, &range).map(Some),
        };
        self.value(key, default, read, |value| value.map_or("\"unlimited\"".into(), |value| value.to_string()))
    }

    /// A number; probabilities have the range 0 to 1.
    pub fn number(&mut self, key: &'static str, default: f64, range: RangeInclusive<f64>, doc: &'static str) -> f64 {
        let key = Key { name: key, kind: number_kind(&range), range: number_range(&range), doc };
        self.value(key, default, |item| read_number(item, &range), |value| show_float(*value))
    }

    /// A number that may be left out.
    pub(crate) fn optional_number(&mut self, key: &'static str, range: RangeInclusive<f64>, doc: &'static str) -> Option<f64> {
        let key = Key { name: key, kind: number_kind(&range), range: number_range(&range), doc };
        self.optional(key, |item| read_number(item, &range), |value| show_float(*value))
    }

    /// A number, or a range of two from which one is drawn.
    pub(crate) fn numbers(&mut self, key: &'static str, default: (f64, f64), range: RangeInclusive<f64>, doc: &'static str) -> (f64, f64) {
        let kind = format!("{} or a range of two", number_kind(&range));
        let key = Key { name: key, kind: &kind, range: number_range(&range), doc };
        self.value(key, default, |item| read_pair(item, |item| read_number(item, &range)), |pair| show_pair(pair, |end| show_float(*end)))
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str, default: bool, doc: &'static str) -> bool {
        let key = Key { name: key, kind: "true or false", range: String::new(), doc };
        self.value(key, default, read_flag, bool::to_string)
    }

    /// `true` or `false`, or nothing said.
    pub(crate) fn optional_flag(&mut self, key: &'static str, doc: &'static str) -> Option<bool> {
        let key = Key { name: key, kind: "true or false", range: String::new(), doc };
        self.optional(key, read_flag, bool::to_string)
    }

    /// One of some words.
    pub fn choice(&mut self, key: &'static str, default: &'static str, options: &[&'static str], doc: &'static str) -> &'static str {
        let key = Key { name: key, kind: "a word", range: one_of(options), doc };
        self.value(key, default, |item| read_choice(item, options), |word| show_text(word))
    }

    /// A list of words out of some (`defects`, `message types`); `options` empty: any.
    pub fn words(&mut self, key: &'static str, options: &[&'static str], doc: &'static str) -> Vec<String> {
        // Long lists (35 defects) stand elsewhere in the documentation; here they would bury the key.
        let range =
            if options.len() <= 12 { one_of(options).replace("one of", "any of") } else { format!("any of {} names", options.len()) };
        let key = Key { name: key, kind: "a list of words", range, doc };
        let Some(entry) = self.take(&key, Some("[]".into())) else {
            self.resolve(key.name, "[]".into());
            return vec![];
        };
        let words = self.read_words(&key, entry, options);
        self.resolve(key.name, format!("[{}]", words.iter().map(|word| show_text(word)).collect::<Vec<_>>().join(", ")));
        words
    }

    /// Any text.
    pub(crate) fn text(&mut self, key: &'static str, default: &str, doc: &'static str) -> String {
        let key = Key { name: key, kind: "a text", range: String::new(), doc };
        self.value(key, default.to_string(), read_text, |text| show_text(text))
    }

    /// Any text that may be left out.
    pub(crate) fn optional_text(&mut self, key: &'static str, doc: &'static str) -> Option<String> {
        let key = Key { name: key, kind: "a text", range: String::new(), doc };
        self.optional(key, read_text, |text| show_text(text))
    }

    /// A name out of some, which may be left out.
    pub(crate) fn optional_name(&mut self, key: &'static str, what: &'static str, known: &[String], doc: &'static str) -> Option<String> {
        let key = Key { name: key, kind: "a name", range: what.into(), doc };
        self.optional(key, |item| read_name(item, what, known), |name| show_text(name))
    }

    /// A name out of some.
    pub(crate) fn name(&mut self, key: &'static str, default: &str, what: &'static str, known: &[String], doc: &'static str) -> String {
        let key = Key { name: key, kind: "a name", range: what.into(), doc };
        self.value(key, default.to_string(), |item| read_name(item, what, known), |name| show_text(name))
    }

    /// Names out of some, as a list or a single one.
    pub(crate) fn names(
        &mut self,
        key: &'static str,
        default: &[&str],
        what: &'static str,
        known: &[String],
        doc: &'static str,
    ) -> Vec<String> {
        let key = Key { name: key, kind: "a name or a list of names", range: what.into(), doc };
        let default: Vec<String> = default.iter().map(ToString::to_string).collect();
        let shown = show_names(&default);
        let Some(entry) = self.take(&key, Some(shown.clone())) else {
            self.resolve(key.name, shown);
            return default;
        };
        let names = self.read_names(&key, &entry.item, what, known);
        self.resolve(key.name, show_names(&names));
        names
    }

    /// The names of a value that is one name or a list of them; a mistake for each that is unknown or stands there twice.
    pub(crate) fn read_names(&self, key: &Key<'_>, item: &Item, what: &str, known: &[String]) -> Vec<String> {
        let single = std::slice::from_ref(item);
        let items = match &item.value {
            Value::List(list) => list.as_slice(),
            _ => single,
        };
        let mut seen = BTreeSet::new();
        let mut names = vec![];
        for item in items {
            match read_name(item, what, known) {
                Ok(name) if seen.insert(name.clone()) => names.push(name),
                Ok(name) => {
                    self.reading.note_at(format!("`{name}` stands twice in `{}`", self.full(key.name)), &item.at, "the second time")
                }
                Err(problem) => self.complain(key, problem),
            }
        }
        names
    }

    fn read_words(&self, key: &Key<'_>, entry: &Entry, options: &[&'static str]) -> Vec<String> {
        let Value::List(list) = &entry.item.value else {
            let problem = Problem::found(&entry.item);
            let problem = match entry.item.text() {
                Some(word) => problem.hint(format!("a list stands in brackets: {} = [{}]", key.name, show_text(&excerpt(word)))),
                None => problem,
            };
            self.complain(key, problem);
            return vec![];
        };
        let mut words: Vec<String> = vec![];
        for item in list {
            match item.text() {
                None => self.complain(key, Problem::found(item)),
                Some(word) if words.iter().any(|known| known == word) => {
                    self.reading.note_at(
                        format!("`{}` stands twice in `{}`", excerpt(word), self.full(key.name)),
                        &item.at,
                        "the second time",
                    );
                }
                Some(word) if options.is_empty() || options.contains(&word) => words.push(word.into()),
                Some(word) => {
                    let message = format!("`{}` has no `{}`", self.full(key.name), excerpt(word));
                    let hint = name_hint(word, "possible words", options.iter().copied());
                    self.reading.note(mistake_at(message, &item.at, "unknown").hint(hint));
                }
            }
        }
        words
    }
}

/// The parts that the readers of special values stand on.
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
        let kind = key.kind.strip_prefix("an ").or_else(|| key.kind.strip_prefix("a ")).unwrap_or(key.kind);
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
        let range = match key.range.as_str() {
            "" => String::new(),
            range if range.starts_with("one of") || range.starts_with("any of") => String::new(),
            range if range.starts_with(|c: char| c.is_ascii_digit() || c == '-') => format!(" from {range}"),
            range => format!(" of {range}"),
        };
        let mistake = mistake_at(format!("`{}` must be {}{range}", self.full(key.name), key.kind), &problem.at, problem.label);
        self.reading.note(problem.hints.into_iter().fold(mistake, Mistake::hint));
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
            let mistake = mistake_at(format!("`{path}` must be a table"), &entry.item.at, format!("found {}", entry.item.found()));
            let brackets = if matches!(entry.item.value, Value::List(_)) { ", in single brackets" } else { "" };
            self.reading.note(mistake.hint(format!("its keys stand below the header [{path}]{brackets}")));
            return Section::new(self.reading, None, at, path, title);
        };
        Section::new(self.reading, Some(table), at, path, title)
    }

    /// A list of tables, `[[key]]`; empty where the file has none, and one empty table where the keys are described.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<Section<'a>> {
        self.taken.push(key.into());
        let (path, title) = (self.full(key), self.below(key));
        if self.reading.is_describing() {
            return vec![Section::new(self.reading, None, None, path, title)];
        }
        let Some(entry) = self.entry(key) else { return vec![] };
        let Value::List(list) = &entry.item.value else {
            let mistake = mistake_at(format!("`{path}` must be a list of tables"), &entry.key_at, format!("found {}", entry.item.found()));
            self.reading.note(mistake.hint(format!("write the header of each in double brackets: [[{path}]]")));
            return vec![];
        };
        let mut sections = vec![];
        for (i, item) in list.iter().enumerate() {
            let path = format!("{path}.{}", i + 1);
            match &item.value {
                Value::Table(table) => sections.push(Section::new(self.reading, Some(table), Some(item.at.clone()), path, title.clone())),
                _ => self.reading.note_at(format!("`{path}` must be a table"), &item.at, format!("found {}", item.found())),
            }
        }
        sections
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
            self.resolved.push((key.into(), Resolved::Tables(sections.into_iter().map(Section::finish).collect())));
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
        if let Some(table) = self.table.filter(|_| !self.free && !self.reading.passes_over_unknown()) {
            for entry in table.entries.iter().filter(|entry| !self.taken.contains(&entry.key)) {
                self.reading.note(self.unknown(entry));
            }
        }
        self.resolved
    }

    fn unknown(&self, entry: &Entry) -> Mistake {
        let written = entry.key.as_str();
        let home = if self.path.is_empty() { "a scenario".into() } else { format!("`{}`", self.path) };
        let mistake = mistake_at(format!("{home} has no key `{}`", excerpt(written)), &entry.key_at, "unknown key");
        let mut known: Vec<&str> = self.taken.iter().map(String::as_str).collect();
        known.sort_unstable();
        known.dedup();
        if let Some(near) = nearest(written, known.iter().copied()) {
            return mistake.hint(format!("did you mean `{near}`?"));
        }
        let elsewhere = super::reference::homes_of(written, &self.title);
        let mistake = match elsewhere.as_slice() {
            [] => mistake,
            [home] if home.is_empty() => mistake.hint(format!("`{written}` belongs to the top of the file, above the first [table]")),
            homes => mistake.hint(format!("`{written}` is a key of {}", and_list(homes))),
        };
        if known.len() <= 24 { mistake.hint(format!("its keys are {}", and_list(&known))) } else { mistake }
    }

    /// Complain where more than one of these keys is given; the first given one counts.
    pub(crate) fn exclusive(&self, keys: &[&str], why: &str) {
        let given: Vec<&Entry> = keys.iter().filter_map(|key| self.entry(key)).collect();
        let [first, others @ ..] = given.as_slice() else { return };
        for other in others {
            let message = format!("`{}` and `{}` exclude each other", self.full(&first.key), other.key);
            let mut mistake = mistake_at(message, &other.key_at, format!("not together with `{}`", first.key));
            mistake.also.push(first.key_at.label("given here"));
            self.reading.note(mistake.hint(why));
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
        let below = if path.is_empty() { show_key(key) } else { format!("{path}.{}", show_key(key)) };
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
                format!("{} = [{}]", show_key(key), tables.iter().map(|table| toml_inline(table)).collect::<Vec<_>>().join(", "))
            }
        })
        .collect();
    if parts.is_empty() { "{}".into() } else { format!("{{ {} }}", parts.join(", ")) }
}

fn show_key(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.into() } else { show_text(key) }
}

pub(crate) fn quoted(duration: Duration) -> String {
    show_text(&show_duration(duration))
}

/// Equal ends are written once, as people do.
pub(crate) fn show_pair<T: PartialEq>(pair: &(T, T), show: impl Fn(&T) -> String) -> String {
    if pair.0 == pair.1 { show(&pair.0) } else { format!("[{}, {}]", show(&pair.0), show(&pair.1)) }
}

pub(crate) fn show_names(names: &[String]) -> String {
    match names {
        [one] => show_text(one),
        names => format!("[{}]", names.iter().map(|name| show_text(name)).collect::<Vec<_>>().join(", ")),
    }
}

fn duration_range(range: &RangeInclusive<Duration>) -> String {
    format!("{} to {}", show_duration(*range.start()), show_duration(*range.end()))
}

fn integer_range(range: &RangeInclusive<u64>) -> String {
    match (*range.start(), *range.end()) {
        (least, u64::MAX) => format!("{least} up"),
        (least, most) => format!("{least} to {most}"),
    }
}

fn number_range(range: &RangeInclusive<f64>) -> String {
    match (*range.start(), *range.end()) {
        (f64::MIN, f64::MAX) => String::new(),
        (f64::MIN, most) => format!("at most {}", plain_number(most)),
        (least, f64::MAX) => format!("{} up", plain_number(least)),
        (least, most) => format!("{} to {}", plain_number(least), plain_number(most)),
    }
}

fn number_kind(range: &RangeInclusive<f64>) -> &'static str {
    if *range.start() == 0.0 && *range.end() == 1.0 { "a probability" } else { "a number" }
}

fn one_of(options: &[&str]) -> String {
    if options.is_empty() { String::new() } else { format!("one of {}", options.join(", ")) }
}

pub(crate) fn read_duration(item: &Item, range: &RangeInclusive<Duration>) -> Result<Duration, Problem> {
    let Some(text) = item.text() else {
        let problem = Problem::found(item);
        return Err(match item.number() {
            Some(number) if number >= 0.0 => problem.hint(format!("durations are texts with a unit: \"{number}ms\" or \"{number}s\"")),
            _ => problem.hint("durations are texts with a unit, as in \"150ms\""),
        });
    };
    let value = parse_duration(text).map_err(|wrong| Problem::new(&item.at, wrong.label).hint(wrong.hint))?;
    if range.contains(&value) {
        return Ok(value);
    }
    Err(Problem::new(&item.at, if value < *range.start() { "too short" } else { "too long" }))
}

pub(crate) fn read_integer(item: &Item, range: &RangeInclusive<u64>) -> Result<u64, Problem> {
    let Value::Integer(number) = item.value else { return Err(Problem::found(item)) };
    let within = number.and_then(|number| u64::try_from(number).ok()).filter(|number| range.contains(number));
    within.ok_or_else(|| match number {
        Some(number) if number < i128::from(*range.start()) => Problem::new(&item.at, "too small"),
        _ => Problem::new(&item.at, "too large"),
    })
}

pub(crate) fn read_number(item: &Item, range: &RangeInclusive<f64>) -> Result<f64, Problem> {
    let Some(number) = item.number() else { return Err(Problem::found(item)) };
    if range.contains(&number) {
        return Ok(number);
    }
    let problem = Problem::new(&item.at, if number < *range.start() { "too small" } else { "too large" });
    let percent = *range.start() == 0.0 && *range.end() == 1.0 && number > 1.0 && number <= 100.0;
    Err(if percent { problem.hint(format!("{number} % is written {}", number / 100.0)) } else { problem })
}

fn read_flag(item: &Item) -> Result<bool, Problem> {
    match item.value {
        Value::Boolean(flag) => Ok(flag),
        _ => Err(Problem::found(item).hint("without quotation marks: true or false")),
    }
}

fn read_text(item: &Item) -> Result<String, Problem> {
    item.text().map(Into::into).ok_or_else(|| Problem::found(item))
}

fn read_choice(item: &Item, options: &[&'static str]) -> Result<&'static str, Problem> {
    let word = item.text().ok_or_else(|| Problem::found(item).hint(one_of(options)))?;
    let known = options.iter().find(|option| **option == word);
    known.copied().ok_or_else(|| Problem::new(&item.at, "unknown word").hint(name_hint(word, "possible words", options.iter().copied())))
}

fn read_name(item: &Item, what: &str, known: &[String]) -> Result<String, Problem> {
    let name = item.text().ok_or_else(|| Problem::found(item))?;
    if known.iter().any(|known| known == name) {
        return Ok(name.into());
    }
    Err(Problem::new(&item.at, "unknown name").hint(name_hint(name, what, known.iter().map(String::as_str))))
}

/// One value, or a list of two in ascending order.
pub(crate) fn read_pair<T: Copy + PartialOrd>(item: &Item, read: impl Fn(&Item) -> Result<T, Problem>) -> Result<(T, T), Problem> {
    let Value::List(list) = &item.value else { return read(item).map(|value| (value, value)) };
    let [least, most] = list.as_slice() else {
        return Err(Problem::new(&item.at, format!("a list of {}", list.len())).hint("a range has two ends: [least, most]"));
    };
    let (low, high) = (read(least)?, read(most)?);
    if low > high {
        return Err(Problem::new(&item.at, "the first end is the larger one").hint("a range begins with its least value"));
    }
    Ok((low, high))
}
