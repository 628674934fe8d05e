//! The plots of replication: who leads and how long nobody does, how old what is read is, and what
//! a write waits for.

pub(crate) mod promotions;
pub(crate) mod staleness;
pub(crate) mod write_path;

#[cfg(test)]
mod tests;

pub use promotions::PROMOTIONS;
pub use staleness::STALENESS;
pub use write_path::WRITE_PATH;

use crate::plots::{
    CLOCK_OFFSETS, LATENCY, MESSAGES, Plot, REPLICATION_LAG, SPACE_TIME, THROUGHPUT,
};

/// The plots that make sense for this system, in the order of a report.
pub static PLOTS: &[&Plot] = &[
    &LATENCY,
    &THROUGHPUT,
    &PROMOTIONS,
    &WRITE_PATH,
    &REPLICATION_LAG,
    &STALENESS,
    &SPACE_TIME,
    &MESSAGES,
    &CLOCK_OFFSETS,
];

use crate::trace::{NodeId, Trace};

/// The replicas, in the scenario's order.
fn replicas(trace: &Trace) -> Vec<NodeId> {
    trace.with_role("replica").collect()
}

/// When each record became final, by its number: the time of the first leader that said so.
fn finals(trace: &Trace) -> Vec<u64> {
    /// A log longer than this is no log of a run that ends.
    const LEN_MAX: i64 = 1_000_000;
    let mut finals = Vec::new();
    for event in trace.events.iter().filter(|event| event.name == "final") {
        let len = event.fields.int("seq").unwrap_or(0).clamp(0, LEN_MAX) as usize;
        if len > finals.len() {
            finals.resize(len, event.time_us);
        }
    }
    finals
}

/// So many marks show where the points are; more are only slow to draw.
const MARKS_MAX: usize = 3_000;

/// Every n-th point, so that there are not too many; the greatest always stay.
fn thinned<T: Copy>(points: Vec<T>, value: impl Fn(&T) -> u64) -> Vec<T> {
    if points.len() <= MARKS_MAX {
        return points;
    }
    let step = points.len().div_ceil(MARKS_MAX);
    points
        .chunks(step)
        .filter_map(|chunk| chunk.iter().max_by_key(|point| value(point)).copied())
        .collect()
}
