//! How long each operation took, as seen by its client.

use std::collections::BTreeMap;

use crate::trace::{NEMESIS, OpType, Trace};

use super::Plot;
use super::axis::{Scale, grouped};
use super::frame::{Sketch, Swatch};
use super::palette;
use super::scene::{Scene, sheer};
use super::timeline::{end_us, thin};

/// Latency of operations over time.
pub static LATENCY: Plot = Plot {
    name: "latency",
    summary: "How long each operation took, by operation and outcome, with the median and the 95th \
        percentile over time",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// More marks than this are thinned out: marks of one kind within a few units are drawn once.
const MARKS_MAX: usize = 1_500;
/// Kinds of operations distinguished by colour.
const KINDS_MAX: usize = 6;
/// Maximum number of windows for the percentiles, and minimum operations in each: with fewer, the
/// 95th percentile says little.
const WINDOWS_MAX: usize = 40;
const OPERATIONS_MIN: usize = 40;

/// An operation, from its invocation to its completion, or to the run's end.
struct Taken<'a> {
    begin_us: u64,
    latency_us: u64,
    f: &'a str,
    outcome: OpType,
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let taken = operations(trace);
    if taken.is_empty() {
        return None;
    }
    let mut kinds: Vec<&str> = Vec::new();
    for op in &taken {
        if !kinds.contains(&op.f) && kinds.len() < KINDS_MAX {
            kinds.push(op.f);
        }
    }
    kinds.sort_unstable();
    let color = |f: &str| {
        kinds.iter().position(|kind| *kind == f).map_or(palette::GREY, palette::of_position)
    };

    let (low, high) = taken
        .iter()
        .fold((u64::MAX, 1), |(low, high), op| (low.min(op.latency_us), high.max(op.latency_us)));
    // Below a millisecond, milliseconds would not be integers.
    let (unit, unit_us) = if low >= 1_000 { ("ms", 1_000.0) } else { ("µs", 1.0) };
    let (low, high) = (low as f64 / unit_us, high as f64 / unit_us);
    let scale = if high > 20.0 * low {
        Scale::log(0.9 * low, 1.2 * high)
    } else {
        Scale::linear(0.0, high, 8)
    };

    let mut legend: Vec<(Swatch, String)> =
        kinds.iter().map(|kind| (Swatch::Dot(color(kind)), (*kind).to_owned())).collect();
    if taken.iter().any(|op| !kinds.contains(&op.f)) {
        legend.push((Swatch::Dot(palette::GREY), "others".to_owned()));
    }
    let count = |outcome| taken.iter().filter(|op| op.outcome == outcome).count();
    if count(OpType::Fail) > 0 {
        legend.push((Swatch::Ring(palette::INK), "fail: certainly not done".to_owned()));
    }
    if count(OpType::Info) > 0 {
        legend.push((Swatch::Cross(palette::INK), "info: outcome unknown".to_owned()));
    }
    legend.push((Swatch::Line(palette::BLACK, 2.0), "median".to_owned()));
    legend.push((Swatch::Dashes(palette::BLACK), "95th percentile".to_owned()));

    let (marks, thinned) =
        pick(&taken, |op| (op.begin_us, scale.part(op.latency_us as f64 / unit_us)), end_us(trace));
    let mut notes = vec![format!(
        "{} operations by the time of their invocation: {} ok, {} fail, {} info. Percentiles are \
            of completed operations.",
        counted(taken.len()),
        counted(count(OpType::Ok)),
        counted(count(OpType::Fail)),
        counted(count(OpType::Info))
    )];
    if thinned {
        notes.push(
            "Marks of one kind that lie within a few pixels of each other are drawn once."
                .to_owned(),
        );
    }
    let sketch = Sketch {
        trace,
        title: "Latency of operations",
        window: Sketch::whole(trace),
        legend,
        panels: &[400.0],
        notes,
    };
    let mut frame = sketch.frame();
    frame.y_axis(0, &scale, &format!("latency ({unit})"));
    let (panel, time) = (frame.panels[0], frame.time);
    let place =
        |op: &Taken<'_>| (time.x(op.begin_us), panel.y(&scale, op.latency_us as f64 / unit_us));
    for op in marks.iter().filter(|op| op.outcome == OpType::Ok) {
        frame.scene.disc(place(op), 2.5, sheer(color(op.f), 0.6));
    }
    for (percent, dashed) in [(95, true), (50, false)] {
        for path in percentile(&taken, percent, end_us(trace)) {
            let path: Vec<(f64, f64)> = path
                .iter()
                .map(|(at, us)| (time.x(*at), panel.y(&scale, *us as f64 / unit_us)))
                .collect();
            let path = thin(&path);
            if dashed {
                path.windows(2)
                    .for_each(|pair| frame.scene.dashes(pair[0], pair[1], 1.5, palette::BLACK));
            } else {
                frame.scene.line(path, 2.0, palette::BLACK);
            }
        }
    }
    for op in &marks {
        match op.outcome {
            OpType::Fail => frame.scene.ring(place(op), 3.0, 1.5, color(op.f)),
            OpType::Info => frame.scene.cross(place(op), 3.5, 1.5, color(op.f)),
            _ => {}
        }
    }
    Some(frame.scene)
}

fn counted(number: usize) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

/// All operations of the clients. One that never completed counts as `info`, like one that timed
/// out.
fn operations(trace: &Trace) -> Vec<Taken<'_>> {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let mut taken: Vec<Taken<'_>> = Vec::new();
    let end = end_us(trace);
    for op in trace.history.iter().filter(|op| op.process != NEMESIS) {
        if op.op_type == OpType::Invoke {
            let latency_us = end.saturating_sub(op.time_us);
            open.insert(&op.process, taken.len());
            taken.push(Taken { begin_us: op.time_us, latency_us, f: &op.f, outcome: OpType::Info });
        } else if let Some(position) = open.remove(op.process.as_ref()) {
            let begun = &mut taken[position];
            begun.latency_us = op.time_us.saturating_sub(begun.begin_us);
            begun.outcome = op.op_type;
        }
    }
    taken
}

/// The operations to draw: all, or the first in each cell of a sufficiently coarse grid.
fn pick<'a, 'b>(
    taken: &'b [Taken<'a>],
    place: impl Fn(&Taken<'a>) -> (u64, f64),
    end: u64,
) -> (Vec<&'b Taken<'a>>, bool) {
    let mut picked: Vec<&Taken<'_>> = taken.iter().collect();
    let mut cells = 500_u64;
    while picked.len() > MARKS_MAX && cells > 10 {
        let mut seen: BTreeMap<(u64, u64, &str, OpType), ()> = BTreeMap::new();
        picked.retain(|op| {
            let (time, part) = place(op);
            let column = (u128::from(time) * u128::from(cells) / u128::from(end.max(1))) as u64;
            let row = (part * cells as f64 * 0.4) as u64;
            seen.insert((column, row, op.f, op.outcome), ()).is_none()
        });
        cells = cells * 3 / 4;
    }
    let thinned = picked.len() < taken.len();
    picked.truncate(MARKS_MAX);
    (picked, thinned)
}

/// A percentile of the completed operations in equal windows, at the middle of each; a gap where a
/// window has none.
fn percentile(taken: &[Taken<'_>], percent: usize, end: u64) -> Vec<Vec<(u64, u64)>> {
    let count = (taken.len() / OPERATIONS_MIN).clamp(4, WINDOWS_MAX);
    let width = (end / count as u64).max(1);
    let mut windows: Vec<Vec<u64>> = vec![Vec::new(); count + 1];
    for op in taken.iter().filter(|op| op.outcome == OpType::Ok) {
        windows[((op.begin_us / width) as usize).min(count)].push(op.latency_us);
    }
    let mut paths = vec![Vec::new()];
    for (i, window) in windows.iter_mut().enumerate() {
        window.sort_unstable();
        match window.len() {
            0 => paths.push(Vec::new()),
            n => paths.last_mut().expect("never empty").push((
                (i as u64).saturating_mul(width).saturating_add(width / 2),
                window[(n * percent).div_ceil(100).max(1) - 1],
            )),
        }
    }
    paths
}
