//! Faults of clocks. A wall clock that was bumped stays wrong until a `clock_reset`; drift and
//! freezing end with the fault.

pub(crate) mod bump;
pub(crate) mod drift;
pub(crate) mod freeze;
pub(crate) mod reset;
mod steps;
pub(crate) mod strobe;
