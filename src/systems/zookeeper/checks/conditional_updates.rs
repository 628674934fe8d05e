//! Conditional updates: a change with a version happens exactly if the znode has that version.

use std::collections::BTreeMap;

use super::replay::Tree;
use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{ClientReply, ClientRequest, OpKind, ZnodeChange};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "conditional_updates",
    summary: "A set or delete with a version succeeds exactly if that is the znode's version, and \
        each set adds one to it.",
    source: "ZooKeeper: versions",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut asked = BTreeMap::new();
        // The conditional requests that were answered, by the transaction that they became.
        let mut answered: BTreeMap<u64, (&str, i64, bool)> = BTreeMap::new();
        for (_, told) in zk.told() {
            match *told {
                Told::ClientRequest(ClientRequest {
                    session,
                    xid,
                    op: OpKind::Set | OpKind::Delete,
                    version,
                    ref path,
                    ..
                }) if version >= 0 => {
                    asked.insert((session, xid), (path, version));
                }
                Told::ClientReply(ClientReply { session, xid, zxid, result, .. })
                    if zxid > 0 && matches!(result.word(), "ok" | "bad_version") =>
                {
                    if let Some((path, version)) = asked.remove(&(session, xid)) {
                        answered.insert(zxid, (path, version, result.word() == "ok"));
                    }
                }
                _ => {}
            }
        }
        let mut tree = Tree::default();
        for (zxid, txn) in zk.committed() {
            if let Some((path, version, done)) = answered.get(zxid) {
                let present = tree.znodes.get(path).map(|znode| znode.version);
                if *done != (present == Some(*version)) {
                    findings.report(txn.time_us, &[], || {
                        let (word, present) = (
                            if *done { "made" } else { "refused" },
                            present.map_or("none".to_owned(), |v| v.to_string()),
                        );
                        format!(
                            "a change of {path} at version {version} was {word} at {} when the \
                            version was {present}",
                            show(*zxid)
                        )
                    });
                }
            }
            for change in &txn.changes {
                let before = tree.znodes.get(&*change.path).map(|znode| znode.version);
                if change.what == ZnodeChange::Set
                    && before.is_some_and(|before| before + 1 != change.version)
                {
                    findings.report(txn.time_us, &[], || {
                        let before = before.unwrap_or_default();
                        format!(
                            "the version of {} went from {before} to {} at {}",
                            change.path,
                            change.version,
                            show(*zxid)
                        )
                    });
                }
                tree.change(*zxid, change);
            }
        }
    })
}
