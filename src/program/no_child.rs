//! Where there are no inherited descriptors, there are no programs, and a scenario that wants one
//! says so.

use std::convert::Infallible;

use super::{Fault, ProgramSpec};

pub(super) struct Child(Infallible);

impl Child {
    pub(super) fn start(_spec: &ProgramSpec) -> Result<Child, Fault> {
        Err(Fault::NotStarted(
            "programs in place of nodes need a Unix system: Linux, macOS or a BSD".to_owned(),
        ))
    }

    pub(super) fn converse(&mut self, _turn: &[u8]) -> Result<&[u8], Fault> {
        match self.0 {}
    }

    pub(super) fn printed(&mut self) -> String {
        match self.0 {}
    }
}

/// There are no programs whose addresses could be the same.
pub fn fix_addresses() -> bool {
    false
}
