//! A space-time diagram, as Lamport drew them: a line for each node, an arrow for each message, of a short window of the run.

use crate::trace::{Event, Message, NodeId, Outcome, Trace, Value};

use super::Plot;
use super::frame::{Frame, Mark, Sketch, Swatch};
use super::kinds::{self, Families};
use super::palette;
use super::scene::{Scene, TextLook, cut_to, sheer};
use super::timeline::{Presence, at, members, presence, words};

/// Messages between nodes in the moments that matter most.
pub static SPACE_TIME: Plot = Plot {
    name: "space_time",
    summary: "Messages between nodes around the first election after a fault: who asked whom, what was lost, who won",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// More arrows than this cannot be followed.
const MESSAGES_MAX: usize = 130;
/// Lines of nodes that a page has room for.
const LINES_MAX: usize = 12;
/// No window is longer, µs.
const WINDOW_MAX_US: u64 = 2_000_000;
/// Half the width of the window around a moment that nothing else delimits, µs.
const HALF_US: u64 = 100_000;

pub(super) fn scene(trace: &Trace) -> Option<Scene> {
    let nodes = members(trace);
    let between = |message: &&Message| nodes.binary_search(&message.src).is_ok() && nodes.binary_search(&message.dest).is_ok();
    let messages: Vec<&Message> = trace.messages.iter().filter(between).collect();
    let focus = focus(trace, &messages)?;
    let window = narrow(focus, &messages);
    let in_window = |message: &&&Message| message.sent_us >= window.0 && message.sent_us <= window.1;
    let shown: Vec<&Message> = messages.iter().filter(in_window).copied().take(MESSAGES_MAX).collect();

    let mut lines = nodes.clone();
    if lines.len() > LINES_MAX {
        // The nodes of the window's first messages and events come first; the rest has no room.
        let spoke = |node: &NodeId| shown.iter().filter(|message| message.src == *node || message.dest == *node).count();
        lines.sort_by_key(|node| (std::cmp::Reverse(spoke(node)), *node));
        lines.truncate(LINES_MAX);
        lines.sort_unstable();
    }
    let line_of = |node: NodeId| lines.binary_search(&node).ok();
    let families = Families::of(trace);
    let events: Vec<&Event> =
        trace.events.iter().filter(|event| (window.0..=window.1).contains(&event.time_us) && line_of(event.node).is_some()).collect();

    let gap = (520.0 / lines.len() as f64).clamp(46.0, 92.0);
    let mut notes = vec![format!("{} messages between nodes. Answers are lighter than requests.", shown.len())];
    if nodes.len() > lines.len() {
        notes.push(format!("{} nodes with fewer messages are not shown.", nodes.len() - lines.len()));
    }
    let legend = legend(&families, &shown, &events);
    let panels = [gap * lines.len() as f64];
    let mut frame = Sketch { trace, title: "Space-time diagram", window, legend, panels: &panels, notes }.frame();
    let y = |line: usize, frame: &Frame| frame.panels[0].top + (line as f64 + 0.5) * gap;

    node_lines(&mut frame, trace, &lines, gap);
    let usual = usual_latency(&messages);
    for message in &shown {
        if let (Some(from), Some(to)) = (line_of(message.src), line_of(message.dest)) {
            let ends = (y(from, &frame), y(to, &frame));
            arrow(&mut frame, message, ends, &families, usual);
        }
    }
    for (i, node) in lines.iter().enumerate() {
        let y = y(i, &frame);
        frame.lane(y, trace.name(*node), 13.0);
        let own: Vec<&Event> = events.iter().filter(|event| event.node == *node).copied().collect();
        event_marks(&mut frame, trace, &own, y);
    }
    let panel = frame.panels[0];
    frame.base(panel);
    Some(frame.scene)
}

/// The stretch of the run that tells most: from the campaign to the first leader after the first fault; else the first leader's; else around the
/// first fault, the first crash, or the first message.
fn focus(trace: &Trace, messages: &[&Message]) -> Option<(u64, u64)> {
    let fault = trace.faults().first().map(|span| span.begin_us);
    let leaders = || trace.events.iter().filter(|event| event.name == "leader");
    let after_fault = fault.and_then(|fault| leaders().find(|event| event.time_us >= fault));
    let around = |moment: u64| (moment.saturating_sub(HALF_US / 2), moment.saturating_add(3 * HALF_US / 2));
    if let Some(leader) = after_fault.or_else(|| leaders().next()) {
        let usual = usual_latency(messages).clamp(1_000, 200_000);
        // Time for the heartbeats that follow to arrive, and for those that are missed to be seen.
        let end = leader.time_us.saturating_add(5 * usual);
        let begin = campaign(trace, leader).saturating_sub(3 * usual);
        return Some((begin.max(end.saturating_sub(WINDOW_MAX_US)), end));
    }
    let crash = || trace.events.iter().find(|event| event.name == "crash").map(|event| event.time_us);
    fault.or_else(crash).or_else(|| messages.first().map(|message| message.sent_us)).map(around).filter(|_| !messages.is_empty())
}

/// When the winner began to ask for votes: at its first (pre-)candidacy without a second's pause before it led.
fn campaign(trace: &Trace, leader: &Event) -> u64 {
    let mut begin = leader.time_us;
    for event in trace.events.iter().rev().skip_while(|event| event.index >= leader.index && event.index > 0) {
        if begin.saturating_sub(event.time_us) > 1_000_000 {
            break;
        }
        if event.node == leader.node && event.name == "role" && event.time_us <= begin {
            match event.fields.text("role") {
                Some("candidate" | "pre_candidate") => begin = event.time_us,
                _ => break,
            }
        }
    }
    begin
}

/// The median time on the way, µs.
fn usual_latency(messages: &[&Message]) -> u64 {
    /// A sample tells as much as all.
    const SAMPLE: usize = 2_000;
    let step = (messages.len() / SAMPLE).max(1);
    let delivered = messages.iter().step_by(step).filter(|message| message.outcome == Outcome::Delivered);
    let mut latencies: Vec<u64> = delivered.filter_map(|message| Some(message.recv_us?.saturating_sub(message.sent_us))).collect();
    let middle = latencies.len() / 2;
    if latencies.is_empty() { 5_000 } else { *latencies.select_nth_unstable(middle).1 }
}

/// Shorten a window from its beginning until its messages can be followed: what led to the end is what counts.
fn narrow((begin, end): (u64, u64), messages: &[&Message]) -> (u64, u64) {
    let mut sent: Vec<u64> = messages.iter().map(|message| message.sent_us).filter(|sent| (begin..=end).contains(sent)).collect();
    sent.sort_unstable();
    match sent.len().checked_sub(MESSAGES_MAX) {
        Some(excess) if excess > 0 => (sent[excess].min(end.saturating_sub(1)), end),
        _ => (begin, end.max(begin + 1)),
    }
}

fn legend(families: &Families<'_>, shown: &[&Message], events: &[&Event]) -> Vec<(Swatch, String)> {
    let has =
        |name: &str, color| shown.iter().any(|message| families.color(&message.kind) == color && kinds::family(&message.kind) == name);
    let look = TextLook::new(12.0);
    let mut legend: Vec<(Swatch, String)> = families
        .list
        .iter()
        .filter(|(name, color)| has(name, *color))
        .map(|(name, color)| (Swatch::Arrow(*color), cut_to(name, look, 180.0)))
        .collect();
    if shown.iter().any(|message| is_stopped(message)) {
        legend.push((Swatch::Cross(palette::INK), "did not arrive".to_owned()));
    }
    let marks = [
        (Mark::Campaign, "candidacy"),
        (Mark::Vote, "vote"),
        (Mark::Leader, "becomes leader"),
        (Mark::Commit, "commit"),
        (Mark::Crash, "crash"),
        (Mark::Command, "command"),
    ];
    for (mark, name) in marks {
        if events.iter().any(|event| mark_of(event) == Some(mark)) {
            legend.push((Swatch::Mark(mark), name.to_owned()));
        }
    }
    legend
}

/// The lines of the nodes, in the colour of their role, broken while they are down or paused.
fn node_lines(frame: &mut Frame, trace: &Trace, lines: &[NodeId], gap: f64) {
    let (roles, away) = (words(trace, "role"), presence(trace));
    let (time, top) = (frame.time, frame.panels[0].top);
    for (i, node) in lines.iter().enumerate() {
        let y = top + (i as f64 + 0.5) * gap;
        let (roles, away) = (roles.get(node).map_or(&[][..], Vec::as_slice), away.get(node).map_or(&[][..], Vec::as_slice));
        let mut times: Vec<u64> = vec![time.from_us];
        let inside = |time_us: &u64| *time_us > time.from_us && *time_us < time.to_us;
        times.extend(roles.iter().map(|(time, _)| *time).chain(away.iter().map(|(time, _)| *time)).filter(inside));
        times.sort_unstable();
        times.dedup();
        for (j, from) in times.iter().enumerate() {
            let (left, right) = (time.x(*from), times.get(j + 1).map_or(time.right, |next| time.x(*next)));
            let color = match at(roles, *from) {
                Some("leader") => palette::BLUE,
                Some("candidate") => palette::ORANGE,
                Some("pre_candidate") => palette::YELLOW,
                _ => palette::PALE,
            };
            match at(away, *from) {
                Some(Presence::Down) => {}
                Some(Presence::Paused) => frame.scene.dashes((left, y), (right, y), 2.0, palette::GREY),
                _ => frame.scene.rect((left, right), (y - 3.0, y + 3.0), sheer(color, 0.55)),
            }
        }
        frame.scene.rect((time.left, time.right), (y - 0.25, y + 0.25), sheer(palette::GREY, 0.6));
    }
}

/// Whether a message did not get to a running node.
fn is_stopped(message: &Message) -> bool {
    matches!(message.outcome, Outcome::Lost | Outcome::Partitioned | Outcome::NodeDown | Outcome::Discarded)
}

fn arrow(frame: &mut Frame, message: &Message, (from_y, to_y): (f64, f64), families: &Families<'_>, usual: u64) {
    let color = families.color(&message.kind);
    let color = if kinds::is_answer(&message.kind) { color_toward_white(color) } else { color };
    let time = frame.time;
    // Where nothing says when it would have arrived, it would have taken as long as others do.
    let arrives = message.recv_us.unwrap_or(message.sent_us.saturating_add(usual)).max(message.sent_us);
    let from = (time.x(message.sent_us), from_y);
    let whole = arrives.saturating_sub(message.sent_us).max(1) as f64;
    // Up to this part of the way it is seen: to the window's edge, or halfway where it was stopped.
    let seen = (time.to_us.saturating_sub(message.sent_us) as f64 / whole).min(1.0);
    let lost_on_the_way = matches!(message.outcome, Outcome::Lost | Outcome::Partitioned);
    let part = if lost_on_the_way { seen.min(0.4) } else { seen };
    let until = message.sent_us + (whole * part) as u64;
    let to = (time.x(until), from_y + (to_y - from_y) * part);
    if is_stopped(message) && (lost_on_the_way || seen >= 1.0) {
        frame.scene.segment(from, to, 1.0, color);
        frame.scene.cross(to, 3.5, 1.5, palette::INK);
    } else if seen < 1.0 || message.outcome == Outcome::InFlight {
        frame.scene.segment(from, to, 1.0, color);
    } else {
        // The head ends beside the receiver's line, not upon it.
        frame.scene.arrow(from, (to.0, to.1 - 2.0 * (to_y - from_y).signum()), color);
    }
}

fn color_toward_white(color: plotters::style::RGBColor) -> plotters::style::RGBColor {
    let light = |part: u8| 255 - (255 - part) / 5 * 3;
    plotters::style::RGBColor(light(color.0), light(color.1), light(color.2))
}

/// The mark of an event; most have none.
fn mark_of(event: &Event) -> Option<Mark> {
    match event.name.as_ref() {
        "leader" => Some(Mark::Leader),
        "vote" if event.fields.node("candidate") != Some(event.node) => Some(Mark::Vote),
        "role" if matches!(event.fields.text("role"), Some("candidate" | "pre_candidate")) => Some(Mark::Campaign),
        "commit" => Some(Mark::Commit),
        "crash" => Some(Mark::Crash),
        "command" => Some(Mark::Command),
        _ => None,
    }
}

/// What is written beside a mark.
fn label_of(trace: &Trace, event: &Event) -> String {
    let number = |name: &str| event.fields.int(name).map_or_else(|| "?".to_owned(), |number| number.to_string());
    match event.name.as_ref() {
        "leader" => format!("leads term {}", number("term")),
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

/// Marks on a node's line, and labels above or below it where they touch no other.
fn event_marks(frame: &mut Frame, trace: &Trace, events: &[&Event], y: f64) {
    const MARKS_MAX: usize = 60;
    let look = TextLook::new(11.0);
    let time = frame.time;
    let mut rows: [Vec<(f64, f64)>; 2] = [Vec::new(), Vec::new()];
    let mut marked: Vec<(&Event, Mark)> = events.iter().filter_map(|event| Some((*event, mark_of(event)?))).take(MARKS_MAX).collect();
    // Commits are many and say least: what else happens finds its place first, and is drawn above them.
    marked.sort_by_key(|(_, mark)| *mark == Mark::Commit);
    let mut texts = Vec::new();
    for (event, _) in &marked {
        let text = cut_to(&label_of(trace, event), look, 200.0);
        let (x, width) = (time.x(event.time_us), look.width(&text) * 1.08);
        let left = (x - 6.0).min(time.right - width).max(time.left);
        let (from, to) = (left - 5.0, left + width + 5.0);
        let free = rows.iter().position(|row| row.iter().all(|(left, right)| to <= *left || from >= *right));
        if let Some(row) = free {
            rows[row].push((from, to));
            let y = if row == 0 { y - 15.0 } else { y + 15.0 };
            texts.push(((left, y), width, text));
        }
    }
    for (event, mark) in marked.iter().rev() {
        frame.scene.mark(*mark, (time.x(event.time_us), y));
    }
    for ((left, y), width, text) in texts {
        // Arrows pass behind a label, dimmed.
        frame.scene.rect((left - 2.0, left + width + 2.0), (y - 6.5, y + 6.5), sheer(palette::WHITE, 0.85));
        frame.scene.text((left, y), text, look);
    }
}
