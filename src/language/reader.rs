//! The machinery of reading: sections, keys, spans, hints; it also prints the reference.
//!
//! The calls that read a key describe it too, with its type, default, range and meaning, and write
//! its value to the resolved scenario. So the parser, the reference and `scenario.toml` of a report
//! cannot disagree.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::excerpt;

use super::reading::{Reading, known_hint, name_hint};
use super::tree::{At, Entry, Item, Table, Value};
use super::units::{Length, show_float, show_text};
use super::values::{
    duration_range, integer_range, number_kind, number_range, one_of, quoted, read_choice,
    read_duration, read_flag, read_integer, read_name, read_number, read_pair, read_text,
    show_names, show_pair, text_hint,
};

/// A table of the file while it is read. Each call takes one key; what no call took is an unknown
/// key. A mistake is noted with its place and the default goes on, so that all mistakes of a file
/// are shown together. Every call also tells the reference what the key means.
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
    pub(super) taken: Vec<String>,
    /// The keys are names of the file's own: none is unknown.
    pub(super) free: bool,
    pub(crate) resolved: Vec<(String, Resolved)>,
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
    /// What to write instead.
    pub(crate) hint: String,
    /// What is wrong, where it is more than that the key takes something else.
    pub(crate) message: Option<String>,
}

impl Problem {
    pub(crate) fn new(at: &At, label: impl Into<String>, hint: impl Into<String>) -> Self {
        Problem { at: at.clone(), label: label.into(), hint: hint.into(), message: None }
    }

    pub(crate) fn found(item: &Item, hint: impl Into<String>) -> Self {
        Problem::new(&item.at, format!("found {}", item.found()), hint)
    }
}

/// Why a line of a list of lines cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What is there, for the caret.
    pub label: String,
    /// What to do.
    pub hint: String,
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

    pub(crate) fn new(
        reading: &'a Reading,
        table: Option<&'a Table>,
        at: Option<At>,
        path: String,
        title: String,
    ) -> Self {
        Section { reading, table, at, path, title, taken: vec![], free: false, resolved: vec![] }
    }

    /// A duration with a unit: `"150ms"`.
    pub fn duration<R: Length>(
        &mut self,
        key: &'static str,
        default: impl Length,
        range: RangeInclusive<R>,
        doc: &'static str,
    ) -> Duration {
        let (default, range) = (default.duration(), durations_of(&range));
        let key = Key { name: key, kind: "a duration", range: duration_range(&range), doc };
        self.value(key, default, |item| read_duration(item, &range), |value| quoted(*value))
    }

    /// A duration that may be left out.
    pub(crate) fn optional_duration<R: Length>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<R>,
        doc: &'static str,
    ) -> Option<Duration> {
        let range = durations_of(&range);
        let key = Key { name: key, kind: "a duration", range: duration_range(&range), doc };
        self.optional(key, |item| read_duration(item, &range), |value| quoted(*value))
    }

    /// A range of durations, `["150ms", "300ms"]`, or one duration for both ends.
    pub fn durations<D: Length, R: Length>(
        &mut self,
        key: &'static str,
        default: (D, D),
        range: RangeInclusive<R>,
        doc: &'static str,
    ) -> (Duration, Duration) {
        let default = (default.0.duration(), default.1.duration());
        let range = durations_of(&range);
        let key = Key {
            name: key,
            kind: "a duration or a range of two",
            range: duration_range(&range),
            doc,
        };
        self.value(
            key,
            default,
            |item| read_pair(item, |item| read_duration(item, &range)),
            |pair| show_pair(pair, |end| quoted(*end)),
        )
    }

    /// A range of durations that may be left out.
    pub(crate) fn optional_durations(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        doc: &'static str,
    ) -> Option<(Duration, Duration)> {
        let key = Key {
            name: key,
            kind: "a duration or a range of two",
            range: duration_range(&range),
            doc,
        };
        self.optional(
            key,
            |item| read_pair(item, |item| read_duration(item, &range)),
            |pair| show_pair(pair, |end| quoted(*end)),
        )
    }

    /// A whole number.
    pub fn integer<N: Copy + TryFrom<u64> + TryInto<u64>>(
        &mut self,
        key: &'static str,
        default: N,
        range: RangeInclusive<N>,
        doc: &'static str,
    ) -> N {
        let range = unsigned(*range.start())..=unsigned(*range.end());
        let key = Key { name: key, kind: "an integer", range: integer_range(&range), doc };
        let default = unsigned(default);
        narrow(self.value(key, default, |item| read_integer(item, &range), u64::to_string))
    }

    /// A whole number that may be left out.
    pub fn optional_integer<N: Copy + TryFrom<u64> + TryInto<u64>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<N>,
        doc: &'static str,
    ) -> Option<N> {
        let range = unsigned(*range.start())..=unsigned(*range.end());
        let key = Key { name: key, kind: "an integer", range: integer_range(&range), doc };
        self.optional(key, |item| read_integer(item, &range), u64::to_string).map(narrow)
    }

    /// A whole number or `"unlimited"`.
    pub(crate) fn limit(
        &mut self,
        key: &'static str,
        default: Option<u64>,
        range: RangeInclusive<u64>,
        doc: &'static str,
    ) -> Option<u64> {
        let key = Key {
            name: key,
            kind: "an integer or \"unlimited\"",
            range: integer_range(&range),
            doc,
        };
        let read = |item: &Item| match item.text() {
            Some("unlimited") => Ok(None),
            Some(text) if text.trim().parse::<u64>().is_err() => Err(Problem::found(
                item,
                "a number without quotation marks and without a unit, or \"unlimited\"",
            )),
            _ => read_integer(item, &range).map(Some),
        };
        self.value(key, default, read, |value| {
            value.map_or("\"unlimited\"".into(), |value| value.to_string())
        })
    }

    /// A number; probabilities have the range 0 to 1.
    pub fn number(
        &mut self,
        key: &'static str,
        default: f64,
        range: RangeInclusive<f64>,
        doc: &'static str,
    ) -> f64 {
        let key = Key { name: key, kind: number_kind(&range), range: number_range(&range), doc };
        self.value(key, default, |item| read_number(item, &range), |value| show_float(*value))
    }

    /// A number that may be left out.
    pub(crate) fn optional_number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
        doc: &'static str,
    ) -> Option<f64> {
        let key = Key { name: key, kind: number_kind(&range), range: number_range(&range), doc };
        self.optional(key, |item| read_number(item, &range), |value| show_float(*value))
    }

    /// A number, or a range of two from which one is drawn.
    pub(crate) fn numbers(
        &mut self,
        key: &'static str,
        default: (f64, f64),
        range: RangeInclusive<f64>,
        doc: &'static str,
    ) -> (f64, f64) {
        let kind = format!("{} or a range of two", number_kind(&range));
        let key = Key { name: key, kind: &kind, range: number_range(&range), doc };
        self.value(
            key,
            default,
            |item| read_pair(item, |item| read_number(item, &range)),
            |pair| show_pair(pair, |end| show_float(*end)),
        )
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
    pub fn word(
        &mut self,
        key: &'static str,
        default: &'static str,
        options: &[&'static str],
        doc: &'static str,
    ) -> &'static str {
        let key = Key { name: key, kind: "a word", range: one_of(options), doc };
        self.value(key, default, |item| read_choice(item, options), |word| show_text(word))
    }

    /// A list of words out of some (`defects`, `message types`); `options` empty: any.
    pub fn words(
        &mut self,
        key: &'static str,
        options: &[&'static str],
        doc: &'static str,
    ) -> Vec<String> {
        // Long lists (35 defects) stand elsewhere in the documentation; here they would bury the
        // key.
        let range = if options.len() <= 12 {
            one_of(options).replace("one of", "any of")
        } else {
            format!("any of {} names", options.len())
        };
        let key = Key { name: key, kind: "a list of words", range, doc };
        let Some(entry) = self.take(&key, Some("[]".into())) else {
            self.resolve(key.name, "[]".into());
            return vec![];
        };
        let words = self.read_words(&key, entry, options);
        self.resolve(
            key.name,
            format!(
                "[{}]",
                words.iter().map(|word| show_text(word)).collect::<Vec<_>>().join(", ")
            ),
        );
        words
    }

    /// A list of lines in a small language of the system's own, each read by `parse`; a mistake is
    /// shown at its line.
    pub fn lines<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, BadLine>,
        doc: &'static str,
    ) -> Vec<T> {
        let key = Key { name: key, kind: "a list of lines", range: String::new(), doc };
        let Some(entry) = self.take(&key, Some("[]".into())) else {
            self.resolve(key.name, "[]".into());
            return vec![];
        };
        let Value::List(list) = &entry.item.value else {
            self.complain(
                &key,
                Problem::found(
                    &entry.item,
                    format!("a list stands in brackets: {} = [\"…\"]", key.name),
                ),
            );
            return vec![];
        };
        let (mut lines, mut written) = (vec![], vec![]);
        for (i, item) in list.iter().enumerate().take_while(|_| !self.reading.is_full()) {
            match item.text().map(|text| (text, parse(text))) {
                None => self.complain(&key, Problem::found(item, text_hint(item))),
                Some((text, Ok(line))) => {
                    written.push(show_text(text));
                    lines.push(line);
                }
                // The caret stands at the line in a file; in an override it stands at the whole
                // list.
                Some((_, Err(bad))) => {
                    let message =
                        format!("line {} of `{}`: {}", i + 1, self.full(key.name), bad.message);
                    self.reading.note_at(message, &item.at, bad.label, bad.hint);
                }
            }
        }
        self.resolve(key.name, format!("[{}]", written.join(", ")));
        lines
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
    pub(crate) fn optional_name(
        &mut self,
        key: &'static str,
        what: &'static str,
        known: &[String],
        doc: &'static str,
    ) -> Option<String> {
        let key = Key { name: key, kind: "a name", range: what.into(), doc };
        self.optional(key, |item| read_name(item, what, known), |name| show_text(name))
    }

    /// A name out of some.
    pub(crate) fn name(
        &mut self,
        key: &'static str,
        default: &str,
        what: &'static str,
        known: &[String],
        doc: &'static str,
    ) -> String {
        let key = Key { name: key, kind: "a name", range: what.into(), doc };
        if default.is_empty() {
            return self
                .optional(key, |item| read_name(item, what, known), |name| show_text(name))
                .unwrap_or_default();
        }
        self.value(
            key,
            default.to_string(),
            |item| read_name(item, what, known),
            |name| show_text(name),
        )
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

    /// Nodes of the scenario, as a list or a single one; empty where the file names none.
    pub fn node_names(&mut self, key: &'static str, doc: &'static str) -> Vec<String> {
        let known = self.reading.nodes();
        self.names(key, &[], "nodes", &known, doc)
    }

    /// The names of a value that is one name or a list of them; a mistake for each that is unknown
    /// or stands there twice.
    pub(crate) fn read_names(
        &self,
        key: &Key<'_>,
        item: &Item,
        what: &str,
        known: &[String],
    ) -> Vec<String> {
        let single = std::slice::from_ref(item);
        let items = match &item.value {
            Value::List(list) => list.as_slice(),
            _ => single,
        };
        let mut seen = BTreeSet::new();
        let mut names = vec![];
        for item in items.iter().take_while(|_| !self.reading.is_full()) {
            match read_name(item, what, known) {
                Ok(name) if seen.insert(name.clone()) => names.push(name),
                Ok(name) => self.twice(key, &name, item),
                Err(problem) => self.complain(key, problem),
            }
        }
        names
    }

    fn twice(&self, key: &Key<'_>, word: &str, item: &Item) {
        let message = format!("`{}` stands twice in `{}`", excerpt(word), self.full(key.name));
        self.reading.note_at(message, &item.at, "the second time", "name it once");
    }

    fn read_words(&self, key: &Key<'_>, entry: &Entry, options: &[&'static str]) -> Vec<String> {
        let Value::List(list) = &entry.item.value else {
            let example =
                entry.item.text().map_or_else(|| "\"…\"".into(), |word| show_text(&excerpt(word)));
            self.complain(
                key,
                Problem::found(
                    &entry.item,
                    format!("a list stands in brackets: {} = [{example}]", key.name),
                ),
            );
            return vec![];
        };
        let what = if key.name == "defects" { "defects" } else { "possible words" };
        let mut words: Vec<String> = vec![];
        for item in list {
            match item.text() {
                None if options.is_empty() => {
                    self.complain(key, Problem::found(item, text_hint(item)))
                }
                None => self
                    .complain(key, Problem::found(item, known_hint(what, options.iter().copied()))),
                Some(word) if words.iter().any(|known| known == word) => {
                    self.twice(key, word, item)
                }
                Some(word) if options.is_empty() || options.contains(&word) => {
                    words.push(word.into())
                }
                Some(word) => {
                    let message = format!("`{}` has no `{}`", self.full(key.name), excerpt(word));
                    self.reading.note_at(
                        message,
                        &item.at,
                        "unknown",
                        name_hint(word, what, options.iter().copied()),
                    );
                }
            }
        }
        words
    }
}

fn durations_of<R: Length>(range: &RangeInclusive<R>) -> RangeInclusive<Duration> {
    range.start().duration()..=range.end().duration()
}

/// A default or the end of a range, as it is read.
fn unsigned<N: TryInto<u64>>(number: N) -> u64 {
    number.try_into().ok().expect("settings are not negative")
}

/// A number that was read, as it is stored.
fn narrow<N: TryFrom<u64>>(number: u64) -> N {
    N::try_from(number).ok().expect("the ends of the range are of the same type")
}
