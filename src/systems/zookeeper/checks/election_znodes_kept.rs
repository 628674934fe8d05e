//! A contender's znode is its own: it goes with its session, or its maker removes it.
//!
//! An instance that comes back may remove the znode that its earlier session has left. Whoever
//! clears the row away, because an earlier run may have left something, throws out those who stand
//! in it by right. Sessions clear away by themselves.

use std::collections::BTreeMap;

use super::replay::Tree;
use super::{Told, judge_zk, parent, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::ClientSession;
use crate::systems::zookeeper::vocabulary::ZnodeChange;
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "election_znodes_kept",
    summary: "Nobody removes an ephemeral znode of the election whose session lives, except whose \
        session it is.",
    source: "ZooKeeper's recipes: leader election",
    params: &[],
    liveness: false,
    check,
};

const ELECTION: &str = "/election";

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let sessions = zk.told().filter_map(|(record, told)| match *told {
            Told::ClientSession(ClientSession { session, .. }) => Some((session, record.node)),
            _ => None,
        });
        let holders: BTreeMap<u64, NodeId> = sessions.collect();
        let mut tree = Tree::default();
        for (zxid, txn) in zk.committed() {
            for change in txn.changes.iter().filter(|change| {
                change.what == ZnodeChange::Delete && parent(&change.path) == ELECTION
            }) {
                let owner = tree.znodes.get(&*change.path).map_or(0, |znode| znode.owner);
                let by_another = owner != 0 && change.session != owner && txn.closes != Some(owner);
                let (remover, holder) = (holders.get(&change.session), holders.get(&owner));
                if by_another
                    && tree.sessions.contains(&owner)
                    && (holder.is_none() || remover != holder)
                {
                    findings.report(
                        txn.time_us,
                        &remover.copied().into_iter().collect::<Vec<_>>(),
                        || {
                            let (other, owner) = (show(change.session), show(owner));
                            format!(
                                "session {other} removed {} at {}, which belongs to the live \
                            session {owner}",
                                change.path,
                                show(*zxid)
                            )
                        },
                    );
                }
            }
            tree.apply(*zxid, txn);
        }
    })
}
