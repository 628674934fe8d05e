//! Who leads, who is in sync, and for how long clients had no answer.

use crate::trace::{NEMESIS, NodeId, OpType, Trace};

use super::replicas;
use crate::plots::Plot;
use crate::plots::axis::{Scale, grouped};
use crate::plots::frame::{Frame, Mark, Sketch, Swatch, not_shown};
use crate::plots::palette;
use crate::plots::scene::{Anchor, Scene, TextLook, sheer};
use crate::plots::timeline::{Changes, Presence, at, end_us, ints, presence, words};

/// Leaders and downtime.
pub static PROMOTIONS: Plot = Plot {
    name: "promotions",
    summary: "Who led and who served in an acknowledged view, who was in sync, and every time \
        without an answer",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Lanes that a page has room for.
const LANES_MAX: usize = 30;
/// Times without an answer are drawn from this length on, µs, and so many of them are labelled.
const GAP_MIN_US: u64 = 50_000;
const GAPS_MAX: usize = 600;
const LABELS_MAX: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down,
    Paused,
    Follows,
    Blank,
    Leads,
    Serves,
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let all = replicas(trace);
    let (roles, serving) = (words(trace, "role"), ints(trace, "serving"));
    if serving.is_empty() {
        return None;
    }
    let shown: Vec<NodeId> = all.iter().copied().take(LANES_MAX).collect();
    let lane = (260.0 / shown.len().max(1) as f64).clamp(14.0, 52.0);
    let legend = vec![
        (Swatch::Box(palette::BLUE), "leads, and serves".to_owned()),
        (Swatch::Box(palette::ORANGE), "leads, view not acknowledged".to_owned()),
        (Swatch::Box(palette::PALE), "follows".to_owned()),
        (Swatch::Box(palette::YELLOW), "disk is new".to_owned()),
        (Swatch::Line(palette::GREEN, 3.0), "in sync".to_owned()),
        (Swatch::Line(palette::GREY, 1.0), "down".to_owned()),
        (Swatch::Hatch, "paused".to_owned()),
        (Swatch::Mark(Mark::Crash), "crash".to_owned()),
        (Swatch::Box(palette::VERMILLION), "no answer to any client".to_owned()),
    ];
    let gaps = gaps(trace);
    let mut notes = vec![format!(
        "Times without an answer are drawn from {} ms on; the longest are labelled.",
        GAP_MIN_US / 1_000
    )];
    notes.extend(not_shown(all.len() - shown.len()));
    let panels = [lane * shown.len() as f64, 150.0];
    let sketch = Sketch {
        trace,
        title: "Leaders and downtime",
        window: Sketch::whole(trace),
        legend,
        panels: &panels,
        notes,
    };
    let mut frame = sketch.frame();
    let (present, in_sync) = (presence(trace), in_sync(trace));
    for (i, node) in shown.iter().enumerate() {
        let top = frame.panels[0].top + i as f64 * lane;
        let empty_words = Vec::new();
        let empty_ints = Vec::new();
        let empty_presence = Vec::new();
        let (roles, serving) =
            (roles.get(node).unwrap_or(&empty_words), serving.get(node).unwrap_or(&empty_ints));
        let states = merge(roles, serving, present.get(node).unwrap_or(&empty_presence));
        draw_lane(&mut frame, &states, top, lane);
        let own: Changes<bool> = in_sync
            .iter()
            .map(|(time, names)| (*time, names.contains(&trace.name(*node))))
            .collect();
        let (time, end) = (frame.time, end_us(trace));
        for (from, until, has) in spans(&own, end) {
            if has {
                let y = top + lane - 4.0;
                frame.scene.rect((time.x(from), time.x(until)), (y - 1.5, y + 1.5), palette::GREEN);
            }
        }
        frame.lane(top + lane / 2.0, trace.name(*node), 12.0);
        let crashes = trace
            .events
            .iter()
            .filter(|event| event.node == *node && event.name == "crash")
            .take(200);
        crashes.for_each(|event| {
            frame.scene.mark(Mark::Crash, (time.x(event.time_us), top + lane / 2.0 - 2.0))
        });
    }
    let panel = frame.panels[0];
    frame.base(panel);
    draw_gaps(&mut frame, &gaps);
    Some(frame.scene)
}

fn draw_lane(frame: &mut Frame, states: &[(u64, State)], top: f64, lane: f64) {
    let (time, end) = (frame.time, frame.time.to_us);
    let (top, bottom) = (top + 3.0, top + lane - 8.0);
    for (from, until, state) in spans(states, end) {
        let x = (time.x(from), time.x(until));
        let color = match state {
            State::Serves => palette::BLUE,
            State::Leads => palette::ORANGE,
            State::Follows => palette::PALE,
            State::Blank => palette::YELLOW,
            State::Paused => {
                frame.scene.hatch(x, (top, bottom), 5.0, sheer(palette::GREY, 0.8));
                continue;
            }
            State::Down => {
                let y = (top + bottom) / 2.0;
                frame.scene.rect(x, (y - 0.5, y + 0.5), palette::GREY);
                continue;
            }
        };
        frame.scene.rect(x, (top, bottom), color);
    }
}

fn draw_gaps(frame: &mut Frame, gaps: &[(u64, u64)]) {
    let longest = gaps.iter().map(|(from, until)| until - from).max().unwrap_or(0);
    let scale = Scale::linear(0.0, (longest as f64 / 1_000.0).max(100.0) * 1.12, 5);
    frame.y_axis(1, &scale, "without an answer (ms)");
    let (panel, time) = (frame.panels[1], frame.time);
    for (from, until) in gaps {
        let high = panel.y(&scale, (until - from) as f64 / 1_000.0);
        let (left, right) = (time.x(*from), time.x(*until));
        frame.scene.rect((left, right.max(left + 1.5)), (high, panel.bottom), palette::VERMILLION);
    }
    let mut labelled: Vec<&(u64, u64)> =
        gaps.iter().filter(|(from, until)| until - from >= longest / 8).collect();
    labelled.sort_by_key(|(from, until)| std::cmp::Reverse(until - from));
    labelled.truncate(LABELS_MAX);
    let look = TextLook::new(11.0).anchor(Anchor::Middle);
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for (from, until) in labelled {
        let text = format!("{} ms", grouped(((until - from) / 1_000) as i64));
        let half = look.width(&text) / 2.0 + 4.0;
        let x = ((time.x(*from) + time.x(*until)) / 2.0).clamp(time.left + half, time.right - half);
        if taken.iter().all(|(left, right)| x + half < *left || x - half > *right) {
            taken.push((x - half, x + half));
            // Above its own bar, and above those beside it that are as near.
            let near =
                gaps.iter().filter(|gap| time.x(gap.0) < x + half && time.x(gap.1) > x - half);
            let highest = near.map(|(from, until)| until - from).max().unwrap_or(0);
            frame.scene.text((x, panel.y(&scale, highest as f64 / 1_000.0) - 8.0), text, look);
        }
    }
    frame.base(panel);
}

/// Values that hold until they change, as spans.
fn spans<T: Copy>(changes: &[(u64, T)], end: u64) -> Vec<(u64, u64, T)> {
    let until = |i: usize| changes.get(i + 1).map_or(end, |(time, _)| *time);
    changes
        .iter()
        .enumerate()
        .map(|(i, (from, value))| (*from, until(i).max(*from), *value))
        .filter(|(from, until, _)| until > from)
        .collect()
}

fn merge(
    roles: &[(u64, &str)],
    serving: &[(u64, i64)],
    present: &[(u64, Presence)],
) -> Changes<State> {
    let times = roles.iter().map(|(time, _)| *time).chain(serving.iter().map(|(time, _)| *time));
    let mut times: Vec<u64> = times.chain(present.iter().map(|(time, _)| *time)).collect();
    times.sort_unstable();
    times.dedup();
    let state = |time: u64| match at(present, time) {
        Some(Presence::Down) => State::Down,
        Some(Presence::Paused) => State::Paused,
        _ if at(serving, time) == Some(1) => State::Serves,
        _ => match at(roles, time) {
            Some("leader") => State::Leads,
            Some("blank") => State::Blank,
            _ => State::Follows,
        },
    };
    let mut changes: Changes<State> = times.into_iter().map(|time| (time, state(time))).collect();
    changes.dedup_by(|next, kept| next.1 == kept.1);
    changes
}

/// The names of those in sync, by the latest view that anybody knew.
fn in_sync(trace: &Trace) -> Vec<(u64, Vec<&str>)> {
    let mut latest = -1;
    let mut changes: Vec<(u64, Vec<&str>)> = Vec::new();
    for event in trace.events.iter().filter(|event| event.name == "view") {
        let (Some(version), Some(names)) =
            (event.fields.int("version"), event.fields.text("in_sync"))
        else {
            continue;
        };
        if version > latest {
            latest = version;
            let names: Vec<&str> = names.split('+').collect();
            if changes.last().is_none_or(|(_, last)| *last != names) && changes.len() < GAPS_MAX {
                changes.push((event.time_us, names));
            }
        }
    }
    changes
}

/// The times between two answers, and before the first and after the last one while somebody asked.
fn gaps(trace: &Trace) -> Vec<(u64, u64)> {
    let lines = || trace.history.iter().filter(|op| op.process != NEMESIS);
    let Some(begin) = lines().map(|op| op.time_us).min() else { return vec![] };
    let mut times: Vec<u64> = lines()
        .filter(|op| matches!(op.op_type, OpType::Ok | OpType::Fail))
        .map(|op| op.time_us)
        .collect();
    times.extend(lines().map(|op| op.time_us).max());
    times.sort_unstable();
    let mut before = begin;
    let mut gaps = Vec::new();
    for time in times {
        if time.saturating_sub(before) >= GAP_MIN_US {
            gaps.push((before, time));
        }
        before = before.max(time);
    }
    gaps.sort_by_key(|(from, until)| std::cmp::Reverse(until - from));
    gaps.truncate(GAPS_MAX);
    gaps
}
