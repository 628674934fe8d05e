//! The waveform of the song, and of what some listeners heard of it.

use std::collections::BTreeMap;

use crate::trace::{Event, NodeId, Trace, Value};

use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{Frame, Sketch, Swatch, not_shown};
use crate::plots::palette;
use crate::plots::scene::{Ink, Scene, sheer};

/// The waveform.
pub static AUDIO_WAVEFORM: Plot = Plot {
    name: "audio_waveform",
    summary: "The loudest sample of each frame: of the song, as it would sound without faults, and \
        of what listeners heard",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Listeners that a page has room for.
const LISTENERS_MAX: usize = 4;
/// Width of a column, which shows the loudest frame within it.
const COLUMN: f64 = 1.5;
/// Frames of a song that are drawn at the most.
const FRAMES_MAX: usize = 1_000_000;
/// A full-scale sample.
const FULL: f64 = 32_768.0;

/// What one panel shows: time, loudness in percent, and how.
type Bars = Vec<(u64, f64, Look)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    Sound,
    Damaged,
    Gap,
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let listeners: Vec<NodeId> = trace.with_role("listener").collect();
    let shown: Vec<NodeId> = listeners.iter().copied().take(LISTENERS_MAX).collect();
    let frame_us = trace
        .events
        .iter()
        .find_map(|event| event.fields.int("frame_us").filter(|_| event.name == "listener"));
    let frame_us =
        frame_us.and_then(|us| u64::try_from(us).ok()).unwrap_or(20_000).clamp(1, 10_000_000);
    let bars: Vec<Bars> = shown.iter().map(|node| heard(trace, *node)).collect();
    if bars.iter().all(Vec::is_empty) {
        return None;
    }
    let source = source(trace, frame_us);
    let heights = vec![92.0; 1 + shown.len()];
    let gaps = bars.iter().flatten().any(|(.., look)| *look == Look::Gap);
    let damaged = bars.iter().flatten().any(|(.., look)| *look == Look::Damaged);
    let mut legend = vec![
        (Swatch::Box(palette::GREY), "the songs".to_owned()),
        (Swatch::Box(palette::GREEN), "what was heard".to_owned()),
    ];
    if gaps {
        legend.push((Swatch::Box(palette::ORANGE), "concealed, or nothing to play".to_owned()));
    }
    if damaged {
        legend.push((Swatch::Box(palette::BLACK), "damaged".to_owned()));
    }
    let mut notes = vec![
        "Loudest sample of each frame, as a part of full scale. Each song is \
        drawn as if it had begun with the first listener who heard it and had met no fault."
            .to_owned(),
    ];
    notes.extend(not_shown(listeners.len() - shown.len()));
    let window = Sketch::whole(trace);
    let mut frame =
        Sketch { trace, title: "Waveform", window, legend, panels: &heights, notes }.frame();
    draw(&mut frame, 0, "songs (%)", &source, frame_us, palette::GREY);
    for (place, (node, bars)) in shown.iter().zip(&bars).enumerate() {
        draw(
            &mut frame,
            place + 1,
            &format!("{} (%)", trace.name(*node)),
            bars,
            frame_us,
            palette::GREEN,
        );
    }
    Some(frame.scene)
}

fn loudness(event: &Event) -> f64 {
    event
        .fields
        .get("peak")
        .and_then(Value::int)
        .map_or(0.0, |peak| (peak as f64 / FULL * 100.0).clamp(0.0, 100.0))
}

/// The frames of each song that was played, one after the other, from the moment on at which a
/// listener heard the first of them.
fn source(trace: &Trace, frame_us: u64) -> Bars {
    let number = |event: &Event, name: &str| {
        event.fields.int(name).and_then(|number| u64::try_from(number).ok())
    };
    let named = |name: &'static str| trace.events.iter().filter(move |event| event.name == name);
    let mut songs: BTreeMap<u64, (NodeId, u64)> = BTreeMap::new();
    for stored in named("stored") {
        if let (Some(session), Some(uploader), Some(upload)) = (
            number(stored, "session"),
            stored.fields.node("uploader"),
            stored.fields.hash("upload"),
        ) {
            songs.entry(session).or_insert((uploader, upload));
        }
    }
    let mut begins: BTreeMap<(NodeId, u64), u64> = BTreeMap::new();
    for heard in trace.events.iter().filter(|event| event.name == "play" || event.name == "conceal")
    {
        let (Some(session), Some(frame)) = (number(heard, "session"), number(heard, "frame"))
        else {
            continue;
        };
        if let Some(song) = songs.get(&session) {
            begins
                .entry(*song)
                .or_insert(heard.time_us.saturating_sub(frame.saturating_mul(frame_us)));
        }
    }
    let bar = |event: &Event| {
        let begin = begins.get(&(event.node, event.fields.hash("upload")?))?;
        Some((
            begin.saturating_add(number(event, "frame")?.saturating_mul(frame_us)),
            loudness(event),
            Look::Sound,
        ))
    };
    named("source_frame").filter_map(bar).take(FRAMES_MAX).collect()
}

fn heard(trace: &Trace, node: NodeId) -> Bars {
    let of_node = trace.events.iter().filter(|event| event.node == node);
    let bar = |event: &Event| match event.name.as_ref() {
        "play" if event.fields.get("bytes").is_some() => {
            Some((event.time_us, loudness(event), Look::Damaged))
        }
        "play" => Some((event.time_us, loudness(event), Look::Sound)),
        "conceal" => Some((event.time_us, 100.0, Look::Gap)),
        _ => None,
    };
    of_node.filter_map(bar).collect()
}

fn draw(
    frame: &mut Frame,
    panel: usize,
    name: &str,
    bars: &Bars,
    frame_us: u64,
    color: plotters::style::RGBColor,
) {
    let scale = Scale::linear(-100.0, 100.0, 2);
    frame.y_axis(panel, &scale, name);
    let (place, time) = (frame.panels[panel], frame.time);
    let count = ((time.right - time.left) / COLUMN).ceil() as usize;
    let mut columns: Vec<Option<(Look, f64)>> = vec![None; count];
    let column = |at: u64| (((time.x(at) - time.left) / COLUMN) as usize).min(count - 1);
    for (at, loud, look) in bars {
        if *at > time.to_us {
            continue;
        }
        for each in &mut columns[column(*at)..=column(at.saturating_add(frame_us - 1))] {
            let (shown, most) = each.unwrap_or((*look, 0.0));
            *each = Some(if *look > shown {
                (*look, *loud)
            } else if *look == shown {
                (*look, most.max(*loud))
            } else {
                (shown, most)
            });
        }
    }
    for (i, each) in columns.iter().enumerate() {
        let Some((look, loud)) = each else { continue };
        let ink: Ink = match look {
            Look::Sound => color.into(),
            Look::Damaged => palette::BLACK.into(),
            Look::Gap => sheer(palette::ORANGE, 0.55),
        };
        let left = time.left + i as f64 * COLUMN;
        let half = loud.max(1.0);
        frame.scene.rect(
            (left, left + COLUMN),
            (place.y(&scale, half), place.y(&scale, -half)),
            ink,
        );
    }
}
