//! How far each server is behind the one that has applied most.

use std::collections::BTreeMap;

use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{LINES_MAX, Sketch, node_legend, not_shown};
use crate::plots::palette;
use crate::plots::scene::Scene;
use crate::plots::timeline::steps;
use crate::systems::zookeeper::vocabulary::{ZabApply, ZabSnapshot};
use crate::trace::{NodeId, Trace};
use crate::vocabulary::Event as _;

/// Lag over time.
pub static ZK_ZXID_LAG: Plot = Plot {
    name: "zk_zxid_lag",
    summary: "Transactions that some server has applied and this one has not yet: how old its \
        answers to reads may be",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Columns of the picture; each shows the largest lag in its time.
const COLUMNS: usize = 270;

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let window = Sketch::whole(trace);
    let end = window.1.max(1);
    let known = |node: NodeId| node.index() < trace.nodes.len();
    let zxid_of = |event: &crate::trace::Event| match event.name.as_ref() {
        ZabApply::NAME => ZabApply::read(&event.fields).map(|told| told.zxid),
        ZabSnapshot::NAME => ZabSnapshot::read(&event.fields).map(|told| told.zxid),
        _ => None,
    };
    let mut order: Vec<u64> = trace.events.iter().filter_map(zxid_of).collect();
    order.sort_unstable();
    order.dedup();
    let nodes: BTreeMap<NodeId, usize> = {
        let mut all: Vec<NodeId> = trace
            .events
            .iter()
            .filter(|event| zxid_of(event).is_some() && known(event.node))
            .map(|event| event.node)
            .collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().zip(0..).collect()
    };
    if nodes.is_empty() {
        return None;
    }
    let mut applied: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut lags: Vec<Vec<Option<usize>>> = vec![vec![None; COLUMNS]; nodes.len()];
    let (mut newest, mut column) = (0, 0);
    let note = |lags: &mut Vec<Vec<Option<usize>>>,
                applied: &[Option<usize>],
                column: usize,
                newest: usize| {
        for (lags, at) in lags.iter_mut().zip(applied) {
            lags[column] = lags[column].max(at.map(|at| newest - at));
        }
    };
    for event in &trace.events {
        let Some(node) = nodes.get(&event.node) else { continue };
        match (zxid_of(event), event.name.as_ref()) {
            (Some(zxid), _) => {
                let position = order.binary_search(&zxid).unwrap_or(0);
                applied[*node] = Some(position);
                newest = newest.max(position);
            }
            (None, "crash") => applied[*node] = None,
            _ => continue,
        }
        let now = ((u128::from(event.time_us.min(end)) * COLUMNS as u128 / u128::from(end))
            as usize)
            .min(COLUMNS - 1);
        while column < now {
            column += 1;
            note(&mut lags, &applied, column, newest);
        }
        note(&mut lags, &applied, column, newest);
    }
    while column + 1 < COLUMNS {
        column += 1;
        note(&mut lags, &applied, column, newest);
    }
    let shown: Vec<NodeId> = nodes.keys().copied().collect();
    let high = lags.iter().flatten().flatten().max().copied().unwrap_or(0).max(1) as f64;
    let scale = if high > 30.0 { Scale::log_from_zero(high) } else { Scale::linear(0.0, high, 6) };
    let mut notes = vec![
        "Each point is the largest lag within its column of the picture. Gaps: the server is down."
            .to_owned(),
    ];
    notes.extend(not_shown(shown.len().saturating_sub(LINES_MAX)));
    let legend = node_legend(trace, &shown);
    let mut frame =
        Sketch { trace, title: "Zxid lag", window, legend, panels: &[300.0], notes }.frame();
    frame.y_axis(0, &scale, "lag (transactions)");
    let (panel, time) = (frame.panels[0], frame.time);
    let x = |column: u64| time.left + (time.right - time.left) * column as f64 / COLUMNS as f64;
    for (node, lags) in shown.iter().zip(&lags).take(LINES_MAX) {
        let mut changes: Vec<(u64, Option<f64>)> =
            (0..).zip(lags).map(|(i, lag)| (i, lag.map(|lag| lag as f64))).collect();
        changes.dedup_by(|next, kept| next.1 == kept.1);
        for path in steps(&changes, x(COLUMNS as u64), x, |lag| panel.y(&scale, lag)) {
            frame.scene.line(path, 1.5, palette::of_node(*node));
        }
    }
    Some(frame.scene)
}
