//! The plots of file sharing.

pub(crate) mod log_lag;
pub(crate) mod presence;
pub(crate) mod statuses;
pub(crate) mod transfers;

pub use log_lag::P2P_LOG_LAG;
pub use presence::P2P_PRESENCE;
pub use statuses::P2P_STATUSES;
pub use transfers::P2P_TRANSFERS;

use crate::plots::{CLOCK_OFFSETS, LATENCY, MESSAGES, Plot, SPACE_TIME, THROUGHPUT};

/// The plots that make sense for this system, in the order of a report.
pub static PLOTS: &[&Plot] = &[
    &P2P_PRESENCE,
    &P2P_TRANSFERS,
    &P2P_STATUSES,
    &P2P_LOG_LAG,
    &LATENCY,
    &THROUGHPUT,
    &SPACE_TIME,
    &MESSAGES,
    &CLOCK_OFFSETS,
];

use crate::trace::{Event, Trace};

/// Lanes that a page has room for.
const LANES_MAX: usize = 48;

/// The events of these names whose nodes the trace declares, in the order of time.
fn events<'a>(trace: &'a Trace, names: &[&str]) -> Vec<&'a Event> {
    let nodes = trace.nodes.len();
    let mut found: Vec<&Event> = trace
        .events
        .iter()
        .filter(|event| event.node.index() < nodes && names.contains(&&*event.name))
        .collect();
    found.sort_by_key(|event| event.time_us);
    found
}

/// The height of a lane, where so many have to find room.
fn lane_height(lanes: usize) -> f64 {
    (360.0 / lanes.max(1) as f64).clamp(11.0, 34.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Fields, NodeId, NodeInfo, Op, OpType, Value};

    fn small() -> Trace {
        let node =
            |name: &str, role: &'static str| NodeInfo { name: name.to_owned(), role: role.into() };
        let nodes = vec![
            node("p1", "peer"),
            node("p2", "peer"),
            node("dir", "directory"),
            node("log", "logger"),
            node("c1", "client"),
        ];
        let mut trace =
            Trace { nodes, end_us: 10_000_000, duration_us: 8_000_000, ..Trace::default() };
        let text = |word: &'static str| Value::Text(word.into());
        let mut event = |time_us, node: u32, name: &'static str, fields: Fields| {
            let index = trace.events.len() as u64;
            trace.events.push(Event {
                index,
                time_us,
                node: NodeId(node),
                incarnation: 1,
                name: name.into(),
                fields,
            });
        };
        event(1_000_000, 2, "executed", Fields::new(&["sequence"], &[Value::Int(1)]));
        event(
            1_000_000,
            2,
            "online",
            Fields::new(&["host", "user"], &[Value::Node(NodeId(0)), text("alice")]),
        );
        event(1_004_000, 3, "logged", Fields::new(&["sequence"], &[Value::Int(1)]));
        event(
            2_000_000,
            2,
            "offered",
            Fields::new(&["files", "user"], &[Value::Int(2), text("alice")]),
        );
        event(3_000_000, 1, "fetch", Fields::default());
        event(3_500_000, 1, "fetched", Fields::new(&["outcome"], &[text("broken")]));
        event(4_000_000, 0, "crash", Fields::default());
        event(
            6_000_000,
            2,
            "offline",
            Fields::new(&["reason", "user"], &[text("expired"), text("alice")]),
        );
        for (index, op_type, value) in [(0, OpType::Invoke, "alice"), (1, OpType::Ok, "alice -> 0")]
        {
            let (process, f) = ("c1".into(), "register".into());
            trace.history.push(Op {
                index,
                time_us: 900_000,
                process,
                op_type,
                f,
                value: value.into(),
                error: "".into(),
            });
        }
        trace
    }

    /// Each plot has something to show of a run in which a user came, published and was lost, and
    /// nothing of a run without any.
    #[test]
    fn every_plot_draws_a_small_run() {
        for plot in [&P2P_PRESENCE, &P2P_TRANSFERS, &P2P_STATUSES, &P2P_LOG_LAG] {
            let drawing =
                (plot.draw)(&small()).unwrap_or_else(|| panic!("{} draws nothing", plot.name));
            assert!(
                drawing.svg.starts_with("<svg ") && drawing.png.starts_with(b"\x89PNG"),
                "{}",
                plot.name
            );
            assert!((plot.draw)(&Trace::default()).is_none(), "{}", plot.name);
        }
    }
}
