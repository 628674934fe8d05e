//! How far the nodes' logs lag behind the leader's.

use crate::trace::{NodeId, Trace, Value};

use super::Plot;
use super::axis::Scale;
use super::frame::{LINES_MAX, Sketch, node_legend, not_shown};
use super::palette;
use super::scene::Scene;
use super::timeline::{Presence, members, presence, steps};

/// Replication lag over time.
pub static REPLICATION_LAG: Plot = Plot {
    name: "replication_lag",
    summary: "The leader's last index minus each node's last index and commit index; a gap while \
        nobody leads",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Columns of the picture; each shows the largest lag in its time.
const COLUMNS: u64 = 270;

/// The state of a node at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    leads: bool,
    away: bool,
    term: i64,
    last_index: Option<i64>,
    commit_index: Option<i64>,
}

/// The largest lags of one node in each column: of the log and of the commit index.
type Lags = [Vec<Option<i64>>; 2];

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let mut nodes = members(trace);
    let window = Sketch::whole(trace);
    let mut lags = lags(trace, &nodes, window.1.max(1))?;
    // Coordinators, listeners and other nodes without a log.
    let has_log: Vec<bool> =
        lags.iter().map(|lags| lags.iter().flatten().any(Option::is_some)).collect();
    let mut kept = has_log.iter();
    nodes.retain(|_| kept.next().is_some_and(|has_log| *has_log));
    let mut kept = has_log.iter();
    lags.retain(|_| kept.next().is_some_and(|has_log| *has_log));
    let most =
        |which: usize| lags.iter().flat_map(|lags| lags[which].iter().flatten()).copied().max();
    most(0).or(most(1))?;
    let mut notes = vec![
        "Each point is the largest lag within its column of the picture. Gaps: nobody leads, \
            or the node is down."
            .to_owned(),
    ];
    notes.extend(not_shown(nodes.len().saturating_sub(LINES_MAX)));
    let legend = node_legend(trace, &nodes);
    let mut frame =
        Sketch { trace, title: "Replication lag", window, legend, panels: &[190.0, 190.0], notes }
            .frame();
    for (which, name) in ["log lag (entries)", "commit lag (entries)"].into_iter().enumerate() {
        let high = most(which).unwrap_or(0).max(1) as f64;
        let scale =
            if high > 30.0 { Scale::log_from_zero(high) } else { Scale::linear(0.0, high, 5) };
        frame.y_axis(which, &scale, name);
        let (panel, time) = (frame.panels[which], frame.time);
        let x = |column: u64| time.left + (time.right - time.left) * column as f64 / COLUMNS as f64;
        for (node, lags) in nodes.iter().zip(&lags).take(LINES_MAX) {
            let mut changes: Vec<(u64, Option<f64>)> =
                (0..).zip(&lags[which]).map(|(i, lag)| (i, lag.map(|lag| lag as f64))).collect();
            changes.dedup_by(|next, kept| next.1 == kept.1);
            for path in steps(&changes, x(COLUMNS), x, |lag| panel.y(&scale, lag)) {
                frame.scene.line(path, 1.5, palette::of_node(*node));
            }
        }
    }
    Some(frame.scene)
}

/// Go through the metrics once, and record the largest lag of each node in each column. `None` if
/// no node reports a log.
fn lags(trace: &Trace, nodes: &[NodeId], end: u64) -> Option<Vec<Lags>> {
    enum Change<'a> {
        Metric(&'a str, &'a Value),
        Presence(Presence),
    }
    let position: Vec<Option<usize>> =
        (0..trace.nodes.len()).map(|i| nodes.iter().position(|node| node.index() == i)).collect();
    let wanted = ["role", "current_term", "last_index", "commit_index"];
    let of_node = |node: NodeId| position.get(node.index()).copied().flatten();
    let mut changes: Vec<(u64, usize, Change<'_>)> = Vec::new();
    for metric in trace.metrics.iter().filter(|metric| wanted.contains(&metric.name.as_ref())) {
        if let Some(node) = of_node(metric.node) {
            changes.push((metric.time_us, node, Change::Metric(&metric.name, &metric.value)));
        }
    }
    if !changes
        .iter()
        .any(|(_, _, change)| matches!(change, Change::Metric("last_index" | "commit_index", _)))
    {
        return None;
    }
    for (node, list) in presence(trace) {
        if let Some(node) = of_node(node) {
            changes.extend(
                list.into_iter().map(|(time, presence)| (time, node, Change::Presence(presence))),
            );
        }
    }
    changes.sort_by_key(|(time, ..)| *time);

    let mut known = vec![Known::default(); nodes.len()];
    let mut lags: Vec<Lags> =
        vec![[vec![None; COLUMNS as usize], vec![None; COLUMNS as usize]]; nodes.len()];
    let mut leader: Option<usize> = None;
    let mut column = 0_usize;
    for (time, node, change) in changes {
        let now = ((u128::from(time.min(end)) * u128::from(COLUMNS) / u128::from(end)) as usize)
            .min(COLUMNS as usize - 1);
        // The state at the start of a column counts in it too.
        while column < now {
            column += 1;
            note_all(&mut lags, column, &known, leader);
        }
        let state = &mut known[node];
        match change {
            Change::Metric("last_index", value) => state.last_index = value.int(),
            Change::Metric("commit_index", value) => state.commit_index = value.int(),
            Change::Metric("current_term", value) => state.term = value.int().unwrap_or(0),
            Change::Metric(_, value) => {
                state.leads = matches!(value, Value::Text(role) if role == "leader")
            }
            Change::Presence(presence) => {
                state.away = presence == Presence::Down;
                // A stopped process does not lead; when it is back it reports its role again.
                state.leads &= !state.away;
            }
        }
        let leading = (0..known.len()).filter(|i| known[*i].leads).max_by_key(|i| known[*i].term);
        if leading != leader || Some(node) == leader {
            leader = leading;
            note_all(&mut lags, column, &known, leader);
        } else {
            note(&mut lags[node], column, &known[node], leader.map(|leader| &known[leader]));
        }
    }
    while column + 1 < COLUMNS as usize {
        column += 1;
        note_all(&mut lags, column, &known, leader);
    }
    Some(lags)
}

fn note_all(lags: &mut [Lags], column: usize, known: &[Known], leader: Option<usize>) {
    for (lags, state) in lags.iter_mut().zip(known) {
        note(lags, column, state, leader.map(|leader| &known[leader]));
    }
}

fn note(lags: &mut Lags, column: usize, state: &Known, leader: Option<&Known>) {
    let Some(last_index) = leader.and_then(|leader| leader.last_index) else { return };
    if state.away {
        return;
    }
    for (lags, index) in lags.iter_mut().zip([state.last_index, state.commit_index]) {
        // A deposed leader's log may be longer than the new leader's: its lag is zero.
        let lag = index.map(|index| last_index.saturating_sub(index).max(0));
        lags[column] = lags[column].max(lag);
    }
}
