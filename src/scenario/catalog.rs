//! What can be named in a scenario besides what systems declare: how the entry of each fault is
//! written (what it does is in `nemesis`), and the metrics and events that the testbed itself
//! records.

use crate::vocabulary::Shown;

/// Whom a fault can hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hits {
    /// Nodes.
    Nodes,
    /// Nodes and clients: links and clocks, which clients have too.
    Participants,
    /// Messages by type, source and destination, or all of the targets.
    Messages,
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// As long as the entry's `duration`, and until the end of the load where it gives none.
    Duration,
    /// As long as its own `down`.
    Down,
    /// It happens and is over.
    Instant,
}

/// How an entry with this fault is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultGrammar {
    /// One of [`crate::nemesis::FAULTS`].
    pub(crate) name: &'static str,
    pub(crate) hits: Hits,
    pub(crate) lasting: Lasting,
    /// Whom it hits where the entry names nobody.
    pub(crate) targets: &'static str,
}

macro_rules! grammar {
    ($($hits:ident $lasting:ident $targets:literal: $($name:literal)+;)+) => {
        &[$($(FaultGrammar { name: $name, hits: Hits::$hits, lasting: Lasting::$lasting, targets: $targets },)+)+]
    };
}

/// The grammar of every fault.
const GRAMMAR: &[FaultGrammar] = grammar! {
    Participants Duration "one": "partition" "flap";
    Participants Duration "all": "latency" "loss" "duplicate" "reorder" "corrupt" "bandwidth";
    Messages Duration "all": "hold" "drop" "delay";
    Nodes Duration "one": "kill" "pause" "slow" "stop" "leave" "disk_full" "disk_error" "disk_slow" "disk_stall" "stale_restore";
    Nodes Down "one": "restart" "wipe" "disk_loss" "torn_write";
    Nodes Instant "one": "command" "join" "bitflip" "truncate";
    Participants Duration "one": "clock_drift" "clock_strobe" "clock_freeze";
    Participants Instant "one": "clock_bump";
    Participants Instant "all": "clock_reset";
    Nodes Duration "one": "random" "swarm";
    Nodes Duration "all": "swizzle";
};

/// The grammar of the fault of this name.
pub(crate) fn grammar(fault: &str) -> Option<&'static FaultGrammar> {
    GRAMMAR.iter().find(|grammar| grammar.name == fault)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_grammar() {
        // A fault without one could not be written in a scenario, and a grammar without a fault
        // would be offered by a hint.
        let mut faults: Vec<&str> = crate::nemesis::FAULTS.iter().map(|info| info.name).collect();
        let mut grammars: Vec<&str> = GRAMMAR.iter().map(|grammar| grammar.name).collect();
        faults.sort_unstable();
        grammars.sort_unstable();
        assert_eq!(faults, grammars);
    }
}
