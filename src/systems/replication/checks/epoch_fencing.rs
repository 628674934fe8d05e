//! Fencing at the resource: a replica that has promised to follow an epoch stores nothing of an
//! earlier one, whoever sends it and however late it is.

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "epoch_fencing",
    summary: "A replica stores nothing under an epoch earlier than the one that it has promised to \
        follow, and does not forget its promise.",
    source: "Kleppmann 2016, fencing tokens",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let mut promised = vec![0_u64; replication.nodes()];
        for record in replication.records() {
            let own = &mut promised[record.node.index()];
            match record.kind {
                Kind::Epoch { epoch } => *own = epoch.max(*own),
                Kind::Recovered { epoch, .. } if replication.damaged(record.node, record.order) => {
                    *own = epoch
                }
                Kind::Recovered { epoch, .. } if epoch < *own => {
                    findings.report(record.time_us, &[record.node], || {
                        format!(
                            "{} promised to follow epoch {own} and knows only {epoch} after \
                            its restart",
                            replication.name(record.node)
                        )
                    });
                    *own = epoch;
                }
                Kind::Recovered { epoch, .. } => *own = epoch,
                Kind::Stored { epoch, seq, .. } | Kind::Copied { epoch, seq, .. }
                    if epoch < *own =>
                {
                    findings.report(record.time_us, &[record.node], || {
                        let name = replication.name(record.node);
                        format!(
                            "{name} stored record {seq} for the leader of epoch {epoch} when \
                            it had promised to follow epoch {own}"
                        )
                    });
                }
                _ => {}
            }
        }
    })
}
