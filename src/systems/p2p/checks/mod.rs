//! The checks of file sharing, and what they share: the operations of users, and the connections as
//! the directory tells of them.

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

use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Verdict};
use crate::trace::{Event, NodeId, Trace};

/// The checks that make sense for `p2p`.
pub static CHECKS: &[&Checker] = &[
    &directory_linearizable::CHECKER,
    &users_listed::CHECKER,
    &statuses::CHECKER,
    &script::CHECKER,
    &files_whole::CHECKER,
    &failure_leaves_files::CHECKER,
    &only_published_served::CHECKER,
    &operation_log::CHECKER,
    &dates::CHECKER,
    &crate::checkers::no_panic::CHECKER,
    &ghosts_vanish::CHECKER,
    &published_is_fetched::CHECKER,
    &answered_in_time::CHECKER,
    &crate::checkers::all_operations_answered::CHECKER,
    &crate::checkers::availability::CHECKER,
];

/// A connection has ended because its lease was over, as the directory tells.
#[derive(Clone, Copy, Debug)]
pub struct Expiry<'a> {
    pub user: &'a str,
    /// It happened between these positions in the order that history and events share; nearly
    /// always they are one.
    pub from: u64,
    pub to: u64,
}

/// What several checks need of a trace. A check asks for what concerns one user, peer or node:
/// going through everything for each of them would cost the square of their number.
pub struct P2pTrace<'a> {
    pub calls: Vec<Call<'a>>,
    pub expiries: Vec<Expiry<'a>>,
    /// Positions in `calls` by user and by peer, and in `expiries` by user.
    by_user: BTreeMap<&'a str, Vec<usize>>,
    by_peer: BTreeMap<Option<NodeId>, Vec<usize>>,
    expiries_by_user: BTreeMap<&'a str, Vec<usize>>,
    absences: BTreeMap<NodeId, Vec<Span>>,
}

/// From when to when, µs.
type Span = (u64, u64);

impl<'a> P2pTrace<'a> {
    pub fn new(case: &Case<'a>) -> P2pTrace<'a> {
        let trace: &'a Trace = case.trace;
        let (calls, expiries) = (calls(trace, case.history()), expiries(trace));
        let by_user = positions(calls.iter().map(|call| call.user));
        let by_peer = positions(calls.iter().map(|call| call.peer));
        let expiries_by_user = positions(expiries.iter().map(|expiry| expiry.user));
        P2pTrace { calls, expiries, by_user, by_peer, expiries_by_user, absences: absences(case) }
    }

    /// The operations in a user's name, in order.
    fn of_user(&self, user: &str) -> impl DoubleEndedIterator<Item = &Call<'a>> {
        self.by_user.get(user).into_iter().flatten().map(|position| &self.calls[*position])
    }

    /// The operations that were typed at a peer, in order.
    fn at_peer(&self, peer: Option<NodeId>) -> impl Iterator<Item = &Call<'a>> {
        self.by_peer.get(&peer).into_iter().flatten().map(|position| &self.calls[*position])
    }

    fn expiries_of(&self, user: &str) -> impl Iterator<Item = &Expiry<'a>> {
        self.expiries_by_user
            .get(user)
            .into_iter()
            .flatten()
            .map(|position| &self.expiries[*position])
    }

    /// When a node was down or paused, from its first start on; an open end is the end of time.
    fn absences(&self, node: NodeId) -> &[Span] {
        self.absences.get(&node).map_or(&[], Vec::as_slice)
    }
}

fn positions<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, Vec<usize>> {
    let mut positions: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (position, key) in keys.enumerate() {
        positions.entry(key).or_default().push(position);
    }
    positions
}

/// The expiries that the directory tells of, and those that a crash has kept it from telling: after
/// its start it names a user at another port than before, and ports are drawn for each connection.
/// So the former connection was over, and perhaps only the user's next request has shown it, which
/// is durable too.
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
                if let Some((_, from)) =
                    former.filter(|(former, _)| *former != port && started == Some(moment))
                {
                    expiries.push(Expiry { user, from, to: event.index });
                }
            }
            _ => {}
        }
    }
    expiries
}

/// Judge by the operations of users. Without any there is nothing to judge by.
fn judge(
    case: &Case<'_>,
    check: &'static str,
    judgement: impl FnOnce(&P2pTrace<'_>, &mut Findings),
) -> Verdict {
    let p2p = case.p2p();
    if p2p.calls.is_empty() {
        return Verdict::Unknown("the history holds no operation of file sharing".to_owned());
    }
    let mut findings = Findings::new(check);
    judgement(p2p, &mut findings);
    findings.verdict()
}

/// The events of these names, in the order of the trace; those of nodes that are not declared are
/// left out.
fn events<'a>(case: &Case<'a>, names: &'a [&'a str]) -> impl Iterator<Item = &'a Event> {
    let nodes = case.trace.nodes.len();
    case.trace
        .events
        .iter()
        .filter(move |event| event.node.index() < nodes && names.contains(&&*event.name))
}

/// A number of an event that cannot be negative.
fn count(event: &Event, field: &str) -> Option<u64> {
    u64::try_from(event.fields.int(field)?).ok()
}

/// When each node was down or paused.
fn absences(case: &Case<'_>) -> BTreeMap<NodeId, Vec<Span>> {
    let mut absences: BTreeMap<NodeId, Vec<Span>> = BTreeMap::new();
    for event in events(case, &["crash", "pause", "start", "resume"]) {
        let absences = absences.entry(event.node).or_default();
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
fn touches(spans: &[Span], from: u64, to: u64) -> bool {
    spans.iter().any(|(begin, end)| *begin <= to && *end >= from)
}
