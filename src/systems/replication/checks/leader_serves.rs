//! Clients are served by the leader of an acknowledged view only. A deposed leader may still
//! believe that it leads; what it answers then is the matter of other checks. Reads that the
//! scenario lets anybody answer are not judged.

use std::collections::BTreeSet;

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "leader_serves",
    summary: "Clients get their answers from a replica that leads, in a view that was \
        acknowledged.",
    source: "dslabs lab 2, primaries and acknowledged views",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let mut active = BTreeSet::new();
        let mut leads: Vec<Option<u64>> = vec![None; replication.nodes()];
        for record in replication.records() {
            let own = &mut leads[record.node.index()];
            let served = match &record.kind {
                Kind::View { epoch, leader: Some(leader), active_epoch, .. }
                    if epoch == active_epoch =>
                {
                    active.insert((*leader, *epoch));
                    None
                }
                Kind::Leads { epoch, .. } => {
                    *own = Some(*epoch);
                    None
                }
                Kind::StepsDown | Kind::Down | Kind::Recovered { .. } => {
                    *own = None;
                    None
                }
                Kind::Answered { epoch, client, req, .. }
                | Kind::Read { epoch, client, req, anyone: false, .. } => {
                    Some((*epoch, *client, *req))
                }
                _ => None,
            };
            let Some((epoch, client, req)) = served else { continue };
            let why = if *own != Some(epoch) {
                "does not lead"
            } else if !active.contains(&(record.node, epoch)) {
                "has no acknowledged view"
            } else {
                continue;
            };
            findings.report(record.time_us, &[record.node, client], || {
                let (name, client) = (replication.name(record.node), replication.name(client));
                format!(
                    "{name} answered request {req} of {client} in epoch {epoch}, in which it {why}"
                )
            });
        }
    })
}
