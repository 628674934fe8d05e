//! A system that is only there to be named: it declares a little of everything that a scenario can
//! name, and never runs. The messages are tested with it, so that a new check of a real system
//! changes no snapshot here.

use std::sync::Arc;
use std::time::Duration;

use seedbed::checkers::{Checker, ParamInfo, Verdict};
use seedbed::plots::Plot;
use seedbed::scenario::{Scenario, Section, Settings};
use seedbed::sim::{RunOptions, RunOutput};
use seedbed::systems::{Complaint, Defect, Shown, System};

pub struct Toy;

seedbed::settings! {
    /// `[toy]`: a key of each kind.
    #[derive(Debug)]
    pub struct ToySettings {
        /// How often a leader shows itself.
        heartbeat_interval: Duration = duration("50ms", "1ms"..="10s"),
        /// Silence after which a node stands.
        election_timeout: (Duration, Duration) = durations(("150ms", "300ms"), "1ms"..="1min"),
        /// Entries of a message at the most.
        batch: u64 = integer(64, 1..=10_000),
        /// Entries after which a snapshot is taken.
        snapshot_after: Option<u64> = optional_integer(1..=u64::MAX),
        /// Probability of a lost thing.
        drop_rate: f64 = number(0.0, 0.0..=1.0),
        /// Whether nodes ask before they stand.
        pre_vote: bool = flag(true),
        /// How reads are served.
        reads: &'static str = word("read_index", &["read_index", "lease", "local"]),
        /// Mistakes to be made.
        defects: Vec<String> = words(&["vote-not-persisted", "commit-old-term"]),
    }
}

static AVAILABILITY: Checker = Checker {
    name: "availability",
    summary: "Enough of the operations succeed.",
    source: "design",
    params: &[
        ParamInfo {
            name: "min",
            duration: false,
            default: 0.0,
            range: (0.0, 1.0),
            doc: "Least share of operations that are ok.",
        },
        ParamInfo {
            name: "within",
            duration: true,
            default: 2e6,
            range: (0.0, 6e7),
            doc: "Time in which one must succeed.",
        },
    ],
    check: |_, _| Verdict::Valid,
};

static CHECKS: &[&Checker] = &[&ELECTION_SAFETY, &LINEARIZABLE, &AVAILABILITY];

static ELECTION_SAFETY: Checker = Checker {
    name: "election_safety",
    summary: "At most one leader a term.",
    source: "Raft §5.2",
    params: &[],
    check: |_, _| Verdict::Valid,
};

static LINEARIZABLE: Checker = Checker {
    name: "linearizable",
    summary: "The history of each key is linearizable.",
    source: "Herlihy and Wing 1990",
    params: &[],
    check: |_, _| Verdict::Valid,
};

impl System for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }
    fn summary(&self) -> &'static str {
        "A system for the tests of the scenario language."
    }
    fn roles(&self) -> &'static [&'static str] {
        &["peer", "witness"]
    }
    fn operations(&self) -> &'static [&'static str] {
        &["read", "write", "cas", "append"]
    }
    fn metrics(&self) -> &'static [Shown] {
        &[
            Shown { name: "role", summary: "follower or leader" },
            Shown { name: "current_term", summary: "the term" },
        ]
    }
    fn metric_words(&self, metric: &str) -> &'static [&'static str] {
        if metric == "role" { &["follower", "leader"] } else { &[] }
    }
    fn complaints(&self, scenario: &Scenario) -> Vec<Complaint> {
        let peers = scenario.nodes.nodes.iter().filter(|node| node.role == "peer").count();
        let refused = |key, found: &str| Complaint {
            key,
            message: "a witness needs two peers".into(),
            found: found.into(),
            hint: "add peers, or leave the witness out".into(),
        };
        match scenario.nodes.nodes.len() - peers {
            1.. if peers < 2 => vec![
                refused("nodes.node", "too few peers"),
                refused("toy.batch", "of no use"),
                refused("disk", "alone"),
            ],
            _ => vec![],
        }
    }
    fn events(&self) -> &'static [Shown] {
        &[
            Shown { name: "leader", summary: "a node becomes leader" },
            Shown { name: "vote", summary: "a vote is given" },
        ]
    }
    fn messages(&self) -> &'static [Shown] {
        &[
            Shown { name: "AppendEntries", summary: "entries" },
            Shown { name: "RequestVote", summary: "asks for a vote" },
        ]
    }
    fn commands(&self) -> &'static [Shown] {
        &[
            Shown { name: "transfer_leadership [NODE]", summary: "another leads" },
            Shown { name: "add_node NODE", summary: "a node joins" },
            Shown { name: "change NODE,NODE,…", summary: "these vote" },
        ]
    }
    fn checks(&self) -> &'static [&'static Checker] {
        CHECKS
    }
    fn plots(&self) -> &'static [&'static Plot] {
        &[]
    }
    fn defects(&self) -> &'static [Defect] {
        &[Defect {
            name: "vote-not-persisted",
            summary: "A vote is not saved.",
            caught_by: "election_safety",
            scenario: "toy/two-leaders",
            seeds: 10,
        }]
    }
    fn read_settings(&self, section: &mut Section<'_>) -> Arc<dyn Settings> {
        Arc::new(ToySettings::read(section))
    }
    fn run(&self, _: &Scenario, _: &RunOptions) -> RunOutput {
        unreachable!("the toy never runs")
    }
}

pub const SYSTEMS: &[&dyn System] = &[&Toy];
