//! The list of users: it shows each connected user once and nobody else, at the address of the
//! connection, as of some moment within the call.
//!
//! The list concerns all users together, so a search over all orders would be as large as the run.
//! Bounds of the times suffice: a user that is shown must have been connected by something that may
//! have come before the end of the call, and not certainly ended before it began; a user that is
//! not shown must not have been connected all the time.

use std::collections::BTreeMap;

use super::{P2pTrace, judge};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::p2p::vocabulary::Service;
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_users_listed",
    summary: "A list of users shows those who were connected at some moment within the call, once, \
        where they were, and nobody else.",
    source: "the assignment's `list_users`; Lamport's interval orders",
    params: &[],
    liveness: false,
    check,
};

/// A connection that began, certainly or perhaps.
struct Began<'a> {
    invoked: u64,
    /// `u64::MAX`: perhaps, at any later time.
    completed: u64,
    host: Option<NodeId>,
    /// Empty if no user was told.
    port: &'a str,
    certain: bool,
}

/// A connection ended.
struct Ended {
    invoked: u64,
    completed: u64,
    certain: bool,
}

#[derive(Default)]
struct Presence<'a> {
    began: Vec<Began<'a>>,
    ended: Vec<Ended>,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |p2p, findings| {
        let users = presences(p2p);
        let mut hosts: BTreeMap<&str, NodeId> = BTreeMap::new();
        for (node, info) in (0u32..).map(NodeId).zip(&case.trace.nodes) {
            hosts.entry(&info.name).or_insert(node);
        }
        let lists = p2p
            .calls
            .iter()
            .filter(|call| call.service == Service::ListUsers && call.status == Some(0));
        for call in lists {
            let Some(completed) = call.completed else { continue };
            let time_us = call.ended_us.unwrap_or(call.invoked_us);
            let nodes: Vec<NodeId> = call.peer.into_iter().collect();
            let shown: Vec<(&str, &str, &str)> =
                call.detail.split_whitespace().filter_map(entry).collect();
            let mut seen: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
            for (user, host, port) in shown {
                if seen.insert(user, (host, port)).is_some() {
                    findings.report(time_us, &nodes, || {
                        format!("{} was shown {user} twice", call.process)
                    });
                }
                let host = hosts.get(host).copied();
                let possible = users.get(user).is_some_and(|presence| {
                    presence.may_be_at(call.invoked, completed, host, port)
                });
                if !possible {
                    let at = call
                        .detail
                        .split_whitespace()
                        .find(|word| word.starts_with(&format!("{user}@")))
                        .unwrap_or(user);
                    findings.report(time_us, &nodes, || {
                        format!("{} was shown {at}, where {user} was not connected", call.process)
                    });
                }
            }
            for (user, presence) in &users {
                if !seen.contains_key(user) && presence.certainly_there(call.invoked, completed) {
                    findings.report(time_us, &nodes, || {
                        format!(
                            "{} was not shown {user}, who was connected all the time",
                            call.process
                        )
                    });
                }
            }
        }
    })
}

/// `alice@p1:40000`.
fn entry(word: &str) -> Option<(&str, &str, &str)> {
    let (user, address) = word.split_once('@')?;
    let (host, port) = address.split_once(':')?;
    Some((user, host, port))
}

fn presences<'a>(p2p: &'a P2pTrace) -> BTreeMap<&'a str, Presence<'a>> {
    let mut users: BTreeMap<&str, Presence<'_>> = BTreeMap::new();
    for call in &p2p.calls {
        let happened = call.status == Some(0);
        if !happened && !call.open {
            continue;
        }
        let completed = if happened { call.completed.unwrap_or(u64::MAX) } else { u64::MAX };
        let presence = users.entry(&call.user).or_default();
        match call.service {
            Service::Connect => {
                let port = if happened { call.detail.as_str() } else { "" };
                presence.began.push(Began {
                    invoked: call.invoked,
                    completed,
                    host: call.peer,
                    port,
                    certain: happened,
                });
            }
            Service::Disconnect | Service::Unregister => {
                presence.ended.push(Ended { invoked: call.invoked, completed, certain: happened });
            }
            _ => {}
        }
    }
    for expiry in &p2p.expiries {
        users.entry(&expiry.user).or_default().ended.push(Ended {
            invoked: expiry.from,
            completed: expiry.to,
            certain: true,
        });
    }
    users
}

impl Presence<'_> {
    /// Whether some connection at this address may have stood at a moment of the call.
    fn may_be_at(&self, invoked: u64, completed: u64, host: Option<NodeId>, port: &str) -> bool {
        self.began.iter().any(|began| {
            let fits = began.host == host && (began.port.is_empty() || began.port == port);
            let over = self.ended.iter().any(|ended| {
                ended.certain && ended.invoked > began.completed && ended.completed < invoked
            });
            fits && began.invoked < completed && !over
        })
    }

    /// Whether a connection certainly stood during the whole call.
    fn certainly_there(&self, invoked: u64, completed: u64) -> bool {
        self.began.iter().any(|began| {
            let may_be_over = self
                .ended
                .iter()
                .any(|ended| ended.completed > began.invoked && ended.invoked < completed);
            began.certain && began.completed < invoked && !may_be_over
        })
    }
}
