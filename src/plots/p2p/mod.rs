//! The plots of file sharing.

mod log_lag;
mod presence;
mod statuses;
mod transfers;

pub use log_lag::P2P_LOG_LAG;
pub use presence::P2P_PRESENCE;
pub use statuses::P2P_STATUSES;
pub use transfers::P2P_TRANSFERS;

use crate::trace::{Event, Trace};

/// Lanes that a page has room for.
const LANES_MAX: usize = 48;

/// The events of these names whose nodes the trace declares, in the order of time.
fn events<'a>(trace: &'a Trace, names: &[&str]) -> Vec<&'a Event> {
    let nodes = trace.nodes.len();
    let mut found: Vec<&Event> = trace.events.iter().filter(|event| event.node.index() < nodes && names.contains(&&*event.name)).collect();
    found.sort_by_key(|event| event.time_us);
    found
}

/// The height of a lane, where so many have to find room.
fn lane_height(lanes: usize) -> f64 {
    (360.0 / lanes.max(1) as f64).clamp(9.0, 34.0)
}
