//! A user whose peer has crashed is not connected for ever: the directory notices within a bounded
//! time.
//!
//! Between the crash and that the entry is out of date, which is no mistake. The bound is some
//! leases, counted while the directory works: one that is down, paused or just started has to hear
//! nobody for a whole lease first.

use std::collections::BTreeMap;

use super::{count, events, judge};
use crate::checkers::findings::{number, seconds};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
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
        doc: "so many leases after a crash, while the directory works, the user is no longer \
            connected",
    }],
    liveness: true,
    check,
};

/// A connection as the directory sees it.
struct Connection<'a> {
    user: &'a str,
    host: NodeId,
    port: Option<i64>,
    begin_us: u64,
    end_us: u64,
    directory: NodeId,
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    judge(case, CHECKER.name, |p2p, findings| {
        let told = events(case, &["tables"]).find_map(|event| count(event, "lease_us"));
        let lease = told.unwrap_or(u64::MAX / 4);
        let bound = (lease as f64 * number(params, "leases").clamp(1.0, 1e6)) as u64;
        let mut crashes: BTreeMap<NodeId, Vec<u64>> = BTreeMap::new();
        for event in events(case, &["crash"]) {
            crashes.entry(event.node).or_default().push(event.time_us);
        }
        for connection in connections(case) {
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

fn connections<'a>(case: &Case<'a>) -> Vec<Connection<'a>> {
    let mut all: Vec<Connection<'a>> = vec![];
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events(case, &["online", "offline"]) {
        let Some(user) = event.fields.text("user") else { continue };
        if event.name == "offline" {
            if let Some(position) = open.remove(user) {
                all[position].end_us = event.time_us;
            }
            continue;
        }
        let Some(host) = event.fields.node("host") else { continue };
        let port = event.fields.int("port");
        // Told again after a start of the directory, it is the same connection. At another port it
        // is another one, which has taken its place.
        let same = open
            .get(user)
            .is_some_and(|position| (all[*position].host, all[*position].port) == (host, port));
        if !same {
            if let Some(position) = open.insert(user, all.len()) {
                all[position].end_us = event.time_us;
            }
            all.push(Connection {
                user,
                host,
                port,
                begin_us: event.time_us,
                end_us: case.trace.end_us,
                directory: event.node,
            });
        }
    }
    all
}
