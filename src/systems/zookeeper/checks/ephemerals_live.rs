//! Ephemeral znodes live exactly as long as their sessions, unless somebody removes them.

use std::collections::BTreeSet;

use super::replay::Tree;
use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{ClientRequest, OpKind, ZnodeChange};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "ephemerals_live",
    summary: "An ephemeral znode belongs to a live session, goes when that ends, and goes earlier \
        only if a client asks for it.",
    source: "ZooKeeper: ephemeral znodes",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let asked: BTreeSet<&str> = zk
            .told()
            .filter_map(|(_, told)| match *told {
                Told::ClientRequest(ClientRequest {
                    op: OpKind::Delete | OpKind::Multi,
                    ref path,
                    ..
                }) => Some(&**path),
                _ => None,
            })
            .collect();
        let mut tree = Tree::default();
        for (zxid, txn) in zk.committed() {
            for change in &txn.changes {
                let owner = tree.znodes.get(&*change.path).map_or(0, |znode| znode.owner);
                let early = change.what == ZnodeChange::Delete
                    && owner != 0
                    && txn.closes != Some(owner)
                    && !asked.contains(&*change.path);
                if early {
                    findings.report(txn.time_us, &[], || {
                        format!(
                            "{} was removed at {} although its session {} lived",
                            change.path,
                            show(*zxid),
                            show(owner)
                        )
                    });
                }
                if change.what == ZnodeChange::Create
                    && change.session != 0
                    && !tree.sessions.contains(&change.session)
                {
                    findings.report(txn.time_us, &[], || {
                        format!(
                            "{} was made at {} for session {}, which was not open",
                            change.path,
                            show(*zxid),
                            show(change.session)
                        )
                    });
                }
            }
            tree.apply(*zxid, txn);
            let Some(session) = txn.closes else { continue };
            if let Some((path, _)) = tree.znodes.iter().find(|(_, znode)| znode.owner == session) {
                findings.report(txn.time_us, &[], || {
                    format!(
                        "{path} stayed when its session {} ended at {}",
                        show(session),
                        show(*zxid)
                    )
                });
            }
        }
    })
}
