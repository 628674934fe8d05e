//! Who sends, and what is heard: frame by frame, with every gap.

use plotters::style::RGBColor;

use crate::trace::{Event, NodeId, Trace};

use crate::plots::Plot;
use crate::plots::frame::{Frame, Mark, Sketch, Swatch, not_shown};
use crate::plots::palette;
use crate::plots::scene::Scene;

/// The playout timeline.
pub static AUDIO_PLAYOUT: Plot = Plot {
    name: "audio_playout",
    summary: "When each streamer sends and what each listener hears: frames, lost frames, and \
        pauses with an empty buffer",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Lanes that a page has room for.
const LANES_MAX: usize = 60;
/// Width of a column; what happens within one is shown as one.
const COLUMN: f64 = 1.5;
/// A frame that says nothing of its length lasts so long.
const FRAME_US: u64 = 20_000;

/// What a column shows; of several the last in this order, because gaps are what the reader looks
/// for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Nothing,
    Sends,
    Played,
    Empty,
    Lost,
    Damaged,
}

impl State {
    fn color(self) -> Option<RGBColor> {
        match self {
            State::Nothing => None,
            State::Sends => Some(palette::BLUE),
            State::Played => Some(palette::GREEN),
            State::Empty => Some(palette::ORANGE),
            State::Lost => Some(palette::VERMILLION),
            State::Damaged => Some(palette::BLACK),
        }
    }

    fn of(event: &Event) -> Option<State> {
        Some(match event.name.as_ref() {
            "send" => State::Sends,
            "play" if event.fields.get("bytes").is_some() => State::Damaged,
            "play" => State::Played,
            "conceal" if event.fields.text("reason") == Some("lost") => State::Lost,
            "conceal" => State::Empty,
            _ => return None,
        })
    }
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let window = Sketch::whole(trace);
    let known = |event: &&Event| event.node.index() < trace.nodes.len();
    let heard =
        || trace.events.iter().filter(known).filter_map(|event| Some((event, State::of(event)?)));
    heard().next()?;
    let of_role = |role: &'static str| trace.with_role(role);
    let all: Vec<NodeId> = of_role("streamer").chain(of_role("listener")).collect();
    let shown: Vec<NodeId> = all.iter().copied().take(LANES_MAX).collect();
    if shown.is_empty() || window.1 == 0 {
        return None;
    }
    let frame_us = trace
        .events
        .iter()
        .find_map(|event| event.fields.int("frame_us").filter(|_| event.name == "listener"));
    let frame_us =
        frame_us.and_then(|us| u64::try_from(us).ok()).unwrap_or(FRAME_US).clamp(1, 10_000_000);
    let legend = [
        (State::Sends, "sends"),
        (State::Played, "heard"),
        (State::Empty, "buffer empty, playing waits"),
        (State::Lost, "frame lost, concealed"),
        (State::Damaged, "damaged frame heard"),
    ];
    let seen = |state: State| heard().any(|(_, each)| each == state);
    let mut legend: Vec<(Swatch, String)> = legend
        .into_iter()
        .filter(|(state, _)| seen(*state))
        .filter_map(|(state, name)| Some((Swatch::Box(state.color()?), name.to_owned())))
        .collect();
    if trace.events.iter().any(|event| event.name == "crash") {
        legend.push((Swatch::Mark(Mark::Crash), "crash".to_owned()));
    }
    let lane = (420.0 / shown.len() as f64).clamp(11.0, 36.0);
    let notes = not_shown(all.len() - shown.len()).into_iter().collect();
    let mut frame = Sketch {
        trace,
        title: "Who sends, what is heard",
        window,
        legend,
        panels: &[lane * shown.len() as f64],
        notes,
    }
    .frame();
    let columns = ((frame.time.right - frame.time.left) / COLUMN).ceil() as usize;
    let mut lanes = vec![vec![State::Nothing; columns]; shown.len()];
    let column = |x: f64, left: f64| (((x - left) / COLUMN) as usize).min(columns - 1);
    for (event, state) in heard() {
        let Some(place) = shown.iter().position(|node| *node == event.node) else { continue };
        let from = column(frame.time.x(event.time_us), frame.time.left);
        let to = column(frame.time.x(event.time_us.saturating_add(frame_us)), frame.time.left);
        for each in &mut lanes[place][from..=to] {
            *each = (*each).max(state);
        }
    }
    for (place, (node, states)) in shown.iter().zip(&lanes).enumerate() {
        draw_lane(&mut frame, trace, (place, *node), states, lane);
    }
    let panel = frame.panels[0];
    frame.base(panel);
    Some(frame.scene)
}

fn draw_lane(
    frame: &mut Frame,
    trace: &Trace,
    (place, node): (usize, NodeId),
    states: &[State],
    lane: f64,
) {
    let top = frame.panels[0].top + place as f64 * lane;
    let (time, middle) = (frame.time, top + lane / 2.0);
    frame.lane(middle, trace.name(node), if lane > 14.0 { 12.5 } else { 9.5 });
    frame.scene.rect((time.left, time.right), (middle - 0.25, middle + 0.25), palette::GRID);
    let mut from = 0;
    for run in states.chunk_by(|a, b| a == b) {
        let (left, right) = (
            time.left + from as f64 * COLUMN,
            (time.left + (from + run.len()) as f64 * COLUMN).min(time.right),
        );
        if let Some(color) = run[0].color() {
            frame.scene.rect((left, right), (top + lane * 0.18, top + lane * 0.82), color);
        }
        from += run.len();
    }
    /// Marks of a lane that are drawn at the most.
    const MARKS_MAX: usize = 60;
    if lane > 12.0 {
        let crashes =
            trace.events.iter().filter(|event| event.node == node && event.name == "crash");
        for crash in crashes.take(MARKS_MAX) {
            frame.scene.mark(Mark::Crash, (time.x(crash.time_us), middle));
        }
    }
}
