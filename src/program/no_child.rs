//! Stand-in for systems without inherited descriptors: they cannot run programs, and a scenario
//! that needs one reports that.

use std::convert::Infallible;

use super::{Failure, ProgramSpec};

pub(super) struct Child(Infallible);

impl Child {
    pub(super) fn start(_spec: &ProgramSpec) -> Result<Child, Failure> {
        Err(Failure::NotStarted(
            "running programs as nodes needs a Unix system: Linux, macOS or a BSD".to_owned(),
        ))
    }

    pub(super) fn converse(&mut self, _turn: &[u8]) -> Result<&[u8], Failure> {
        match self.0 {}
    }

    pub(super) fn printed(&mut self) -> String {
        match self.0 {}
    }
}

/// Without programs there are no addresses to fix.
pub fn fix_addresses() -> bool {
    false
}
