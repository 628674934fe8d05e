//! Plots: pure functions from a trace to a drawing.
//!
//! Each plot turns a trace into a [`scene`]: a list of shapes in page coordinates, which `render` draws twice through `plotters`, as SVG and
//! as PNG. `frame` gives every plot the same dress: title, legend, named faults, axes. Axes and ticks are our own because those of
//! `plotters` take logarithms from the system's libm, and the bytes of a plot have to be the same on every machine.
//!
//! Architecture invariant: a plot draws any trace, however damaged, without a panic, in bounded time and size; where there is nothing to
//! draw it gives `None`.

mod axis;
mod clock_offsets;
mod faults;
mod font;
mod frame;
mod kinds;
mod latency;
mod messages;
mod palette;
mod render;
mod replication;
mod replication_lag;
mod roles;
mod scene;
mod space_time;
mod throughput;
mod timeline;
mod zookeeper;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use crate::trace::Trace;

pub use clock_offsets::CLOCK_OFFSETS;
pub use latency::LATENCY;
pub use messages::MESSAGES;
pub use replication::{PROMOTIONS, REPLICATION_PLOTS, STALENESS, WRITE_PATH};
pub use replication_lag::REPLICATION_LAG;
pub use roles::ROLES;
pub use space_time::SPACE_TIME;
pub use throughput::THROUGHPUT;
pub use zookeeper::{ZK_LEADERS, ZK_MEANS, ZK_SESSIONS, ZK_ZXID_LAG};

/// A plot.
pub struct Plot {
    /// Its name, and the file name of what it draws.
    pub name: &'static str,
    /// What it shows, in a sentence.
    pub summary: &'static str,
    /// Draws; `None` where the trace has nothing for it.
    pub draw: fn(&Trace) -> Option<Drawing>,
}

/// A finished drawing: the same picture twice.
pub struct Drawing {
    /// Scalable, with text as text.
    pub svg: String,
    /// Pixels, PNG encoded.
    pub png: Vec<u8>,
}

/// All plots, in the order of a report.
pub static PLOTS: &[&Plot] = &[
    &LATENCY,
    &THROUGHPUT,
    &ROLES,
    &REPLICATION_LAG,
    &SPACE_TIME,
    &MESSAGES,
    &CLOCK_OFFSETS,
    &ZK_LEADERS,
    &ZK_SESSIONS,
    &ZK_MEANS,
    &ZK_ZXID_LAG,
    &PROMOTIONS,
    &WRITE_PATH,
    &STALENESS,
];

/// The plots that make sense for Raft: all of them.
pub static RAFT_PLOTS: &[&Plot] = &[&LATENCY, &THROUGHPUT, &ROLES, &REPLICATION_LAG, &SPACE_TIME, &MESSAGES, &CLOCK_OFFSETS];

/// The plots that make sense for the coordination service and its application.
pub static ZOOKEEPER_PLOTS: &[&Plot] =
    &[&ZK_LEADERS, &ZK_MEANS, &ZK_SESSIONS, &ZK_ZXID_LAG, &LATENCY, &THROUGHPUT, &SPACE_TIME, &MESSAGES, &CLOCK_OFFSETS];
