//! The layout of a space-time diagram, computed before anything is drawn. Heights are measured from
//! the panel's top.

use crate::trace::{Event, Message, NodeId, Outcome, Trace};

use super::super::axis::TimeAxis;
use super::super::frame::{LEFT, Mark, RIGHT, head_of};
use super::super::timeline::members;
use super::events::{label_of, mark_of, weight};
use super::labels::{Area, Label, place};
use super::window::{MESSAGES_MAX, View, around, usual_latency, view};

/// Half the thickness of a node's line.
pub(super) const LINE: f64 = 3.0;
/// Half the size of the cross that marks an undelivered message.
pub(super) const CROSS: f64 = 3.5;
/// Half the size of a mark.
const MARK: f64 = 6.5;
/// Maximum marks per node.
const MARKS_MAX: usize = 60;

/// How an arrow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It arrived.
    Head,
    /// It did not.
    Cross,
    /// Its outcome is outside the window.
    Open,
}

/// A message.
pub(super) struct Arrow<'a> {
    pub(super) message: &'a Message,
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
    pub(super) end: End,
}

impl Arrow<'_> {
    /// The part of it that a label must not cover.
    pub(super) fn obstacle(&self) -> Option<Area> {
        match self.end {
            End::Head => Some(Area::of_points(&head_of(self.from, self.to)?)),
            End::Cross => Some(Area::around(self.to, CROSS + 1.0)),
            End::Open => None,
        }
    }
}

/// An event on its node's line.
pub(super) struct Marked<'a> {
    pub(super) event: &'a Event,
    pub(super) mark: Mark,
    pub(super) at: (f64, f64),
}

/// A diagram.
pub(super) struct Layout<'a> {
    pub(super) view: View,
    /// Nodes of the system without a line.
    pub(super) left_out: usize,
    /// The distance between lines.
    pub(super) gap: f64,
    pub(super) arrows: Vec<Arrow<'a>>,
    /// Every event of the window on the lines, marked or not.
    pub(super) events: Vec<&'a Event>,
    pub(super) marks: Vec<Marked<'a>>,
    pub(super) labels: Vec<Label>,
    /// The number of labels without a free place.
    pub(super) dropped: usize,
}

impl Layout<'_> {
    /// Height of the panel.
    pub(super) fn height(&self) -> f64 {
        self.gap * self.view.lines.len() as f64
    }

    /// The height of a line.
    pub(super) fn y(&self, line: usize) -> f64 {
        (line as f64 + 0.5) * self.gap
    }

    /// What labels must not cover, besides other labels: lines of nodes, marks, arrowheads,
    /// crosses.
    pub(super) fn obstacles(&self) -> Vec<Area> {
        let lines = (0..self.view.lines.len()).map(|line| self.y(line));
        let lines =
            lines.map(|y| Area { left: LEFT, top: y - LINE, right: RIGHT, bottom: y + LINE });
        let marks = self.marks.iter().map(|marked| Area::around(marked.at, MARK));
        lines.chain(marks).chain(self.arrows.iter().filter_map(Arrow::obstacle)).collect()
    }
}

/// Lay out a diagram: around a moment and some nodes, or around the most informative part of the
/// run. `None` if the trace has nothing to show.
pub(super) fn layout<'a>(trace: &'a Trace, moment: Option<(u64, &[NodeId])>) -> Option<Layout<'a>> {
    let nodes = members(trace);
    let is_member = |node: NodeId| nodes.binary_search(&node).is_ok();
    let all = (0u32..).map(NodeId).take(trace.nodes.len());
    let clients: Vec<NodeId> =
        if moment.is_some() { all.filter(|node| !is_member(*node)).collect() } else { vec![] };
    let is_shown = |node: NodeId| is_member(node) || clients.binary_search(&node).is_ok();
    let messages: Vec<&Message> = trace
        .messages
        .iter()
        .filter(|message| is_shown(message.src) && is_shown(message.dest))
        .collect();
    let view = match moment {
        Some(moment) => around(trace, moment, &nodes, &clients, &messages),
        None => view(trace, &nodes, &messages)?,
    };
    let in_window = |time: u64| (view.window.0..=view.window.1).contains(&time);
    let line_of = |node: NodeId| view.lines.binary_search(&node).ok();
    let gap = (560.0 / view.lines.len().max(1) as f64).clamp(54.0, 92.0);
    let time = TimeAxis { from_us: view.window.0, to_us: view.window.1, left: LEFT, right: RIGHT };
    let y = |line: usize| (line as f64 + 0.5) * gap;

    let usual = usual_latency(&messages);
    let shown = messages.iter().filter(|message| in_window(message.sent_us));
    let arrows = shown.filter_map(|message| {
        Some(arrow(
            message,
            (y(line_of(message.src)?), y(line_of(message.dest)?)),
            time,
            (usual, gap),
        ))
    });
    let arrows: Vec<Arrow<'_>> = arrows.take(MESSAGES_MAX).collect();
    let events: Vec<&Event> = trace
        .events
        .iter()
        .filter(|event| in_window(event.time_us) && line_of(event.node).is_some())
        .collect();
    let mut marks: Vec<Marked<'_>> = Vec::new();
    for (line, node) in view.lines.iter().enumerate() {
        let own = events
            .iter()
            .filter(|event| event.node == *node)
            .filter_map(|event| Some((*event, mark_of(event)?)));
        marks.extend(own.take(MARKS_MAX).map(|(event, mark)| Marked {
            event,
            mark,
            at: (time.x(event.time_us), y(line)),
        }));
    }
    // Events of one kind stay ordered by time.
    marks.sort_by_key(|marked| (weight(marked.mark), marked.event.index));
    let left_out = nodes.len() + clients.len() - view.lines.len();
    let mut layout =
        Layout { view, left_out, gap, arrows, events, marks, labels: Vec::new(), dropped: 0 };
    let wanted: Vec<_> =
        layout.marks.iter().map(|marked| (marked.at, label_of(trace, marked.event))).collect();
    let strokes: Vec<_> = layout.arrows.iter().map(|arrow| (arrow.from, arrow.to)).collect();
    let bounds = Area { left: LEFT + 1.0, top: 0.0, right: RIGHT, bottom: layout.height() };
    (layout.labels, layout.dropped) = place(&wanted, &layout.obstacles(), &strokes, bounds, gap);
    Some(layout)
}

/// Whether a message did not reach a running node.
pub(super) fn is_stopped(message: &Message) -> bool {
    matches!(
        message.outcome,
        Outcome::Lost | Outcome::Partitioned | Outcome::NodeDown | Outcome::Discarded
    )
}

fn arrow<'a>(
    message: &'a Message,
    (from_y, to_y): (f64, f64),
    time: TimeAxis,
    (usual, gap): (u64, f64),
) -> Arrow<'a> {
    // If its arrival time is unknown, assume that it would have taken as long as others.
    let arrives =
        message.recv_us.unwrap_or(message.sent_us.saturating_add(usual)).max(message.sent_us);
    let whole = arrives.saturating_sub(message.sent_us).max(1) as f64;
    // The visible part: up to the window's edge.
    let seen = (time.to_us.saturating_sub(message.sent_us) as f64 / whole).min(1.0);
    let lost_on_the_way = matches!(message.outcome, Outcome::Lost | Outcome::Partitioned);
    // The cross is between the lines, before the receiver's: this separates those of a broadcast,
    // and none seems to be on the line of a node that it only passes.
    let distance = (to_y - from_y).abs();
    let stop =
        if lost_on_the_way && distance > 0.0 { (distance - 0.5 * gap) / distance } else { 1.0 };
    let part = seen.min(stop);
    let from = (time.x(message.sent_us), from_y);
    let to = (
        time.x(message.sent_us.saturating_add((whole * part) as u64)),
        from_y + (to_y - from_y) * part,
    );
    if is_stopped(message) && seen >= stop {
        Arrow { message, from, to, end: End::Cross }
    } else if seen < 1.0 || message.outcome == Outcome::InFlight {
        Arrow { message, from, to, end: End::Open }
    } else {
        // The arrowhead ends next to the receiver's line, not on it.
        let to = (to.0, to.1 - LINE * (to_y - from_y).signum());
        Arrow {
            message,
            from,
            to,
            end: if head_of(from, to).is_some() { End::Head } else { End::Open },
        }
    }
}
