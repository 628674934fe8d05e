//! `seedbed new scenario`: a commented starting point, which is itself a scenario.

use crate::systems::System;

/// A scenario of this system that runs as it is, with a comment on everything a user may want to
/// change.
pub fn scenario(system: &System) -> String {
    let name = system.name;
    let role = system.roles.first().copied().unwrap_or("peer");
    let leads = system.metrics().iter().any(|metric| metric.name == "role");
    let targets = if leads { "leader" } else { "one" };
    // Most systems need a node of each role, or accept one.
    let others = system
        .roles
        .iter()
        .skip(1)
        .map(|role| format!("\n[[nodes.node]]\nname = \"{role}-1\"\nrole = \"{role}\"\n"));
    let others: String = others.collect();
    let settings = system.starting_settings;
    let recovery = system.starting_recovery;
    let mut text = format!(
        r#"# The file name is the scenario's claim in short; this line says it in a sentence.
description = "One node is cut off for 2 s: the others go on, and all recovers after healing."
system = "{name}"
seed = 1                # another seed gives other random draws
duration = "30s"        # faults and load
recovery = "{recovery}"        # then everything heals, and liveness is judged

[nodes]
count = 5               # n1 to n5, each a {role}; or [[nodes.node]] for individual names and settings
# clock_offset = ["-200ms", "200ms"]
# drift_ppm = [-100, 100]
{others}
[{name}]
# The system's own settings: `seedbed explain {name}`.
{settings}# defects = []          # defects to plant: `seedbed list defects`

[network]
latency = ["1ms", "10ms"]   # or "5ms", or {{ dist = "lognormal", median = "5ms", p99 = "25ms" }}
loss = 0.01
# duplicate = 0.01
# reorder = 0.01

# [[network.link]]          # an exception: one direction, from `src` to `dest`
# src = "n1"
# dest = "n2"
# latency = "80ms"
"#
    );
    if !system.operations.is_empty() {
        let mix: Vec<String> =
            system.operations.iter().map(|operation| format!("{operation} = 1")).collect();
        text.push_str(&format!(
            r#"
[workload]
clients = 3                 # c1 to c3
# rate = 20.0               # operations per second of all; by default each waits for its answer
# mix = {{ {} }}
"#,
            mix.join(", ")
        ));
    }
    text.push_str(&format!(
        r#"
# [model]
# max_faulty = 2            # faults that exceed this are refused

[[nemesis]]                 # as many as you like: `seedbed list faults`, `seedbed explain partition`
fault = "partition"
targets = "{targets}"
at = "5s"                   # or `after` another entry, `when` a condition holds, `every` interval
duration = "2s"

# [checks]                  # by default all checks of the system: `seedbed list checks`
"#
    ));
    text
}
