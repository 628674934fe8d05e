//! The checks of file sharing, and what they share: the operations of users, and the connections as
//! the directory tells of them.

pub mod answered_in_time;
pub mod calls;
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
mod table;
pub mod users_listed;

use calls::{Call, calls};

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Verdict, View};
use crate::systems::p2p::vocabulary::{Offline, OfflineReason, Online, Told};
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

/// A connection has ended because its lease has, as the directory tells.
#[derive(Clone, Debug)]
pub struct Expiry {
    pub user: Rc<str>,
    /// It happened between these positions in the order that history and events share; nearly
    /// always they are one.
    pub from: u64,
    pub to: u64,
}

/// An event of the system, decoded.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Its position in the order that history and events share.
    pub index: u64,
    pub time_us: u64,
    pub node: NodeId,
    pub told: Told,
}

/// What several checks need of a trace. A check asks for what concerns one user, peer or node:
/// going through everything for each of them would cost the square of their number.
pub struct P2pTrace {
    pub calls: Vec<Call>,
    /// The events of declared nodes, in the order of the trace.
    pub moments: Vec<Moment>,
    pub expiries: Vec<Expiry>,
    /// Positions in `calls` by user and by peer, and in `expiries` by user.
    by_user: BTreeMap<Rc<str>, Vec<usize>>,
    by_peer: BTreeMap<Option<NodeId>, Vec<usize>>,
    expiries_by_user: BTreeMap<Rc<str>, Vec<usize>>,
    absences: BTreeMap<NodeId, Vec<Absence>>,
}

/// From when to when a node was away, µs.
type Absence = (u64, u64);

impl View for P2pTrace {
    fn new(trace: &Trace) -> P2pTrace {
        let nodes = trace.nodes.len();
        let declared = trace.events.iter().filter(|event| event.node.index() < nodes);
        let moments: Vec<Moment> = declared
            .filter_map(|event| {
                let told = Told::read(&event.name, &event.fields)?;
                Some(Moment { index: event.index, time_us: event.time_us, node: event.node, told })
            })
            .collect();
        let (calls, expiries) = (calls(trace), expiries(&moments));
        P2pTrace {
            by_user: positions(calls.iter().map(|call| call.user.clone())),
            by_peer: positions(calls.iter().map(|call| call.peer)),
            expiries_by_user: positions(expiries.iter().map(|expiry| expiry.user.clone())),
            absences: absences(trace),
            calls,
            moments,
            expiries,
        }
    }
}

impl P2pTrace {
    /// The operations in a user's name, in order.
    fn of_user(&self, user: &str) -> impl DoubleEndedIterator<Item = &Call> {
        self.by_user.get(user).into_iter().flatten().map(|position| &self.calls[*position])
    }

    /// The operations that were typed at a peer, in order.
    fn at_peer(&self, peer: Option<NodeId>) -> impl Iterator<Item = &Call> {
        self.by_peer.get(&peer).into_iter().flatten().map(|position| &self.calls[*position])
    }

    fn expiries_of(&self, user: &str) -> impl Iterator<Item = &Expiry> {
        self.expiries_by_user
            .get(user)
            .into_iter()
            .flatten()
            .map(|position| &self.expiries[*position])
    }

    /// When a node was down or paused, from its first start on; an open end is the end of time.
    fn absences(&self, node: NodeId) -> &[Absence] {
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
/// So the former connection had ended, and perhaps only the user's next request has shown it, which
/// is durable too.
fn expiries(moments: &[Moment]) -> Vec<Expiry> {
    let mut expiries = vec![];
    let mut online: BTreeMap<&str, (u16, u64)> = BTreeMap::new();
    let mut started = None;
    for Moment { index, time_us, node, told } in moments {
        match told {
            Told::Tables(_) => started = Some((*node, *time_us)),
            Told::Offline(Offline { reason, user }) => {
                online.remove(&**user);
                if *reason == OfflineReason::Expired {
                    expiries.push(Expiry { user: (&**user).into(), from: *index, to: *index });
                }
            }
            Told::Online(Online { port, user, .. }) => {
                let former = online.insert(user, (*port, *index));
                let other = former.filter(|(former, _)| former != port);
                if let Some((_, from)) = other
                    && started == Some((*node, *time_us))
                {
                    expiries.push(Expiry { user: (&**user).into(), from, to: *index });
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
    judgement: impl FnOnce(&P2pTrace, &mut Findings),
) -> Verdict {
    let p2p = case.view::<P2pTrace>();
    if p2p.calls.is_empty() {
        return Verdict::Unknown("the history holds no operation of file sharing".to_owned());
    }
    let mut findings = Findings::new(check);
    judgement(&p2p, &mut findings);
    findings.verdict()
}

/// The events of these names, in the order of the trace; those of nodes that are not declared are
/// left out.
fn events<'a>(trace: &'a Trace, names: &'a [&'a str]) -> impl Iterator<Item = &'a Event> {
    let nodes = trace.nodes.len();
    trace
        .events
        .iter()
        .filter(move |event| event.node.index() < nodes && names.contains(&&*event.name))
}

/// When each node was down or paused.
fn absences(trace: &Trace) -> BTreeMap<NodeId, Vec<Absence>> {
    let mut absences: BTreeMap<NodeId, Vec<Absence>> = BTreeMap::new();
    for event in events(trace, &["crash", "pause", "start", "resume"]) {
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
fn touches(spans: &[Absence], from: u64, to: u64) -> bool {
    spans.iter().any(|(begin, end)| *begin <= to && *end >= from)
}
