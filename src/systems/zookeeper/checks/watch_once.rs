//! A watch tells once: each event has a watch that was set before it and has not told yet.

use std::collections::BTreeSet;

use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{ClientWatch, ClientWatchSet, WatchKind};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "watch_once",
    summary: "A client is told of a change only by a watch that it has set and that has not told \
        yet.",
    source: "ZooKeeper: watches are one-time triggers",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        // By session, whether it is for the children, and path.
        let mut set: BTreeSet<(u64, bool, &str)> = BTreeSet::new();
        for (record, told) in zk.told() {
            match *told {
                Told::ClientWatchSet(ClientWatchSet { session, kind, ref path, .. }) => {
                    set.insert((session, kind == WatchKind::Children, path));
                }
                Told::ClientWatch(ClientWatch { session, kind, ref path, .. }) => {
                    let node = kind.ends(WatchKind::Data) && set.remove(&(session, false, path));
                    let children =
                        kind.ends(WatchKind::Children) && set.remove(&(session, true, path));
                    if !node && !children {
                        findings.report(record.time_us, &[record.node], || {
                            format!(
                                "{} was told that {path} was {}, and had no watch set (session \
                                    {})",
                                zk.name(record.node),
                                kind.word(),
                                show(session)
                            )
                        });
                    }
                }
                _ => {}
            }
        }
    })
}
