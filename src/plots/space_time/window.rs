//! Chooses the moments and the nodes of a space-time diagram: what a teacher would draw, with no
//! more arrows than a reader can follow.

use std::collections::BTreeMap;

use crate::trace::{Event, Message, NodeId, Outcome, Trace};

use super::super::timeline::{ints, words};
use super::events::mark_of;

/// A reader cannot follow more arrows than this.
pub(super) const MESSAGES_MAX: usize = 80;
/// The limit if no election tells which of them matter.
const MESSAGES_ANY: usize = 50;
/// Lines of nodes that a page has room for; and those that show others than the candidates and
/// voters of an election.
pub(super) const LINES_MAX: usize = 12;
const BYSTANDERS_MAX: usize = 4;
/// Lines of clients, where a moment of a run is shown and not an election.
const CLIENTS_MAX: usize = 3;
/// So few lines are shown whether something happens on them or not: that nothing reaches a node is
/// what happens to it.
const LINES_ALL: usize = 7;
/// No window is longer, µs.
const WINDOW_MAX_US: u64 = 2_000_000;
/// Half the width of the window around a moment that nothing else delimits, µs.
const HALF_US: u64 = 100_000;

/// What a diagram shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Begin and end, µs.
    pub(super) window: (u64, u64),
    /// The nodes with a line, in the scenario's order.
    pub(super) lines: Vec<NodeId>,
}

/// An election: from when on the winner campaigned, when it won, and as what it stood.
struct Election<'a> {
    campaign_us: u64,
    won_us: u64,
    role: &'a str,
}

/// The stretch of a run that tells most: the successful round of the first election after the first
/// fault; without a fault, of the first election of all; else what happens around the first fault,
/// the first crash, or the first message.
pub(super) fn view(trace: &Trace, nodes: &[NodeId], messages: &[&Message]) -> Option<View> {
    let usual = usual_latency(messages).clamp(1_000, 100_000);
    let fault = trace.faults().first().map(|span| span.begin_us);
    if let Some(election) = election(trace, fault) {
        // Time for the heartbeats that follow to arrive, as far as there is room for their arrows.
        let begin = election
            .campaign_us
            .saturating_sub(usual)
            .max(election.won_us.saturating_sub(WINDOW_MAX_US));
        let ends = [10, 8, 6, 4, 2]
            .map(|halves| election.won_us.saturating_add(halves * usual / 2).max(begin + 1));
        let of_role = |node: &NodeId| {
            trace.nodes.get(node.index()).is_some_and(|info| info.role == election.role)
        };
        let (principals, others): (Vec<NodeId>, Vec<NodeId>) =
            nodes.iter().partition(|node| of_role(node));
        let others =
            Others { nodes: &others, lines_max: BYSTANDERS_MAX, messages_max: MESSAGES_MAX / 2 };
        let others = std::slice::from_ref(&others);
        let views = ends.map(|end| cast(trace, (begin, end), &principals, others, messages));
        let readable = views
            .iter()
            .find(|(_, count)| *count <= MESSAGES_MAX)
            .unwrap_or(&views[views.len() - 1]);
        let View { window, lines } = readable.0.clone();
        return Some(View { window: from_later(window, &lines, messages), lines });
    }
    let crash =
        || trace.events.iter().find(|event| event.name == "crash").map(|event| event.time_us);
    let first = || messages.first().map(|message| message.sent_us);
    let moment = fault.or_else(crash).or_else(first).filter(|_| !messages.is_empty())?;
    let (begin, end) =
        (moment.saturating_sub(HALF_US / 2), moment.saturating_add(3 * HALF_US / 2).max(1));
    let (View { window, lines }, _) = cast(trace, (begin, end), nodes, &[], messages);
    let window = until_earlier(window, (moment, MESSAGES_ANY / 3), &lines, messages);
    Some(View { window, lines })
}

/// What happens around a moment: the nodes that are concerned first, then the others of the system,
/// then its clients, who see what went wrong.
pub(super) fn around(
    trace: &Trace,
    moment: (u64, &[NodeId]),
    nodes: &[NodeId],
    clients: &[NodeId],
    messages: &[&Message],
) -> View {
    let (moment_us, concerned) = moment;
    // What led to it matters more than what came of it.
    let (begin, end) =
        (moment_us.saturating_sub(3 * HALF_US / 2), moment_us.saturating_add(HALF_US / 2).max(1));
    let (mut principals, others): (Vec<NodeId>, Vec<NodeId>) =
        nodes.iter().partition(|node| concerned.is_empty() || concerned.contains(node));
    let (seeing, clients): (Vec<NodeId>, Vec<NodeId>) =
        clients.iter().partition(|client| concerned.contains(client));
    principals.extend(seeing);
    // The more lines there are, the shorter the window gets, so that none has to be left out for
    // its messages.
    let group = |nodes, lines_max| Others { nodes, lines_max, messages_max: usize::MAX };
    let bystanders = [group(&others[..], BYSTANDERS_MAX), group(&clients[..], CLIENTS_MAX)];
    let (View { window, lines }, _) = cast(trace, (begin, end), &principals, &bystanders, messages);
    let window = until_earlier(window, (moment_us, 2 * MESSAGES_ANY / 3), &lines, messages);
    View { window, lines }
}

/// Nodes that get a line where there is room.
struct Others<'a> {
    nodes: &'a [NodeId],
    lines_max: usize,
    /// A line with which there would be more messages than these is left out.
    messages_max: usize,
}

/// The nodes that take part in a window, and the number of messages between them: the principal
/// ones first, then those of each group of others.
fn cast(
    trace: &Trace,
    window: (u64, u64),
    principals: &[NodeId],
    others: &[Others<'_>],
    messages: &[&Message],
) -> (View, usize) {
    let inside: Vec<&Message> = messages
        .iter()
        .filter(|message| (window.0..=window.1).contains(&message.sent_us))
        .copied()
        .collect();
    let mut counts: BTreeMap<NodeId, (bool, usize)> = BTreeMap::new();
    for message in &inside {
        for node in [message.src, message.dest] {
            counts.entry(node).or_default().1 += 1;
        }
    }
    for event in trace
        .events
        .iter()
        .filter(|event| (window.0..=window.1).contains(&event.time_us) && mark_of(event).is_some())
    {
        counts.entry(event.node).or_default().0 = true;
    }
    // Those of whom an event tells come first, then those that send and receive most.
    let rank =
        |node: &NodeId| (std::cmp::Reverse(counts.get(node).copied().unwrap_or_default()), *node);
    let mut lines = principals.to_vec();
    if lines.len() > LINES_ALL {
        lines.retain(|node| counts.contains_key(node));
    }
    lines.sort_by_key(rank);
    lines.truncate(LINES_MAX);
    let between = |lines: &[NodeId]| {
        inside
            .iter()
            .filter(|message| lines.contains(&message.src) && lines.contains(&message.dest))
            .count()
    };
    for group in others {
        let mut bystanders: Vec<NodeId> =
            group.nodes.iter().copied().filter(|node| counts.contains_key(node)).collect();
        bystanders.sort_by_key(rank);
        for node in bystanders.into_iter().take(group.lines_max.min(LINES_MAX - lines.len())) {
            lines.push(node);
            if between(&lines) > group.messages_max {
                lines.pop();
                break;
            }
        }
    }
    lines.sort_unstable();
    let count = between(&lines);
    (View { window, lines }, count)
}

/// When each message between some nodes was sent, in a window.
fn sent_between((begin, end): (u64, u64), lines: &[NodeId], messages: &[&Message]) -> Vec<u64> {
    let shown = |message: &&&Message| {
        (begin..=end).contains(&message.sent_us)
            && lines.binary_search(&message.src).is_ok()
            && lines.binary_search(&message.dest).is_ok()
    };
    let mut sent: Vec<u64> = messages.iter().filter(shown).map(|message| message.sent_us).collect();
    sent.sort_unstable();
    sent
}

/// Shorten a window from its beginning until its messages can be followed: what led to the end is
/// what counts.
fn from_later(window: (u64, u64), lines: &[NodeId], messages: &[&Message]) -> (u64, u64) {
    let sent = sent_between(window, lines, messages);
    match sent.len().checked_sub(MESSAGES_MAX) {
        Some(excess) if excess > 0 => (sent[excess].min(window.1.saturating_sub(1)), window.1),
        _ => window,
    }
}

/// Shorten a window at both ends around a moment until its messages can be followed: a part of
/// them before it, and the rest after it.
fn until_earlier(
    window: (u64, u64),
    (moment, before): (u64, usize),
    lines: &[NodeId],
    messages: &[&Message],
) -> (u64, u64) {
    let sent = sent_between(window, lines, messages);
    if sent.len() <= MESSAGES_ANY {
        return window;
    }
    let at = sent.partition_point(|sent| *sent < moment);
    let first = at.saturating_sub(before).min(sent.len() - MESSAGES_ANY);
    let begin = if first == 0 { window.0 } else { sent[first] };
    // Not the message after the last one, but the moment before it.
    let end = sent.get(first + MESSAGES_ANY).map_or(window.1, |next| next.saturating_sub(1));
    (begin, end.max(begin + 1))
}

/// The first success after a fault: of Raft, of Zab, or of a replica that a coordinator has
/// promoted.
fn election(trace: &Trace, fault: Option<u64>) -> Option<Election<'_>> {
    let wins =
        |event: &&Event| matches!(event.name.as_ref(), "leader" | "zab_established" | "leads");
    let won = trace.events.iter().filter(wins).find(|event| event.time_us >= fault.unwrap_or(0))?;
    let role = trace.nodes.get(won.node.index())?.role.as_ref();
    let campaign_us =
        if won.name == "leads" { dismissal(trace, won.time_us) } else { campaign(trace, won) };
    Some(Election { campaign_us, won_us: won.time_us, role })
}

/// When the winner began the round that it won, after all those that it did not.
fn campaign(trace: &Trace, won: &Event) -> u64 {
    let changes = words(trace, "role").remove(&won.node).unwrap_or_default();
    let mut begin = won.time_us;
    for (time, role) in changes.iter().rev().filter(|(time, _)| *time <= won.time_us) {
        match *role {
            "leader" => {}
            // A round begins with the question who would vote, where that is asked.
            "pre_candidate" | "looking" => return *time,
            "candidate" => {
                // Without that question a candidate stays one from round to round; its term tells
                // them apart.
                let terms = ints(trace, "current_term").remove(&won.node).unwrap_or_default();
                let last = terms
                    .iter()
                    .rev()
                    .map(|(time, _)| *time)
                    .find(|time| *time <= won.time_us)
                    .unwrap_or(0);
                begin = last.max(*time);
                if last > *time {
                    return begin;
                }
            }
            "leading" => begin = *time,
            _ => break,
        }
    }
    begin
}

/// When a coordinator took the leader before for dead, or, where it did not, chose another one.
fn dismissal(trace: &Trace, won_us: u64) -> u64 {
    const BEFORE_US: u64 = 500_000;
    let before = |name: &str| {
        let events =
            trace.events.iter().filter(|event| event.name == name && event.time_us <= won_us);
        events.map(|event| event.time_us).max().filter(|time| won_us - time <= BEFORE_US)
    };
    before("expired").or_else(|| before("promoted")).unwrap_or(won_us)
}

/// The median time on the way, µs.
pub(super) fn usual_latency(messages: &[&Message]) -> u64 {
    /// A sample tells as much as all.
    const SAMPLE: usize = 2_000;
    let step = (messages.len() / SAMPLE).max(1);
    let delivered =
        messages.iter().step_by(step).filter(|message| message.outcome == Outcome::Delivered);
    let mut latencies: Vec<u64> = delivered
        .filter_map(|message| Some(message.recv_us?.saturating_sub(message.sent_us)))
        .collect();
    let middle = latencies.len() / 2;
    if latencies.is_empty() { 5_000 } else { *latencies.select_nth_unstable(middle).1 }
}
