//! How wrong each disciplined clock is, what its machine claims, and what each round corrects: a
//! panel for each algorithm and discipline.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use crate::time::RUN_BEGINS;
use crate::trace::{Event, NodeId, Trace};

use crate::plots::Plot;
use crate::plots::axis::{Scale, TimeAxis, grouped};
use crate::plots::faults::FaultStrip;
use crate::plots::frame::{LEFT, Panel, RIGHT, Swatch, legend, page};
use crate::plots::palette;
use crate::plots::scene::{Anchor, Scene, TextLook, cut_to, sheer};
use crate::plots::timeline::{end_us, thin};

/// True error, claimed bound and correction.
pub static CLOCK_ROUNDS: Plot = Plot {
    name: "clock_rounds",
    summary: "Each disciplined clock's true error, the error that its machine claims, and each \
        round's correction, by algorithm and discipline",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// The order of rows and of columns; others follow.
const ALGORITHMS: [&str; 4] = ["cristian", "cristian-best-of-n", "ntp", "berkeley"];
const DISCIPLINES: [&str; 3] = ["step", "slew", "hold"];

/// Clocks in one panel.
const CLOCKS_MAX: usize = 4;
/// Corrections of one clock, and ticks of one panel.
const CORRECTIONS_MAX: usize = 300;
const TICKS_MAX: u64 = 100;
/// Rows of panels.
const ROWS_MAX: usize = 8;
/// Panels beside each other, where they make no table.
const COLUMNS_MAX: usize = 3;
/// Space between panels.
const BESIDE: f64 = 14.0;
const ABOVE: f64 = 26.0;

/// One clock: how wrong, and how wrong it may be, without sign in µs; and corrections.
#[derive(Default)]
struct Clock<'a> {
    algorithm: &'a str,
    discipline: &'a str,
    errors: Vec<(u64, f64)>,
    bounds: Vec<(u64, f64)>,
    corrections: Vec<(u64, f64)>,
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let clocks = clocks(trace);
    let end = end_us(trace);
    if clocks.is_empty() || end == 0 {
        return None;
    }
    let rows = kinds(clocks.values().map(|clock| clock.algorithm), &ALGORITHMS);
    let columns = kinds(clocks.values().map(|clock| clock.discipline), &DISCIPLINES);
    let is_used = |algorithm: &str, discipline: &str| {
        clocks.values().any(|clock| clock.algorithm == algorithm && clock.discipline == discipline)
    };
    let all = rows
        .iter()
        .flat_map(|algorithm| columns.iter().map(|discipline| (*algorithm, *discipline)));
    let used: Vec<(&str, &str)> =
        all.filter(|(algorithm, discipline)| is_used(algorithm, discipline)).collect();
    // A table of rows and columns where all of it is used; else one panel after the other.
    let across = if used.len() == rows.len() * columns.len() {
        columns.len()
    } else {
        used.len().min(COLUMNS_MAX)
    };
    let down = used.len().div_ceil(across.max(1));
    let lists =
        clocks.values().flat_map(|clock| [&clock.errors, &clock.bounds, &clock.corrections]);
    let most = lists.flatten().map(|(_, value)| *value).fold(0.0, f64::max);
    let mut scale = Scale::log_from_zero(most.max(10.0));
    for (value, label) in &mut scale.ticks {
        *label = in_words(*value);
    }

    let panels = used.iter().map(|(algorithm, discipline)| {
        clocks
            .values()
            .filter(|clock| clock.algorithm == *algorithm && clock.discipline == *discipline)
    });
    let several = panels.map(Iterator::count).any(|count| count > 1);
    let mut scene = page(trace, "True error, claim and correction of each clock");
    let entries = [
        (
            Swatch::Line(palette::BLUE, 1.8),
            if several {
                "true error, without its sign, in the colour of the name"
            } else {
                "true error, without its sign"
            }
            .to_owned(),
        ),
        (Swatch::Band(palette::GREY), "error that the machine claims at the most".to_owned()),
        (Swatch::Dot(palette::ORANGE), "correction that a round has found".to_owned()),
    ];
    let first_top = legend(&mut scene, &entries, 52.0) + ABOVE;
    let mut top = first_top;
    let width = (RIGHT - LEFT - BESIDE * (across as f64 - 1.0)) / across as f64;
    let height = if down > 2 { 150.0 } else { 240.0 };
    for (i, row) in used.chunks(across).enumerate() {
        for (j, (algorithm, discipline)) in row.iter().enumerate() {
            let left = LEFT + j as f64 * (width + BESIDE);
            let time = TimeAxis { from_us: 0, to_us: end, left, right: left + width };
            let of_panel = clocks.iter().filter(|(_, clock)| {
                clock.algorithm == *algorithm && clock.discipline == *discipline
            });
            let of_panel: Vec<_> = of_panel.collect();
            let panel = Panel { top, bottom: top + height };
            let mut grid = Grid { scene: &mut scene, time, panel, scale: &scale };
            let below = (i + 1) * across + j;
            grid.back(trace, j == 0, below >= used.len(), j + 1 == across);
            let names: Vec<&str> =
                of_panel.iter().take(CLOCKS_MAX).map(|(node, _)| trace.name(**node)).collect();
            grid.title(
                &format!("{algorithm}, {discipline}:"),
                &names,
                of_panel.len() - names.len(),
            );
            for (k, (_, clock)) in of_panel.iter().take(CLOCKS_MAX).enumerate() {
                grid.clock(clock, COLORS[k]);
            }
        }
        top += height + ABOVE;
    }
    let bottom = top - ABOVE;
    scene.text(
        ((LEFT + RIGHT) / 2.0, bottom + 33.0),
        "time (s)",
        TextLook::new(13.0).anchor(Anchor::Middle),
    );
    let upward = TextLook::new(13.0).anchor(Anchor::Middle).upward();
    scene.text((LEFT - 72.0, (first_top + bottom) / 2.0), "error (logarithmic)", upward);
    let note = "Shaded: faults. From the first round of a process on; the claim covers what is not \
        amortised yet, and hands on the clock.";
    scene.text((LEFT, bottom + 52.0), note, TextLook::new(11.0).color(palette::GREY));
    scene.height = bottom + 66.0;
    Some(scene)
}

const COLORS: [RGBColor; CLOCKS_MAX] =
    [palette::BLUE, palette::VERMILLION, palette::GREEN, palette::PURPLE];

/// A number of microseconds in the largest unit that makes it whole.
fn in_words(us: f64) -> String {
    match us as i64 {
        0 => "0".to_owned(),
        us @ 1_000_000.. => format!("{} s", grouped(us / 1_000_000)),
        us @ 1_000.. => format!("{} ms", us / 1_000),
        us => format!("{us} µs"),
    }
}

/// One panel while it is drawn.
struct Grid<'a> {
    scene: &'a mut Scene,
    time: TimeAxis,
    panel: Panel,
    scale: &'a Scale,
}

impl Grid<'_> {
    /// Faults, grid and axes.
    fn back(&mut self, trace: &Trace, first: bool, lowest: bool, rightmost: bool) {
        let (panel, time) = (self.panel, self.time);
        FaultStrip::new(trace, time).shade(self.scene, panel.top, panel.bottom);
        let small = TextLook::new(12.0).color(palette::GREY);
        let mut free_below = f64::MAX;
        for (value, label) in &self.scale.ticks {
            let y = panel.y(self.scale, *value);
            self.scene.rect((time.left, time.right), (y, y + 0.5), palette::GRID);
            if first && y < free_below {
                free_below = y - 14.0;
                self.scene.text((time.left - 8.0, y), label.clone(), small.anchor(Anchor::End));
            }
        }
        self.scene.rect(
            (time.left - 0.5, time.left + 0.5),
            (panel.top, panel.bottom + 0.5),
            palette::GREY,
        );
        self.scene.rect(
            (time.left - 0.5, time.right),
            (panel.bottom - 0.5, panel.bottom + 0.5),
            palette::GREY,
        );
        if !lowest {
            return;
        }
        let step = crate::plots::axis::nice_step(
            (time.to_us / 1_000_000 / ((time.right - time.left) / 80.0).max(1.0) as u64)
                .saturating_sub(1),
        );
        for tick in 0..TICKS_MAX {
            let second = step.saturating_mul(tick);
            let Some(at) = second.checked_mul(1_000_000).filter(|at| *at <= time.to_us) else {
                break;
            };
            let x = time.x(at);
            self.scene.rect((x, x + 0.5), (panel.bottom, panel.bottom + 4.0), palette::GREY);
            if rightmost || x < time.right - 12.0 {
                self.scene.text(
                    (x, panel.bottom + 14.0),
                    second.to_string(),
                    small.anchor(Anchor::Middle),
                );
            }
        }
    }

    /// What the clocks of a panel have in common, and their names: of several, each in the colour
    /// of its line.
    fn title(&mut self, title: &str, names: &[&str], more: usize) {
        let look = TextLook::new(12.0).bold();
        let (y, right) = (self.panel.top - 10.0, self.time.right);
        let several = names.len() > 1;
        let more = (more > 0).then(|| (format!("and {more} more"), palette::GREY));
        let names = names
            .iter()
            .zip(COLORS)
            .map(|(name, color)| ((*name).to_owned(), if several { color } else { palette::INK }));
        let mut x = self.time.left;
        for (text, color) in
            std::iter::once((title.to_owned(), palette::INK)).chain(names).chain(more)
        {
            let text = cut_to(&text, look, (right - x).min(220.0));
            let width = look.width(&text);
            if x + width <= right {
                self.scene.text((x, y), text, look.color(color));
            }
            x += width * 1.06 + 6.0;
        }
    }

    fn clock(&mut self, clock: &Clock<'_>, color: RGBColor) {
        let (time, panel, scale) = (self.time, self.panel, self.scale);
        let place = |(at, value): &(u64, f64)| (time.x(*at), panel.y(scale, *value));
        let path = |points: &[(u64, f64)]| thin(&points.iter().map(place).collect::<Vec<_>>());
        self.scene.line(path(&clock.bounds), 3.5, sheer(palette::GREY, 0.55));
        self.scene.line(path(&clock.errors), 1.6, color);
        for point in clock.corrections.iter().take(CORRECTIONS_MAX) {
            self.scene.disc(place(point), 2.4, palette::ORANGE);
        }
    }
}

/// The words that occur, in this order.
fn kinds<'a>(words: impl Iterator<Item = &'a str>, order: &[&'a str]) -> Vec<&'a str> {
    let mut found: Vec<&str> = words.collect();
    found.sort_by_key(|word| {
        (order.iter().position(|each| each == word).unwrap_or(usize::MAX), *word)
    });
    found.dedup();
    found.truncate(ROWS_MAX);
    found
}

/// The clocks of the servers, each from its first round on.
fn clocks(trace: &Trace) -> BTreeMap<NodeId, Clock<'_>> {
    let mut clocks: BTreeMap<NodeId, Clock<'_>> = BTreeMap::new();
    let of_server = |event: &&Event| {
        trace.nodes.get(event.node.index()).is_some_and(|info| info.role == "server")
    };
    let mut lives: BTreeMap<NodeId, u32> = BTreeMap::new();
    for event in trace.events.iter().filter(of_server) {
        let int = |name: &str| event.fields.int(name);
        let truth = i128::from(RUN_BEGINS.as_nanos() / 1_000) + i128::from(event.time_us);
        let error = |clock: i64| (i128::from(clock) - truth).unsigned_abs() as f64;
        match event.name.as_ref() {
            "round" => {
                let (Some(algorithm), Some(discipline)) =
                    (event.fields.text("algorithm"), event.fields.text("discipline"))
                else {
                    continue;
                };
                let (Some(before), Some(after), Some(correction)) =
                    (int("before_us"), int("after_us"), int("correction_us"))
                else {
                    continue;
                };
                let clock = clocks.entry(event.node).or_default();
                (clock.algorithm, clock.discipline) = (algorithm, discipline);
                lives.insert(event.node, event.incarnation);
                clock.corrections.push((event.time_us, correction.unsigned_abs() as f64));
                clock.errors.push((event.time_us, error(before)));
                clock.errors.push((event.time_us, error(after)));
                clock.bounds.extend(
                    int("error_bound_us")
                        .filter(|bound| *bound >= 0)
                        .map(|bound| (event.time_us, bound as f64)),
                );
            }
            "reading" if lives.get(&event.node) == Some(&event.incarnation) => {
                let (Some(shown), Some(clock)) = (int("clock_us"), clocks.get_mut(&event.node))
                else {
                    continue;
                };
                clock.errors.push((event.time_us, error(shown)));
                clock.bounds.extend(
                    int("error_bound_us")
                        .filter(|bound| *bound >= 0)
                        .map(|bound| (event.time_us, bound as f64)),
                );
            }
            _ => {}
        }
    }
    clocks
}
