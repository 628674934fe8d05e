//! What can be named in a scenario besides what systems declare: the faults, and the metrics and events that the testbed itself records.

use crate::systems::Shown;

/// What a fault hits, which decides whom it can target and what its entry can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultGroup {
    /// Links between participants, clients among them.
    Links,
    /// Messages, picked by type, source and destination.
    Messages,
    /// Processes.
    Processes,
    /// Clocks.
    Clocks,
    /// Disks.
    Disks,
    /// Other faults.
    Composed,
}

impl FaultGroup {
    /// The group's name in lists.
    pub fn name(self) -> &'static str {
        match self {
            FaultGroup::Links => "links",
            FaultGroup::Messages => "messages",
            FaultGroup::Processes => "processes",
            FaultGroup::Clocks => "clocks",
            FaultGroup::Disks => "disks",
            FaultGroup::Composed => "composed",
        }
    }
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// As long as the entry's `duration`, and until the end of the load where it gives none.
    Duration,
    /// As long as its own `down`.
    Down,
    /// It happens and is over.
    Instant,
}

/// A fault that a scenario can name.
#[derive(Clone, Copy, Debug)]
pub struct FaultInfo {
    /// Its name: `clock_bump`.
    pub name: &'static str,
    /// What it hits.
    pub group: FaultGroup,
    /// How long it lasts.
    pub lasting: Lasting,
    /// Whom it hits where the entry names nobody; empty: it takes no targets.
    pub targets: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The lines that such an entry has besides its time.
    pub example: &'static str,
}

macro_rules! faults {
    ($($name:literal $group:ident $lasting:ident $targets:literal: $summary:literal, $example:literal;)*) => {
        &[$(FaultInfo {
            name: $name,
            group: FaultGroup::$group,
            lasting: Lasting::$lasting,
            targets: $targets,
            summary: $summary,
            example: $example,
        }),*]
    };
}

/// All faults, in the order of the documentation.
pub const FAULTS: &[FaultInfo] = faults! {
    "partition" Links Duration "one": "Cuts links, so that nothing passes between some nodes and others.", "targets = \"leader\"";
    "flap" Links Duration "one": "A partition that comes and goes.", "targets = \"one\"\nup = \"300ms\"\ndown = \"300ms\"";
    "latency" Links Duration "all": "Other delays on the links of the targets.", "latency = [\"200ms\", \"400ms\"]";
    "loss" Links Duration "all": "Messages on the links of the targets are lost, singly or in bursts.", "loss = 0.3\nloss_correlation = 0.5";
    "duplicate" Links Duration "all": "Messages on the links of the targets arrive twice.", "duplicate = 0.5";
    "reorder" Links Duration "all": "Messages on the links of the targets are overtaken by later ones.", "reorder = 0.5\nreorder_delay = [\"50ms\", \"200ms\"]";
    "corrupt" Links Duration "all": "Bits of messages on the links of the targets are flipped.", "corrupt = 0.05";
    "bandwidth" Links Duration "all": "The links of the targets become narrow, with a queue that overflows.", "bandwidth = 20000\nqueue = 16384";
    "hold" Messages Duration "": "Messages of a kind wait, and all arrive at once when the fault ends.", "message = \"AppendEntries\"\nsrc = \"n1\"";
    "drop" Messages Duration "": "Messages of a kind are dropped: all of them, or only the n-th.", "message = \"AppendEntries\"\ndest = \"n2\"\nnth = 3";
    "delay" Messages Duration "": "Messages of a kind are late: all of them, or only the n-th.", "message = \"AppendEntries\"\nby = \"2s\"";
    "kill" Processes Duration "one": "The process ends at once and starts again when the fault ends.", "targets = \"minority\"";
    "restart" Processes Down "one": "The process ends at once and starts again after `down`.", "targets = \"leader\"\ndown = \"100ms\"";
    "pause" Processes Duration "one": "The process does nothing while its inputs wait, as in a long garbage collection.", "targets = \"leader\"";
    "slow" Processes Duration "one": "The processor takes `factor` times as long for each input.", "factor = 20";
    "wipe" Processes Down "one": "The process ends, and starts again after `down` with an empty disk.", "down = \"1s\"";
    "stop" Processes Duration "one": "The process is asked to stop in an orderly way and starts again when the fault ends.", "targets = \"one\"";
    "command" Processes Instant "one": "The targets are asked for something outside the protocol.", "command = \"transfer_leadership\"\ntargets = \"leader\"";
    "join" Processes Duration "one": "A node that was absent becomes part of the system.", "targets = [\"n1\"]";
    "leave" Processes Duration "one": "A node leaves the system and comes back when the fault ends.", "targets = \"one\"";
    "clock_bump" Clocks Duration "one": "The wall clock steps by so much, forward or back.", "by = [\"-500ms\", \"500ms\"]";
    "clock_drift" Clocks Duration "one": "The oscillator runs too fast or too slow.", "ppm = [-20000, 20000]";
    "clock_strobe" Clocks Duration "one": "The wall clock steps to and fro again and again.", "by = \"200ms\"\nperiod = \"50ms\"";
    "clock_freeze" Clocks Duration "one": "The wall clock stands still.", "targets = \"one\"";
    "clock_reset" Clocks Instant "all": "The wall clock is put right.", "targets = \"all\"";
    "disk_loss" Disks Down "one": "The machine ends and every unsynced write is gone; it starts again after `down`.", "down = \"500ms\"";
    "torn_write" Disks Down "one": "The machine ends in the middle of a write, of which a part survives; it starts again after `down`.", "down = \"500ms\"";
    "bitflip" Disks Instant "one": "Bits of durable data are flipped.", "bits = 1";
    "truncate" Disks Instant "one": "Bytes at the end of a durable file are gone.", "bytes = 16";
    "disk_full" Disks Duration "one": "Every write fails for want of room.", "targets = \"one\"";
    "disk_error" Disks Duration "one": "Syncs fail with a probability.", "errors = 0.2";
    "disk_slow" Disks Duration "one": "Syncs take `factor` times as long.", "factor = 50";
    "disk_stall" Disks Duration "one": "No sync ends until the fault does.", "targets = \"leader\"";
    "stale_restore" Disks Down "one": "The machine comes back after `down` with the disk of an earlier time.", "down = \"1s\"";
    "random" Composed Duration "one": "One fault out of a list, drawn from the seed each time.", "among = [\"partition\", \"pause\", \"clock_bump\"]";
    "swarm" Composed Duration "one": "A list of faults of which the seed keeps a part for the whole run, and draws their parameters.", "among = [\"partition\", \"kill\", \"loss\"]\nkeep = 0.5";
    "swizzle" Composed Duration "": "Nodes are cut off one after the other, and come back one after the other in another order.", "";
};

/// The fault of this name.
pub(crate) fn fault_info(name: &str) -> Option<&'static FaultInfo> {
    FAULTS.iter().find(|info| info.name == name)
}

/// The metrics that the testbed records for every node.
pub const TESTBED_METRICS: &[Shown] = &[
    Shown { name: "status", summary: "up, down, paused or absent" },
    Shown { name: "clock_offset_us", summary: "the wall clock minus true time, in microseconds" },
    Shown { name: "drift_ppm", summary: "how much too fast the oscillator runs, in parts per million" },
];

/// The events that the testbed records for every node.
pub const TESTBED_EVENTS: &[Shown] = &[
    Shown { name: "start", summary: "the process starts, for the first time or again" },
    Shown { name: "crash", summary: "the process ends; `reason` is kill, panic, disk, exit or stop" },
    Shown { name: "pause", summary: "the process is halted" },
    Shown { name: "resume", summary: "the process goes on after a pause" },
    Shown { name: "command", summary: "the node was asked for something outside the protocol" },
];
