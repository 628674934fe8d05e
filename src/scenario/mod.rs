//! The scenario: one TOML file decides, with a seed, all that happens. Here are its types; `read` turns text into them, with every
//! mistake at its place; `reader` is the machinery, which also prints the reference.

pub mod faults;
mod reader;
mod types;

pub use faults::{Amount, Condition, Direction, Fault, NemesisEntry, PartitionShape, Repeat, Span, TargetSpec, When};
pub use reader::Section;
pub use types::*;

/// SHIM
pub fn read_file(path: &std::path::Path, overrides: &[(String, String)], defects: &[String]) -> Result<Scenario, crate::error::Error> {
    let _ = (path, overrides, defects);
    Err(crate::error::Error::new("SHIM"))
}
