//! The layout common to all plots: title, legend, faults, panels stacked over the same time axis,
//! notes.

use plotters::style::RGBColor;

use crate::trace::{NodeId, Trace};

use super::axis::{Scale, TimeAxis};
use super::faults::FaultStrip;
use super::palette;
use super::scene::{Anchor, Scene, TextLook, cut_to, sheer, shortened};
use super::timeline;

/// Width of every plot.
pub(crate) const WIDTH: f64 = 1_200.0;
/// Left margin for the names of lanes and faults, or for an axis with its name.
pub(crate) const LEFT: f64 = 132.0;
pub(crate) const RIGHT: f64 = WIDTH - 24.0;
const LEGEND_ROW: f64 = 20.0;

/// How many nodes' lines can roughly be told apart in one panel.
pub(crate) const LINES_MAX: usize = 16;

/// The names of nodes with the colours of their lines.
pub(crate) fn node_legend<'a>(
    trace: &Trace,
    nodes: impl IntoIterator<Item = &'a NodeId>,
) -> Vec<(Swatch, String)> {
    let look = TextLook::new(12.0);
    let entry = |node: &NodeId| {
        (Swatch::Line(palette::of_node(*node), 2.0), cut_to(trace.name(*node), look, 160.0))
    };
    nodes.into_iter().take(LINES_MAX).map(entry).collect()
}

/// The note of a plot without room for all nodes.
pub(crate) fn not_shown(nodes: usize) -> Option<String> {
    (nodes > 0).then(|| format!("{nodes} more nodes are not shown."))
}

/// The sample of a legend entry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Swatch {
    Box(RGBColor),
    Hatch,
    /// A hollow box.
    Frame,
    Line(RGBColor, f64),
    /// A broad, translucent line.
    Band(RGBColor),
    Dashes(RGBColor),
    Dot(RGBColor),
    Ring(RGBColor),
    Cross(RGBColor),
    Mark(Mark),
    Arrow(RGBColor),
}

/// Marks of single events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Crash,
    Command,
    Leader,
    Vote,
    Commit,
    Campaign,
}

/// A plot's specification of its frame.
pub(crate) struct Sketch<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) title: &'static str,
    /// Start and end of the time axis, µs.
    pub(crate) window: (u64, u64),
    pub(crate) legend: Vec<(Swatch, String)>,
    /// The heights of the panels.
    pub(crate) panels: &'a [f64],
    /// Small print below.
    pub(crate) notes: Vec<String>,
}

/// A part of the page with its own vertical axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel {
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

impl Panel {
    /// The position of a value.
    pub(crate) fn y(&self, scale: &Scale, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * scale.part(value)
    }
}

/// A page with everything but the data.
pub(crate) struct Frame {
    pub(crate) scene: Scene,
    pub(crate) time: TimeAxis,
    pub(crate) panels: Vec<Panel>,
}

impl Sketch<'_> {
    /// The whole run.
    pub(crate) fn whole(trace: &Trace) -> (u64, u64) {
        (0, timeline::end_us(trace))
    }

    /// Lay the page out and draw the frame.
    pub(crate) fn frame(self) -> Frame {
        let mut scene = page(self.trace, self.title);
        let mut y = legend(&mut scene, &self.legend, 52.0) + 6.0;

        let time =
            TimeAxis { from_us: self.window.0, to_us: self.window.1, left: LEFT, right: RIGHT };
        let faults = FaultStrip::new(self.trace, time);
        let strip = y;
        // Separated from the panel, whose topmost label is at its very top.
        y += faults.height() + 9.0;
        let mut panels = Vec::new();
        for (i, height) in self.panels.iter().enumerate() {
            y += if i == 0 { 0.0 } else { 22.0 };
            panels.push(Panel { top: y, bottom: y + height });
            y += height;
        }
        let (unit, ticks) = time.ticks();
        for panel in &panels {
            faults.shade(&mut scene, panel.top, panel.bottom);
            for (tick, _) in &ticks {
                scene.rect(
                    (time.x(*tick), time.x(*tick) + 0.5),
                    (panel.top, panel.bottom),
                    palette::GRID,
                );
            }
        }
        faults.draw(&mut scene, strip);
        let small = TextLook::new(12.0).color(palette::GREY);
        let mut free_from = f64::MIN;
        for (tick, label) in &ticks {
            let (x, half) = (time.x(*tick), small.width(label) / 2.0);
            scene.rect((x, x + 0.5), (y, y + 4.0), palette::GREY);
            if x - half > free_from && x + half < WIDTH {
                scene.text((x, y + 14.0), label.clone(), small.anchor(Anchor::Middle));
                free_from = x + half + 8.0;
            }
        }
        scene.text(
            ((LEFT + RIGHT) / 2.0, y + 33.0),
            format!("time ({unit})"),
            TextLook::new(13.0).anchor(Anchor::Middle),
        );
        y += 46.0;
        let mut notes = self.notes;
        notes.extend_from_slice(faults.notes());
        for note in notes {
            let look = TextLook::new(11.0).color(palette::GREY);
            scene.text((LEFT, y + 6.0), cut_to(&note, look, RIGHT - LEFT), look);
            y += 16.0;
        }
        scene.height = y + 8.0;
        Frame { scene, time, panels }
    }
}

impl Frame {
    /// The vertical axis of a panel: lines of the grid, values, and a name with its unit.
    pub(crate) fn y_axis(&mut self, panel: usize, scale: &Scale, name: &str) {
        let panel = self.panels[panel];
        let small = TextLook::new(12.0).color(palette::GREY).anchor(Anchor::End);
        for (value, label) in &scale.ticks {
            let y = panel.y(scale, *value);
            self.scene.rect((LEFT, RIGHT), (y, y + 0.5), palette::GRID);
            self.scene.text((LEFT - 8.0, y), label.clone(), small);
        }
        // Close to the widest label, so that the eye finds it easily.
        let widest = scale.ticks.iter().map(|(_, label)| small.width(label)).fold(0.0, f64::max);
        let look = TextLook::new(13.0).anchor(Anchor::Middle).upward();
        let place = ((LEFT - widest * 1.1 - 26.0).max(10.0), (panel.top + panel.bottom) / 2.0);
        self.scene.text(place, cut_to(name, look, panel.bottom - panel.top + 16.0), look);
        self.base(panel);
    }

    /// The two axis lines of a panel.
    pub(crate) fn base(&mut self, panel: Panel) {
        self.scene.rect((LEFT - 0.5, LEFT + 0.5), (panel.top, panel.bottom + 0.5), palette::GREY);
        self.scene.rect(
            (LEFT - 0.5, RIGHT),
            (panel.bottom - 0.5, panel.bottom + 0.5),
            palette::GREY,
        );
    }

    /// The name of a lane, left of it.
    pub(crate) fn lane(&mut self, y: f64, name: &str, size: f64) {
        let look = TextLook::new(size).anchor(Anchor::End);
        self.scene.text((LEFT - 13.0, y), shortened(name, look, LEFT - 26.0), look);
    }

    /// Small print below the name of a lane.
    pub(crate) fn lane_detail(&mut self, y: f64, text: &str) {
        let look = TextLook::new(10.5).color(palette::GREY).anchor(Anchor::End);
        self.scene.text((LEFT - 13.0, y), cut_to(text, look, LEFT - 18.0), look);
    }
}

/// A page with its title and its run.
pub(crate) fn page(trace: &Trace, name: &str) -> Scene {
    let run = format!(
        "{}, seed {}",
        if trace.scenario.is_empty() { "?" } else { &trace.scenario },
        trace.seed
    );
    let mut scene = Scene::new(format!("{name}: {run}"), WIDTH);
    let title = TextLook::new(17.0).bold();
    scene.text((LEFT, 24.0), name, title);
    // Right-aligned, so that a viewer's wider font does no harm.
    let beside = TextLook::new(14.0).color(palette::GREY).anchor(Anchor::End);
    let room = RIGHT - LEFT - 1.25 * title.width(name);
    scene.text((RIGHT, 24.5), cut_to(&run, beside, 0.85 * room), beside);
    scene
}

/// Draw the legend from `top` on, in as many rows as it takes; returns where it ends.
pub(crate) fn legend(scene: &mut Scene, entries: &[(Swatch, String)], top: f64) -> f64 {
    let look = TextLook::new(12.0);
    let (mut x, mut y) = (LEFT, top);
    for (swatch, text) in entries {
        let text = cut_to(text, look, 0.8 * (RIGHT - LEFT));
        // With room for a viewer's wider font.
        let width = 26.0 + look.width(&text) * 1.12 + 16.0;
        if x + width > RIGHT && x > LEFT {
            (x, y) = (LEFT, y + LEGEND_ROW);
        }
        scene.swatch(*swatch, x, y);
        scene.text((x + 26.0, y), text, look);
        x += width;
    }
    if entries.is_empty() { top } else { y + LEGEND_ROW / 2.0 }
}

impl Scene {
    fn swatch(&mut self, swatch: Swatch, x: f64, y: f64) {
        let (left, right, middle) = (x, x + 20.0, x + 10.0);
        match swatch {
            Swatch::Box(color) => self.rect((left + 2.0, right - 2.0), (y - 5.5, y + 5.5), color),
            Swatch::Hatch => {
                self.hatch((left + 2.0, right - 2.0), (y - 5.5, y + 5.5), 4.0, palette::GREY)
            }
            Swatch::Frame => {
                self.frame((left + 2.0, right - 2.0), (y - 5.5, y + 5.5), palette::GREY)
            }
            Swatch::Band(color) => self.rect((left, right), (y - 3.0, y + 3.0), sheer(color, 0.55)),
            Swatch::Line(color, width) => self.segment((left, y), (right, y), width, color),
            Swatch::Dashes(color) => self.dashes((left, y), (right, y), 1.5, color),
            Swatch::Dot(color) => self.disc((middle, y), 4.0, color),
            Swatch::Ring(color) => self.ring((middle, y), 4.0, 1.5, color),
            Swatch::Cross(color) => self.cross((middle, y), 4.0, 1.5, color),
            Swatch::Mark(mark) => self.mark(mark, (middle, y)),
            Swatch::Arrow(color) => self.arrow((left, y), (right, y), color),
        }
    }

    /// A mark of an event.
    pub(crate) fn mark(&mut self, mark: Mark, (x, y): (f64, f64)) {
        let diamond = |r: f64| vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
        match mark {
            Mark::Crash => {
                self.cross((x, y), 5.5, 4.0, palette::WHITE);
                self.cross((x, y), 5.0, 2.0, palette::BLACK);
            }
            Mark::Command => self.polygon(
                vec![(x - 5.0, y - 5.0), (x + 5.0, y - 5.0), (x, y + 4.0)],
                palette::BLACK,
            ),
            Mark::Leader => {
                self.disc((x, y), 6.5, palette::WHITE);
                self.disc((x, y), 5.5, palette::BLUE);
            }
            Mark::Vote => {
                self.polygon(diamond(6.5), palette::WHITE);
                self.polygon(diamond(5.0), palette::GREEN);
            }
            Mark::Campaign => {
                self.polygon(diamond(6.5), palette::WHITE);
                self.polygon(diamond(5.0), palette::ORANGE);
            }
            Mark::Commit => self.segment((x, y - 5.0), (x, y + 5.0), 2.0, palette::BLACK),
        }
    }

    /// A line with an arrowhead at its end.
    pub(crate) fn arrow(&mut self, from: (f64, f64), to: (f64, f64), color: RGBColor) {
        if let Some(head) = head_of(from, to) {
            let neck = ((head[1].0 + head[2].0) / 2.0, (head[1].1 + head[2].1) / 2.0);
            self.segment(from, neck, 1.0, color);
            self.polygon(head.to_vec(), color);
        }
    }
}

/// An arrowhead: its tip and its two wings. `None` for an arrow without a direction.
pub(crate) fn head_of(from: (f64, f64), to: (f64, f64)) -> Option<[(f64, f64); 3]> {
    const HEAD: f64 = 7.0;
    const WING: f64 = HEAD * 0.36;
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = (dx * dx + dy * dy).sqrt();
    if length < 1.0 {
        return None;
    }
    let (ux, uy) = (dx / length, dy / length);
    let neck = (to.0 - HEAD * ux, to.1 - HEAD * uy);
    Some([to, (neck.0 - WING * uy, neck.1 + WING * ux), (neck.0 + WING * uy, neck.1 - WING * ux)])
}
