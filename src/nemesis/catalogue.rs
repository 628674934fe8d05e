//! The list of faults, from which `list faults`, `explain`, the scenario reference and the hints
//! for misspelt names are made.

use crate::scenario::Fault;

/// A fault, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultInfo {
    /// As in `fault = "…"`.
    pub name: &'static str,
    /// `links`, `processes`, `clocks`, `disks` or `composed`.
    pub group: &'static str,
    /// What it does and what ends it, in a sentence or two.
    pub summary: &'static str,
    /// The lines of an entry below `[[nemesis]]`.
    pub example: &'static str,
}

macro_rules! faults {
    ($($group:literal: { $($name:literal: $summary:literal, $example:literal;)+ })+) => {
        /// All faults, by group.
        pub const FAULTS: &[FaultInfo] = &[$($(FaultInfo { name: $name, group: $group, summary: $summary, example: $example },)+)+];
    };
}

faults! {
    "links": {
        "partition": "Nothing passes between the sides of a `shape`: `halves`, `one` (the targets \
            against all others), `majority`, `majorities_ring`, `bridge`, `minority_third`, \
            `groups` or `between`. `direction` makes it one-way, as the targets or the side named \
            first see it. Clients go on reaching everybody, unless `clients = true` puts each on a \
            random side.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"partition\"\nshape = \"one\"\ntargets = \
                \"leader\"";
        "flap": "A partition that comes (for `down`) and goes (for `up`), again and again.",
            "at = \"5s\"\nduration = \"4s\"\nfault = \"flap\"\nshape = \"one\"\ntargets = \
                \"leader\"\ndown = [\"100ms\", \"400ms\"]\nup = [\"100ms\", \"400ms\"]";
        "latency": "All links of the targets have this latency in place of their own.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"latency\"\ntargets = \"one\"\nlatency = \
                { dist = \"lognormal\", median = \"80ms\", p99 = \"400ms\" }";
        "loss": "Messages of the targets' links are lost with this probability besides the links' \
            own; `loss_correlation` makes bursts.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"loss\"\ntargets = \"minority\"\nloss = \
                [0.1, 0.5]\nloss_correlation = 0.7";
        "duplicate": "Messages of the targets' links arrive twice with this probability.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"duplicate\"\ntargets = \"all\"\nduplicate = \
                0.2";
        "reorder": "Messages of the targets' links are held back for `reorder_delay` with this \
            probability, so that later ones overtake them.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"reorder\"\ntargets = \"all\"\nreorder = \
                0.2\nreorder_delay = [\"10ms\", \"200ms\"]";
        "corrupt": "Bits of messages of the targets' links are flipped with this probability; a \
            format with a checksum throws such a message away.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"corrupt\"\ntargets = \"one\"\ncorrupt = 0.1";
        "bandwidth": "The targets' links carry so many bytes a second, and throw away what does \
            not fit into the `queue`.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"bandwidth\"\ntargets = \
                \"leader\"\nbandwidth = [2000, 20000]\nqueue = 65536";
        "hold": "Messages wait, and all arrive when the fault ends: those of the targets, or from \
            `src` to `dest`, of every type or of one `message`. The name `targets` in `src` or \
            `dest` stands for the entry's targets.",
            "at = \"5s\"\nduration = \"500ms\"\nfault = \"hold\"\nmessage = \
                \"AppendEntriesResponse\"\ntargets = \"leader\"\ndest = [\"targets\"]";
        "drop": "Messages are lost: those of the targets, or from `src` to `dest`, of every type \
            or of one `message`; all of them or only the `nth` since the fault began.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"drop\"\nmessage = \
                \"RequestVoteResponse\"\nsrc = [\"n2\"]\ndest = [\"n1\"]\nnth = 1";
        "delay": "Messages are late by `by` besides the link's latency: those of the targets, or \
            from `src` to `dest`, of every type or of one `message`; all of them or only the \
            `nth`.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"delay\"\nmessage = \
                \"InstallSnapshot\"\ntargets = \"leader\"\nsrc = [\"targets\"]\nby = [\"200ms\", \
                \"1s\"]";
    }
    "processes": {
        "kill": "Processes end at once and start again when the fault ends. What they had not \
            synced goes as `[disk] crash` says.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"kill\"\ntargets = \"leader\"";
        "restart": "Processes end at once and start again after `down`.",
            "every = [\"2s\", \"4s\"]\nfault = \"restart\"\ntargets = \"one\"\ndown = [\"10ms\", \
                \"500ms\"]";
        "pause": "Processes stand still, as under SIGSTOP or a long garbage collection; what \
            reaches them waits.",
            "at = \"5s\"\nduration = \"800ms\"\nfault = \"pause\"\ntargets = \"leader\"";
        "slow": "The processor of the targets takes `factor` times as long.",
            "at = \"5s\"\nduration = \"3s\"\nfault = \"slow\"\ntargets = \"one\"\nfactor = [5, 50]";
        "wipe": "Processes end at once and start again after `down` with an empty disk. Needs \
            `durable_disks = false` in [model].",
            "at = \"5s\"\nfault = \"wipe\"\ntargets = \"follower\"\ndown = \"1s\"";
        "stop": "Processes are asked to stop, and start again when the fault ends.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"stop\"\ntargets = \"leader\"";
        "command": "The targets are asked for something outside the protocol, as the system \
            understands it.",
            "at = \"5s\"\nfault = \"command\"\ntargets = \"leader\"\ncommand = \
                \"transfer_leadership n2\"";
        "join": "Nodes that have not run so far, or have left, start and the system is asked to \
            take them in (`add_node`).",
            "at = \"5s\"\nfault = \"join\"\ntargets = [\"n6\"]";
        "leave": "The system is asked to do without the targets (`remove_node`), which stop in an \
            orderly way; they join again when the fault ends.",
            "at = \"5s\"\nduration = \"5s\"\nfault = \"leave\"\ntargets = \"follower\"";
    }
    "clocks": {
        "clock_bump": "The wall clocks of the targets are stepped, each by an amount of its own, \
            and stay so until a `clock_reset`.",
            "at = \"5s\"\nfault = \"clock_bump\"\ntargets = \"minority\"\nby = [\"-500ms\", \
                \"500ms\"]";
        "clock_drift": "The oscillators of the targets have another drift, and with them all \
            timers.",
            "at = \"5s\"\nduration = \"10s\"\nfault = \"clock_drift\"\ntargets = \"leader\"\nppm = \
                [-50000, -20000]";
        "clock_strobe": "The wall clocks of the targets step there and back, a `period` after each \
            other.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"clock_strobe\"\ntargets = \"one\"\nby = \
                \"250ms\"\nperiod = [\"20ms\", \"100ms\"]";
        "clock_freeze": "The wall clocks of the targets stand still, and go on from there when the \
            fault ends.",
            "at = \"5s\"\nduration = \"1s\"\nfault = \"clock_freeze\"\ntargets = \"one\"";
        "clock_reset": "The wall clocks of the targets are put right.",
            "at = \"15s\"\nfault = \"clock_reset\"\ntargets = \"all\"";
    }
    "disks": {
        "disk_loss": "Processes end at once and lose all that was not synced, whatever `[disk] \
            crash` says; they start again after `down`.",
            "at = \"5s\"\nfault = \"disk_loss\"\ntargets = \"leader\"\ndown = \"500ms\"";
        "torn_write": "Processes end at once; of what was not synced a first part survives and the \
            next save is torn. They start again after `down`.",
            "at = \"5s\"\nfault = \"torn_write\"\ntargets = \"leader\"\ndown = \"500ms\"";
        "bitflip": "Bits of synced data are flipped, of one `file` or of any. Needs `durable_disks \
            = false` in [model].",
            "at = \"5s\"\nfault = \"bitflip\"\ntargets = \"follower\"\nbits = 1";
        "truncate": "The last bytes of a synced file are lost, of one `file` or of any. Needs \
            `durable_disks = false` in [model].",
            "at = \"5s\"\nfault = \"truncate\"\ntargets = \"follower\"\nfile = \"log\"\nbytes = 64";
        "disk_full": "Every save fails for want of room.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"disk_full\"\ntargets = \"one\"";
        "disk_error": "Every sync fails with this probability.",
            "at = \"5s\"\nduration = \"2s\"\nfault = \"disk_error\"\ntargets = \"one\"\nerrors = \
                0.05";
        "disk_slow": "Syncs take `factor` times as long.",
            "at = \"5s\"\nduration = \"3s\"\nfault = \"disk_slow\"\ntargets = \"leader\"\nfactor = \
                [10, 100]";
        "disk_stall": "No sync ends until the fault does.",
            "at = \"5s\"\nduration = \"1s\"\nfault = \"disk_stall\"\ntargets = \"leader\"";
        "stale_restore": "The disk is remembered when the fault begins; when it ends, the process \
            is killed, gets that old disk back, and starts after `down`. Needs \
             `durable_disks = false` in [model].",
            "at = \"5s\"\nduration = \"3s\"\nfault = \"stale_restore\"\ntargets = \
                \"follower\"\ndown = \"200ms\"";
    }
    "composed": {
        "random": "One of the faults of a list, drawn each time.",
            "every = [\"3s\", \"8s\"]\nduration = [\"500ms\", \"3s\"]\nfault = \"random\"\namong = \
                [\"partition\", \"pause\", \"clock_bump\"]\ntargets = \"minority\"";
        "swarm": "A random part of a list, the same for the whole run, each with a drawn strength, \
            and each again and again in its own drawn rhythm.",
            "at = \"1s\"\nfault = \"swarm\"\namong = [\"partition\", \"pause\", \"kill\", \
                \"loss\", \"clock_drift\"]\ntargets = \"minority\"";
        "swizzle": "The targets are cut off one after another at random times, and come back in \
            another random order, after FoundationDB.",
            "at = \"5s\"\nduration = \"4s\"\nfault = \"swizzle\"\ntargets = \"minority\"";
    }
}

/// The name of a fault, one of [`FAULTS`].
pub fn fault_name(fault: &Fault) -> &'static str {
    match fault {
        Fault::Partition { .. } => "partition",
        Fault::Flap { .. } => "flap",
        Fault::Latency { .. } => "latency",
        Fault::Loss { .. } => "loss",
        Fault::Duplicate { .. } => "duplicate",
        Fault::Reorder { .. } => "reorder",
        Fault::Corrupt { .. } => "corrupt",
        Fault::Bandwidth { .. } => "bandwidth",
        Fault::Hold { .. } => "hold",
        Fault::Drop { .. } => "drop",
        Fault::Delay { .. } => "delay",
        Fault::Kill => "kill",
        Fault::Restart { .. } => "restart",
        Fault::Pause => "pause",
        Fault::Slow { .. } => "slow",
        Fault::Wipe { .. } => "wipe",
        Fault::Stop => "stop",
        Fault::Command { .. } => "command",
        Fault::Join => "join",
        Fault::Leave => "leave",
        Fault::ClockBump { .. } => "clock_bump",
        Fault::ClockDrift { .. } => "clock_drift",
        Fault::ClockStrobe { .. } => "clock_strobe",
        Fault::ClockFreeze => "clock_freeze",
        Fault::ClockReset => "clock_reset",
        Fault::DiskLoss { .. } => "disk_loss",
        Fault::TornWrite { .. } => "torn_write",
        Fault::Bitflip { .. } => "bitflip",
        Fault::Truncate { .. } => "truncate",
        Fault::DiskFull => "disk_full",
        Fault::DiskError { .. } => "disk_error",
        Fault::DiskSlow { .. } => "disk_slow",
        Fault::DiskStall => "disk_stall",
        Fault::StaleRestore { .. } => "stale_restore",
        Fault::Random { .. } => "random",
        Fault::Swarm { .. } => "swarm",
        Fault::Swizzle => "swizzle",
    }
}
