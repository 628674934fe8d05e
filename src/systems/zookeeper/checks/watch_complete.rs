//! Every change that is watched is told, if the session lives and is connected.

use std::collections::BTreeMap;

use super::{Kind, Life, Told, first_change, judge_zk, show};
use crate::checkers::findings::whole;
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{
    ClientSession, ClientWatch, ClientWatchSet, SessionState, WatchKind, ZnodeChange,
};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "watch_complete",
    summary: "A change of what a client watches is told to it in time, also after the client has \
        moved to another server.",
    source: "ZooKeeper's guarantees about watches; SetWatches",
    params: &[ParamInfo {
        name: "within",
        duration: true,
        default: 3_000_000.0,
        range: (0.0, 1e12),
        doc: "how long it may take, counted from the change or from the connection, whichever is \
            later",
    }],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let within = whole(params, "within");
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut waiting = BTreeMap::new();
        let mut connected: BTreeMap<u64, u64> = BTreeMap::new();
        for record in &zk.records {
            match record.kind {
                Kind::Told(Told::ClientWatchSet(ClientWatchSet {
                    session,
                    kind,
                    zxid,
                    ref path,
                    ..
                })) => {
                    let (since, ..) = *waiting.entry((session, kind, path)).or_insert((
                        zxid,
                        record.node,
                        record.time_us,
                    ));
                    // Set again, by a read that shows a change of which the first setting has not
                    // told.
                    if let Some(change) = first_change(zk, kind, path, since)
                        .filter(|change| *change <= zxid && kind != WatchKind::Exists)
                    {
                        findings.report(record.time_us, &[record.node], || {
                            let (node, change, since) =
                                (zk.name(record.node), show(change), show(since));
                            format!(
                                "{node} was never told of the change of {path} at {change}, \
                                which it watched since {since}"
                            )
                        });
                        waiting.insert((session, kind, path), (zxid, record.node, record.time_us));
                    }
                }
                Kind::Told(Told::ClientWatch(ClientWatch { session, kind, ref path, .. })) => {
                    for watch in [WatchKind::Data, WatchKind::Exists, WatchKind::Children] {
                        if kind.ends(watch) {
                            waiting.remove(&(session, watch, path));
                        }
                    }
                }
                Kind::Told(Told::ClientSession(ClientSession {
                    session,
                    state: SessionState::Connected,
                    ..
                })) => {
                    connected.insert(session, record.time_us);
                }
                Kind::Told(Told::ClientSession(ClientSession { session, .. })) => {
                    connected.remove(&session);
                }
                // Its sessions are over, or are nobody's any more.
                Kind::Life(Life::Crash) => waiting.retain(|_, (_, node, _)| *node != record.node),
                _ => {}
            }
        }
        let deadline = case.trace.end_us.saturating_sub(within);
        for ((session, kind, path), (zxid, node, _)) in waiting {
            let Some(change) = first_change(zk, kind, path, zxid) else { continue };
            let time = zk.committed().get(&change).map_or(0, |txn| txn.time_us);
            let since = connected.get(&session).copied().map(|since| since.max(time));
            let undone = kind == WatchKind::Exists
                && zk.committed().range(change..).any(|(_, txn)| {
                    txn.changes
                        .iter()
                        .any(|each| each.path == *path && each.what == ZnodeChange::Delete)
                });
            if since.is_some_and(|since| since <= deadline) && !undone {
                findings.report(case.trace.end_us, &[node], || {
                    format!(
                        "{} was never told of the change of {path} at {}, which it watched since \
                            {}",
                        zk.name(node),
                        show(change),
                        show(zxid)
                    )
                });
            }
        }
    })
}
