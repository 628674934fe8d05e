//! Plots: pure functions from a trace to a drawing.
//!
//! Each plot turns a trace into a [`scene`]: a list of shapes in page coordinates, which `render`
//! draws twice through `plotters`, as SVG and as PNG. `frame` gives every plot the same dress:
//! title, legend, named faults, axes. Axes and ticks are our own because those of `plotters` take
//! logarithms from the system's libm, and the bytes of a plot have to be the same on every machine.
//!
//! Architecture invariant: a plot draws any trace, however damaged, without a panic, in bounded
//! time and size; where there is nothing to draw it gives `None`.

pub(crate) mod axis;
pub(crate) mod bars;
pub(crate) mod clock_offsets;
pub(crate) mod distribution;
pub(crate) mod faults;
pub(crate) mod font;
pub(crate) mod frame;
pub(crate) mod kinds;
pub(crate) mod latency;
pub(crate) mod levels;
pub(crate) mod messages;
pub(crate) mod palette;
pub(crate) mod render;
pub(crate) mod replication_lag;
pub(crate) mod roles;
pub(crate) mod scene;
pub(crate) mod space_time;
pub(crate) mod throughput;
pub(crate) mod timeline;

#[cfg(test)]
pub(crate) mod sample;

use crate::trace::Trace;

pub use bars::{Bars, bars};
pub use clock_offsets::CLOCK_OFFSETS;
pub use distribution::{Series, distribution};
pub use latency::LATENCY;
pub use messages::MESSAGES;
pub use replication_lag::REPLICATION_LAG;
pub use roles::ROLES;
pub use space_time::{SPACE_TIME, space_time_around};
pub use throughput::THROUGHPUT;

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
