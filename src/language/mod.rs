//! The reader of TOML files that people write: scenarios and assignments.
//!
//! A file is parsed into a tree in which every key and value knows its place ([`tree`]). Each call
//! of a [`Section`] takes one key, and does three things with it: it reads the value, or notes what
//! is wrong with it at its place; it writes the value, defaults filled in, into the resolved text;
//! and where the reference is wanted it describes the key. So the reader, the resolved scenario and
//! the documentation cannot differ.
//!
//! This module knows no system, no fault and no check: only how values are written.

pub(crate) mod distributions;
mod input;
mod latency;
mod ranges;
pub(crate) mod reader;
pub(crate) mod reading;
pub(crate) mod section;
mod settings;
pub(crate) mod tree;
pub(crate) mod units;
pub(crate) mod values;

pub use input::{INPUT_BYTES_MAX, INPUTS_FOLDER, Input};
pub use latency::Latency;
pub(crate) use latency::Sampler;
pub use ranges::{Amount, Span};
pub use reader::{BadLine, Section};
pub use reading::KeyInfo;
pub use settings::{Choice, Settings};
pub(crate) use units::parse_duration;
pub use units::{Length, show_duration};
