//! The pictures of the coordination service and its application.

pub(crate) mod leaders;
pub(crate) mod means;
pub(crate) mod sessions;
pub(crate) mod zxid_lag;

pub use leaders::ZK_LEADERS;
pub use means::ZK_MEANS;
pub use sessions::ZK_SESSIONS;
pub use zxid_lag::ZK_ZXID_LAG;

use crate::plots::{CLOCK_OFFSETS, LATENCY, MESSAGES, Plot, SPACE_TIME, THROUGHPUT};
use crate::trace::{self, Trace};
use crate::vocabulary::Event;

/// The plots that make sense for this system, in the order of a report.
pub static PLOTS: &[&Plot] = &[
    &ZK_LEADERS,
    &ZK_MEANS,
    &ZK_SESSIONS,
    &ZK_ZXID_LAG,
    &LATENCY,
    &THROUGHPUT,
    &SPACE_TIME,
    &MESSAGES,
    &CLOCK_OFFSETS,
];

/// The events of one kind, decoded.
fn told<E: Event>(trace: &Trace) -> impl Iterator<Item = (&trace::Event, E)> {
    let named = trace.events.iter().filter(|event| event.name == E::NAME);
    named.filter_map(|event| Some((event, E::read(&event.fields)?)))
}
