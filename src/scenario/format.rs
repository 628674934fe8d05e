//! The version of the scenario language.

use crate::error::Mistake;
use crate::language::reader::{Key, Section};
use crate::language::reading::mistake_at;
use crate::language::tree::{Table, Value};

/// The version of the scenario language. A change that an older program would misread makes it
/// greater; `docs/formats.md` has the table of all formats.
pub const FORMAT: u32 = 1;

/// Refuse a scenario of a newer program before anything else of it is read: what an older program
/// says of it would mislead.
pub(super) fn refuse_newer(table: &Table) -> Option<Mistake> {
    let entry = table.get("format")?;
    match entry.item.value {
        Value::Integer(Some(format)) if (1..=i128::from(FORMAT)).contains(&format) => None,
        Value::Integer(Some(format)) if format > i128::from(FORMAT) => Some(mistake_at(
            format!(
                "this scenario is in format {format}, and this program reads up to format {FORMAT}"
            ),
            &entry.item.at,
            "a newer format",
            "use a newer seedbed: `seedbed --version` shows which this is",
        )),
        _ => Some(mistake_at(
            "`format` is a whole number from 1",
            &entry.item.at,
            format!("found {}", entry.item.found()),
            format!("write `format = {FORMAT}`, or leave it out"),
        )),
    }
}

/// Read the key, which [`refuse_newer`] has judged. The resolved scenario goes without it as long as
/// the first format is the newest.
pub(super) fn describe(root: &mut Section<'_>) {
    let key = Key {
        name: "format",
        kind: "an integer",
        range: format!("1 to {FORMAT}"),
        doc: "The version of the scenario language. Left out, it is the first.",
    };
    root.take(&key, Some("1".to_owned()));
}
