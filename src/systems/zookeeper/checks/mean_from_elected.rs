//! Who sends means was elected: its epoch is the transaction that made its znode in the election,
//! and that znode was the first of the row.
//!
//! Judged by what the ensemble and the time series have seen alone. Two instances that both send
//! means are told apart here, whatever each of them says of itself: only one of them was first.

use std::collections::{BTreeMap, BTreeSet};

use super::replay::{Tree, Znode};
use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::StoreMean;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "mean_from_elected",
    summary: "Every stored mean carries the `czxid` of a sequential znode that was the first in \
        the election's row by then.",
    source: "ZooKeeper's recipes: leader election; fencing tokens",
    params: &[],
    liveness: false,
    check,
};

const ELECTION: &str = "/election";
/// Digits that the service puts behind the path of a sequential znode.
const DIGITS: usize = 10;

/// A znode of the election.
struct Contender<'a> {
    path: &'a str,
    /// When it was first in the row for the first time, µs.
    first_us: Option<u64>,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut contenders: BTreeMap<u64, Contender<'_>> = BTreeMap::new();
        let mut tree = Tree::default();
        for (zxid, txn) in zk.committed() {
            tree.apply(*zxid, txn);
            if txn.changes.iter().all(|change| super::parent(&change.path) != ELECTION) {
                continue;
            }
            let row: Vec<(&str, Znode<'_>)> = tree.children(ELECTION).collect();
            for (path, znode) in &row {
                contenders.entry(znode.czxid).or_insert(Contender { path, first_us: None });
            }
            let first =
                row.iter().filter_map(|(path, znode)| Some((number(path)?, znode.czxid))).min();
            if let Some(contender) = first.and_then(|(_, czxid)| contenders.get_mut(&czxid)) {
                contender.first_us.get_or_insert(txn.time_us);
            }
        }
        let mut judged = BTreeSet::new();
        for (record, told) in zk.told() {
            let Told::StoreMean(StoreMean { epoch, .. }) = *told else { continue };
            let wrong = match contenders.get(&epoch) {
                None => Some("no znode of the election was made by that transaction".to_owned()),
                Some(Contender { path, .. }) if number(path).is_none() => {
                    Some(format!("its znode {path} has no number"))
                }
                Some(Contender { path, first_us: None }) => {
                    Some(format!("its znode {path} was never first in the row"))
                }
                Some(Contender { path, first_us: Some(first_us) })
                    if *first_us > record.time_us =>
                {
                    Some(format!("its znode {path} was not first in the row yet"))
                }
                Some(_) => None,
            };
            if let Some(wrong) = wrong.filter(|_| judged.insert(epoch)) {
                let sender = zk.sender(epoch);
                findings.report(record.time_us, &[sender.unwrap_or(record.node)], || {
                    format!(
                        "{} accepted a mean of epoch {}, and {wrong}",
                        zk.name(record.node),
                        show(epoch)
                    )
                });
            }
        }
    })
}

/// The number at the end of a sequential name.
fn number(path: &str) -> Option<u64> {
    let digits = path.len().checked_sub(DIGITS).and_then(|at| path.get(at..))?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}
