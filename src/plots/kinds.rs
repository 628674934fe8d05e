//! Message types: families of a request and its answer, with one colour per family in all plots.

use plotters::style::RGBColor;

use crate::trace::{Message, Trace};

use super::palette;

/// The suffixes of answers, after the name of the request.
const ANSWERS: [&str; 4] = ["Response", "Reply", "Ack", "Result"];

/// `AppendEntries` for `AppendEntries` and `AppendEntriesResponse`; `Client` for `ClientRequest`
/// and `ClientReply`.
pub(crate) fn family(kind: &str) -> &str {
    let stem = ANSWERS.iter().find_map(|ending| kind.strip_suffix(ending)).unwrap_or(kind);
    let stem = stem.strip_suffix("Request").unwrap_or(stem);
    if stem.is_empty() { kind } else { stem }
}

/// Whether it answers another message.
pub(crate) fn is_answer(kind: &str) -> bool {
    ANSWERS.iter().any(|ending| kind.len() > ending.len() && kind.ends_with(ending))
}

/// The families of a trace with their colours, the most frequent first; beyond eight they share the
/// name `other`.
pub(crate) struct Families<'a> {
    /// Name and colour.
    pub(crate) list: Vec<(&'a str, RGBColor)>,
}

/// If there are more families, the rest share the last colour.
const FAMILIES_MAX: usize = 8;
/// Families that are counted at all.
const COUNTED_MAX: usize = 64;

impl<'a> Families<'a> {
    pub(crate) fn of(trace: &'a Trace) -> Self {
        Families::of_messages(&trace.messages)
    }

    /// Those of some messages: the few that a picture shows may all have a colour.
    pub(crate) fn of_messages(messages: impl IntoIterator<Item = &'a Message>) -> Self {
        let mut counts: Vec<(&str, u64)> = Vec::new();
        let mut last = 0;
        for message in messages {
            let name = family(&message.kind);
            // Neighbours are often in the same family: look there first.
            if counts.get(last).is_none_or(|(known, _)| *known != name) {
                last = counts.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                    // A damaged trace may have as many types as messages.
                    if counts.len() < COUNTED_MAX {
                        counts.push((name, 0));
                    }
                    counts.len() - 1
                });
            }
            counts[last].1 += 1;
        }
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let others = counts.len() > FAMILIES_MAX;
        counts.truncate(if others { FAMILIES_MAX - 1 } else { FAMILIES_MAX });
        let mut spare = (0..).map(palette::of_position);
        let mut taken: Vec<RGBColor> = counts.iter().filter_map(|(name, _)| known(name)).collect();
        let mut list = Vec::new();
        for (name, _) in counts {
            let color = known(name).unwrap_or_else(|| {
                let free = spare.by_ref().take(FAMILIES_MAX).find(|color| !taken.contains(color));
                free.unwrap_or(palette::GREY)
            });
            taken.push(color);
            list.push((name, color));
        }
        if others {
            list.push(("other", palette::GREY));
        }
        Families { list }
    }

    /// The position of a message type's family in the list.
    pub(crate) fn position(&self, kind: &str) -> usize {
        let name = family(kind);
        self.list
            .iter()
            .position(|(known, _)| *known == name)
            .unwrap_or(self.list.len().saturating_sub(1))
    }

    /// The colour of a message type.
    pub(crate) fn color(&self, kind: &str) -> RGBColor {
        self.list.get(self.position(kind)).map_or(palette::GREY, |(_, color)| *color)
    }
}

/// The families that have the same colour in every run.
fn known(family: &str) -> Option<RGBColor> {
    Some(match family {
        "AppendEntries" => palette::BLUE,
        "Heartbeat" => palette::SKY,
        "Vote" | "RequestVote" => palette::VERMILLION,
        "PreVote" => palette::ORANGE,
        "InstallSnapshot" => palette::PURPLE,
        "TimeoutNow" => palette::BLACK,
        "Client" => palette::GREEN,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request and its answer belong together, and are drawn in one colour.
    #[test]
    fn a_request_and_its_answer_are_one_family() {
        assert_eq!(
            [family("AppendEntries"), family("AppendEntriesResponse")],
            ["AppendEntries"; 2]
        );
        assert_eq!([family("ClientRequest"), family("ClientReply")], ["Client"; 2]);
        assert_eq!(
            [family("Response"), family("Request"), family("")],
            ["Response", "Request", ""]
        );
        assert!(is_answer("PreVoteResponse") && !is_answer("PreVote") && !is_answer("Ack"));
    }
}
