//! The faults: a closed set of data. What they do is in `nemesis`.

use crate::language::{Amount, Latency, Span};

/// Which way a fault of links cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Both,
    /// Only what goes to the targets.
    In,
    /// Only what the targets send.
    Out,
}

/// The shape of a partition. Where it needs a side to stand on, that is the entry's `targets`.
#[derive(Clone, Debug, PartialEq)]
pub enum PartitionShape {
    /// Two halves at random, the larger with the odd node.
    Halves,
    /// The targets against all others: one node, the leader, a list.
    One,
    /// A random majority against the rest.
    Majority,
    /// Each node sees a majority, no two the same one (Jepsen's majorities-ring).
    MajoritiesRing,
    /// Two halves that only one node connects.
    Bridge,
    /// A random third against the rest.
    MinorityThird,
    /// The given groups, each alone.
    Groups(Vec<Vec<String>>),
    /// Only the links between the targets and these nodes.
    Between(Vec<String>),
}

/// How many or which nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetSpec {
    /// One node at random.
    One,
    /// A random minority, at least one node.
    Minority,
    /// The smallest majority at random.
    Majority,
    /// The node that leads, by its metric `role`, in the highest `current_term`; one at random
    /// where there is none.
    Leader,
    /// All but the leader.
    Followers,
    /// One random node that is not the leader.
    Follower,
    /// All nodes of the system.
    All,
    /// A random number of nodes.
    Random,
    /// This many at random.
    Count(u32),
    /// All nodes of a role.
    Role(String),
    /// Nodes, clients or groups by name.
    Names(Vec<String>),
}

/// A fault with its parameters.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    missing_docs,
    reason = "the reader documents every parameter, and the reference is printed from there"
)]
pub enum Fault {
    // Links.
    Partition {
        shape: PartitionShape,
        direction: Direction,
        clients: bool,
    },
    Flap {
        shape: PartitionShape,
        direction: Direction,
        clients: bool,
        up: Span,
        down: Span,
    },
    Latency {
        latency: Latency,
        direction: Direction,
    },
    Loss {
        probability: Amount,
        correlation: f64,
        direction: Direction,
    },
    Duplicate {
        probability: Amount,
        direction: Direction,
    },
    Reorder {
        probability: Amount,
        delay: Latency,
        direction: Direction,
    },
    Corrupt {
        probability: Amount,
        direction: Direction,
    },
    Bandwidth {
        bytes_per_second: Amount,
        queue: u64,
        direction: Direction,
    },
    /// Messages wait and are all released when the fault ends.
    Hold {
        message: Option<String>,
        src: Vec<String>,
        dest: Vec<String>,
    },
    /// Messages that fit are dropped: all of them, or only the n-th (from 1) after the fault began.
    Drop {
        message: Option<String>,
        src: Vec<String>,
        dest: Vec<String>,
        nth: Option<u64>,
    },
    /// Messages that fit are delayed by so much in addition.
    Delay {
        message: Option<String>,
        src: Vec<String>,
        dest: Vec<String>,
        delay: Span,
        nth: Option<u64>,
    },
    // Processes.
    Kill,
    Restart {
        down: Span,
    },
    Pause,
    Slow {
        factor: Amount,
    },
    Wipe {
        down: Span,
    },
    Stop,
    /// Ask the system for something: `transfer_leadership`, `add_node n6`. Goes to
    /// `Node::on_command` of the targets.
    Command {
        command: String,
    },
    Join,
    Leave,
    // Clocks.
    ClockBump {
        by_ms: Amount,
    },
    ClockDrift {
        ppm: Amount,
    },
    ClockStrobe {
        by_ms: Amount,
        period: Span,
    },
    ClockFreeze,
    ClockReset,
    // Disks.
    DiskLoss {
        down: Span,
    },
    TornWrite {
        down: Span,
    },
    Bitflip {
        file: Option<String>,
        bits: u32,
    },
    Truncate {
        file: Option<String>,
        bytes: u64,
    },
    DiskFull,
    DiskError {
        probability: Amount,
    },
    DiskSlow {
        factor: Amount,
    },
    DiskStall,
    StaleRestore {
        down: Span,
    },
    // Composed.
    Random {
        among: Vec<Fault>,
    },
    Swarm {
        among: Vec<Fault>,
        keep: Amount,
    },
    Swizzle,
}

/// When an entry begins.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// At a time of the run, drawn where a range is given.
    At(Span),
    /// So long after another entry, by name, has begun (`begin`) or healed.
    After {
        /// The other entry.
        entry: String,
        /// So much later.
        delay: Span,
        /// After its healing in place of its beginning.
        ended: bool,
    },
    /// As soon as a condition holds, first looked at when the run begins.
    Condition {
        /// What must hold.
        condition: Condition,
        /// So much later.
        delay: Span,
    },
    /// Again and again, this far apart, until `duration`.
    Every(Span),
}

/// A condition on what nodes show.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A metric of one node (or of `any`, or of `all`) is within bounds, or equal to a word.
    Metric {
        /// Its name.
        metric: String,
        /// Of which node.
        node: String,
        /// The least number.
        at_least: Option<f64>,
        /// The greatest number.
        at_most: Option<f64>,
        /// The value as the trace writes it.
        equals: Option<String>,
    },
    /// An event of this name (with these fields) was observed, for the n-th time.
    Event {
        /// Its name.
        event: String,
        /// On which node, or `any`.
        node: String,
        /// Fields that it must have, as the trace writes them.
        fields: Vec<(String, String)>,
        /// Which one, from 1.
        nth: u64,
    },
    /// A message of this type was delivered (for the n-th time).
    Message {
        /// Its type.
        message: String,
        /// Who has sent it, or `any`.
        src: String,
        /// Who gets it, or `any`.
        dest: String,
        /// Which one, from 1.
        nth: u64,
    },
}

/// How often an entry happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// At most this often.
    pub times: u64,
}

/// One `[[nemesis]]` entry.
#[derive(Clone, Debug, PartialEq)]
pub struct NemesisEntry {
    /// `name`, or the fault's name with the entry's position: `partition-1`.
    pub name: String,
    /// When it begins.
    pub when: When,
    /// How long it lasts; `None`: until `duration`.
    pub lasts: Option<Span>,
    /// `repeat`: how often at most. A `when` condition is armed again after each healing.
    pub repeat: Repeat,
    /// Probability that it happens at all when its time has come, 0 to 1.
    pub probability: f64,
    /// Whom it hits.
    pub targets: TargetSpec,
    /// What it does.
    pub fault: Fault,
}
