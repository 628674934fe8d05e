//! Primary integrity: a new leader has everything that any server has applied before.

use super::{Kind, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "zab_primary_integrity",
    summary: "The history of a newly established leader holds every transaction that any server \
        has applied by then.",
    source: "Junqueira and others 2011, primary integrity; Zab.tla",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut applied = std::collections::BTreeMap::new();
        for record in &zk.records {
            match record.kind {
                Kind::Apply { zxid, .. } => {
                    applied.entry(zxid).or_insert(record.node);
                }
                Kind::Established { epoch, last } => {
                    let history = zk.history(last);
                    if let Some((zxid, node)) =
                        applied.iter().find(|(zxid, _)| !history.contains(zxid))
                    {
                        findings.report(record.time_us, &[record.node, *node], || {
                            let (leader, node) = (zk.name(record.node), zk.name(*node));
                            format!(
                                "{leader} was established in epoch {epoch} without {}, which \
                                {node} had applied",
                                show(*zxid)
                            )
                        });
                    }
                }
                _ => {}
            }
        }
    })
}
