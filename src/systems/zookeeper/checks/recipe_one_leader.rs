//! The recipe elects one: who takes itself for the leader does so by a state in which nobody does
//! who did before.
//!
//! Judged in the order of zxids and not of time: an instance that is cut off may take itself for
//! the leader for a while longer, and nobody can help that; the store refuses it.

use std::collections::{BTreeMap, BTreeSet};

use super::replay::Tree;
use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{Lead, StoreMean, ZnodeChange};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "recipe_one_leader",
    summary: "At no zxid do two contenders hold znodes by which they have taken themselves for the \
        leader.",
    source: "ZooKeeper's recipes: leader election",
    params: &[],
    liveness: false,
    check,
};

/// A claim to lead, by the znode that a transaction made.
struct Claim {
    node: NodeId,
    time_us: u64,
    /// The state that it was made from.
    from: u64,
    /// When its znode went; the largest number while it is there.
    until: u64,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
        let mut tree = Tree::default();
        for (zxid, txn) in zk.committed() {
            for change in &txn.changes {
                if let Some(znode) =
                    tree.znodes.get(&*change.path).filter(|_| change.what == ZnodeChange::Delete)
                {
                    ends.insert(znode.czxid, *zxid);
                }
                tree.change(*zxid, change);
            }
        }
        let mut claims: BTreeMap<u64, Claim> = BTreeMap::new();
        for (record, told) in zk.told() {
            let Told::Lead(Lead { epoch, zxid, .. }) = *told else { continue };
            let until = ends.get(&epoch).copied().unwrap_or(u64::MAX);
            let claim = Claim { node: record.node, time_us: record.time_us, from: zxid, until };
            if let Some((other_epoch, other)) = claims
                .iter()
                .find(|(other, each)| **other != epoch && each.from < until && zxid < each.until)
            {
                findings.report(
                    claim.time_us.max(other.time_us),
                    &[other.node, claim.node],
                    || {
                        let (one, two) = (zk.name(other.node), zk.name(claim.node));
                        let at = show(zxid.max(other.from));
                        format!(
                            "{one} (znode of {}) and {two} (znode of {}) both lead at {at}",
                            show(*other_epoch),
                            show(epoch)
                        )
                    },
                );
            }
            let known = claims.entry(epoch).or_insert(claim);
            known.from = known.from.min(zxid);
        }
        // Whoever leads in silence could not be judged.
        let mut silent = BTreeSet::new();
        for (record, told) in zk.told() {
            let Told::StoreMean(StoreMean { epoch, .. }) = *told else { continue };
            if !claims.contains_key(&epoch) && silent.insert(epoch) {
                findings.report(record.time_us, &[record.node], || {
                    format!(
                        "{} accepted a mean of epoch {}, and no instance has shown that it leads \
                            by that",
                        zk.name(record.node),
                        show(epoch)
                    )
                });
            }
        }
    })
}
