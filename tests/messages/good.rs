//! What good scenarios mean.

use std::time::Duration;

use seedbed::faults::Partition;
use seedbed::scenario::{Latency, PartitionShape, Scenario, TargetSpec, When};
use seedbed::systems::read_text_with;

use crate::toy::{SYSTEMS, ToySettings};

/// The scenario of the design document, with the toy instead of Raft.
pub const EXAMPLE: &str = r#"
description = "The leader is cut off for 2 s: a new one is elected and no acknowledged write is lost."
system   = "toy"
seed     = 42
duration = "30s"
recovery = "10s"

[nodes]
count = 5
clock_offset = ["-200ms", "200ms"]
drift_ppm    = [-100, 100]

[nodes.groups]
east = ["n1", "n2"]

[toy]
heartbeat_interval = "50ms"
election_timeout   = ["150ms", "300ms"]
defects            = []

[network]
latency = { dist = "lognormal", median = "5ms", p99 = "25ms" }
loss = 0.01
bandwidth = 1_000_000

[network.stream]
rto = "100ms"

[[network.link]]
src = "n1"
dest = ["n2", "c1"]
latency = "80ms"
bandwidth = "unlimited"

[disk]
sync_latency = ["1ms", "3ms"]
crash = "torn"

[workload]
clients = 3
rate    = 20.0
timeout = "1s"
mix     = { read = 0.5, write = 0.4, cas = 0.1 }

[[nemesis]]
fault    = "partition"
at       = "5s"
duration = "2s"
targets  = "leader"

[[nemesis]]
when  = { metric = "current_term", node = "any", at_least = 3 }
fault = "kill"
targets = "minority"
duration = ["1s", "2s"]

[[nemesis]]
name = "storm"
every = ["3s", "8s"]
fault = "random"
among = ["partition", "pause", { fault = "clock_bump", by = ["-1s", "500ms"] }]
duration = "1s"

[[nemesis]]
fault = "drop"
message = "AppendEntries"
dest = "east"
nth = 3
after = "partition-1"
after_end = true
delay = "10ms"

[[nemesis]]
fault = "partition"
shape = "groups"
groups = [["n1", "n2"], ["n3", "n4", "n5"]]
when = { event = "leader", fields = { term = 3 }, nth = 2 }
direction = "in"

[checks]
linearizable    = {}
election_safety = {}
availability    = { min = 0.9, within = "1500ms" }
"#;

fn read(text: &str) -> Scenario {
    read_text_with(SYSTEMS, "toy/example", text, &[], &[]).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_example_is_read_as_it_is_meant() {
    // Each line of the design's example says one thing, and this is what.
    let scenario = read(EXAMPLE);
    assert_eq!((scenario.seed, scenario.duration), (42, Duration::from_secs(30)));
    assert_eq!(scenario.nodes.nodes.len(), 5);
    assert_eq!(scenario.nodes.nodes[4].name, "n5");
    assert_eq!(scenario.nodes.nodes[4].clock.offset_ns, (-200_000_000, 200_000_000));
    let (median, p99) = (Duration::from_millis(5), Duration::from_millis(25));
    assert_eq!(
        scenario.network.default.latency,
        Latency::Lognormal { median, p99, min: Duration::ZERO }
    );
    assert_eq!(scenario.network.links.len(), 2, "one for each destination");
    assert_eq!(
        scenario.network.links[1].2.loss, 0.01,
        "an exception has the other properties of the network"
    );
    assert_eq!(scenario.network.links[1].2.bandwidth, None);
    assert_eq!(scenario.workload.mix.len(), 3);
    assert_eq!(scenario.settings::<ToySettings>().election_timeout.1, Duration::from_millis(300));
    let [first, second, third, fourth, fifth] = scenario.nemesis.as_slice() else {
        panic!("five entries")
    };
    assert_eq!((first.name.as_str(), &first.targets), ("partition-1", &TargetSpec::Leader));
    assert!(
        matches!(first.fault.get(), Some(Partition { shape: PartitionShape::One, .. })),
        "targets stand alone"
    );
    assert!(matches!(second.when, When::Condition { .. }));
    assert_eq!(third.repeat.times, u64::MAX);
    assert!(matches!(&fourth.when, When::After { ended: true, .. }));
    assert!(matches!(fifth.fault.get(), Some(Partition { shape: PartitionShape::Groups(_), .. })));
    assert_eq!(scenario.checks[2].params["within"], 1_500_000.0);
}

#[test]
fn the_resolved_scenario_reads_as_the_same_scenario() {
    // A report holds the resolved text, and `replay` runs it: any difference would be another run.
    for text in [EXAMPLE, "system = \"toy\""] {
        let first = read(text);
        let second = read(&first.resolved);
        assert_eq!(format!("{first:#?}"), format!("{second:#?}"), "{}", first.resolved);
    }
}

#[test]
fn one_entry_can_stand_for_many_nodes() {
    // Fifty listeners are one line, each is a node of its own name, and the name without a number
    // is all of them.
    let text = "system = \"toy\"\n[nodes]\ncount = 2\n[[nodes.node]]\nname = \"w\"\ncount = \
        50\nrole = \"witness\"\ndrift_ppm = 7\n\
                [[nemesis]]\nfault = \"kill\"\ntargets = \"w\"\nat = \"1s\"\n";
    let scenario = read(text);
    assert_eq!(scenario.nodes.nodes.len(), 52);
    let last = &scenario.nodes.nodes[51];
    assert_eq!(
        (last.name.as_str(), last.role.as_str(), last.clock.drift_ppm.1),
        ("w50", "witness", 7.0)
    );
    assert_eq!(scenario.nodes.groups["w"].len(), 50);
    assert_eq!(format!("{scenario:?}"), format!("{:?}", read(&scenario.resolved)));
}

#[test]
fn overrides_and_defects_go_over_the_file() {
    // `--set` and `--defect` are for experiments without another file; what they say is in the
    // resolved text too.
    let overrides: Vec<(String, String)> = [
        ("workload.rate", "50"),
        ("nemesis.partition-1.at", "3s"),
        ("nemesis.storm.duration", "250ms"),
        ("nemesis.2.targets", "majority"),
        ("toy.reads", "lease"),
        ("network.latency", "{ dist = \"uniform\", min = \"1ms\", max = \"2ms\" }"),
        ("model.max_drift_ppm", "100"),
    ]
    .map(|(key, value)| (key.to_string(), value.to_string()))
    .to_vec();
    let scenario =
        read_text_with(SYSTEMS, "toy/example", EXAMPLE, &overrides, &["vote-not-persisted".into()]);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.workload.rate, Some(50.0));
    assert_eq!(scenario.nemesis[1].targets, TargetSpec::Majority);
    assert_eq!(scenario.settings::<ToySettings>().reads, "lease");
    assert_eq!(scenario.settings::<ToySettings>().defects, ["vote-not-persisted"]);
    let again = read_text_with(SYSTEMS, "toy/example", &scenario.resolved, &[], &[])
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(format!("{scenario:?}"), format!("{again:?}"));
}
