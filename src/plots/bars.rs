//! Compares numbers of several settings: one row per setting, one panel per unit.

use super::Drawing;
use super::axis::{Scale, grouped};
use super::palette;
use super::scene::{Anchor, Scene, TextLook};

/// The content of one panel.
#[derive(Clone, Debug)]
pub struct Bars {
    /// The axis: what is counted, with its unit.
    pub axis: String,
    /// The names of a row's bars in the legend, from top to bottom.
    pub names: Vec<String>,
    /// The bars of each row, not negative.
    pub rows: Vec<Vec<f64>>,
}

const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 24.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 92.0;
const GAP: f64 = 36.0;
const BAR: f64 = 15.0;
/// Between the bars of two rows.
const SPACE: f64 = 16.0;

/// Draw panels from left to right with the given relative widths, over common rows. Every bar has
/// its number next to it.
pub fn bars(title: &str, rows: &[String], panels: &[(f64, Bars)]) -> Drawing {
    let most = panels.iter().map(|(_, panel)| panel.names.len()).max().unwrap_or(1).max(1);
    let row_height = most as f64 * BAR + SPACE;
    let bottom = TOP + rows.len() as f64 * row_height;
    let label = TextLook::new(13.0).anchor(Anchor::End);
    // Viewers without the font use another one, which may be wider.
    let begin = LEFT + rows.iter().map(|name| label.width(name) * 1.12).fold(0.0, f64::max) + 12.0;
    let mut scene = Scene::new(title.to_owned(), WIDTH);
    scene.height = bottom + 62.0;
    scene.text((LEFT, 26.0), title, TextLook::new(17.0).bold());
    let middle = |row: usize| TOP + (row as f64 + 0.5) * row_height;
    for (row, name) in rows.iter().enumerate() {
        scene.text((begin - 12.0, middle(row)), name.clone(), label);
    }
    let shares: f64 = panels.iter().map(|(share, _)| share).sum();
    let room = RIGHT - begin - GAP * panels.len().saturating_sub(1) as f64;
    let (mut left, mut color) = (begin, 0);
    for (share, panel) in panels {
        let right = left + room * share / shares.max(1e-9);
        let plain = TextLook::new(12.0);
        let small = plain.color(palette::GREY);
        let high = panel.rows.iter().flatten().copied().fold(1.0, f64::max);
        // Room for the number next to the longest bar.
        let numbers = plain.width(&grouped(high.round() as i64)) * 1.3 + 10.0;
        let scale =
            Scale::linear(0.0, high * (right - left) / (right - left - numbers).max(1.0), 6);
        let x = |value: f64| left + (right - left) * scale.part(value);
        for (value, label) in &scale.ticks {
            scene.rect((x(*value), x(*value) + 0.5), (TOP, bottom), palette::GRID);
            scene.text((x(*value), bottom + 16.0), label.clone(), small.anchor(Anchor::Middle));
        }
        let named = TextLook::new(13.0).anchor(Anchor::Middle);
        scene.text(((left + right) / 2.0, bottom + 40.0), panel.axis.clone(), named);
        let mut legend_x = left;
        for (bar, name) in panel.names.iter().enumerate() {
            let ink = palette::of_position(color + bar);
            scene.rect((legend_x, legend_x + 14.0), (54.0, 66.0), ink);
            scene.text((legend_x + 20.0, 60.0), name.clone(), plain);
            legend_x += 20.0 + plain.width(name) * 1.12 + 18.0;
            for (row, values) in panel.rows.iter().enumerate().take(rows.len()) {
                let Some(value) = values.get(bar) else { continue };
                let top = middle(row) + (bar as f64 - panel.names.len() as f64 / 2.0) * BAR;
                scene.rect((left, x(*value)), (top + 1.0, top + BAR - 1.0), ink);
                scene.text(
                    (x(*value) + 6.0, top + BAR / 2.0),
                    grouped(value.round() as i64),
                    plain,
                );
            }
        }
        scene.rect((left - 0.5, left + 0.5), (TOP, bottom), palette::GREY);
        color += panel.names.len();
        left = right + GAP;
    }
    scene.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readers take the numbers from the figure: each is in it, even for empty bars, and odd shapes
    /// of data do no harm.
    #[test]
    fn each_bar_has_its_number() {
        let panel = |rows: Vec<Vec<f64>>| Bars {
            axis: "time (ms)".into(),
            names: vec!["median".into(), "most".into()],
            rows,
        };
        let rows = ["one".to_owned(), "two".to_owned()];
        let drawing = bars(
            "Title",
            &rows,
            &[
                (2.0, panel(vec![vec![12.0, 3_456.0], vec![0.0, 7.4]])),
                (1.0, panel(vec![vec![5.0]])),
            ],
        );
        for text in [
            "Title",
            "one",
            "two",
            "median",
            "most",
            "time (ms)",
            ">12<",
            ">3,456<",
            ">0<",
            ">7<",
            ">5<",
        ] {
            assert!(
                drawing.svg.contains(text) || drawing.svg.contains(&text.replace(['<', '>'], "\n")),
                "{text}: {}",
                drawing.svg
            );
        }
        bars("nothing", &[], &[]);
        bars(
            "more rows than names",
            &rows[..1],
            &[(1.0, panel(vec![vec![f64::MAX, 1.0, 2.0]; 3]))],
        );
    }
}
