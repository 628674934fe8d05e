//! Who is in sync is said by the leader of an acknowledged view, and only those are promoted.
//!
//! A view whose leader has not acknowledged it keeps the in-sync set of the view before it: so the
//! next leader, should this one die too, is chosen among those that have all that was acknowledged.
//! (The strict rule of the dslabs, that no view follows before its primary has acknowledged it,
//! would stop the service where the chosen leader dies at once; this is what it is for.)

use super::judge;
use super::views::Views;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "view_acknowledged",
    summary: "With `sync-all`, only members of the in-sync set are promoted, and only a leader \
        changes the set, by acknowledging its view.",
    source: "dslabs lab 2, view changes; Kafka's in-sync replicas",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        if !replication.is_sync_all() {
            return;
        }
        let (mut views, mut times) = (Views::default(), std::collections::BTreeMap::new());
        for record in replication.records() {
            if let Some(version) = views.see(record) {
                times.insert(version, record.time_us);
            }
        }
        for (version, before, view) in views.pairs() {
            let time_us = times.get(&version).copied().unwrap_or(0);
            if let Some(leader) = view.leader.filter(|_| before.leader != view.leader) {
                let first = view.active_epoch == 0;
                if !first && !before.in_sync.contains(&leader) {
                    findings.report(time_us, &[leader], || {
                        let (leader, in_sync) =
                            (replication.name(leader), replication.list(&before.in_sync));
                        format!(
                            "{leader} was promoted to lead epoch {} and is not in sync: {in_sync}",
                            view.epoch
                        )
                    });
                }
            }
            if view.in_sync != before.in_sync && !view.is_active() {
                findings.report(time_us, &[], || {
                    let (old, new) =
                        (replication.list(&before.in_sync), replication.list(&view.in_sync));
                    format!(
                        "view {version} changes the replicas in sync from {old} to {new}, and \
                        no leader has acknowledged it"
                    )
                });
            }
        }
    })
}
