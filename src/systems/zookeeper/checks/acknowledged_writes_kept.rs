//! No acknowledged write is lost: what a client was told is in the history of every later leader.

use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{WriteAnswered, ZabEstablished};

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
        for (record, told) in zk.told() {
            match *told {
                Told::WriteAnswered(WriteAnswered { session, zxid, .. }) => {
                    acknowledged.entry(zxid).or_insert((session, record.node));
                }
                Told::ZabEstablished(ZabEstablished { epoch, last, .. }) => {
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
