//! A user whose peer has crashed does not stay connected for ever: the directory notices within a
//! bounded time.
//!
//! Between the crash and that moment the entry is out of date, which is not wrong. The bound is
//! some leases, counted while the directory works: one that was down or paused, or has just
//! started, must first hear nothing for a whole lease.

use std::collections::BTreeMap;

use super::{Moment, P2pTrace, events, judge};
use crate::checkers::findings::{number, seconds};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::systems::p2p::vocabulary::{Offline, Online, Tables, Told};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_ghosts_vanish",
    summary: "A user whose peer has crashed is no longer connected after some leases.",
    source: "Gray and Cheriton 1989",
    params: &[ParamInfo {
        name: "leases",
        duration: false,
        default: 2.0,
        range: (1.0, 1e6),
        doc: "this many leases after a crash, while the directory works, the user is no longer \
            connected",
    }],
    liveness: true,
    check,
};

/// A connection as the directory sees it.
struct Connection<'a> {
    user: &'a str,
    host: NodeId,
    port: u16,
    begin_us: u64,
    end_us: u64,
    directory: NodeId,
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    judge(case, CHECKER.name, |p2p, findings| {
        let told = p2p.moments.iter().find_map(|moment| match &moment.told {
            Told::Tables(Tables { lease_us, .. }) => Some(*lease_us),
            _ => None,
        });
        let lease = told.unwrap_or(u64::MAX / 4);
        let bound = (lease as f64 * number(params, "leases").clamp(1.0, 1e6)) as u64;
        let mut crashes: BTreeMap<NodeId, Vec<u64>> = BTreeMap::new();
        for event in events(case.trace, &["crash"]) {
            crashes.entry(event.node).or_default().push(event.time_us);
        }
        for connection in connections(p2p, case.trace.end_us) {
            let away = p2p.absences(connection.directory);
            let of_host = crashes.get(&connection.host).into_iter().flatten();
            for crashed in
                of_host.filter(|time| (connection.begin_us..connection.end_us).contains(*time))
            {
                let mut due = crashed.saturating_add(bound);
                for (begin, end) in away {
                    if *begin <= due && *end >= *crashed {
                        due = end.saturating_add(bound);
                    }
                }
                if connection.end_us > due {
                    findings.report(due, &[connection.host, connection.directory], || {
                        let host = case.trace.name(connection.host);
                        format!(
                            "{host} crashed at {}, and {} was still connected there at {}",
                            seconds(*crashed),
                            connection.user,
                            seconds(due)
                        )
                    });
                    break;
                }
            }
        }
    })
}

fn connections(p2p: &P2pTrace, trace_end_us: u64) -> Vec<Connection<'_>> {
    let mut all: Vec<Connection<'_>> = vec![];
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for Moment { time_us, node, told, .. } in &p2p.moments {
        let (host, port, user) = match told {
            Told::Offline(Offline { user, .. }) => {
                if let Some(position) = open.remove(&**user) {
                    all[position].end_us = *time_us;
                }
                continue;
            }
            Told::Online(Online { host: Some(host), port, user }) => (*host, *port, &**user),
            _ => continue,
        };
        // Told again after a start of the directory, it is the same connection. At another port it
        // is another one, which has replaced the former.
        let same = open
            .get(user)
            .is_some_and(|position| (all[*position].host, all[*position].port) == (host, port));
        if !same {
            if let Some(position) = open.insert(user, all.len()) {
                all[position].end_us = *time_us;
            }
            all.push(Connection {
                user,
                host,
                port,
                begin_us: *time_us,
                end_us: trace_end_us,
                directory: *node,
            });
        }
    }
    all
}
