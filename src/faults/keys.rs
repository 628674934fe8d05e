//! Keys that several faults have.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::shapes::Direction;
use crate::language::{Section, Span};

pub(crate) const PROBABILITY: RangeInclusive<f64> = 0.0..=1.0;
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// `down`: how long a node is down.
pub(crate) fn down(section: &mut Section<'_>) -> Span {
    section.span("down", (ms(500), ms(500)), Duration::ZERO..=HOUR, "How long the node is down.")
}

/// `file`: which file of a disk.
pub(crate) fn file(section: &mut Section<'_>) -> Option<String> {
    section.optional_text("file", "The file; left out, one is drawn.")
}

/// `direction`, in these words of the fault.
pub(crate) fn direction(section: &mut Section<'_>, doc: &'static str) -> Direction {
    match section.word("direction", "both", &["both", "in", "out"], doc) {
        "in" => Direction::In,
        "out" => Direction::Out,
        _ => Direction::Both,
    }
}

/// `direction` of a fault of all links of the targets.
pub(crate) fn direction_of_links(section: &mut Section<'_>) -> Direction {
    direction(section, "Which links of the targets: both ways, towards them, or away from them.")
}

/// `probability` is that of the entry, so that of a message has the name of the link's property.
/// Whoever has written only the first means the second.
pub(crate) fn own_probability(section: &Section<'_>, own: &str) {
    if let Some(entry) = section.entry("probability").filter(|_| !section.has(own)) {
        let message = format!(
            "`{}` is how probable it is that the entry happens at all",
            section.full("probability")
        );
        let hint = format!(
            "write `{own}` for the probability of the fault itself; with both, each has its own \
                meaning"
        );
        section.reading.note_at(message, &entry.key_at, format!("`{own}` is meant?"), hint);
    }
}
