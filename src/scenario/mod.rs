//! The scenario: one TOML file decides, with a seed, all that happens. Here are its types; `read`
//! turns text into them, with every mistake at its place, by means of [`crate::language`].

mod catalog;
pub mod faults;
mod format;
mod model;
mod program;
mod read;
pub mod reference;
mod types;

pub use catalog::{TESTBED_EVENTS, TESTBED_METRICS};
pub use faults::{
    Condition, Direction, Fault, NemesisEntry, PartitionShape, Repeat, TargetSpec, When,
};
pub use format::FORMAT;
pub use program::*;
pub use read::{SCENARIO_BYTES_MAX, name_of, read_file, read_text, read_text_with, scenario_files};
pub use types::*;

pub(crate) use crate::language::parse_duration;
pub use crate::language::{
    Amount, BadLine, Choice, INPUT_BYTES_MAX, INPUTS_FOLDER, Input, KeyInfo, Latency, Length,
    Section, Settings, Span, show_duration,
};
