//! Network traffic.

use plotters::style::RGBColor;

use crate::trace::{Outcome, Trace};

use super::Plot;
use super::axis::Scale;
use super::frame::{Sketch, Swatch};
use super::kinds::Families;
use super::palette;
use super::scene::Scene;
use super::throughput::{Bins, stack};

/// Messages per second by type, and the fate of those that did not arrive.
pub static MESSAGES: Plot = Plot {
    name: "messages",
    summary: "Messages per second by type, and below those that did not arrive as sent: lost, \
        partitioned, discarded, …",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// The outcomes of the lower panel.
const LOSSES: [(Outcome, &str, RGBColor); 6] = [
    (Outcome::Partitioned, "partitioned", palette::VERMILLION),
    (Outcome::Lost, "lost", palette::ORANGE),
    (Outcome::NodeDown, "receiver down", palette::BLACK),
    (Outcome::Discarded, "discarded", palette::PURPLE),
    (Outcome::Corrupted, "corrupted", palette::YELLOW),
    (Outcome::Duplicated, "second copies", palette::SKY),
];

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    if trace.messages.is_empty() {
        return None;
    }
    let bins = Bins::of(trace);
    let families = Families::of(trace);
    let mut sent = vec![vec![0_u64; bins.count]; families.list.len()];
    let mut losses = vec![vec![0_u64; bins.count]; LOSSES.len()];
    for message in &trace.messages {
        let bin = bins.position(message.sent_us);
        if let Some(i) = LOSSES.iter().position(|(outcome, ..)| *outcome == message.outcome) {
            losses[i][bin] += 1;
        }
        // A duplicate was not sent separately.
        if message.outcome != Outcome::Duplicated {
            sent[families.position(&message.kind)][bin] += 1;
        }
    }
    let most = |layers: &[Vec<u64>]| {
        (0..bins.count).map(|bin| layers.iter().map(|counts| counts[bin]).sum()).max().unwrap_or(0)
    };
    let seen: Vec<usize> =
        (0..LOSSES.len()).filter(|i| losses[*i].iter().any(|count| *count > 0)).collect();
    let mut legend: Vec<(Swatch, String)> = families
        .list
        .iter()
        .map(|(name, color)| (Swatch::Box(*color), super::scene::cut_to(name, LABEL, 200.0)))
        .collect();
    legend.extend(
        seen.iter().map(|i| (Swatch::Box(LOSSES[*i].2), format!("below: {}", LOSSES[*i].1))),
    );
    let notes = vec![format!(
        "{} messages by the time of sending, in intervals of {}; a request and its answer have one \
            colour.",
        super::axis::grouped(i64::try_from(trace.messages.len()).unwrap_or(i64::MAX)),
        bins.width()
    )];
    let panels: &[f64] = if seen.is_empty() { &[340.0] } else { &[260.0, 130.0] };
    let mut frame = Sketch {
        trace,
        title: "Messages a second",
        window: Sketch::whole(trace),
        legend,
        panels,
        notes,
    }
    .frame();
    let scale = Scale::linear(0.0, bins.a_second(most(&sent)), 6);
    frame.y_axis(0, &scale, "sent a second");
    let layers: Vec<(&[u64], RGBColor)> = sent
        .iter()
        .zip(&families.list)
        .map(|(counts, (_, color))| (counts.as_slice(), *color))
        .collect();
    stack(&mut frame, 0, &scale, bins, &layers);
    if !seen.is_empty() {
        let scale = Scale::linear(0.0, bins.a_second(most(&losses)), 4);
        frame.y_axis(1, &scale, "not as sent a second");
        let layers: Vec<(&[u64], RGBColor)> =
            seen.iter().map(|i| (losses[*i].as_slice(), LOSSES[*i].2)).collect();
        stack(&mut frame, 1, &scale, bins, &layers);
    }
    for panel in frame.panels.clone() {
        frame.base(panel);
    }
    Some(frame.scene)
}

const LABEL: super::scene::TextLook = super::scene::TextLook {
    size: 12.0,
    bold: false,
    color: palette::INK,
    anchor: super::scene::Anchor::Start,
    upward: false,
};
