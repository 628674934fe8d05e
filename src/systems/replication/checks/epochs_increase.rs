//! Epochs and views are counted upwards, whatever restarts: a view has one content, and the
//! coordinator never goes back.
//!
//! Replicas may see an old view after a restart, from a message that was late; that is no mistake,
//! and they are not judged.

use std::collections::BTreeMap;

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "epochs_increase",
    summary: "The coordinator never goes back to an earlier view, across its restarts too, and a \
        version of the view has one content.",
    source: "dslabs lab 2, view numbers",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let (mut contents, mut last) = (BTreeMap::new(), BTreeMap::new());
        for record in replication.records() {
            let Kind::View { version, epoch, leader, active_epoch, in_sync } = &record.kind else {
                continue;
            };
            let content = (*epoch, *leader, *active_epoch, in_sync.clone());
            let first = contents.entry(*version).or_insert((record.node, content.clone()));
            if first.1 != content {
                findings.report(record.time_us, &[first.0, record.node], || {
                    let (one, other) = (replication.name(first.0), replication.name(record.node));
                    format!(
                        "view {version} is one of epoch {} for {one} and another one of epoch \
                        {epoch} for {other}",
                        first.1.0
                    )
                });
            }
            if replication.replicas().contains(&record.node) {
                continue;
            }
            let before = last.insert(record.node, (*epoch, *version)).unwrap_or((0, 0));
            if before.0 > *epoch || before.1 > *version {
                findings.report(record.time_us, &[record.node], || {
                    let name = replication.name(record.node);
                    format!(
                        "{name} goes from view {} of epoch {} back to view {version} of epoch \
                        {epoch}",
                        before.1, before.0
                    )
                });
            }
        }
    })
}
