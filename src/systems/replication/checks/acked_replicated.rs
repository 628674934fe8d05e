//! An answer is a promise: when the client gets it, everybody whose confirmation the mode asks for
//! has the record on the disk.
//!
//! Who that is in `sync-all` is the view's to say and not the leader's: a leader that has quietly
//! left a follower out would otherwise judge itself. Where the coordinator knows a later view
//! already, that of the answering leader's epoch counts.

use std::collections::BTreeMap;

use super::judge;
use super::record::{Kind, Mode};
use super::views::Views;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "acked_replicated",
    summary: "Whoever the mode asks for has a write durably stored before its client gets an \
        answer.",
    source: "the defining property of synchronous replication",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let (mut views, mut modes) = (Views::default(), BTreeMap::new());
        replication.replay(|record, logs| {
            views.see(record);
            if let Kind::Leads { epoch, mode, min_in_sync, .. } = record.kind {
                modes.insert((record.node, epoch), (mode, min_in_sync));
            }
            let Kind::Answered { epoch, seq, hash, .. } = record.kind else { return };
            let Some((mode, min_in_sync)) = modes.get(&(record.node, epoch)) else { return };
            let lacks = |node: &crate::trace::NodeId| {
                !logs.has(*node, seq, hash) && !replication.damaged(*node, record.order)
            };
            let all = replication.replicas();
            let held = all.iter().filter(|node| !lacks(node)).count() as u64;
            let least = match mode {
                Mode::Async => return,
                Mode::SyncQuorum => all.len() as u64 / 2 + 1,
                Mode::SyncAll => *min_in_sync,
            };
            let leader = replication.name(record.node);
            if held < least {
                return findings.report(record.time_us, &[record.node], || {
                    format!(
                        "{leader} answered for record {seq} when {held} of {} replicas had it, \
                        and {least} must",
                        all.len()
                    )
                });
            }
            let in_sync = views
                .active_in(epoch)
                .filter(|_| *mode == Mode::SyncAll)
                .map(|view| view.in_sync.as_slice());
            if let Some(node) = in_sync.unwrap_or_default().iter().find(|node| lacks(node)) {
                findings.report(record.time_us, &[record.node, *node], || {
                    format!(
                        "{leader} answered for record {seq}, which {} did not have and is in \
                        sync by the view",
                        replication.name(*node)
                    )
                });
            }
        });
    })
}
