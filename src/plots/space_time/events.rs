//! The events that a space-time diagram marks, and their labels.

use crate::trace::{Event, Trace, Value};

use super::super::frame::Mark;

/// The mark of an event; most have none.
pub(super) fn mark_of(event: &Event) -> Option<Mark> {
    match event.name.as_ref() {
        "leader" | "zab_established" | "leads" => Some(Mark::Leader),
        "vote" if event.fields.node("candidate") != Some(event.node) => Some(Mark::Vote),
        "role" if matches!(event.fields.text("role"), Some("candidate" | "pre_candidate")) => {
            Some(Mark::Campaign)
        }
        "commit" => Some(Mark::Commit),
        "crash" => Some(Mark::Crash),
        "command" => Some(Mark::Command),
        _ => None,
    }
}

/// The marks' names in the legend, in its order; [`weight`] has a different order.
pub(super) const MARKS: [(Mark, &str); 6] = [
    (Mark::Campaign, "candidacy"),
    (Mark::Vote, "vote"),
    (Mark::Leader, "becomes leader"),
    (Mark::Commit, "commit"),
    (Mark::Crash, "crash"),
    (Mark::Command, "command"),
];

/// The priority of labels: rare events and causes come first. Commits are frequent and least
/// informative.
pub(super) fn weight(mark: Mark) -> u8 {
    match mark {
        Mark::Leader => 0,
        Mark::Crash | Mark::Command => 1,
        Mark::Campaign => 2,
        Mark::Vote => 3,
        Mark::Commit => 4,
    }
}

/// The label of a mark.
pub(super) fn label_of(trace: &Trace, event: &Event) -> String {
    let number = |name: &str| {
        event.fields.int(name).map_or_else(|| "?".to_owned(), |number| number.to_string())
    };
    match event.name.as_ref() {
        "leader" => format!("leads term {}", number("term")),
        "leads" | "zab_established" => format!("leads epoch {}", number("epoch")),
        "vote" => {
            let candidate = event.fields.node("candidate").map_or("?", |node| trace.name(node));
            format!("votes for {candidate}, term {}", number("term"))
        }
        "role" => match event.fields.text("role") {
            Some("pre_candidate") => "pre-candidate".to_owned(),
            _ => format!("candidate, term {}", number("term")),
        },
        "commit" => format!("commits {}", number("index")),
        "crash" => format!("crash: {}", event.fields.text("reason").unwrap_or("?")),
        "command" => match event.fields.get("text") {
            Some(Value::Text(text)) => text.to_string(),
            _ => "command".to_owned(),
        },
        _ => String::new(),
    }
}
