//! Transfers of files: who fetched when, for how long, and how it ended.

use plotters::style::RGBColor;

use super::{LANES_MAX, events, lane_height};
use crate::plots::Plot;
use crate::plots::frame::{Sketch, Swatch};
use crate::plots::palette;
use crate::plots::scene::Scene;
use crate::systems::p2p::vocabulary::{FetchBegun, Fetched, TransferOutcome};
use crate::trace::{NodeId, Trace};
use crate::vocabulary::Event as _;

/// Transfers as bars.
pub static P2P_TRANSFERS: Plot = Plot {
    name: "p2p_transfers",
    summary: "Each transfer of a file as a bar in the lane of the peer that fetches, by its \
        outcome",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// How a transfer ended; `None`: a crash has ended it.
const OUTCOMES: [(Option<TransferOutcome>, &str, RGBColor); 7] = [
    (Some(TransferOutcome::Ok), "whole", palette::GREEN),
    (Some(TransferOutcome::Missing), "not published, or not there", palette::PALE),
    (Some(TransferOutcome::Refused), "refused", palette::ORANGE),
    (Some(TransferOutcome::Broken), "broken off, or gone from there", palette::VERMILLION),
    (Some(TransferOutcome::Stalled), "stalled", palette::PURPLE),
    (Some(TransferOutcome::Damaged), "damaged", palette::YELLOW),
    (None, "ended by a crash", palette::BLACK),
];

/// A transfer.
struct Bar {
    node: NodeId,
    begin_us: u64,
    end_us: u64,
    outcome: usize,
}

/// Bars of a page.
const BARS_MAX: usize = 20_000;

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let window = Sketch::whole(trace);
    let bars = bars(trace, window.1);
    if bars.is_empty() || window.1 == 0 {
        return None;
    }
    let mut nodes: Vec<NodeId> = bars.iter().map(|bar| bar.node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let hidden = nodes.len().saturating_sub(LANES_MAX);
    nodes.truncate(LANES_MAX);
    let of = |outcome: usize| bars.iter().filter(|bar| bar.outcome == outcome).count();
    let legend = OUTCOMES.iter().enumerate().filter(|(i, _)| of(*i) > 0);
    let legend = legend
        .map(|(i, (_, name, color))| (Swatch::Box(*color), format!("{name}: {}", of(i))))
        .collect();
    let mut notes = vec![
        "Short transfers are drawn two units wide; a failure covers what lies below it.".to_owned(),
    ];
    if hidden > 0 {
        notes.push(format!("{hidden} more peers are not shown."));
    }
    let lane = lane_height(nodes.len());
    let mut frame = Sketch {
        trace,
        title: "Transfers",
        window,
        legend,
        panels: &[lane * nodes.len() as f64],
        notes,
    }
    .frame();
    let (panel, time) = (frame.panels[0], frame.time);
    for (i, node) in nodes.iter().enumerate() {
        let top = panel.top + i as f64 * lane;
        frame.lane(top + lane / 2.0, trace.name(*node), if lane > 14.0 { 12.0 } else { 9.5 });
        // What went well lies below what did not.
        for (outcome, (_, _, color)) in OUTCOMES.iter().enumerate() {
            for bar in bars.iter().filter(|bar| bar.node == *node && bar.outcome == outcome) {
                let x = (time.x(bar.begin_us), time.x(bar.end_us).max(time.x(bar.begin_us) + 2.0));
                frame.scene.rect(x, (top + 0.15 * lane, top + 0.85 * lane), *color);
            }
        }
    }
    frame.base(panel);
    Some(frame.scene)
}

fn bars(trace: &Trace, end_us: u64) -> Vec<Bar> {
    let mut bars: Vec<Bar> = vec![];
    let mut open: Vec<(NodeId, u64)> = vec![];
    let crashed = OUTCOMES.len() - 1;
    for event in
        events(trace, &[FetchBegun::NAME, Fetched::NAME, "crash"]).into_iter().take(2 * BARS_MAX)
    {
        let begun = open
            .iter()
            .position(|(node, _)| *node == event.node)
            .map(|position| open.swap_remove(position).1);
        match (&*event.name, begun) {
            (FetchBegun::NAME, _) => open.push((event.node, event.time_us)),
            (Fetched::NAME, Some(begin_us)) => {
                let outcome = Fetched::read(&event.fields).map(|fetched| fetched.outcome);
                let outcome =
                    OUTCOMES.iter().position(|(known, ..)| *known == outcome).unwrap_or(crashed);
                bars.push(Bar { node: event.node, begin_us, end_us: event.time_us, outcome });
            }
            ("crash", Some(begin_us)) => bars.push(Bar {
                node: event.node,
                begin_us,
                end_us: event.time_us,
                outcome: crashed,
            }),
            _ => {}
        }
    }
    bars.extend(open.into_iter().map(|(node, begin_us)| Bar {
        node,
        begin_us,
        end_us,
        outcome: crashed,
    }));
    bars.truncate(BARS_MAX);
    bars
}
