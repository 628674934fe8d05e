//! Faults made of others.

mod among;
pub(crate) mod random;
pub(crate) mod swarm;
pub(crate) mod swizzle;
