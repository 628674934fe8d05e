//! The plots of Raft.

use crate::plots::{
    CLOCK_OFFSETS, LATENCY, MESSAGES, Plot, REPLICATION_LAG, ROLES, SPACE_TIME, THROUGHPUT,
};

/// The plots that make sense for this system, in the order of a report.
pub static PLOTS: &[&Plot] =
    &[&LATENCY, &THROUGHPUT, &ROLES, &REPLICATION_LAG, &SPACE_TIME, &MESSAGES, &CLOCK_OFFSETS];
