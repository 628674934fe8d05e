//! Reading scenarios of the systems that this process knows.

use std::path::Path;

use super::System;
use crate::error::Error;
use crate::scenario::{self, KnownSystem, Scenario};

/// These systems as the reader of scenarios knows them.
pub fn known(systems: &[&System]) -> Vec<KnownSystem> {
    systems.iter().map(|system| system.known()).collect()
}

/// Read a scenario file. `overrides` are pairs of key path and value (`--set`), `defects` are
/// appended to the system's own.
pub fn read_file(
    path: &Path,
    overrides: &[(String, String)],
    defects: &[String],
) -> Result<Scenario, Error> {
    scenario::read_file(&known(super::all()), path, overrides, defects)
}

/// Read a scenario from its text. `name` is the scenario's own, `raft/leader-isolated`. A text has
/// no folder, so it can name no files.
pub fn read_text(
    name: &str,
    text: &str,
    overrides: &[(String, String)],
    defects: &[String],
) -> Result<Scenario, Error> {
    read_text_with(super::all(), name, text, overrides, defects)
}

/// Read a scenario of one of these systems, which need not be registered: for tests.
pub fn read_text_with(
    systems: &[&System],
    name: &str,
    text: &str,
    overrides: &[(String, String)],
    defects: &[String],
) -> Result<Scenario, Error> {
    scenario::read_text(&known(systems), name, text, overrides, defects)
}
