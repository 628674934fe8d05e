//! A leader whose session is silent stops to lead: it cannot know whether another one leads
//! already.
//!
//! A session ends after a silence of its time-out, and its client hears nothing either: so it stops
//! before that. What it had sent by then may still be on its way, longer than usual where a fault
//! holds messages or a whole node back; a scenario without such faults says so by a small `slack`.

use std::collections::BTreeMap;

use super::replay::Tree;
use super::{Told, judge_zk, show};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{SessionOpened, SessionTouched, StoreMean};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "leader_still_heard",
    summary: "No mean is stored of a leader whose session has been silent for its time-out and a \
        while.",
    source: "ZooKeeper's programmer's guide: disconnected and expired sessions; leases (Gray and \
        Cheriton 1989)",
    params: &[ParamInfo {
        name: "slack",
        duration: true,
        default: 60_000_000.0,
        range: (0.0, 1e12),
        doc: "how long a mean may be on its way, beyond the time-out of its sender's session",
    }],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let slack = whole(params, "slack");
    judge_zk(case, CHECKER.name, |zk, findings| {
        // The sessions by the znodes that they have made, whose transactions are epochs.
        let mut owners: BTreeMap<u64, u64> = BTreeMap::new();
        let mut tree = Tree::default();
        for (zxid, txn) in zk.committed() {
            tree.apply(*zxid, txn);
            let made = txn
                .changes
                .iter()
                .filter_map(|change| tree.znodes.get(&*change.path))
                .filter(|znode| znode.czxid == *zxid);
            owners.extend(made.filter(|znode| znode.owner != 0).map(|znode| (*zxid, znode.owner)));
        }
        let mut sessions: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for (record, told) in zk.told() {
            let time = record.time_us;
            match *told {
                Told::SessionOpened(SessionOpened { session, timeout_us, .. }) => {
                    sessions.entry(session).or_insert((timeout_us, time));
                }
                Told::SessionTouched(SessionTouched { session, .. }) => {
                    if let Some((_, heard)) = sessions.get_mut(&session) {
                        *heard = time;
                    }
                }
                Told::StoreMean(StoreMean { epoch, number, .. }) => {
                    let session = owners.get(&epoch).copied();
                    let Some((timeout, heard)) =
                        session.and_then(|session| sessions.get(&session)).copied()
                    else {
                        continue;
                    };
                    let silent = time.saturating_sub(heard);
                    if silent > timeout.saturating_add(slack) {
                        findings.report(time, &[zk.sender(epoch).unwrap_or(record.node)], || {
                            format!(
                                "{} accepted mean {number} of leader {}, whose session of {} had \
                                    been silent for {}",
                                zk.name(record.node),
                                show(epoch),
                                seconds(timeout),
                                seconds(silent)
                            )
                        });
                    }
                }
                _ => {}
            }
        }
    })
}
