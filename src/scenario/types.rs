//! The parts of a scenario other than its faults.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use super::nemesis::NemesisEntry;
use super::program::ProgramSpec;
use crate::language::{Choice, Input, Latency, Settings};
use crate::node::CrashPolicy;
use crate::settings;

/// The properties of one directed link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSpec {
    /// One-way delay.
    pub latency: Latency,
    /// Probability that a message is lost, 0 to 1.
    pub loss: f64,
    /// Probability that a message following a lost one is lost without a draw of `loss`, 0 to below
    /// 1: bursts.
    pub loss_correlation: f64,
    /// Probability that a second copy arrives, 0 to 1.
    pub duplicate: f64,
    /// Probability that a message is held back, so that later ones overtake it, 0 to 1.
    pub reorder: f64,
    /// How long such a message is held back.
    pub reorder_delay: Latency,
    /// Probability that bits are flipped, 0 to 1.
    pub corrupt: f64,
    /// Bytes a second; `None` is unlimited.
    pub bandwidth: Option<u64>,
    /// Bytes that wait for the bandwidth at the most; what comes on top is discarded.
    pub queue: u64,
    /// Whether datagrams keep their order (a message never overtakes an earlier one that was not
    /// held back).
    pub fifo: bool,
}

impl Default for LinkSpec {
    fn default() -> Self {
        LinkSpec {
            latency: Latency::Uniform(Duration::from_millis(1), Duration::from_millis(5)),
            loss: 0.0,
            loss_correlation: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            reorder_delay: Latency::Uniform(Duration::from_millis(10), Duration::from_millis(100)),
            corrupt: 0.0,
            bandwidth: None,
            queue: 256 * 1024,
            fifo: false,
        }
    }
}

/// `[network]`: the link between any two participants, and the exceptions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkSpec {
    /// Every link that no `[[network.link]]` names.
    pub default: LinkSpec,
    /// Exceptions by (source, destination); the last that fits counts. A name is a node, a client,
    /// a group, or `any`.
    pub links: Vec<(String, String, LinkSpec)>,
    /// How streams behave over the links.
    pub stream: StreamSpec,
}

settings! {
    /// `[network.stream]`: the stream transport.
    #[derive(Clone, Debug, PartialEq)]
    pub struct StreamSpec {
        /// The first retransmission time-out; it doubles with each further one.
        rto: Duration = duration("200ms", "1ms"..="1h"),
        /// The largest retransmission time-out.
        rto_max: Duration = duration("10s", "1ms"..="1h"),
        /// How often a segment is sent again before the connection is given up.
        retries: u32 = integer(8, 0..=1_000),
        /// The largest segment, bytes.
        segment: u32 = integer(1_400, 1..=1_000_000),
        /// The size of the receive window and of the send buffer, bytes each.
        window: u32 = integer(65_536, 1..=1_000_000_000),
        /// The probability that arriving bytes are delivered in pieces of drawn size.
        fragment: f64 = number(0.0, 0.0..=1.0),
    }
}

settings! {
    /// `[disk]`: the disk of every node.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DiskSpec {
        /// How long a sync takes.
        sync_latency: Latency = latency(Latency::Constant(Duration::ZERO)),
        /// What a crash does to writes that were not synced: all are lost, or a drawn number of the
        /// first survives, or a part of the next one too.
        crash: CrashPolicy = choice(CrashPolicy::Lose),
        /// How long an unsynced write of a node that does not sync stays in the cache before it is
        /// durable.
        writeback: Duration = duration("30ms", "0s"..="10min"),
        /// How many bytes the disk of a node holds.
        capacity: Option<u64> = limit(None, 1..=u64::MAX),
    }
}

impl Choice for CrashPolicy {
    const ALL: &'static [(Self, &'static str)] = &[
        (CrashPolicy::Lose, "lose"),
        (CrashPolicy::Prefix, "prefix"),
        (CrashPolicy::Torn, "torn"),
    ];
}

/// The clock of a node at the start, as drawn or given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockSpec {
    /// Range from which the wall clock's first error is drawn, ns. Equal ends: exactly that.
    pub offset_ns: (i64, i64),
    /// Range from which the drift of the oscillator is drawn, parts per million.
    pub drift_ppm: (f64, f64),
}

impl Default for ClockSpec {
    fn default() -> Self {
        ClockSpec { offset_ns: (0, 0), drift_ppm: (0.0, 0.0) }
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// Its name.
    pub name: String,
    /// Its role in the system; the system's first role where the scenario names none.
    pub role: String,
    /// Its clock.
    pub clock: ClockSpec,
    /// How much slower than normal its processor is: each handled input takes `processing` times
    /// this. From 1.
    pub slowness: f64,
    /// The program that takes its place; `None`: the system's own node.
    pub program: Option<ProgramSpec>,
}

/// `[nodes]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodesSpec {
    /// All nodes (not the clients), in order.
    pub nodes: Vec<NodeSpec>,
    /// Named groups of nodes, for targets and links.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Processor time of one handled input; zero is an infinitely fast processor.
    pub processing: Duration,
    /// How long after a panic, an exit or a disk error the supervisor starts a node again.
    pub restart_after: Duration,
}

/// `[workload]`: the client processes, for systems that have the standard clients.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadSpec {
    /// How many client processes, named `c1`, `c2`, …
    pub clients: u32,
    /// Open loop: operations a second of all clients together. `None`: closed loop, the next
    /// operation after the answer.
    pub rate: Option<f64>,
    /// Closed loop: pause between an answer and the next operation.
    pub think_time: (Duration, Duration),
    /// How long a client waits for an operation, all retries included, before it records `info`.
    pub timeout: Duration,
    /// How long it waits for one answer before it tries another node with the same serial number.
    pub retry_after: Duration,
    /// Relative frequency of each operation, by name.
    pub mix: BTreeMap<String, f64>,
    /// How many keys.
    pub keys: u32,
    /// Pin clients to nodes: client i speaks only to the node at position i modulo the length.
    /// Empty: they follow the leader.
    pub pin: Vec<String>,
    /// When the first operations start.
    pub start: Duration,
    /// At most this many operations a client; `None`: until the end.
    pub operations: Option<u64>,
}

impl Default for WorkloadSpec {
    fn default() -> Self {
        WorkloadSpec {
            clients: 3,
            rate: None,
            think_time: (Duration::from_millis(20), Duration::from_millis(100)),
            timeout: Duration::from_secs(2),
            retry_after: Duration::from_millis(300),
            mix: BTreeMap::from([
                ("read".into(), 0.4),
                ("write".into(), 0.4),
                ("cas".into(), 0.1),
                ("append".into(), 0.1),
            ]),
            keys: 3,
            pin: vec![],
            start: Duration::from_millis(500),
            operations: None,
        }
    }
}

settings! {
    /// `[model]`: what the scenario promises not to exceed, so that a correct system never fails
    /// because of the scenario.
    #[derive(Clone, Debug, PartialEq)]
    pub struct FaultModel {
        /// The most nodes that are down, paused or cut from the majority at any one time. Like the
        /// limits below, it applies only if it is given.
        max_faulty: Option<u32> = optional_integer(0..=1_000),
        /// The largest drift of any clock, parts per million either way.
        max_drift_ppm: Option<f64> = optional_number(0.0..=1e6),
        /// The largest error of any wall clock.
        max_clock_offset: Option<Duration> = optional_duration("0s"..="48h"),
        /// The largest one-way delay of any message.
        max_latency: Option<Duration> = optional_duration("0s"..="48h"),
        /// Whether synced data stays. Unless it is false, a fault that damages it or takes it back
        /// (`bitflip`, `truncate`, `stale_restore`, `wipe`) is refused.
        durable_disks: Option<bool> = optional_flag(),
        /// Whether the scenario leaves its model knowingly.
        beyond_model: bool = flag(false),
    }
}

/// `[checks]`: a check by name with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckSpec {
    /// A name of `systems::checks`.
    pub name: String,
    /// `min`, `within`, …: numbers in the check's own unit; durations in microseconds.
    pub params: BTreeMap<String, f64>,
}

/// A scenario, read, checked and with all defaults filled in.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Path below the scenarios folder without `.toml`: `raft/leader-isolated`.
    pub name: String,
    /// The claim, in a sentence.
    pub description: String,
    /// The system's name, one of `systems::SYSTEMS`.
    pub system: String,
    /// The seed, unless the command line gives another.
    pub seed: u64,
    /// Faults and load end here.
    pub duration: Duration,
    /// Time after `duration` in which everything is healed and liveness is judged.
    pub recovery: Duration,
    /// Nodes and groups.
    pub nodes: NodesSpec,
    /// Links.
    pub network: NetworkSpec,
    /// Disks.
    pub disk: DiskSpec,
    /// Clients.
    pub workload: WorkloadSpec,
    /// Faults.
    pub nemesis: Vec<NemesisEntry>,
    /// Limits of the faults.
    pub model: FaultModel,
    /// The system's own section.
    pub settings: Arc<dyn Settings>,
    /// Checks that the scenario names; where it names none, all of the system's.
    pub checks: Vec<CheckSpec>,
    /// The files that it names, whose content decides the run with it.
    pub inputs: Vec<Input>,
    /// The text as run, defaults filled in.
    pub resolved: String,
}

impl Scenario {
    /// The text as run under this seed.
    pub fn resolved_with_seed(&self, seed: u64) -> String {
        let lines = self.resolved.lines().scan(true, |at_top, line| {
            *at_top &= !line.starts_with('[');
            Some(if *at_top && line.starts_with("seed = ") {
                format!("seed = {seed}\n")
            } else {
                format!("{line}\n")
            })
        });
        lines.collect()
    }
}

impl Scenario {
    /// The system's settings as their own type. Panics where they are another's: the reader never
    /// makes such a scenario.
    pub fn settings<S: Settings>(&self) -> &S {
        self.settings.as_any().downcast_ref().expect("the settings were read by this system")
    }
}
