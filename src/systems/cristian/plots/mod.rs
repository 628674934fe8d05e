//! The pictures of clocks and of the library.

pub(crate) mod clock_rounds;
pub(crate) mod error_over_delay;
pub(crate) mod library;

pub use clock_rounds::CLOCK_ROUNDS;
pub use error_over_delay::ERROR_OVER_DELAY;
pub use library::LIBRARY;

use crate::plots::{CLOCK_OFFSETS, LATENCY, MESSAGES, Plot, THROUGHPUT};

/// The plots that make sense for this system, in the order of a report.
pub static PLOTS: &[&Plot] =
    &[&CLOCK_ROUNDS, &ERROR_OVER_DELAY, &LIBRARY, &LATENCY, &THROUGHPUT, &MESSAGES, &CLOCK_OFFSETS];
