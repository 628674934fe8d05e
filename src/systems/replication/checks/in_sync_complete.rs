//! A replica counts as in sync only when it has everything that is final: a transfer that is under
//! way counts for nothing.

use std::collections::BTreeMap;

use super::judge;
use super::record::Kind;
use super::views::Views;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "in_sync_complete",
    summary: "With `sync-all`, a replica that enters the in-sync set has stored everything that is \
        final.",
    source: "dslabs lab 2, state transfer",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        if !replication.is_sync_all() {
            return;
        }
        let mut views = Views::default();
        // What each epoch's leader began with, and later what was final last.
        let mut finals: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        replication.replay(|record, logs| {
            if let Kind::Leads { epoch, seq, hash, .. } | Kind::Final { epoch, seq, hash } =
                record.kind
            {
                let last = finals.entry(epoch).or_insert((seq, hash));
                *last = (*last).max((seq, hash));
            }
            let Some(version) = views.see(record) else { return };
            let Some(view) = views.get(version).filter(|view| view.is_active()) else { return };
            let Some((seq, hash)) = finals.get(&view.epoch).copied() else { return };
            let before = version
                .checked_sub(1)
                .and_then(|before| views.get(before))
                .filter(|before| before.is_active());
            let known = |node: &crate::trace::NodeId| {
                before.is_some_and(|before| before.in_sync.contains(node))
            };
            for node in view.in_sync.iter().filter(|node| !known(node)) {
                if !logs.has(*node, seq, hash) && !replication.damaged(*node, record.order) {
                    findings.report(record.time_us, &[*node], || {
                        let (name, last) = (replication.name(*node), logs.head(*node).0);
                        format!(
                            "{name} counts as in sync in view {version} with records up to \
                            {last}, and {seq} is final"
                        )
                    });
                }
            }
        });
    })
}
