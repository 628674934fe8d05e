//! Plots: pure functions from a trace to a drawing.
//!
//! Each plot turns a trace into a [`scene`]: a list of shapes in page coordinates, which `render`
//! draws twice with `plotters`, as SVG and as PNG. `frame` gives every plot the same layout: title,
//! legend, named faults, axes. Axes and ticks are our own, because those of `plotters` use
//! logarithms from the system's libm, and the bytes of a plot must be the same on every machine.
//!
//! Architecture invariant: a plot draws any trace, however damaged, without a panic, in bounded
//! time and size; if there is nothing to draw it returns `None`.

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
    /// The drawing; `None` if the trace has nothing to show.
    pub draw: fn(&Trace) -> Option<Drawing>,
}

/// A finished drawing: the same picture twice.
pub struct Drawing {
    /// SVG, with text as text.
    pub svg: String,
    /// PNG.
    pub png: Vec<u8>,
}
