//! How many operations ended in each moment, and how.

use crate::trace::{NEMESIS, OpType, Trace};

use super::Plot;
use super::axis::{Scale, nice_step};
use super::frame::{Frame, Sketch, Swatch};
use super::palette;
use super::scene::Scene;
use super::timeline::end_us;

/// Operations a second over time.
pub static THROUGHPUT: Plot = Plot {
    name: "throughput",
    summary: "Operations a second by outcome: ok, fail and info stacked, with those invoked as a \
        line",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Equal intervals of a run, for rates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bins {
    pub(crate) width_us: u64,
    pub(crate) count: usize,
}

impl Bins {
    /// At most 100 of a round width.
    pub(crate) fn of(trace: &Trace) -> Self {
        const BINS_MAX: u64 = 100;
        let end = end_us(trace).max(1);
        let width_us = nice_step(end / BINS_MAX);
        Bins { width_us, count: end.div_ceil(width_us) as usize }
    }

    pub(crate) fn position(&self, time_us: u64) -> usize {
        ((time_us / self.width_us) as usize).min(self.count - 1)
    }

    /// This many in one interval, as a rate.
    pub(crate) fn a_second(&self, count: u64) -> f64 {
        count as f64 * 1e6 / self.width_us as f64
    }

    /// `0.5 s`, `200 ms`.
    pub(crate) fn width(&self) -> String {
        match self.width_us {
            us if us.is_multiple_of(1_000_000) => format!("{} s", us / 1_000_000),
            us if us.is_multiple_of(1_000) => format!("{} ms", us / 1_000),
            us => format!("{us} µs"),
        }
    }
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let bins = Bins::of(trace);
    let (mut done, mut invoked) = (
        [vec![0_u64; bins.count], vec![0; bins.count], vec![0; bins.count]],
        vec![0_u64; bins.count],
    );
    for op in trace.history.iter().filter(|op| op.process != NEMESIS) {
        let bin = bins.position(op.time_us);
        match op.op_type {
            OpType::Invoke => invoked[bin] += 1,
            OpType::Ok => done[0][bin] += 1,
            OpType::Fail => done[1][bin] += 1,
            OpType::Info => done[2][bin] += 1,
        }
    }
    let totals = (0..bins.count).map(|bin| done.iter().map(|counts| counts[bin]).sum::<u64>());
    let most = totals.chain(invoked.iter().copied()).max().unwrap_or(0);
    if most == 0 {
        return None;
    }
    let colors = [palette::GREEN, palette::ORANGE, palette::VERMILLION];
    let names = ["ok", "fail: certainly not done", "info: outcome unknown"];
    let mut legend: Vec<(Swatch, String)> = colors
        .iter()
        .zip(names)
        .map(|(color, name)| (Swatch::Box(*color), name.to_owned()))
        .collect();
    legend.push((Swatch::Line(palette::BLACK, 1.5), "invoked".to_owned()));
    let notes = vec![format!(
        "Completions by the time they were reported, in intervals of {}.",
        bins.width()
    )];
    let sketch = Sketch {
        trace,
        title: "Operations a second",
        window: Sketch::whole(trace),
        legend,
        panels: &[360.0],
        notes,
    };
    let mut frame = sketch.frame();
    let scale = Scale::linear(0.0, bins.a_second(most), 8);
    frame.y_axis(0, &scale, "operations a second");
    let layers: Vec<_> =
        done.iter().zip(colors).map(|(counts, color)| (counts.as_slice(), color)).collect();
    stack(&mut frame, 0, &scale, bins, &layers);
    outline(&mut frame, 0, &scale, bins, &invoked);
    let panel = frame.panels[0];
    frame.base(panel);
    Some(frame.scene)
}

/// Columns, one for each interval, the layers one upon the other.
pub(crate) fn stack(
    frame: &mut Frame,
    panel: usize,
    scale: &Scale,
    bins: Bins,
    layers: &[(&[u64], plotters::style::RGBColor)],
) {
    let (panel, time) = (frame.panels[panel], frame.time);
    for bin in 0..bins.count {
        let begin = bin as u64 * bins.width_us;
        let (left, right) = (time.x(begin), time.x(begin.saturating_add(bins.width_us)));
        // A hair between columns, where there is room for it.
        let right = if right - left > 4.0 { right - 1.0 } else { right };
        let mut below = 0;
        for (counts, color) in layers {
            if counts[bin] > 0 {
                let (low, high) = (bins.a_second(below), bins.a_second(below + counts[bin]));
                frame.scene.rect(
                    (left, right),
                    (panel.y(scale, high), panel.y(scale, low)),
                    *color,
                );
            }
            below += counts[bin];
        }
    }
}

/// A line over the intervals.
fn outline(frame: &mut Frame, panel: usize, scale: &Scale, bins: Bins, counts: &[u64]) {
    let (panel, time) = (frame.panels[panel], frame.time);
    let mut path = Vec::with_capacity(2 * bins.count);
    for (bin, count) in counts.iter().enumerate() {
        let begin = bin as u64 * bins.width_us;
        let y = panel.y(scale, bins.a_second(*count));
        path.extend([(time.x(begin), y), (time.x(begin.saturating_add(bins.width_us)), y)]);
    }
    frame.scene.line(path, 1.5, palette::BLACK);
}
