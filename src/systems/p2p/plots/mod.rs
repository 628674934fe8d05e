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
use crate::trace::{Event, Trace};

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

/// The height of a lane if the page has this many.
fn lane_height(lanes: usize) -> f64 {
    (360.0 / lanes.max(1) as f64).clamp(11.0, 34.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::p2p::vocabulary::{
        DateText, Executed, FetchBegun, Fetched, Logged, Offered, Offline, OfflineReason, Online,
        Service, TransferOutcome, word,
    };
    use crate::trace::{Fields, NodeId, NodeInfo, Op, OpType};
    use crate::vocabulary::Digest64;

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
        fn event<E: crate::vocabulary::Event>(trace: &mut Trace, time_us: u64, node: u32, told: E) {
            let fields = Fields::new(E::FIELDS, &told.values());
            bare(trace, time_us, node, E::NAME, fields);
        }
        fn bare(trace: &mut Trace, time_us: u64, node: u32, name: &'static str, fields: Fields) {
            let (index, node) = (trace.events.len() as u64, NodeId(node));
            let name = name.into();
            trace.events.push(Event { index, time_us, node, incarnation: 1, name, fields });
        }
        let (alice, from, digest) = (word("alice"), Some(NodeId(0)), Digest64(0));
        let (date, song) = (DateText(String::new()), word("song"));
        let executed = Executed {
            sequence: 1,
            origin: NodeId(0),
            operation: Service::Connect,
            status: 0,
            date: date.clone(),
            user: alice.clone(),
            argument: word(""),
        };
        let logged = Logged {
            sequence: 1,
            operation: word("connect"),
            date,
            user: alice.clone(),
            file: word(""),
        };
        let fetch =
            FetchBegun { from, port: 7, attempt: 1, file: song.clone(), name: song.clone() };
        let fetched = Fetched {
            from,
            outcome: TransferOutcome::Broken,
            bytes: 5,
            digest,
            file: song.clone(),
            name: song,
        };
        event(&mut trace, 1_000_000, 2, executed);
        event(&mut trace, 1_000_000, 2, Online { host: from, port: 7, user: alice.clone() });
        event(&mut trace, 1_004_000, 3, logged);
        event(&mut trace, 2_000_000, 2, Offered { files: 2, user: alice.clone() });
        event(&mut trace, 3_000_000, 1, fetch);
        event(&mut trace, 3_500_000, 1, fetched);
        bare(&mut trace, 4_000_000, 0, "crash", Fields::default());
        let reason = OfflineReason::Expired;
        event(&mut trace, 6_000_000, 2, Offline { reason, user: alice });
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
