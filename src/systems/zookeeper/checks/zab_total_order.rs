//! Total order: what one server applies, the others apply too, at the same place, and nothing else.
//!
//! Each application carries a digest over all applications before it, so that two servers with the
//! same digest at a zxid have applied the same sequence. A server may apply a sequence again after
//! a restart, from its snapshot on.

use std::collections::BTreeMap;

use super::{Kind, Life, Record, Told, ZkTrace, judge_zk, show};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{ZabApply, ZabEstablished, ZabPropose, ZabSnapshot};
use crate::trace::NodeId;
use crate::vocabulary::Digest64;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "zab_total_order",
    summary: "All servers apply the same transactions in the same order, each as the established \
        leader of its epoch proposed it.",
    source: "Zab: integrity, total order, agreement",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut leaders = BTreeMap::new();
        let mut proposed = BTreeMap::new();
        let mut chains = BTreeMap::new();
        let mut last: BTreeMap<NodeId, u64> = BTreeMap::new();
        for record in &zk.records {
            let (node, time) = (record.node, record.time_us);
            match record.kind {
                Kind::Told(Told::ZabEstablished(ZabEstablished { epoch, .. })) => {
                    leaders.entry(epoch).or_insert(node);
                }
                Kind::Told(Told::ZabPropose(ZabPropose {
                    zxid, digest: Digest64(digest), ..
                })) => {
                    proposed.entry(zxid).or_insert((digest, node));
                    let leader = leaders.get(&(zxid >> 32)).copied();
                    if leader != Some(node) {
                        findings.report(time, &[node], || {
                            format!(
                                "{} proposed {} without being the established leader of its epoch",
                                zk.name(node),
                                show(zxid)
                            )
                        });
                    }
                }
                Kind::Life(Life::Start) => {
                    last.remove(&node);
                }
                Kind::Told(Told::ZabSnapshot(ZabSnapshot {
                    zxid, chain: Digest64(chain), ..
                })) => {
                    last.insert(node, zxid);
                    compare(zk, findings, &mut chains, record, zxid, chain);
                }
                Kind::Told(Told::ZabApply(ZabApply {
                    zxid,
                    prev,
                    digest: Digest64(digest),
                    chain: Digest64(chain),
                    ..
                })) => {
                    let before = last.insert(node, zxid);
                    if prev >= zxid || before.is_some_and(|before| before != prev) {
                        findings.report(time, &[node], || {
                            let before = before.unwrap_or(prev);
                            format!(
                                "{} applied {} after {}, and says it was after {}",
                                zk.name(node),
                                show(zxid),
                                show(before),
                                show(prev)
                            )
                        });
                    }
                    match proposed.get(&zxid) {
                        Some((original, _)) if *original == digest => {}
                        Some((_, leader)) => findings.report(time, &[node, *leader], || {
                            format!(
                                "{} applied another transaction {} than {} proposed",
                                zk.name(node),
                                show(zxid),
                                zk.name(*leader)
                            )
                        }),
                        // A leader that dies while it logs a proposal may find it in its log again
                        // without having told anybody.
                        None => {}
                    }
                    compare(zk, findings, &mut chains, record, zxid, chain);
                }
                _ => {}
            }
        }
    })
}

/// The same sequence up to a zxid everywhere.
fn compare(
    zk: &ZkTrace,
    findings: &mut Findings,
    chains: &mut BTreeMap<u64, (u64, NodeId)>,
    record: &Record,
    zxid: u64,
    chain: u64,
) {
    let (first, other) = *chains.entry(zxid).or_insert((chain, record.node));
    if first != chain {
        findings.report(record.time_us, &[other, record.node], || {
            format!(
                "{} and {} have applied different transactions up to {}",
                zk.name(other),
                zk.name(record.node),
                show(zxid)
            )
        });
    }
}
