//! The coordinator's records are complete and in order: each round that a server has on its disk is
//! recorded once, as it was, and after the rounds before it.

use std::collections::{BTreeMap, BTreeSet};

use super::{events, verdict};
use crate::checkers::findings::{Findings, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::{Event, NodeId};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "rounds_recorded",
    summary: "Each round that a server has stored is recorded by the coordinator in the end, once, \
        in order, and with the same hours.",
    source: "the assignment: hora_central, hora_equipo",
    params: &[ParamInfo {
        name: "settle",
        duration: true,
        default: 5_000_000.0,
        range: (0.0, 1e12),
        doc: "rounds that were stored later than this before the end need not be recorded yet",
    }],
    liveness: true,
    check,
};

/// Server and number of a round.
fn key(event: &Event) -> Option<(NodeId, i64)> {
    Some((event.fields.node("server")?, event.fields.int("round")?))
}

fn hours(event: &Event) -> [Option<i64>; 3] {
    ["previous_us", "corrected_us", "adjustment_us"].map(|name| event.fields.int(name))
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let trace = case.trace;
    let last_us = trace.end_us.saturating_sub(whole(params, "settle"));
    let mut findings = Findings::new(CHECKER.name);
    let mut stored: BTreeMap<_, Vec<&Event>> = BTreeMap::new();
    for event in events(trace, "round_stored") {
        if let Some(key) = key(event) {
            stored.entry(key).or_default().push(event);
        }
    }
    let mut recorded = BTreeSet::new();
    let mut newest: BTreeMap<NodeId, i64> = BTreeMap::new();
    // A crash may keep a record and take back that it was told; the coordinator finds it when it
    // starts.
    recorded.extend(events(trace, "record_found").filter_map(key));
    for event in events(trace, "recorded") {
        let Some((server, round)) = key(event) else { continue };
        let name = trace.name(server);
        recorded.insert((server, round));
        if let Some(before) = newest.insert(server, round).filter(|before| *before >= round) {
            findings.report(event.time_us, &[server], || {
                format!("round {round} of {name} was recorded after round {before}")
            });
        }
        // A server that crashed between storing and telling may have done the round twice.
        let same = |originals: &Vec<&Event>| {
            originals.iter().any(|original| hours(original) == hours(event))
        };
        if !stored.get(&(server, round)).is_some_and(same) {
            findings.report(event.time_us, &[server], || {
                format!("round {round} of {name} was recorded otherwise than it was")
            });
        }
    }
    for ((server, round), originals) in &stored {
        let Some(first) = originals.first().filter(|first| first.time_us <= last_us) else {
            continue;
        };
        if !recorded.contains(&(*server, *round)) {
            let name = trace.name(*server);
            findings.report(first.time_us, &[*server], || {
                format!("round {round} of {name} was never recorded")
            });
        }
    }
    verdict(findings, stored.len(), "stored round")
}
