//! What the reader of scenarios must know of a system.

use super::types::Scenario;
use crate::system_names::SystemNames;

/// A system as the reader of scenarios knows it.
#[derive(Clone, Debug)]
pub struct KnownSystem {
    /// What a scenario can name of it.
    pub names: SystemNames,
    /// What it refuses of a scenario that reads well otherwise.
    pub complaints: fn(&Scenario) -> Vec<Complaint>,
}

/// Why a system cannot run a scenario that otherwise reads well: an ensemble of two, sensors
/// without a web tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The key to point at, by its path: `nodes.count`, `audio.song`. If the file lacks it, the
    /// nearest table above it is shown.
    pub key: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What was found there, for the caret.
    pub found: String,
    /// What to do.
    pub hint: String,
}
