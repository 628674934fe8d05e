//! How far the operation log is behind the directory.

use std::collections::BTreeMap;

use super::events;
use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{Sketch, Swatch};
use crate::plots::palette;
use crate::plots::scene::Scene;
use crate::plots::timeline::{Changes, steps};
use crate::systems::p2p::vocabulary::{Executed, Logged, Told};
use crate::trace::Trace;
use crate::vocabulary::Event as _;

/// Lines behind, and the delay of each line.
pub static P2P_LOG_LAG: Plot = Plot {
    name: "p2p_log_lag",
    summary: "How many operations the operation log is behind the directory, and how long after \
        its operation each line was logged",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Dots of a page.
const DOTS_MAX: usize = 6_000;

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let window = Sketch::whole(trace);
    let (behind, delays) = lag(trace);
    if behind.is_empty() || window.1 == 0 {
        return None;
    }
    let legend = vec![
        (Swatch::Line(palette::BLUE, 1.5), "lines behind".to_owned()),
        (Swatch::Dot(palette::GREEN), "a line".to_owned()),
    ];
    let mut notes = vec![
        "The lower panel shows each line when it was logged, at the time since \
        its operation was executed."
            .to_owned(),
    ];
    if delays.len() > DOTS_MAX {
        notes.push(format!("{} more lines are not shown.", delays.len() - DOTS_MAX));
    }
    let sketch = Sketch {
        trace,
        title: "Lag of the operation log",
        window,
        legend,
        panels: &[170.0, 190.0],
        notes,
    };
    let mut frame = sketch.frame();
    let time = frame.time;
    let most = behind.iter().map(|(_, lines)| *lines).max().unwrap_or(0).max(1) as f64;
    let scale = if most > 40.0 { Scale::log_from_zero(most) } else { Scale::linear(0.0, most, 5) };
    frame.y_axis(0, &scale, "lines behind");
    let panel = frame.panels[0];
    let changes: Vec<(u64, Option<f64>)> =
        behind.iter().map(|(at, lines)| (*at, Some(*lines as f64))).collect();
    for path in steps(&changes, time.right, |at| time.x(at), |lines| panel.y(&scale, lines)) {
        frame.scene.line(path, 1.5, palette::BLUE);
    }
    let ms = |us: u64| us as f64 / 1_000.0;
    let low = delays.iter().map(|(_, us)| *us).min().unwrap_or(1_000);
    let high = delays.iter().map(|(_, us)| *us).max().unwrap_or(1_000);
    let scale = Scale::log(ms(low), ms(high));
    frame.y_axis(1, &scale, "delay (ms)");
    let panel = frame.panels[1];
    for (at, us) in delays.iter().take(DOTS_MAX) {
        frame.scene.disc((time.x(*at), panel.y(&scale, ms(*us))), 2.2, palette::GREEN);
    }
    Some(frame.scene)
}

/// Lines behind over time, and for each line when it was logged and how long that took.
fn lag(trace: &Trace) -> (Changes<i64>, Vec<(u64, u64)>) {
    let mut executed: BTreeMap<u64, u64> = BTreeMap::new();
    let (mut last, mut logged) = (0_u64, 0_u64);
    let (mut behind, mut delays) = (Changes::new(), vec![]);
    for event in events(trace, &[Executed::NAME, Logged::NAME]) {
        match Told::read(&event.name, &event.fields) {
            Some(Told::Executed(Executed { sequence, .. })) => {
                executed.insert(sequence, event.time_us);
                last = sequence.max(last);
            }
            Some(Told::Logged(Logged { sequence, .. })) => {
                logged = sequence.max(logged);
                if let Some(at) = executed.get(&sequence) {
                    delays.push((event.time_us, event.time_us.saturating_sub(*at)));
                }
            }
            _ => continue,
        }
        behind.push((event.time_us, last.saturating_sub(logged) as i64));
    }
    (behind, delays)
}
