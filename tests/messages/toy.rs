//! A toy system that declares a little of everything that a scenario can name, and never runs. The
//! messages are tested with it, so that a new check of a real system changes no snapshot here.

use std::sync::Arc;
use std::time::Duration;

use seedbed::checkers::{Checker, ParamInfo, Verdict};
use seedbed::defects::DefectInfo;
use seedbed::scenario::{Scenario, Section, Settings};
use seedbed::systems::{Complaint, System};
use seedbed::vocabulary::{EventInfo, Kind, MetricInfo, Shown, Vocabulary};

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
    liveness: true,
    check: |_, _| Verdict::Valid,
};

static CHECKS: &[&Checker] = &[&ELECTION_SAFETY, &LINEARIZABLE, &AVAILABILITY];

static ELECTION_SAFETY: Checker = Checker {
    name: "election_safety",
    summary: "At most one leader a term.",
    source: "Raft §5.2",
    params: &[],
    liveness: false,
    check: |_, _| Verdict::Valid,
};

static LINEARIZABLE: Checker = Checker {
    name: "linearizable",
    summary: "The history of each key is linearizable.",
    source: "Herlihy and Wing 1990",
    params: &[],
    liveness: false,
    check: |_, _| Verdict::Valid,
};

static TOY_VOCABULARY: Vocabulary = Vocabulary {
    events: &[
        EventInfo { name: "leader", summary: "a node becomes leader", fields: &[] },
        EventInfo { name: "vote", summary: "a vote is given", fields: &[] },
    ],
    metrics: &[&[
        MetricInfo {
            name: "role",
            kind: Kind::OneOf(&["follower", "leader"]),
            summary: "follower or leader",
        },
        MetricInfo { name: "current_term", kind: Kind::Number, summary: "the term" },
    ]],
    messages: &[&[
        Shown { name: "AppendEntries", summary: "entries" },
        Shown { name: "RequestVote", summary: "asks for a vote" },
    ]],
};

pub static TOY: System = System {
    roles: &["peer", "witness"],
    operations: &["read", "write", "cas", "append"],
    vocabulary: &[&TOY_VOCABULARY],
    commands: &[
        Shown { name: "transfer_leadership [NODE]", summary: "another leads" },
        Shown { name: "add_node NODE", summary: "a node joins" },
        Shown { name: "change NODE,NODE,…", summary: "these vote" },
    ],
    checks: CHECKS,
    defects: &[DefectInfo {
        name: "vote-not-persisted",
        summary: "A vote is not saved.",
        caught_by: "election_safety",
        scenario: "toy/two-leaders",
        seeds: 10,
    }],
    complaints,
    ..System::new(
        "toy",
        "A system for the tests of the scenario language.",
        read_settings,
        |_, _| unreachable!("the toy never runs"),
    )
};

fn complaints(scenario: &Scenario) -> Vec<Complaint> {
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

fn read_settings(section: &mut Section<'_>) -> Arc<dyn Settings> {
    Arc::new(ToySettings::read(section))
}

pub const SYSTEMS: &[&System] = &[&TOY];
