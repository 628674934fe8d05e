//! Plots: pure functions from a trace to a drawing.
//!
//! Each plot turns a trace into a [`scene`]: a list of shapes in page coordinates, which `render`
//! draws twice through `plotters`, as SVG and as PNG. `frame` gives every plot the same dress:
//! title, legend, named faults, axes. Axes and ticks are our own because those of `plotters` take
//! logarithms from the system's libm, and the bytes of a plot have to be the same on every machine.
//!
//! Architecture invariant: a plot draws any trace, however damaged, without a panic, in bounded
//! time and size; where there is nothing to draw it gives `None`.

mod audio_buffer;
mod audio_playout;
mod audio_waveform;
mod axis;
mod bars;
mod clock_offsets;
mod clock_rounds;
mod distribution;
mod error_over_delay;
mod faults;
mod font;
mod frame;
mod kinds;
mod latency;
mod levels;
mod library;
mod messages;
mod p2p;
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
mod audio_tests;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use crate::trace::Trace;

pub use audio_buffer::AUDIO_BUFFER;
pub use audio_playout::AUDIO_PLAYOUT;
pub use audio_waveform::AUDIO_WAVEFORM;
pub use bars::{Bars, bars};
pub use clock_offsets::CLOCK_OFFSETS;
pub use clock_rounds::CLOCK_ROUNDS;
pub use distribution::{Series, distribution};
pub use error_over_delay::ERROR_OVER_DELAY;
pub use latency::LATENCY;
pub use library::LIBRARY;
pub use messages::MESSAGES;
pub use p2p::{P2P_LOG_LAG, P2P_PRESENCE, P2P_STATUSES, P2P_TRANSFERS};
pub use replication::{PROMOTIONS, REPLICATION_PLOTS, STALENESS, WRITE_PATH};
pub use replication_lag::REPLICATION_LAG;
pub use roles::ROLES;
pub use space_time::{SPACE_TIME, space_time_around};
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
    &P2P_PRESENCE,
    &P2P_TRANSFERS,
    &P2P_STATUSES,
    &P2P_LOG_LAG,
    &CLOCK_ROUNDS,
    &ERROR_OVER_DELAY,
    &LIBRARY,
    &AUDIO_PLAYOUT,
    &AUDIO_BUFFER,
    &AUDIO_WAVEFORM,
    &PROMOTIONS,
    &WRITE_PATH,
    &STALENESS,
    &ZK_LEADERS,
    &ZK_SESSIONS,
    &ZK_MEANS,
    &ZK_ZXID_LAG,
];

/// The plots that make sense for Raft.
pub static RAFT_PLOTS: &[&Plot] =
    &[&LATENCY, &THROUGHPUT, &ROLES, &REPLICATION_LAG, &SPACE_TIME, &MESSAGES, &CLOCK_OFFSETS];

/// The plots that make sense for `p2p`.
pub static P2P_PLOTS: &[&Plot] = &[
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

/// The plots that make sense for `cristian`.
pub static CRISTIAN_PLOTS: &[&Plot] =
    &[&CLOCK_ROUNDS, &ERROR_OVER_DELAY, &LIBRARY, &LATENCY, &THROUGHPUT, &MESSAGES, &CLOCK_OFFSETS];

/// The plots that make sense for `audio`.
pub static AUDIO_PLOTS: &[&Plot] = &[
    &AUDIO_PLAYOUT,
    &AUDIO_BUFFER,
    &AUDIO_WAVEFORM,
    &ROLES,
    &REPLICATION_LAG,
    &SPACE_TIME,
    &MESSAGES,
    &CLOCK_OFFSETS,
];

/// The plots that make sense for `zookeeper`.
pub static ZOOKEEPER_PLOTS: &[&Plot] = &[
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
