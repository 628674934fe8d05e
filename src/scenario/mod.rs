//! The scenario: one TOML file decides, with a seed, all that happens. Here are its types; `read`
//! turns text into them, with every mistake at its place, by means of [`crate::language`].

mod catalog;
mod format;
mod known;
mod model;
mod nemesis;
mod program;
mod read;
pub mod reference;
mod types;

pub use catalog::{TESTBED_EVENTS, TESTBED_METRICS};
pub use format::FORMAT;
pub use known::{Complaint, KnownSystem};
pub use nemesis::{Condition, NemesisEntry, Repeat, When};
pub use program::*;
pub use read::{SCENARIO_BYTES_MAX, name_of, read_file, read_text, scenario_files};
pub use types::*;

pub use crate::faults::{Direction, FaultSpec, PartitionShape, TargetSpec};
pub(crate) use crate::language::parse_duration;
pub use crate::language::{
    Amount, BadLine, Choice, INPUT_BYTES_MAX, INPUTS_FOLDER, Input, KeyInfo, Latency, Length,
    Section, Settings, Span, show_duration,
};
