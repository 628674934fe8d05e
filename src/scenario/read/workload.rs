//! `[workload]`: the client processes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::faults::Names;
use crate::language::reader::{Key, Section};
use crate::language::reading::name_hint;
use crate::language::units::{show_duration, show_float};
use crate::language::values::{read_integer, read_number};
use crate::scenario::types::WorkloadSpec;

const CLIENTS_MAX: u64 = 1_000;

/// The names of the clients, `c1` and on. They are needed before the section is read, for links and
/// groups; what is wrong with the number is told when the section is read.
pub(super) fn client_names(root: &mut Section<'_>, names: &Names) -> Vec<String> {
    let written = root.entry("workload").and_then(|entry| match &entry.item.value {
        crate::language::tree::Value::Table(table) => table.get("clients"),
        _ => None,
    });
    let count = written
        .and_then(|entry| read_integer(&entry.item, &(0..=CLIENTS_MAX)).ok())
        .unwrap_or(default_clients(names));
    (1..=count).map(|i| format!("c{i}")).collect()
}

fn default_clients(names: &Names) -> u64 {
    if names.system.as_ref().is_some_and(|system| system.operations.is_empty()) {
        0
    } else {
        WorkloadSpec::default().clients.into()
    }
}

pub(super) fn read(root: &mut Section<'_>, names: &Names) -> WorkloadSpec {
    let default = WorkloadSpec::default();
    let mut section = root.table("workload");
    let (zero, millisecond, hour) =
        (Duration::ZERO, Duration::from_millis(1), Duration::from_secs(3_600));
    let small = |number: u64| u32::try_from(number).expect("in range");
    let doc = "Client processes, named c1, c2, …";
    let clients = small(section.integer("clients", default_clients(names), 0..=CLIENTS_MAX, doc));
    section.exclusive(
        &["rate", "think_time"],
        "`rate` is an open loop, `think_time` a closed one: choose",
    );
    let doc = "Open loop: operations a second of all clients together, which arrive at random, \
        whether a client is busy or not; each has one open at a time, and starts late what came \
        meanwhile. Left out, each client starts its next operation after the answer.";
    let rate = section.optional_number("rate", 0.001..=1e6, doc);
    let think_time = if rate.is_some() {
        section.allow("think_time");
        default.think_time
    } else {
        let doc = "Closed loop: pause between an answer and the next operation.";
        section.durations("think_time", default.think_time, zero..=hour, doc)
    };
    let doc =
        "How long a client waits for an operation, all retries included, before it records `info`.";
    let timeout = section.duration("timeout", default.timeout, millisecond..=hour, doc);
    let doc = "How long it waits for one answer before it tries another node with the same serial \
        number.";
    let retry_after = section.duration("retry_after", default.retry_after, millisecond..=hour, doc);
    if retry_after > timeout {
        let found = format!("longer than `timeout`, which is {}", show_duration(timeout));
        let hint = "`timeout` covers an operation with all its retries, so the client would never \
            try another node";
        section.contradiction(
            &["retry_after"],
            "`workload.retry_after` must be at most `workload.timeout`",
            found,
            hint,
        );
        if !section.has("retry_after") {
            // The default is not the user's contradiction: written out, it would have the
            // scenario of a report refused.
            section.resolved.retain(|(key, _)| key != "retry_after");
        }
    }
    let keys = small(section.integer("keys", default.keys.into(), 1..=1_000_000, "How many keys."));
    let doc = "Client i speaks only to the node at position i of this list, over and over. Empty: \
        clients follow the leader.";
    let pin = section.names("pin", &[], "nodes", &names.nodes, doc);
    let start = section.duration(
        "start",
        default.start,
        zero..=Duration::from_secs(48 * 3_600),
        "When the first operations start.",
    );
    if let Some(entry) = section.entry("start").filter(|_| start >= names.duration) {
        let label = format!("the load ends at {}", show_duration(names.duration));
        let hint = "let it begin earlier, or make `duration` longer";
        section.reading.note_at(
            "`workload.start` is after the end of `duration`",
            &entry.item.at,
            label,
            hint,
        );
    }
    let operations = section.optional_integer(
        "operations",
        0..=u64::MAX,
        "At most this many operations a client; left out, until the end.",
    );
    let mix = read_mix(&mut section, names, &default.mix);
    root.close("workload", section);
    WorkloadSpec {
        clients,
        rate,
        think_time,
        timeout,
        retry_after,
        mix,
        keys,
        pin,
        start,
        operations,
    }
}

fn read_mix(
    section: &mut Section<'_>,
    names: &Names,
    default: &BTreeMap<String, f64>,
) -> BTreeMap<String, f64> {
    let mut table = section.table("mix");
    let doc =
        "Relative frequency of an operation of the system; those that are not named do not occur.";
    if table.reading.is_describing() {
        let key = Key { name: "OPERATION", kind: "a number", range: "0 up".into(), doc };
        table.take(&key, None);
    }
    let Some(system) = &names.system else {
        table.free_entries();
        return default.clone();
    };
    let operations = system.operations;
    let mut mix = BTreeMap::new();
    for entry in table.free_entries() {
        if !operations.contains(&entry.key.as_str()) {
            let message = format!(
                "`{}` has no operation `{}`",
                system.name,
                crate::error::excerpt(&entry.key)
            );
            let hint = name_hint(&entry.key, "operations", operations.iter().copied());
            table.reading.note_at(message, &entry.key_at, "unknown operation", hint);
            continue;
        }
        let key = Key { name: &entry.key, kind: "a number", range: "0 up".into(), doc };
        match read_number(&entry.item, &(0.0..=1e9)) {
            Ok(weight) => {
                mix.insert(entry.key.clone(), weight);
            }
            Err(problem) => table.complain(&key, problem),
        }
    }
    if let Some(at) = table.at.as_ref().filter(|_| table.table.is_some() && section.has("mix"))
        && !mix.is_empty()
        && mix.values().all(|weight| *weight == 0.0)
    {
        table.reading.note_at(
            "`workload.mix` is all zeros",
            at,
            "no operation ever",
            "for no load, write clients = 0",
        );
    }
    if mix.is_empty() {
        mix = default
            .iter()
            .filter(|(name, _)| operations.contains(&name.as_str()))
            .map(|(name, weight)| (name.clone(), *weight))
            .collect();
    }
    if mix.is_empty() {
        mix = operations.iter().map(|name| (name.to_string(), 1.0)).collect();
    }
    for (name, weight) in &mix {
        table.resolve(name, show_float(*weight));
    }
    section.close("mix", table);
    mix
}
