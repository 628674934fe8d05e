//! A space-time diagram in Lamport's style of a short window of the run: a line for each node, an
//! arrow for each message.

mod events;
mod labels;
mod layout;
mod window;

#[cfg(test)]
mod tests;

use plotters::style::RGBColor;

use crate::trace::{NodeId, Trace};

use super::Plot;
use super::frame::{Frame, Sketch, Swatch};
use super::kinds::{self, Families};
use super::palette;
use super::scene::{Scene, TextLook, cut_to, sheer};
use super::timeline::{Presence, at, ints, presence, words};
use events::{MARKS, mark_of};
use labels::{MARGIN, look};
use layout::{CROSS, End, LINE, Layout, layout};

/// Messages between nodes in the most important moments.
pub static SPACE_TIME: Plot = Plot {
    name: "space_time",
    summary: "Messages between nodes around the first election after a fault: who asked whom, what \
        was lost, who won",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// The picture around a moment, with some nodes first, as SVG, and its window, µs. `None` if the
/// trace has nothing to show.
pub fn space_time_around(
    trace: &Trace,
    moment_us: u64,
    concerned: &[NodeId],
) -> Option<(String, (u64, u64))> {
    let layout = layout(trace, Some((moment_us, concerned)))?;
    let window = layout.view.window;
    Some((drawn(trace, layout).svg(), window))
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    Some(drawn(trace, layout(trace, None)?))
}

fn drawn(trace: &Trace, layout: Layout<'_>) -> Scene {
    let families = Families::of_messages(layout.arrows.iter().map(|arrow| arrow.message));
    let terms = ints(trace, "current_term");
    let has_terms = layout.view.lines.iter().any(|node| terms.contains_key(node));
    let of_terms = if has_terms { " Terms are those at the window's beginning." } else { "" };
    let mut notes = vec![format!(
        "{} messages between nodes; answers are lighter than requests.{of_terms}",
        layout.arrows.len()
    )];
    notes.extend(
        (layout.left_out > 0).then(|| {
            format!("{} nodes that take no part, or less, are left out.", layout.left_out)
        }),
    );
    notes
        .extend((layout.dropped > 0).then(|| {
            format!("{} labels that would cover something are left out.", layout.dropped)
        }));
    let parts = parts(trace, &layout);
    let legend = legend(&families, &layout, &parts);
    let panels = [layout.height()];
    let window = layout.view.window;
    let mut frame =
        Sketch { trace, title: "Space-time diagram", window, legend, panels: &panels, notes }
            .frame();
    let top = frame.panels[0].top;
    node_lines(&mut frame, &layout, &parts);
    for arrow in &layout.arrows {
        let color = families.color(&arrow.message.kind);
        let color =
            if kinds::is_answer(&arrow.message.kind) { color_toward_white(color) } else { color };
        let (from, to) = ((arrow.from.0, top + arrow.from.1), (arrow.to.0, top + arrow.to.1));
        match arrow.end {
            End::Head => frame.scene.arrow(from, to, color),
            End::Open | End::Cross => frame.scene.segment(from, to, 1.0, color),
        }
    }
    // Crosses are drawn above all arrows, because readers look for lost messages.
    for arrow in layout.arrows.iter().filter(|arrow| arrow.end == End::Cross) {
        frame.scene.cross((arrow.to.0, top + arrow.to.1), CROSS, 1.5, palette::INK);
    }
    for (i, node) in layout.view.lines.iter().enumerate() {
        let y = top + layout.y(i);
        let term = terms.get(node).and_then(|terms| at(terms, window.0));
        frame.lane(if term.is_some() { y - 7.0 } else { y }, trace.name(*node), 13.0);
        if let Some(term) = term {
            frame.lane_detail(y + 8.0, &format!("term {term}"));
        }
    }
    for marked in layout.marks.iter().rev() {
        frame.scene.mark(marked.mark, (marked.at.0, top + marked.at.1));
    }
    for label in &layout.labels {
        // Arrows pass behind a label, dimmed.
        let area = label.area;
        frame.scene.rect(
            (area.left, area.right),
            (top + area.top, top + area.bottom),
            sheer(palette::WHITE, 0.85),
        );
        frame.scene.text(
            (area.left + MARGIN, top + (area.top + area.bottom) / 2.0),
            label.text.clone(),
            look(),
        );
    }
    let panel = frame.panels[0];
    frame.base(panel);
    frame.scene
}

fn legend(
    families: &Families<'_>,
    layout: &Layout<'_>,
    parts: &[Part<'_>],
) -> Vec<(Swatch, String)> {
    let has = |name: &str, color| {
        let is_of = |kind: &str| {
            families.color(kind) == color && (name == "other" || kinds::family(kind) == name)
        };
        layout.arrows.iter().any(|arrow| is_of(&arrow.message.kind))
    };
    let look = TextLook::new(12.0);
    let shown = families.list.iter().filter(|(name, color)| has(name, *color));
    let mut legend: Vec<(Swatch, String)> =
        shown.map(|(name, color)| (Swatch::Arrow(*color), cut_to(name, look, 180.0))).collect();
    if layout.arrows.iter().any(|arrow| arrow.end == End::Cross) {
        legend.push((Swatch::Cross(palette::INK), "did not arrive".to_owned()));
    }
    let is_up =
        |role: &str| parts.iter().any(|part| part.presence == Presence::Up && part.role == role);
    legend.extend(
        ROLES
            .iter()
            .filter(|(role, ..)| is_up(role))
            .map(|(_, color, name)| (Swatch::Band(*color), (*name).to_owned())),
    );
    if parts.iter().any(|part| part.presence == Presence::Paused) {
        legend.push((Swatch::Dashes(palette::GREY), "paused".to_owned()));
    }
    if parts.iter().any(|part| part.presence == Presence::Down) {
        legend.push((Swatch::Line(palette::GREY, 0.5), "down".to_owned()));
    }
    let is_marked = |mark| layout.events.iter().any(|event| mark_of(event) == Some(mark));
    legend.extend(
        MARKS
            .iter()
            .filter(|(mark, _)| is_marked(*mark))
            .map(|(mark, name)| (Swatch::Mark(*mark), (*name).to_owned())),
    );
    legend
}

/// The roles that colour a node's line, with their names in the legend.
const ROLES: [(&str, RGBColor, &str); 5] = [
    ("pre_candidate", palette::PRE_CANDIDATE, "pre-candidate"),
    ("candidate", palette::CANDIDATE, "candidate"),
    ("looking", palette::CANDIDATE, "looking for a leader"),
    ("leading", palette::PRE_CANDIDATE, "about to lead"),
    ("leader", palette::LEADER, "leader"),
];

/// A part of a node's line: the line's number, its period, its presence and its role.
struct Part<'a> {
    line: usize,
    from_us: u64,
    to_us: u64,
    presence: Presence,
    role: &'a str,
}

fn parts<'a>(trace: &'a Trace, layout: &Layout<'_>) -> Vec<Part<'a>> {
    let (roles, away) = (words(trace, "role"), presence(trace));
    let (begin, end) = layout.view.window;
    let mut parts = Vec::new();
    for (line, node) in layout.view.lines.iter().enumerate() {
        let (roles, away) = (
            roles.get(node).map_or(&[][..], Vec::as_slice),
            away.get(node).map_or(&[][..], Vec::as_slice),
        );
        let inside = |time_us: &u64| (begin + 1..end).contains(time_us);
        let changes = roles
            .iter()
            .map(|(time, _)| *time)
            .chain(away.iter().map(|(time, _)| *time))
            .filter(inside);
        let mut times: Vec<u64> = std::iter::once(begin).chain(changes).collect();
        times.sort_unstable();
        times.dedup();
        for (i, from_us) in times.iter().copied().enumerate() {
            let presence = at(away, from_us).unwrap_or(Presence::Up);
            let role = at(roles, from_us).unwrap_or("");
            parts.push(Part {
                line,
                from_us,
                to_us: times.get(i + 1).copied().unwrap_or(end),
                presence,
                role,
            });
        }
    }
    parts
}

/// The lines of the nodes, in the colour of their role, broken while they are down or paused.
fn node_lines(frame: &mut Frame, layout: &Layout<'_>, parts: &[Part<'_>]) {
    let (time, top) = (frame.time, frame.panels[0].top);
    for part in parts {
        let y = top + layout.y(part.line);
        let x = (time.x(part.from_us), time.x(part.to_us));
        match part.presence {
            Presence::Down => {}
            Presence::Paused => frame.scene.dashes((x.0, y), (x.1, y), 2.0, palette::GREY),
            Presence::Up => {
                let color = ROLES
                    .iter()
                    .find(|(role, ..)| *role == part.role)
                    .map_or(palette::FOLLOWER, |(_, color, _)| *color);
                frame.scene.rect(x, (y - LINE, y + LINE), sheer(color, 0.55));
            }
        }
    }
    for line in 0..layout.view.lines.len() {
        let y = top + layout.y(line);
        frame.scene.rect((time.left, time.right), (y - 0.25, y + 0.25), sheer(palette::GREY, 0.6));
    }
}

fn color_toward_white(color: RGBColor) -> RGBColor {
    let light = |part: u8| 255 - (255 - part) / 5 * 3;
    RGBColor(light(color.0), light(color.1), light(color.2))
}
