//! Faults of processes: ended, paused, slowed, joining, leaving, asked for something.

pub(crate) mod command;
pub(crate) mod kill;
pub(crate) mod membership;
pub(crate) mod pause;
pub(crate) mod restart;
pub(crate) mod slow;
pub(crate) mod stop;
pub(crate) mod wipe;
