//! Jitter buffers: how much each listener has in hand, and how unevenly frames arrive.

use crate::trace::{NodeId, Trace};

use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{LINES_MAX, Sketch, node_legend, not_shown};
use crate::plots::palette;
use crate::plots::scene::Scene;
use crate::plots::timeline::{ints, steps};

/// Buffer depth and jitter over time.
pub static AUDIO_BUFFER: Plot = Plot {
    name: "audio_buffer",
    summary: "The depth of each listener's jitter buffer, and the interarrival jitter that it \
        measures",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let depths = ints(trace, "buffer_frames");
    let jitters = ints(trace, "interarrival_jitter_us");
    let highest = |of: &std::collections::BTreeMap<NodeId, Vec<(u64, i64)>>| {
        of.values().flatten().map(|(_, value)| *value).max()
    };
    let deepest = highest(&depths)?.max(1);
    let nodes: Vec<NodeId> = depths.keys().copied().collect();
    let mut notes = vec![
        "Playing begins at the target depth; at 0 nothing is heard until it is reached again."
            .to_owned(),
    ];
    notes.extend(not_shown(nodes.len().saturating_sub(LINES_MAX)));
    let legend = node_legend(trace, &nodes);
    let window = Sketch::whole(trace);
    let mut frame =
        Sketch { trace, title: "Jitter buffers", window, legend, panels: &[240.0, 150.0], notes }
            .frame();
    let jitter_us = highest(&jitters).unwrap_or(0).max(1);
    let (unit, per) = if jitter_us >= 5_000 { ("ms", 1_000.0) } else { ("µs", 1.0) };
    let panels = [
        (&depths, deepest as f64, 1.0, "buffer depth (frames)".to_owned()),
        (&jitters, jitter_us as f64 / per, per, format!("jitter ({unit})")),
    ];
    for (panel, (values, high, per, name)) in panels.into_iter().enumerate() {
        let scale = Scale::linear(0.0, high, 6);
        frame.y_axis(panel, &scale, &name);
        let (place, time) = (frame.panels[panel], frame.time);
        for node in nodes.iter().take(LINES_MAX) {
            let changes: Vec<(u64, Option<f64>)> = values
                .get(node)
                .into_iter()
                .flatten()
                .map(|(at, value)| (*at, Some(*value as f64 / per)))
                .collect();
            for path in steps(&changes, time.right, |at| time.x(at), |value| place.y(&scale, value))
            {
                frame.scene.line(path, 1.2, palette::of_node(*node));
            }
        }
    }
    Some(frame.scene)
}
