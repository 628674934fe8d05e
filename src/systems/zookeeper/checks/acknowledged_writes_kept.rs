//! No acknowledged write is lost: what a client was told is in the history of every later leader.

use super::{Kind, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "acknowledged_writes_kept",
    summary: "Every write that a server has answered is in the history of every leader established \
        later.",
    source: "ZooKeeper's guarantees: reliability",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut acknowledged = std::collections::BTreeMap::new();
        for record in &zk.records {
            match record.kind {
                Kind::Reply { session, zxid } => {
                    acknowledged.entry(zxid).or_insert((session, record.node));
                }
                Kind::Established { epoch, last } => {
                    let history = zk.history(last);
                    if let Some((zxid, (session, node))) =
                        acknowledged.iter().find(|(zxid, _)| !history.contains(zxid))
                    {
                        findings.report(record.time_us, &[record.node, *node], || {
                            let (leader, node, session) =
                                (zk.name(record.node), zk.name(*node), show(*session));
                            format!(
                                "{} was acknowledged to session {session} by {node}, and \
                                {leader}, leader of epoch {epoch}, does not have it",
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
