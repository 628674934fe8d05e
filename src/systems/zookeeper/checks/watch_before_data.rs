//! A client is told of a change that it watches before it sees anything as new as the change.
//!
//! Not judged is a watch for a znode that did not exist, across a reconnection: the znode may have
//! been made and removed in between.

use std::collections::{BTreeMap, BTreeSet};

use super::{Told, first_change, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{
    ClientReply, ClientSession, ClientWatch, ClientWatchSet, SessionState, WatchKind,
};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "watch_before_data",
    summary: "A client that watches a znode hears of its change before it has any answer from a \
        state that holds the change.",
    source: "ZooKeeper's guarantees about watches",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut waiting: BTreeMap<u64, BTreeMap<(WatchKind, &str), u64>> = BTreeMap::new();
        let mut moved: BTreeSet<(u64, &str)> = BTreeSet::new();
        for (record, told) in zk.told() {
            match *told {
                Told::ClientWatchSet(ClientWatchSet { session, kind, zxid, ref path, .. }) => {
                    moved.remove(&(session, path));
                    if let Some(change) = first_change(zk, kind, path, zxid) {
                        waiting.entry(session).or_default().entry((kind, path)).or_insert(change);
                    }
                }
                Told::ClientWatch(ClientWatch { session, kind, ref path, .. }) => {
                    let of_session = waiting.entry(session).or_default();
                    of_session.retain(|(watch, of), _| **path != **of || !kind.ends(*watch));
                }
                Told::ClientSession(ClientSession { session, state, .. }) => match state {
                    SessionState::Expired | SessionState::Closed => {
                        waiting.remove(&session);
                    }
                    _ => {
                        let exists = waiting
                            .entry(session)
                            .or_default()
                            .keys()
                            .filter(|(kind, _)| *kind == WatchKind::Exists);
                        moved.extend(exists.map(|(_, path)| (session, *path)));
                    }
                },
                Told::ClientReply(ClientReply { session, zxid, .. }) if zxid > 0 => {
                    let Some(of_session) = waiting.get_mut(&session) else { continue };
                    of_session.retain(|(kind, path), change| {
                        let late = *change <= zxid;
                        if late
                            && !(*kind == WatchKind::Exists && moved.contains(&(session, *path)))
                        {
                            findings.report(record.time_us, &[record.node], || {
                                let (node, change, zxid) =
                                    (zk.name(record.node), show(*change), show(zxid));
                                format!(
                                    "{node} had an answer from the state {zxid} before it was \
                                    told of the change of {path} at {change}"
                                )
                            });
                        }
                        !late
                    });
                }
                _ => {}
            }
        }
    })
}
