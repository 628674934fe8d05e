//! What is shown of a run that lost points: the messages around the moment at which it can be seen, and their picture.

use super::model::MessageRow;
use crate::plots::space_time_svg;
use crate::trace::{Message, NodeId, Trace};

/// Messages before the moment: what led to it; and after it: what came of it.
const BEFORE: usize = 14;
const AFTER: usize = 6;
/// A window of the picture reaches so far before its first and after its last message, µs.
const MARGIN_US: u64 = 2_000;
/// Characters of a message's content.
const DETAIL_MAX: usize = 120;

/// The messages around a moment, in the order of sending: those of one node where it is known who is concerned, else those of all.
pub fn slice(trace: &Trace, moment_us: u64, node: Option<NodeId>) -> Vec<MessageRow> {
    around(trace, moment_us, node).into_iter().map(|message| row(trace, message)).collect()
}

/// The picture of the same moment, with the other nodes' messages too; `None` where nothing was sent.
pub fn slice_picture(trace: &Trace, moment_us: u64, node: Option<NodeId>) -> Option<String> {
    let shown = around(trace, moment_us, node);
    let from_us = shown.first()?.sent_us.min(moment_us);
    let arrived = shown.iter().map(|message| message.recv_us.unwrap_or(message.sent_us)).max()?;
    // What arrives long after the moment would make the rest too small to be seen.
    let reach = moment_us.saturating_sub(from_us).max(20_000);
    let to_us = arrived.max(moment_us).min(moment_us.saturating_add(reach));
    space_time_svg(trace, from_us.saturating_sub(MARGIN_US), to_us.saturating_add(MARGIN_US))
}

fn around(trace: &Trace, moment_us: u64, node: Option<NodeId>) -> Vec<&Message> {
    let concerns = |message: &&Message| node.is_none_or(|node| message.src == node || message.dest == node);
    // A message matters when it arrives: one that was sent after the moment, or arrives after it, did not lead there.
    let time = |message: &Message| message.recv_us.unwrap_or(message.sent_us);
    let mut before: Vec<&Message> = trace.messages.iter().filter(concerns).filter(|message| time(message) <= moment_us).collect();
    before.sort_by_key(|message| (time(message), message.id));
    let mut shown = before.split_off(before.len().saturating_sub(BEFORE));
    let after = trace.messages.iter().filter(concerns).filter(|message| time(message) > moment_us);
    let mut after: Vec<&Message> = after.collect();
    after.sort_by_key(|message| (time(message), message.id));
    shown.extend(after.into_iter().take(AFTER));
    shown.sort_by_key(|message| message.id);
    shown
}

fn row(trace: &Trace, message: &Message) -> MessageRow {
    let whole = message.detail.to_string();
    let mut detail: String = whole.chars().take(DETAIL_MAX).collect();
    if detail.len() < whole.len() {
        detail.push('…');
    }
    MessageRow {
        time_ns: message.sent_us.saturating_mul(1_000),
        arrived_ns: message.recv_us.map(|time| time.saturating_mul(1_000)),
        from: trace.name(message.src).to_owned(),
        to: trace.name(message.dest).to_owned(),
        kind: message.kind.to_string(),
        detail,
        fate: message.outcome.word().to_owned(),
    }
}
