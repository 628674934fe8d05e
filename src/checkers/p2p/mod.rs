//! The checks of file sharing, and what they share: the operations of users, and the connections as the directory tells of them.

pub mod answered_in_time;
mod calls;
pub mod dates;
pub mod directory_linearizable;
pub mod failure_leaves_files;
pub mod files_whole;
pub mod ghosts_vanish;
mod model;
pub mod only_published_served;
pub mod operation_log;
pub mod published_is_fetched;
pub mod script;
pub mod statuses;
pub mod users_listed;

use calls::{Call, calls};

use std::collections::BTreeMap;

use super::findings::Findings;
use super::{Case, Checker, Verdict};
use crate::trace::{Event, NodeId, Trace};

/// The checks that make sense for `p2p`.
pub static P2P_CHECKS: &[&Checker] = &[
    &directory_linearizable::CHECKER,
    &users_listed::CHECKER,
    &statuses::CHECKER,
    &script::CHECKER,
    &files_whole::CHECKER,
    &failure_leaves_files::CHECKER,
    &only_published_served::CHECKER,
    &operation_log::CHECKER,
    &dates::CHECKER,
    &super::no_panic::CHECKER,
    &ghosts_vanish::CHECKER,
    &published_is_fetched::CHECKER,
    &answered_in_time::CHECKER,
    &super::all_operations_answered::CHECKER,
    &super::availability::CHECKER,
];

/// A connection has ended because its lease was over, as the directory tells.
#[derive(Clone, Copy, Debug)]
pub struct Expiry<'a> {
    pub user: &'a str,
    /// It happened between these positions in the order that history and events share; nearly always they are one.
    pub from: u64,
    pub to: u64,
}

/// What several checks need of a trace.
pub struct P2pTrace<'a> {
    pub calls: Vec<Call<'a>>,
    pub expiries: Vec<Expiry<'a>>,
}

impl<'a> P2pTrace<'a> {
    pub fn new(case: &Case<'a>) -> P2pTrace<'a> {
        let trace: &'a Trace = case.trace;
        P2pTrace { calls: calls(trace, case.history()), expiries: expiries(trace) }
    }
}

/// The expiries that the directory tells of, and those that a crash has kept it from telling: after its start it names a user at another port than before,
/// and ports are drawn for each connection. So the former connection was over, and perhaps only the user's next request has shown it, which is durable too.
fn expiries(trace: &Trace) -> Vec<Expiry<'_>> {
    let mut expiries = vec![];
    let mut told: BTreeMap<&str, (i64, u64)> = BTreeMap::new();
    let mut started = None;
    for event in &trace.events {
        let moment = (event.node, event.time_us);
        let Some(user) = event.fields.text("user") else {
            if event.name == "tables" {
                started = Some(moment);
            }
            continue;
        };
        match &*event.name {
            "offline" => {
                told.remove(user);
                if event.fields.text("reason") == Some("expired") {
                    expiries.push(Expiry { user, from: event.index, to: event.index });
                }
            }
            "online" => {
                let port = event.fields.int("port").unwrap_or(0);
                let former = told.insert(user, (port, event.index));
                if let Some((_, from)) = former.filter(|(former, _)| *former != port && started == Some(moment)) {
                    expiries.push(Expiry { user, from, to: event.index });
                }
            }
            _ => {}
        }
    }
    expiries
}

/// Judge by the operations of users. Without any there is nothing to judge by.
fn judge(case: &Case<'_>, check: &'static str, judgement: impl FnOnce(&P2pTrace<'_>, &mut Findings)) -> Verdict {
    let p2p = P2pTrace::new(case);
    if p2p.calls.is_empty() {
        return Verdict::Unknown("the history holds no operation of file sharing".to_owned());
    }
    let mut findings = Findings::new(check);
    judgement(&p2p, &mut findings);
    findings.verdict()
}

/// The events of these names, in the order of the trace; those of nodes that are not declared are left out.
fn events<'a>(case: &Case<'a>, names: &'a [&'a str]) -> impl Iterator<Item = &'a Event> {
    let nodes = case.trace.nodes.len();
    case.trace.events.iter().filter(move |event| event.node.index() < nodes && names.contains(&&*event.name))
}

/// A number of an event that cannot be negative.
fn count(event: &Event, field: &str) -> Option<u64> {
    u64::try_from(event.fields.int(field)?).ok()
}

/// When a node was down or paused, µs, from its first start on; an open end is the end of time.
fn absences(case: &Case<'_>, node: NodeId) -> Vec<(u64, u64)> {
    let mut absences: Vec<(u64, u64)> = vec![];
    for event in events(case, &["crash", "pause", "start", "resume"]).filter(|event| event.node == node) {
        let open = absences.last_mut().filter(|(_, end)| *end == u64::MAX);
        match (&*event.name, open) {
            ("crash" | "pause", None) => absences.push((event.time_us, u64::MAX)),
            ("start" | "resume", Some((_, end))) => *end = event.time_us,
            _ => {}
        }
    }
    absences
}

/// Whether any of these spans and the time between two moments have something in common.
fn touches(spans: &[(u64, u64)], from: u64, to: u64) -> bool {
    spans.iter().any(|(begin, end)| *begin <= to && *end >= from)
}
