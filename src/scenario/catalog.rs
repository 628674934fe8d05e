//! The metrics and events that the testbed itself records, which every scenario can name.

use crate::vocabulary::Shown;

/// What the metric `status` says.
pub const STATUSES: &[&str] = &["up", "down", "paused", "absent"];

/// The metrics that the testbed records for every node.
pub const TESTBED_METRICS: &[Shown] = &[
    Shown { name: "status", summary: "up, down, paused or absent" },
    Shown { name: "clock_offset_us", summary: "the wall clock minus true time, in microseconds" },
    Shown {
        name: "drift_ppm",
        summary: "how much too fast the oscillator runs, in parts per million",
    },
];

/// The events that the testbed records for every node.
pub const TESTBED_EVENTS: &[Shown] = &[
    Shown { name: "start", summary: "the process starts, for the first time or again" },
    Shown {
        name: "crash",
        summary: "the process ends; `reason` is kill, panic, disk, exit or stop",
    },
    Shown { name: "pause", summary: "the process is halted" },
    Shown { name: "resume", summary: "the process goes on after a pause" },
    Shown { name: "command", summary: "the node was asked for something outside the protocol" },
];
