//! How values of nodes went on over time: metrics and states as lists of changes, and lines made of
//! them.

use std::collections::BTreeMap;

use crate::trace::{NodeId, Trace, Value};

/// Changes of something, in order of time.
pub(crate) type Changes<T> = Vec<(u64, T)>;

/// How a node was, as far as its process goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Up,
    Paused,
    Down,
}

/// The nodes of the system, without clients, in the scenario's order.
pub(crate) fn members(trace: &Trace) -> Vec<NodeId> {
    let ids = (0_u32..).map(NodeId);
    trace
        .nodes
        .iter()
        .zip(ids)
        .filter(|(info, _)| info.role != "client")
        .map(|(_, id)| id)
        .collect()
}

/// When the run ends; for a trace that does not say, when its last record was made.
pub(crate) fn end_us(trace: &Trace) -> u64 {
    if trace.end_us > 0 {
        return trace.end_us;
    }
    let history = trace.history.iter().map(|op| op.time_us);
    let events = trace.events.iter().map(|event| event.time_us);
    let metrics = trace.metrics.iter().map(|metric| metric.time_us);
    let messages = trace.messages.iter().map(|message| message.recv_us.unwrap_or(message.sent_us));
    history.chain(events).chain(metrics).chain(messages).max().unwrap_or(0)
}

/// The changes of one metric, by node; `read` takes the value out, and what it does not know is
/// left out.
fn metric<'a, T>(
    trace: &'a Trace,
    name: &str,
    read: impl Fn(&'a Value) -> Option<T>,
) -> BTreeMap<NodeId, Changes<T>> {
    let mut changes: BTreeMap<NodeId, Changes<T>> = BTreeMap::new();
    for metric in trace
        .metrics
        .iter()
        .filter(|metric| metric.name == name && metric.node.index() < trace.nodes.len())
    {
        if let Some(value) = read(&metric.value) {
            changes.entry(metric.node).or_default().push((metric.time_us, value));
        }
    }
    // A trace read from a file that somebody has edited may be out of order; sorting a sorted list
    // costs nothing.
    for list in changes.values_mut() {
        list.sort_by_key(|(time, _)| *time);
    }
    changes
}

/// The changes of a metric that is a number.
pub(crate) fn ints(trace: &Trace, name: &str) -> BTreeMap<NodeId, Changes<i64>> {
    metric(trace, name, Value::int)
}

/// The changes of a metric that is a word.
pub(crate) fn words<'a>(trace: &'a Trace, name: &str) -> BTreeMap<NodeId, Changes<&'a str>> {
    metric(trace, name, |value| match value {
        Value::Text(text) => Some(text.as_ref()),
        _ => None,
    })
}

/// When each node was up, paused or down: from the testbed's events, and from its metric `status`
/// where there are no such events.
pub(crate) fn presence(trace: &Trace) -> BTreeMap<NodeId, Changes<Presence>> {
    let mut changes: BTreeMap<NodeId, Changes<Presence>> = BTreeMap::new();
    for event in trace.events.iter().filter(|event| event.node.index() < trace.nodes.len()) {
        let now = match event.name.as_ref() {
            "start" | "resume" => Presence::Up,
            "pause" => Presence::Paused,
            "crash" => Presence::Down,
            _ => continue,
        };
        changes.entry(event.node).or_default().push((event.time_us, now));
    }
    for (node, words) in words(trace, "status") {
        let read = |word: &str| match word {
            "up" => Presence::Up,
            "paused" => Presence::Paused,
            _ => Presence::Down,
        };
        changes
            .entry(node)
            .or_insert_with(|| words.iter().map(|(time, word)| (*time, read(word))).collect());
    }
    for list in changes.values_mut() {
        list.sort_by_key(|(time, _)| *time);
    }
    changes
}

/// The value at a time: that of the last change before or at it.
pub(crate) fn at<T: Copy>(changes: &[(u64, T)], time_us: u64) -> Option<T> {
    let after = changes.partition_point(|(time, _)| *time <= time_us);
    changes[..after].last().map(|(_, value)| *value)
}

/// A path without the points that nobody can see: of those in the same unit of width, only the
/// first, the lowest, the highest and the last stay. So a line has a bounded size, and each peak of
/// it remains.
pub(crate) fn thin(path: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut thinned: Vec<(f64, f64)> = Vec::new();
    let column = |point: &(f64, f64)| point.0.floor();
    for group in path.chunk_by(|a, b| column(a) == column(b)) {
        if group.len() <= 4 {
            thinned.extend_from_slice(group);
            continue;
        }
        let by_y = |a: &usize, b: &usize| group[*a].1.total_cmp(&group[*b].1);
        let indices = 0..group.len();
        let (low, high) =
            (indices.clone().min_by(by_y).unwrap_or(0), indices.max_by(by_y).unwrap_or(0));
        let mut kept = [0, low, high, group.len() - 1];
        kept.sort_unstable();
        thinned.extend(kept.map(|i| group[i]));
    }
    thinned.dedup();
    thinned
}

/// A value that holds until it changes, as a path of level and upright strokes to `end`; a gap
/// if there is none.
pub(crate) fn steps(
    changes: &[(u64, Option<f64>)],
    end: f64,
    x: impl Fn(u64) -> f64,
    y: impl Fn(f64) -> f64,
) -> Vec<Vec<(f64, f64)>> {
    let mut paths = Vec::new();
    let mut path: Vec<(f64, f64)> = Vec::new();
    let mut close = |path: &mut Vec<(f64, f64)>, x: f64| {
        if let Some(last) = path.last().copied() {
            path.push((x, last.1));
            paths.push(thin(path));
            path.clear();
        }
    };
    for (time, value) in changes {
        let place = x(*time);
        match value {
            Some(value) => {
                if let Some(last) = path.last().copied() {
                    path.push((place, last.1));
                }
                path.push((place, y(*value)));
            }
            None => close(&mut path, place),
        }
    }
    close(&mut path, end);
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peak of one sample among ten thousand is what a reader looks for; thinning must not lose
    /// it.
    #[test]
    fn thinning_keeps_every_peak() {
        let path: Vec<(f64, f64)> = (0..10_000)
            .map(|i| (f64::from(i) / 100.0, if i == 4_321 { 9.0 } else { f64::from(i % 3) }))
            .collect();
        let thinned = thin(&path);
        assert!(thinned.len() < 450, "{} points", thinned.len());
        assert!(thinned.iter().any(|point| point.1 == 9.0));
    }

    /// A node that was down has no value meanwhile: the line has two parts, each level until the
    /// next change.
    #[test]
    fn a_gap_parts_a_line() {
        let changes = [(0, Some(1.0)), (10, Some(2.0)), (20, None), (30, Some(5.0))];
        let paths = steps(&changes, 40.0, |time| time as f64, |value| value);
        assert_eq!(
            paths,
            [
                vec![(0.0, 1.0), (10.0, 1.0), (10.0, 2.0), (20.0, 2.0)],
                vec![(30.0, 5.0), (40.0, 5.0)]
            ]
        );
    }

    /// A change is in force from its own moment on.
    #[test]
    fn a_value_holds_from_its_change() {
        assert_eq!(
            [0, 5, 7, 9].map(|time| at(&[(5, 'a'), (9, 'b')], time)),
            [None, Some('a'), Some('a'), Some('b')]
        );
    }
}
