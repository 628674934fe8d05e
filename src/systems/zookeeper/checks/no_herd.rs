//! No herd: one contender that leaves wakes at most one other.
//!
//! A watch on the children of the election is a herd too: everybody hears of every exit, and of
//! every newcomer as well.
//!
//! The recipe is correct either way; what it costs is seen in the number of notifications. With a
//! watch on the predecessor only, n contenders that leave one after the other cost n − 1 of them,
//! with a watch on the leader n (n − 1) / 2.

use std::collections::{BTreeMap, BTreeSet};

use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{WatchEventKind, WatchFired};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "no_herd",
    summary: "At most one session is told that a contender's znode is gone, or that the row has \
        changed.",
    source: "ZooKeeper's recipes: leader election, the herd effect",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut woken: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        let mut of_children: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for (record, told) in zk.told() {
            let Told::WatchFired(WatchFired { session, zxid, kind, ref path, .. }) = *told else {
                continue;
            };
            if kind == WatchEventKind::ChildrenChanged && **path == *"/election" {
                let sessions = of_children.entry(zxid).or_default();
                if sessions.insert(session) && sessions.len() > 1 {
                    findings.report(record.time_us, &[record.node], || {
                        let all: Vec<String> =
                            sessions.iter().map(|session| show(*session)).collect();
                        format!(
                            "{} sessions were woken because the children of {path} changed: {}",
                            all.len(),
                            all.join(", ")
                        )
                    });
                }
                continue;
            }
            if kind != WatchEventKind::Deleted || !path.starts_with("/election/") {
                continue;
            }
            let sessions = woken.entry(path).or_default();
            if sessions.insert(session) && sessions.len() > 1 {
                findings.report(record.time_us, &[record.node], || {
                    let all: Vec<String> = sessions.iter().map(|session| show(*session)).collect();
                    format!(
                        "{} sessions were woken because {path} has gone: {}",
                        all.len(),
                        all.join(", ")
                    )
                });
            }
        }
    })
}
