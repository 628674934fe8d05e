//! The scenario: one TOML file decides, with a seed, all that happens. Here are its types; `read`
//! turns text into them, with every mistake at its place; `reader` is the machinery, which also
//! prints the reference.

mod catalog;
pub mod faults;
mod format;
mod input;
mod latency;
mod model;
mod program;
mod read;
pub(crate) mod reader;
pub(crate) mod reading;
pub mod reference;
mod section;
mod settings;
pub(crate) mod tree;
mod types;
mod units;
pub(crate) mod values;

pub use catalog::{TESTBED_EVENTS, TESTBED_METRICS};
pub use faults::{
    Amount, Condition, Direction, Fault, NemesisEntry, PartitionShape, Repeat, Span, TargetSpec,
    When,
};
pub use format::FORMAT;
pub use input::{INPUT_BYTES_MAX, INPUTS_FOLDER, Input};
pub use latency::Latency;
pub(crate) use latency::Sampler;
pub use program::*;
pub use read::{SCENARIO_BYTES_MAX, name_of, read_file, read_text, read_text_with, scenario_files};
pub use reader::{BadLine, Section};
pub use reading::KeyInfo;
pub use settings::{Choice, Settings};
pub use types::*;
pub(crate) use units::parse_duration;
pub use units::{Length, show_duration};
