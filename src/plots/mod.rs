//! Plots: pure functions from a trace to a drawing.

use crate::trace::Trace;

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
