//! What Cristian's bound looks like: the error of each round over its delay stays within a cone
//! whose point is twice the least delay.
//!
//! Berkeley's rounds have no place in it: they look for the mean of all clocks, not for the hour of
//! one.

use plotters::style::RGBColor;

use crate::time::RUN_BEGINS;
use crate::trace::{Event, Trace};

use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{LEFT, Panel, RIGHT, Swatch, legend, page};
use crate::plots::palette;
use crate::plots::scene::{Anchor, Scene, TextLook, sheer};

/// The error of each round over its delay.
pub static ERROR_OVER_DELAY: Plot = Plot {
    name: "error_over_delay",
    summary: "The true error of the hour that each round found over the delay of its messages, \
        with the bound of the algorithm",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Points that are drawn.
const POINTS_MAX: usize = 2_000;

const ALGORITHMS: [(&str, RGBColor); 3] = [
    ("cristian", palette::BLUE),
    ("cristian-best-of-n", palette::GREEN),
    ("ntp", palette::VERMILLION),
];

#[derive(Clone, Copy)]
struct Point {
    algorithm: usize,
    delay: f64,
    error: f64,
    min: f64,
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let points: Vec<Point> = trace
        .events
        .iter()
        .filter(|event| event.name == "round")
        .filter_map(|event| point(trace, event))
        .collect();
    if points.is_empty() {
        return None;
    }
    let mut delays: Vec<f64> = points.iter().map(|point| point.delay).collect();
    delays.sort_by(f64::total_cmp);
    // A heavy tail would press all others to the left edge.
    let widest = delays[(delays.len() * 98 / 100).min(delays.len() - 1)];
    let shown: Vec<&Point> =
        points.iter().filter(|point| point.delay <= widest).take(POINTS_MAX).collect();
    let min = points.iter().map(|point| point.min).fold(f64::MAX, f64::min);
    let (unit, per) = if widest > 20_000.0 { ("ms", 1_000.0) } else { ("µs", 1.0) };
    let widest = widest * 1.02;
    let high =
        shown.iter().map(|point| point.error.abs()).fold((widest / 2.0 - min).max(1.0), f64::max)
            / per;
    let scale = Scale::linear(-high, high, 8);
    let across = Scale::linear(0.0, widest / per, 10);

    let mut scene = page(trace, "Error of each round over its delay");
    let mut entries: Vec<(Swatch, String)> = vec![(
        Swatch::Band(palette::GREY),
        "within the bound: half the delay less the least one".to_owned(),
    )];
    for (i, (name, color)) in ALGORITHMS.iter().enumerate() {
        if shown.iter().any(|point| point.algorithm == i) {
            entries.push((Swatch::Dot(*color), (*name).to_owned()));
        }
    }
    let top = legend(&mut scene, &entries, 52.0) + 14.0;
    let panel = Panel { top, bottom: top + 420.0 };
    let x = |delay: f64| LEFT + (RIGHT - LEFT) * across.part(delay / per);
    let y = |error: f64| panel.y(&scale, error / per);
    let small = TextLook::new(12.0).color(palette::GREY);
    let tip = (x(2.0 * min), y(0.0));
    let cone = vec![tip, (x(widest), y(widest / 2.0 - min)), (x(widest), y(-(widest / 2.0 - min)))];
    scene.polygon(cone, sheer(palette::GREY, 0.16));
    for (value, label) in &scale.ticks {
        let at = panel.y(&scale, *value);
        scene.rect((LEFT, RIGHT), (at, at + 0.5), palette::GRID);
        scene.text((LEFT - 8.0, at), label.clone(), small.anchor(Anchor::End));
    }
    for (value, label) in &across.ticks {
        let at = LEFT + (RIGHT - LEFT) * across.part(*value);
        scene.rect((at, at + 0.5), (panel.top, panel.bottom + 4.0), palette::GRID);
        scene.text((at, panel.bottom + 14.0), label.clone(), small.anchor(Anchor::Middle));
    }
    scene.rect((LEFT, RIGHT), (y(0.0) - 0.5, y(0.0) + 0.5), palette::GREY);
    scene.rect((LEFT - 0.5, LEFT + 0.5), (panel.top, panel.bottom), palette::GREY);
    for point in &shown {
        scene.disc(
            (x(point.delay), y(point.error)),
            3.0,
            sheer(ALGORITHMS[point.algorithm].1, 0.75),
        );
    }
    let name = TextLook::new(13.0).anchor(Anchor::Middle);
    scene.text(
        (LEFT - 62.0, (panel.top + panel.bottom) / 2.0),
        format!("hour that was found − true time ({unit})"),
        name.upward(),
    );
    scene.text(
        ((LEFT + RIGHT) / 2.0, panel.bottom + 33.0),
        format!("delay of question and answer ({unit})"),
        name,
    );
    let beyond = points.len() - shown.len();
    let note =
        "The source's own error and drift widen the bound a little; the cone is without them.";
    let note = if beyond > 0 {
        format!("{note} Rounds with longer delays, not shown: {beyond}.")
    } else {
        note.to_owned()
    };
    scene.text((LEFT, panel.bottom + 52.0), note, TextLook::new(11.0).color(palette::GREY));
    scene.height = panel.bottom + 66.0;
    Some(scene)
}

fn point(trace: &Trace, event: &Event) -> Option<Point> {
    let server = trace.nodes.get(event.node.index()).is_some_and(|info| info.role == "server");
    let int = |name: &str| event.fields.int(name).map(i128::from);
    int("root_bound_us").filter(|root| *root >= 0 && server)?;
    let algorithm = event.fields.text("algorithm")?;
    let truth = i128::from(RUN_BEGINS.as_nanos() / 1_000) + i128::from(event.time_us);
    Some(Point {
        algorithm: ALGORITHMS.iter().position(|(name, _)| *name == algorithm)?,
        delay: (int("rtt_us")? - int("held_us")?).max(0) as f64,
        error: (int("before_us")? + int("correction_us")? - truth) as f64,
        min: int("min_delay_us")?.max(0) as f64,
    })
}
