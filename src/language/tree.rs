//! The file as a tree in which every key and value knows its place; the overrides of the command
//! line are grafted onto it.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::error::{Mistake, Place, Source, excerpt};

use super::units::show_text;

/// A place before it has a label.
#[derive(Clone, Debug)]
pub(crate) struct At {
    pub(crate) source: Arc<Source>,
    pub(crate) span: Range<usize>,
}

impl At {
    /// Whether the command line says this, and not the file.
    pub(crate) fn is_override(&self) -> bool {
        self.source.is_override()
    }

    pub(crate) fn label(&self, label: impl Into<String>) -> Place {
        Place { source: self.source.clone(), span: self.span.clone(), label: label.into() }
    }
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) value: Value,
    pub(crate) at: At,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    /// `None`: a number that does not fit.
    Integer(Option<i128>),
    Float(Option<f64>),
    Boolean(bool),
    /// A date or a time of day, which no scenario needs.
    Date(String),
    List(Vec<Item>),
    Table(Table),
}

/// Keys and values, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: At,
    pub(crate) item: Item,
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Item {
    /// What was found, for a label: `the integer 5`, `a list`.
    pub(crate) fn found(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("the text {}", show_text(&excerpt(text))),
            Value::Integer(Some(number)) => format!("the integer {number}"),
            Value::Integer(None) => "an integer of more than 38 digits".into(),
            Value::Float(Some(number)) => format!("the number {number:?}"),
            Value::Float(None) => "a number that is too large".into(),
            Value::Boolean(flag) => format!("`{flag}`"),
            Value::Date(text) => format!("the date {text}"),
            Value::List(list) if list.is_empty() => "an empty list".into(),
            Value::List(_) => "a list".into(),
            Value::Table(_) => "a table".into(),
        }
    }

    /// A number, whole or not.
    pub(crate) fn number(&self) -> Option<f64> {
        match self.value {
            Value::Integer(number) => number.map(|number| number as f64),
            Value::Float(number) => number.filter(|number| number.is_finite()),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What is not TOML at all has a mistake in every line; more than these nobody reads.
const SYNTAX_MISTAKES_MAX: usize = 1_000;

/// Parse a file. If it is not TOML: every place at which it is wrong.
pub(crate) fn parse(source: &Arc<Source>) -> Result<Table, Vec<Mistake>> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        return Err(errors
            .iter()
            .take(SYNTAX_MISTAKES_MAX)
            .map(|error| syntax_mistake(source, error))
            .collect());
    }
    Ok(table(source, document.into_inner()))
}

fn syntax_mistake(source: &Arc<Source>, error: &toml::de::Error) -> Mistake {
    let mut lines = error.message().splitn(2, ", expected ");
    let label = lines.next().unwrap_or_default().to_string();
    let span = error.span().unwrap_or(source.text.len()..source.text.len());
    let place = Some(At { source: source.clone(), span: span.clone() }.label(label.clone()));
    if label.starts_with("duplicate key") {
        let message =
            format!("`{}` is given twice", excerpt(source.text.get(span).unwrap_or_default()));
        let hint = "keep one of the two; where a list of tables is meant, write its header in \
            double brackets, as in [[nemesis]]";
        return Mistake { place, ..Mistake::new(message, hint) };
    }
    // By far the commonest slip: a duration or a word without quotation marks.
    let line_start = source.text[..span.start.min(source.text.len())]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let line = source.text[line_start..].lines().next().unwrap_or_default();
    let hint = match line.split_once('=') {
        Some((key, value)) if unquoted(value.trim()) => {
            format!(
                "texts stand in quotation marks: {} = {}",
                excerpt(key.trim()),
                show_text(&excerpt(value.trim()))
            )
        }
        _ if line.contains(|c: char| c.is_control() && c != '\t') => "take the character out: a \
            text holds it as \\u0001"
            .into(),
        Some((key, value)) if value.trim().is_empty() => {
            format!("write a value behind the `=`, as in {} = \"…\"", excerpt(key.trim()))
        }
        _ if line.trim_start().starts_with('[') => {
            "a header stands alone on its line: [nodes], or [[nemesis]] for one entry of several"
                .into()
        }
        _ => "a line is `key = value`, or a header as [nodes]; `seedbed new scenario` prints an \
            example"
            .into(),
    };
    let mistake = Mistake { place, ..Mistake::new("this is not TOML", hint) };
    match lines.next() {
        Some(expected) => mistake.note(format!("expected {expected}")),
        None => mistake,
    }
}

/// Whether a value is a word or a duration that lacks its quotation marks.
fn unquoted(value: &str) -> bool {
    !value.is_empty()
        && value != "true"
        && value != "false"
        && value.chars().all(|c| c.is_alphanumeric() || ".-_".contains(c))
        && value.contains(char::is_alphabetic)
}

fn table(source: &Arc<Source>, entries: DeTable<'_>) -> Table {
    let mut entries: Vec<Entry> = entries
        .into_iter()
        .map(|(key, value)| {
            let key_at = At { source: source.clone(), span: key.span() };
            Entry { key: key.into_inner().into_owned(), key_at, item: item(source, value) }
        })
        .collect();
    // The crate sorts keys by name; people read in the order of the file.
    entries.sort_by_key(|entry| entry.key_at.span.start);
    Table { entries }
}

fn item(source: &Arc<Source>, value: Spanned<DeValue<'_>>) -> Item {
    let at = At { source: source.clone(), span: value.span() };
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            Value::Integer(i128::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().ok()),
        DeValue::Boolean(flag) => Value::Boolean(flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(list) => Value::List(items(source, list)),
        DeValue::Table(entries) => Value::Table(table(source, entries)),
    };
    Item { value, at }
}

fn items(source: &Arc<Source>, list: DeArray<'_>) -> Vec<Item> {
    list.into_iter().map(|value| item(source, value)).collect()
}

/// Graft `--set key.path=value` onto the tree. The value is TOML; a word that is none is a text. A
/// step of the path through a list of tables is a position from 1, or the `name` of an entry.
pub(crate) fn graft(root: &mut Table, path: &str, value: &str) -> Result<(), Box<Mistake>> {
    let text = format!("{path}={value}");
    let source = Arc::new(Source { path: "--set".into(), text });
    let value_at = At { source: source.clone(), span: path.len() + 1..source.text.len() };
    let item = override_value(&source, path.len() + 1, value)?;
    let mut at = At { source: source.clone(), span: 0..0 };
    let mut table = root;
    let mut steps = path.split('.').peekable();
    while let Some(written) = steps.next() {
        at.span = at.span.end..at.span.end + written.len();
        let key = written.trim();
        if key.is_empty() {
            let place =
                Some(At { source: source.clone(), span: 0..path.len() }.label("an empty step"));
            let hint = "write it as in --set workload.rate=50";
            return Err(Box::new(Mistake { place, ..Mistake::new("`--set` needs a key", hint) }));
        }
        if steps.peek().is_none() {
            table.entries.retain(|entry| entry.key != key);
            table.entries.push(Entry { key: key.into(), key_at: at, item });
            return Ok(());
        }
        if table.get(key).is_none() {
            let item = Item { value: Value::Table(Table::default()), at: value_at.clone() };
            table.entries.push(Entry { key: key.into(), key_at: at.clone(), item });
        }
        let entry = table
            .entries
            .iter_mut()
            .find(|entry| entry.key == key)
            .expect("it was there or was put there");
        at.span.end += 1;
        table = match &mut entry.item.value {
            Value::Table(table) => table,
            Value::List(list) => {
                let step = steps.next().unwrap_or_default();
                at.span = at.span.end..at.span.end + step.len();
                let found = position(list, step);
                let entries = entries_hint(list);
                at.span.end += 1;
                match found.and_then(|found| match &mut list[found].value {
                    Value::Table(table) if steps.peek().is_some() => Some(table),
                    _ => None,
                }) {
                    Some(table) => table,
                    None => {
                        at.span.end -= 1;
                        let place = Some(at.label(format!("no entry `{}`", excerpt(step))));
                        let hint = format!("write --set {key}.ENTRY.KEY=…, where {}", entries);
                        let message = format!("`{}` names no key of an entry", excerpt(path));
                        return Err(Box::new(Mistake { place, ..Mistake::new(message, hint) }));
                    }
                }
            }
            _ => {
                let place_end = at.span.end - 1;
                let place =
                    Some(At { span: at.span.start..place_end, ..at }.label("a value, not a table"));
                let hint = format!("set the value itself: --set {}=…", excerpt(&path[..place_end]));
                return Err(Box::new(Mistake {
                    place,
                    ..Mistake::new(format!("`{}` has no keys of its own", excerpt(key)), hint)
                }));
            }
        };
    }
    Ok(())
}

fn position(list: &[Item], step: &str) -> Option<usize> {
    if let Ok(position) = step.parse::<usize>() {
        return position.checked_sub(1).filter(|position| *position < list.len());
    }
    (0..list.len()).find(|i| name_of_entry(list, *i).as_deref() == Some(step))
}

/// How an entry is called: by its name, or else as messages and traces call a fault without one,
/// `kill-2`.
fn name_of_entry(list: &[Item], i: usize) -> Option<String> {
    let Value::Table(table) = &list.get(i)?.value else { return None };
    let text = |key: &str| table.get(key).and_then(|entry| entry.item.text());
    text("name")
        .map(String::from)
        .or_else(|| text("fault").map(|fault| format!("{fault}-{}", i + 1)))
}

fn entries_hint(list: &[Item]) -> String {
    const MOST: usize = 8;
    let names: Vec<String> =
        (0..list.len()).filter_map(|i| name_of_entry(list, i)).take(MOST).collect();
    let positions =
        if list.len() == 1 { "1".into() } else { format!("a position from 1 to {}", list.len()) };
    match (list.is_empty(), names.is_empty()) {
        (true, _) => "ENTRY is a position; here there are no entries".into(),
        (false, true) => format!("ENTRY is {positions}"),
        (false, false) => format!("ENTRY is {positions} or a name: {}", names.join(", ")),
    }
}

fn override_value(source: &Arc<Source>, offset: usize, value: &str) -> Result<Item, Box<Mistake>> {
    let at = At { source: source.clone(), span: offset..source.text.len() };
    match DeValue::parse(value) {
        // Inner places would count from the beginning of the value; the whole value is short enough
        // to be the place of all that is in it.
        Ok(parsed) => {
            let mut parsed = item(source, parsed);
            move_to(&mut parsed, &at);
            Ok(parsed)
        }
        Err(_) if bare_word(value) => Ok(Item { value: Value::Text(value.trim().into()), at }),
        Err(error) => {
            let label = error.message().split(", expected ").next().unwrap_or_default().to_string();
            let place = error.span().map(|span| {
                At { source: source.clone(), span: span.start + offset..span.end + offset }
                    .label(label)
            });
            let hint = match value.trim().is_empty() {
                true => "write a value behind the `=`, as in --set workload.rate=50",
                false => {
                    "a text with blanks or signs stands in quotation marks, which the shell must \
                        let through: --set 'KEY=\"a text\"'"
                }
            };
            Err(Box::new(Mistake {
                place,
                ..Mistake::new("the value of `--set` is not TOML", hint)
            }))
        }
    }
}

fn bare_word(value: &str) -> bool {
    let value = value.trim();
    !value.is_empty() && !value.contains(|c: char| "\"'[]{}=#,\n".contains(c))
}

fn move_to(item: &mut Item, at: &At) {
    item.at = at.clone();
    match &mut item.value {
        Value::List(list) => list.iter_mut().for_each(|item| move_to(item, at)),
        Value::Table(table) => {
            for entry in &mut table.entries {
                entry.key_at = at.clone();
                move_to(&mut entry.item, at);
            }
        }
        _ => {}
    }
}

/// Append `--defect NAME` to `SYSTEM.defects`. A value of another type is left as it is: the reader
/// will complain of it.
pub(crate) fn graft_defect(root: &mut Table, system: &str, defect: &str) {
    const OPTION: &str = "--defect ";
    let source = Arc::new(Source { path: "--defect".into(), text: format!("{OPTION}{defect}") });
    let at = At { source: source.clone(), span: OPTION.len()..source.text.len() };
    let text = Item { value: Value::Text(defect.into()), at: at.clone() };
    let table = slot(root, system, &at, Value::Table(Table::default()));
    let Value::Table(table) = &mut table.value else { return };
    let list = slot(table, "defects", &at, Value::List(vec![]));
    let Value::List(list) = &mut list.value else { return };
    if !list.iter().any(|item| item.text() == Some(defect)) {
        list.push(text);
    }
}

fn slot<'a>(table: &'a mut Table, key: &str, at: &At, empty: Value) -> &'a mut Item {
    if table.get(key).is_none() {
        let item = Item { value: empty, at: at.clone() };
        table.entries.push(Entry { key: key.into(), key_at: at.clone(), item });
    }
    let entry = table
        .entries
        .iter_mut()
        .find(|entry| entry.key == key)
        .expect("it was there or was put there");
    &mut entry.item
}
