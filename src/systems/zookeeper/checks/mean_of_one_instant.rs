//! Each accepted mean is the mean of all measurements as they were at one zxid, of instances whose
//! sessions lived then.

use std::collections::{BTreeMap, BTreeSet};

use super::replay::Tree;
use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{Mean, StoreMean};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "mean_of_one_instant",
    summary: "Every stored mean is the mean of all live ephemeral measurements at one zxid.",
    source: "the assignment: the mean of all children",
    params: &[],
    liveness: false,
    check,
};

const MEASUREMENTS: &str = "/my/favorite";

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut stored: BTreeMap<(u64, u64), (i64, u64)> = BTreeMap::new();
        for (record, told) in zk.told() {
            if let Told::StoreMean(StoreMean { epoch, number, milli, .. }) = *told {
                stored.entry((epoch, number)).or_insert((milli, record.time_us));
            }
        }
        let mut wanted: BTreeMap<u64, Vec<(i64, u64, u64, crate::trace::NodeId)>> = BTreeMap::new();
        let mut sent = BTreeSet::new();
        for (record, told) in zk.told() {
            let Told::Mean(Mean { epoch, number, zxid, milli, count, .. }) = *told else {
                continue;
            };
            sent.insert((epoch, number));
            let Some((accepted, time)) = stored.get(&(epoch, number)) else { continue };
            if *accepted != milli {
                findings.report(*time, &[record.node], || {
                    format!(
                        "the mean {number} of leader {} was {milli} and was stored as {accepted}",
                        show(epoch)
                    )
                });
            }
            wanted.entry(zxid).or_default().push((milli, count, *time, record.node));
        }
        if let Some(((epoch, number), (_, time))) =
            stored.iter().find(|(key, _)| !sent.contains(key))
        {
            findings.report(*time, &[], || {
                format!(
                    "the store holds mean {number} of leader {}, which nobody sent",
                    show(*epoch)
                )
            });
        }
        let mut tree = Tree::default();
        let mut transactions = zk.committed().iter().peekable();
        for (zxid, means) in &wanted {
            let mut since_us = 0;
            while let Some((at, txn)) = transactions.next_if(|(at, _)| *at <= zxid) {
                tree.apply(*at, txn);
            }
            if let Some((_, txn)) = zk.committed().range(..=*zxid).next_back() {
                since_us = txn.time_us;
            }
            let is_ahead = zk.committed().last_key_value().is_none_or(|(last, _)| zxid > last);
            for (milli, count, time, node) in means {
                if is_ahead || since_us > *time {
                    findings.report(*time, &[*node], || {
                        format!(
                            "{} sent a mean of {}, a state that was not there yet when it was \
                            stored",
                            zk.name(*node),
                            show(*zxid)
                        )
                    });
                    continue;
                }
                let mut values = Vec::new();
                for (path, znode) in tree.children(MEASUREMENTS) {
                    if !tree.sessions.contains(&znode.owner) {
                        findings.report(*time, &[*node], || {
                            format!(
                                "a mean at {} counts {path}, which belongs to no live session",
                                show(*zxid)
                            )
                        });
                    }
                    values.extend(read_milli(znode.data));
                }
                let (sum, n) = (values.iter().sum::<i64>(), values.len() as i64);
                let mean = if n == 0 { 0 } else { (sum + n / 2).div_euclid(n) };
                if mean != *milli || n as u64 != *count {
                    findings.report(*time, &[*node], || {
                        let at = show(*zxid);
                        format!(
                            "{} sent {milli} of {count} measurements as the mean at {at}; that of \
                                the {n} there was {mean}",
                            zk.name(*node)
                        )
                    });
                }
            }
        }
    })
}

/// Thousandths, of a text with up to three places.
fn read_milli(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: i64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(part)
}
