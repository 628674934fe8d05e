//! A leader's read goes through its followers: none is answered in an epoch after which, when the
//! client asked, another leader served already.
//!
//! The n-th operation of a client is its request n, so the time of the question is in the history.

use std::collections::BTreeMap;

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "read_through_followers",
    summary: "No leader answers a read when, at the time of the question, a leader of a later \
        epoch served already.",
    source: "dslabs lab 2, reads are forwarded to the backup too",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let mut asked: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for operation in &case.history().operations {
        asked.entry(operation.process).or_default().push(operation.invoked);
    }
    judge(case, CHECKER.name, |replication, findings| {
        // When each epoch was first seen to be served in.
        let mut served: BTreeMap<u64, u64> = BTreeMap::new();
        for record in replication.records() {
            match &record.kind {
                Kind::View { epoch, leader: Some(_), active_epoch, .. }
                    if epoch == active_epoch =>
                {
                    served.entry(*epoch).or_insert(record.order);
                }
                Kind::Read { client, req, epoch, anyone: false, .. } => {
                    let asked = asked
                        .get(replication.name(*client))
                        .and_then(|asked| asked.get(usize::try_from(*req).ok()?.checked_sub(1)?));
                    let Some(asked) = asked else { continue };
                    let Some((later, _)) =
                        served.range(epoch + 1..).find(|(_, order)| *order < asked)
                    else {
                        continue;
                    };
                    findings.report(record.time_us, &[record.node, *client], || {
                        let (name, client) =
                            (replication.name(record.node), replication.name(*client));
                        format!(
                            "{name} answered read {req} of {client} in epoch {epoch}; when it \
                            was asked for, epoch {later} had begun to serve"
                        )
                    });
                }
                _ => {}
            }
        }
    })
}
