//! Which book went out when, by whom; where sessions end; and how much the servers know of it.

use std::collections::BTreeMap;

use crate::trace::{NodeId, Trace};

use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{LINES_MAX, Sketch, Swatch, node_legend};
use crate::plots::palette;
use crate::plots::scene::{Anchor, Scene, TextLook};
use crate::plots::timeline::{ints, steps};

/// The books of the library.
pub static LIBRARY: Plot = Plot {
    name: "library",
    summary: "Which book of a session which server handed out when, where sessions begin, books \
        handed out twice, and what each server has left",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Books that are drawn.
const HANDED_MAX: usize = 2_000;
/// Servers that have no colour of their own.
const OTHERS: plotters::style::RGBColor = palette::LEARNER;
/// Sessions whose number is written.
const NAMES_MAX: usize = 60;

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let mut holders: BTreeMap<(i64, i64), (NodeId, i64)> = BTreeMap::new();
    let mut handed = Vec::new();
    let mut twice = Vec::new();
    for event in trace
        .events
        .iter()
        .filter(|event| event.name == "reply" && event.fields.text("answer") == Some("book"))
    {
        let (Some(session), Some(book)) = (event.fields.int("session"), event.fields.int("book"))
        else {
            continue;
        };
        let (Some(client), Some(serial)) =
            (event.fields.node("client"), event.fields.int("serial"))
        else {
            continue;
        };
        let holder = *holders.entry((session, book)).or_insert((client, serial));
        handed.push((event.time_us, book, event.node));
        if holder != (client, serial) {
            twice.push((event.time_us, book));
        }
    }
    let most = handed.iter().map(|(_, book, _)| *book).max().filter(|most| *most > 0)?;
    let mut servers: Vec<NodeId> = trace.with_role("server").collect();
    let more = servers.len().saturating_sub(LINES_MAX);
    servers.truncate(LINES_MAX);
    let mut opened: BTreeMap<i64, u64> = BTreeMap::new();
    for event in trace.events.iter().filter(|event| event.name == "session_open") {
        if let Some(session) = event.fields.int("session") {
            let first = opened.entry(session).or_insert(event.time_us);
            *first = event.time_us.min(*first);
        }
    }
    let mut legend = node_legend(trace, &servers);
    for (swatch, _) in &mut legend {
        if let Swatch::Line(color, _) = *swatch {
            *swatch = Swatch::Dot(color);
        }
    }
    if more > 0 {
        legend.push((Swatch::Dot(OTHERS), format!("{more} other servers")));
    }
    legend.push((
        Swatch::Dashes(palette::GREY),
        "a session begins, as the first server knows".to_owned(),
    ));
    legend.push((
        Swatch::Cross(palette::BLACK),
        "handed out to two requests of a session".to_owned(),
    ));
    let notes = (more > 0)
        .then(|| format!("The lower panel is without the {more} other servers."))
        .into_iter()
        .collect();
    let window = Sketch::whole(trace);
    let mut frame =
        Sketch { trace, title: "Books handed out", window, legend, panels: &[300.0, 130.0], notes }
            .frame();

    let scale = Scale::linear(0.0, most as f64, 8);
    frame.y_axis(0, &scale, "book");
    let (panel, time) = (frame.panels[0], frame.time);
    let mut free_from = f64::MIN;
    for (session, at) in opened.iter().take(NAMES_MAX) {
        let x = time.x(*at);
        for panel in frame.panels.clone() {
            frame.scene.dashes((x, panel.top), (x, panel.bottom), 1.0, palette::GREY);
        }
        let look = TextLook::new(10.5).color(palette::GREY).anchor(Anchor::Start);
        let name = session.to_string();
        if x > free_from {
            frame.scene.text((x + 3.0, panel.top + 7.0), name.clone(), look);
            free_from = x + look.width(&name) + 8.0;
        }
    }
    for (at, book, server) in handed.iter().take(HANDED_MAX) {
        frame.scene.disc(
            (time.x(*at), panel.y(&scale, *book as f64)),
            3.2,
            if servers.contains(server) { palette::of_node(*server) } else { OTHERS },
        );
    }
    for (at, book) in twice.iter().take(HANDED_MAX) {
        frame.scene.cross((time.x(*at), panel.y(&scale, *book as f64)), 6.0, 2.0, palette::BLACK);
    }

    let left = ints(trace, "books_left");
    let scale = Scale::linear(
        0.0,
        left.values().flatten().map(|(_, books)| *books).max().unwrap_or(1) as f64,
        4,
    );
    frame.y_axis(1, &scale, "books left");
    let (panel, right) = (frame.panels[1], time.right);
    for (server, changes) in left.iter().filter(|(server, _)| servers.contains(server)) {
        let changes: Vec<(u64, Option<f64>)> =
            changes.iter().map(|(at, books)| (*at, Some(*books as f64))).collect();
        for path in steps(&changes, right, |at| time.x(at), |books| panel.y(&scale, books)) {
            frame.scene.line(path, 1.5, palette::of_node(*server));
        }
    }
    Some(frame.scene)
}
