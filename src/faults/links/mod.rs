//! Faults of links: rules that are in force for a while.

pub(crate) mod bandwidth;
pub(crate) mod corrupt;
pub(crate) mod duplicate;
pub(crate) mod flap;
pub(crate) mod latency;
pub(crate) mod loss;
pub(crate) mod messages;
pub(crate) mod partition;
pub(crate) mod reorder;
mod rules;
mod shape_keys;
