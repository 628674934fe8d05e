//! What several benches measure by.

#![allow(dead_code)]

use std::time::Duration;

/// User and system time of this process, all threads; zero where the system does not tell.
pub fn processor_time() -> Duration {
    ticks(11) + ticks(12)
}

/// User and system time of the processes that this one has started and waited for, with all that
/// those have waited for; zero where the system does not tell.
pub fn processor_time_of_children() -> Duration {
    ticks(13) + ticks(14)
}

/// A time of `/proc/self/stat`, counted from the state of the process.
fn ticks(field: usize) -> Duration {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return Duration::ZERO };
    let ticks = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(field)?.parse::<u64>().ok());
    Duration::from_millis(ticks.unwrap_or(0) * 10)
}
