//! A distribution over many runs: which fraction of them was at or below a value. Used by benches,
//! which draw what no single trace shows.

use super::Drawing;
use super::axis::Scale;
use super::palette;
use super::scene::{Anchor, Scene, TextLook};

/// Values of many runs with one setting.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// The values, in any order.
    pub values: Vec<f64>,
}

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 560.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - 30.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = HEIGHT - 64.0;

/// Draw the cumulative distributions of several series. `axis` names the value with its unit.
pub fn distribution(title: &str, axis: &str, series: &[Series]) -> Drawing {
    let mut scene = Scene::new(title.to_owned(), WIDTH);
    scene.height = HEIGHT;
    scene.text((LEFT, 26.0), title, TextLook::new(17.0).bold());
    let high = series.iter().flat_map(|series| &series.values).copied().fold(1.0, f64::max);
    let (across, up) = (Scale::linear(0.0, high, 10), Scale::linear(0.0, 100.0, 10));
    let x = |value: f64| LEFT + (RIGHT - LEFT) * across.part(value);
    let y = |percent: f64| BOTTOM - (BOTTOM - TOP) * up.part(percent);
    let small = TextLook::new(12.0).color(palette::GREY);
    for (value, label) in &up.ticks {
        scene.rect((LEFT, RIGHT), (y(*value), y(*value) + 0.5), palette::GRID);
        scene.text((LEFT - 8.0, y(*value)), label.clone(), small.anchor(Anchor::End));
    }
    for (value, label) in &across.ticks {
        scene.rect((x(*value), x(*value) + 0.5), (TOP, BOTTOM), palette::GRID);
        scene.text((x(*value), BOTTOM + 16.0), label.clone(), small.anchor(Anchor::Middle));
    }
    let named = TextLook::new(13.0).anchor(Anchor::Middle);
    scene.text(((LEFT + RIGHT) / 2.0, BOTTOM + 42.0), axis, named);
    scene.text((20.0, (TOP + BOTTOM) / 2.0), "runs at or below (%)", named.upward());
    let mut legend_x = LEFT;
    for (i, series) in series.iter().enumerate() {
        let color = palette::of_position(i);
        let mut values = series.values.clone();
        values.sort_by(f64::total_cmp);
        let count = values.len().max(1) as f64;
        let mut path = vec![(x(0.0), y(0.0))];
        for (n, value) in values.iter().enumerate() {
            path.push((x(*value), y(n as f64 / count * 100.0)));
            path.push((x(*value), y((n + 1) as f64 / count * 100.0)));
        }
        path.push((RIGHT, y(if values.is_empty() { 0.0 } else { 100.0 })));
        path.dedup_by(|next, kept| (next.0 - kept.0).abs() < 0.3 && (next.1 - kept.1).abs() < 0.3);
        scene.line(path, 2.0, color);
        scene.segment((legend_x, 56.0), (legend_x + 20.0, 56.0), 2.5, color);
        let look = TextLook::new(12.0);
        scene.text((legend_x + 26.0, 56.0), series.name.clone(), look);
        legend_x += 26.0 + look.width(&series.name) * 1.12 + 18.0;
    }
    scene.rect((LEFT - 0.5, LEFT + 0.5), (TOP, BOTTOM), palette::GREY);
    scene.rect((LEFT, RIGHT), (BOTTOM - 0.5, BOTTOM + 0.5), palette::GREY);
    scene.render()
}
