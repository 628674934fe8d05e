//! How old what clients read was.

use crate::trace::{NodeId, Trace};

use super::{finals, replicas, thinned};
use crate::plots::Plot;
use crate::plots::axis::{Scale, grouped};
use crate::plots::frame::{Sketch, Swatch, node_legend};
use crate::plots::palette;
use crate::plots::scene::{Scene, sheer};

/// The age of what was read.
pub static STALENESS: Plot = Plot {
    name: "staleness",
    summary: "For each answered read, for how long a later record had been final that it did not \
        show yet",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

#[derive(Clone, Copy)]
struct Read {
    time_us: u64,
    node: NodeId,
    age_us: u64,
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let finals = finals(trace);
    let reads: Vec<Read> = trace
        .events
        .iter()
        .filter(|event| event.name == "read")
        .filter_map(|event| {
            let seq = usize::try_from(event.fields.int("seq")?).ok()?;
            // The record after the last one that is shown: since when it was final, if it was.
            let age_us = finals.get(seq).map_or(0, |since| event.time_us.saturating_sub(*since));
            Some(Read { time_us: event.time_us, node: event.node, age_us })
        })
        .collect();
    if reads.is_empty() {
        return None;
    }
    let old = reads.iter().filter(|read| read.age_us > 0).count();
    let longest = reads.iter().map(|read| read.age_us).max().unwrap_or(0);
    let share = old * 1_000 / reads.len();
    let notes = vec![format!(
        "{} reads, {} of them old ({}.{} %), the oldest by {} ms. Age: for how long the next \
            record had been final by then.",
        grouped(reads.len() as i64),
        grouped(old as i64),
        share / 10,
        share % 10,
        grouped((longest / 1_000) as i64)
    )];
    let scale = Scale::log_from_zero((longest as f64 / 1_000.0).max(10.0));
    let mut legend = node_legend(trace, &replicas(trace));
    legend
        .iter_mut()
        .zip(replicas(trace))
        .for_each(|(entry, node)| entry.0 = Swatch::Dot(palette::of_node(node)));
    let sketch = Sketch {
        trace,
        title: "Age of what was read",
        window: Sketch::whole(trace),
        legend,
        panels: &[360.0],
        notes,
    };
    let mut frame = sketch.frame();
    frame.y_axis(0, &scale, "age (ms)");
    let (panel, time) = (frame.panels[0], frame.time);
    for read in thinned(reads, |read| read.age_us) {
        let place = (time.x(read.time_us), panel.y(&scale, read.age_us as f64 / 1_000.0));
        frame.scene.disc(place, 2.2, sheer(palette::of_node(read.node), 0.55));
    }
    Some(frame.scene)
}
