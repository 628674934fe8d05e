//! What was acknowledged is in the log of every later leader.
//!
//! An answer under epoch `e` binds all leaders of later epochs, also one that was chosen before the
//! answer was given: the old leader should not have been able to give it.

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "acked_not_lost",
    summary: "Every acknowledged write is in the log of every leader of a later epoch.",
    source: "dslabs lab 2, view changes; Viewstamped Replication Revisited §8",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let logs = replication.logs();
        let mut leaders = Vec::new();
        for record in replication.records() {
            if let Kind::Leads { epoch, seq, hash, .. } = record.kind {
                leaders.push((record, epoch, logs.ending(seq, hash)));
            }
        }
        for (leads, epoch, log) in &leaders {
            for record in replication.records() {
                let Kind::Answered { epoch: earlier, seq, hash, client, .. } = record.kind else {
                    continue;
                };
                let place = usize::try_from(seq).ok().and_then(|seq| seq.checked_sub(1));
                let own = place.and_then(|place| log.get(place)).copied();
                if earlier >= *epoch || own == Some(hash) || own == Some(0) {
                    continue;
                }
                findings.report(
                    record.time_us.max(leads.time_us),
                    &[leads.node, record.node, client],
                    || {
                        let (old, new) =
                            (replication.name(record.node), replication.name(leads.node));
                        format!(
                            "{old} acknowledged record {seq} in epoch {earlier}, and {new}, the \
                        leader of epoch {epoch}, does not have it"
                        )
                    },
                );
                break;
            }
        }
    })
}
