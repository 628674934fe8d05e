//! A client is told of a change that it watches before it sees anything as new as the change.
//!
//! Not judged is a watch for a znode that did not exist, across a reconnection: the znode may have
//! been made and removed in between.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, first_change, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};

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
        let mut waiting: BTreeMap<u64, BTreeMap<(&str, &str), u64>> = BTreeMap::new();
        let mut moved: BTreeSet<(u64, &str)> = BTreeSet::new();
        for record in &zk.records {
            match record.kind {
                Kind::WatchSet { session, kind, zxid, path } => {
                    moved.remove(&(session, path));
                    if let Some(change) = first_change(zk, kind, path, zxid) {
                        waiting.entry(session).or_default().entry((kind, path)).or_insert(change);
                    }
                }
                Kind::Watch { session, kind, path } => {
                    let of_session = waiting.entry(session).or_default();
                    if kind != "children_changed" {
                        of_session.remove(&("data", path));
                        of_session.remove(&("exists", path));
                    }
                    if matches!(kind, "children_changed" | "deleted") {
                        of_session.remove(&("children", path));
                    }
                }
                Kind::ClientSession { session, state, .. } => match state {
                    "expired" | "closed" => {
                        waiting.remove(&session);
                    }
                    _ => {
                        let exists = waiting
                            .entry(session)
                            .or_default()
                            .keys()
                            .filter(|(kind, _)| *kind == "exists");
                        moved.extend(exists.map(|(_, path)| (session, *path)));
                    }
                },
                Kind::ClientReply { session, zxid, .. } if zxid > 0 => {
                    let Some(of_session) = waiting.get_mut(&session) else { continue };
                    of_session.retain(|(kind, path), change| {
                        let late = *change <= zxid;
                        if late && !(*kind == "exists" && moved.contains(&(session, *path))) {
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
