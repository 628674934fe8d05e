//! The errors of the nodes' clocks.

use std::collections::BTreeMap;

use crate::trace::{NodeId, Trace};

use super::Plot;
use super::axis::Scale;
use super::frame::{LINES_MAX, Sketch, node_legend, not_shown};
use super::palette;
use super::scene::Scene;
use super::timeline::{Changes, at, ints, members, thin};

/// Clock offsets over time.
pub static CLOCK_OFFSETS: Plot = Plot {
    name: "clock_offsets",
    summary: "How far each node's wall clock is from true time, and the skew: the largest \
        difference between two nodes",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// The testbed samples offsets this often, when they have changed.
const SAMPLING_US: u64 = 100_000;
/// The number of moments at which the skew is computed.
const MOMENTS: u64 = 1_000;

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let nodes = members(trace);
    let mut offsets = ints(trace, "clock_offset_us");
    offsets.retain(|node, _| nodes.contains(node));
    let (low, high) = offsets
        .values()
        .flatten()
        .fold((0, 0), |(low, high), (_, us)| (low.min(*us), high.max(*us)));
    let window = Sketch::whole(trace);
    if offsets.is_empty() || window.1 == 0 {
        return None;
    }
    let skews = skew(&offsets, window.1);
    let widest = skews.iter().map(|(_, us)| *us).max().unwrap_or(0);
    let legend = node_legend(trace, offsets.keys());
    let notes = not_shown(offsets.len().saturating_sub(LINES_MAX))
        .into_iter()
        .map(|note| note + " The skew is that of all.")
        .collect();
    let with_skew = offsets.len() > 1;
    let panels: &[f64] = if with_skew { &[270.0, 120.0] } else { &[360.0] };
    let sketch = Sketch { trace, title: "Clock offsets", window, legend, panels, notes };
    let mut frame = sketch.frame();
    // The largest unit that is still precise enough in integers.
    let unit = |most: u64| match most {
        5_000_000.. => ("s", 1_000_000.0),
        5_000.. => ("ms", 1_000.0),
        _ => ("µs", 1.0),
    };
    let (name, per) = unit(low.unsigned_abs().max(high.unsigned_abs()));
    // With perfect clocks the line is in the middle.
    let (low, high) =
        if low == high { (low.saturating_sub(1), high.saturating_add(1)) } else { (low, high) };
    let scale = Scale::linear(low as f64 / per, high as f64 / per, 7);
    frame.y_axis(0, &scale, &format!("clock offset ({name})"));
    let (panel, time) = (frame.panels[0], frame.time);
    if low < 0 {
        let y = panel.y(&scale, 0.0);
        frame.scene.rect((time.left, time.right), (y - 0.5, y + 0.5), palette::GREY);
    }
    for (node, changes) in offsets.iter().take(LINES_MAX) {
        let path: Vec<(f64, f64)> = sampled(changes, window.1)
            .into_iter()
            .map(|(at, us)| (time.x(at), panel.y(&scale, us as f64 / per)))
            .collect();
        frame.scene.line(thin(&path), 1.5, palette::of_node(*node));
    }
    if with_skew {
        let (name, per) = unit(widest);
        let scale = Scale::linear(0.0, widest as f64 / per, 4);
        frame.y_axis(1, &scale, &format!("skew ({name})"));
        let panel = frame.panels[1];
        let path: Vec<(f64, f64)> = skews
            .into_iter()
            .map(|(at, us)| (time.x(at), panel.y(&scale, us as f64 / per)))
            .collect();
        frame.scene.line(thin(&path), 1.5, palette::BLACK);
    }
    Some(frame.scene)
}

/// Samples as the corners of a line: sloped between neighbours, level where a value held for longer
/// than the testbed's sampling.
fn sampled(changes: &[(u64, i64)], end: u64) -> Changes<i64> {
    let mut corners: Changes<i64> = Vec::with_capacity(changes.len() + 1);
    for (time, us) in changes {
        if let Some((before, held)) = corners.last().copied()
            && time.saturating_sub(before) > 3 * SAMPLING_US / 2
        {
            corners.push((time - SAMPLING_US, held));
        }
        corners.push((*time, *us));
    }
    if let Some((_, held)) = corners.last().copied() {
        corners.push((end, held));
    }
    corners
}

/// The difference between the fastest and the slowest clock, at equal intervals.
fn skew(offsets: &BTreeMap<NodeId, Changes<i64>>, end: u64) -> Changes<u64> {
    let step = (end / MOMENTS).max(1);
    let moments = (0..=MOMENTS).map(|i| i * step).filter(|moment| *moment <= end);
    let spread = |moment: u64| {
        let now: Vec<i64> = offsets.values().filter_map(|changes| at(changes, moment)).collect();
        Some((moment, now.iter().max()?.abs_diff(*now.iter().min()?)))
    };
    moments.filter_map(spread).collect()
}
