//! The list of faults from which a composed fault chooses.

use crate::faults::{FaultSpec, Names};
use crate::language::Section;
use crate::language::reader::{Key, Problem, Resolved};
use crate::language::section::toml_inline;
use crate::language::tree::{Item, Table, Value};
use crate::language::units::show_text;

const AS_IN_AMONG: &str =
    "as in: among = [\"partition\", \"kill\", { fault = \"loss\", loss = 0.5 }]";

/// Faults by name, or as tables with parameters.
pub(super) fn read(
    section: &mut Section<'_>,
    names: &Names,
    targeted: bool,
) -> Option<Vec<FaultSpec>> {
    let doc = "Faults by name, or as tables with parameters: [\"kill\", \
        { fault = \"loss\", loss = 0.5 }]. Must be given.";
    let key = Key { name: "among", kind: "a list of faults", range: String::new(), doc };
    let Some(given) = section.take(&key, None) else {
        if let Some(at) = &section.at {
            section.reading.note_at(
                format!("`{}` needs a list `among`", section.path),
                at,
                "nothing to choose from",
                AS_IN_AMONG,
            );
        }
        return None;
    };
    let Value::List(list) = &given.item.value else {
        section.complain(&key, Problem::found(&given.item, AS_IN_AMONG));
        return None;
    };
    if list.is_empty() {
        section.complain(&key, Problem::new(&given.item.at, "nothing to choose from", AS_IN_AMONG));
        return None;
    }
    let mut faults = vec![];
    let mut resolved = vec![];
    for (i, item) in list.iter().enumerate() {
        let Some((fault, text)) = one_of(section, i + 1, item, names, targeted) else { continue };
        faults.push(fault);
        resolved.push(text);
    }
    section.resolve("among", format!("[{}]", resolved.join(", ")));
    Some(faults)
}

/// One element of `among`, and how it is written when its defaults are filled in.
fn one_of(
    section: &Section<'_>,
    position: usize,
    item: &Item,
    names: &Names,
    targeted: bool,
) -> Option<(FaultSpec, String)> {
    let empty = Table::default();
    let (name_item, table) = match &item.value {
        Value::Text(_) => (item, &empty),
        Value::Table(table) => match table.get("fault") {
            Some(entry) => (&entry.item, table),
            None => {
                section.reading.note_at(
                    "which fault is this?",
                    &item.at,
                    "no `fault`",
                    "as in { fault = \"loss\", loss = 0.5 }",
                );
                return None;
            }
        },
        _ => {
            let key =
                Key { name: "among", kind: "a list of faults", range: String::new(), doc: "" };
            section.complain(&key, Problem::found(item, AS_IN_AMONG));
            return None;
        }
    };
    let known = names.fault(section, name_item)?;
    let name = known.name;
    if known.group == "composed" {
        let hint = "name the simple faults, or write a second [[nemesis]] entry";
        section.reading.note_at(
            format!("`{name}` cannot be chosen by another fault"),
            &name_item.at,
            "composed itself",
            hint,
        );
        return None;
    }
    let path = format!("{}.among.{position}", section.path);
    let mut inner = Section::new(
        section.reading,
        Some(table),
        Some(item.at.clone()),
        path,
        format!("nemesis {name}"),
    );
    inner.allow("fault");
    let fault = (known.read)(&mut inner, names, targeted);
    if let Some(fault) = &fault {
        fault.judge(&inner, names);
    }
    let mut resolved = vec![("fault".to_string(), Resolved::Value(show_text(name)))];
    resolved.extend(inner.finish());
    Some((fault?, toml_inline(&resolved)))
}

/// The most of what any of these faults does.
pub(super) fn worst(among: &[FaultSpec], of: impl Fn(&FaultSpec) -> f64) -> f64 {
    among.iter().map(of).fold(0.0, f64::max)
}
