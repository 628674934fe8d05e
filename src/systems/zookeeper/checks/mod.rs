//! The checks of the coordination service and of what is built on it.
//!
//! All of them judge by what servers, sessions and the application told the trace. The committed
//! transactions are a witness that a plain history lacks: their numbers are an order of all writes,
//! so that most guarantees can be looked up instead of searched for.

pub mod acknowledged_writes_kept;
pub mod conditional_updates;
pub mod election_znodes_kept;
pub mod ephemerals_live;
pub mod fencing;
pub mod fifo_client_order;
pub mod leader_still_heard;
pub mod mean_cadence;
pub mod mean_from_elected;
pub mod mean_of_one_instant;
pub mod mean_stored_once;
pub mod measurement_cadence;
pub mod multi_atomic;
pub mod no_herd;
pub mod no_orphans;
pub mod recipe_one_leader;
mod record;
pub mod refused_leader_stops;
mod replay;
pub mod replicas_equal;
pub mod sequence_numbers;
pub mod session_expiry;
pub mod session_zxid_monotone;
pub mod watch_before_data;
pub mod watch_complete;
pub mod watch_once;
pub mod zab_one_leader_per_epoch;
pub mod zab_primary_integrity;
pub mod zab_total_order;
pub mod zk_leader_elected;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use record::{Kind, Life, Record, show};
use replay::{Committed, parent};

use super::vocabulary::{Mean, Told, WatchKind, ZnodeChange};
use crate::checkers::findings::Findings;
use crate::checkers::{
    Case, Checker, Verdict, View, all_operations_answered, availability, linearizable, no_panic,
};
use crate::trace::{NodeId, Trace};

/// The checks that make sense for `zookeeper`: what clients saw, the broadcast, sessions and
/// watches, operations, the application, liveness.
pub static CHECKS: &[&Checker] = &[
    &linearizable::CHECKER,
    &zab_total_order::CHECKER,
    &zab_one_leader_per_epoch::CHECKER,
    &zab_primary_integrity::CHECKER,
    &acknowledged_writes_kept::CHECKER,
    &replicas_equal::CHECKER,
    &fifo_client_order::CHECKER,
    &session_zxid_monotone::CHECKER,
    &session_expiry::CHECKER,
    &ephemerals_live::CHECKER,
    &watch_once::CHECKER,
    &watch_before_data::CHECKER,
    &watch_complete::CHECKER,
    &conditional_updates::CHECKER,
    &sequence_numbers::CHECKER,
    &multi_atomic::CHECKER,
    &no_orphans::CHECKER,
    &recipe_one_leader::CHECKER,
    &no_herd::CHECKER,
    &election_znodes_kept::CHECKER,
    &fencing::CHECKER,
    &mean_from_elected::CHECKER,
    &leader_still_heard::CHECKER,
    &refused_leader_stops::CHECKER,
    &mean_of_one_instant::CHECKER,
    &mean_stored_once::CHECKER,
    &mean_cadence::CHECKER,
    &measurement_cadence::CHECKER,
    &no_panic::CHECKER,
    &zk_leader_elected::CHECKER,
    &all_operations_answered::CHECKER,
    &availability::CHECKER,
];

/// The events of a run, decoded once for all checks.
pub struct ZkTrace {
    records: Vec<Record>,
    names: Vec<String>,
    committed: OnceCell<Committed>,
}

impl View for ZkTrace {
    fn new(trace: &Trace) -> Self {
        let known = |record: &Record| record.node.index() < trace.nodes.len();
        let mut records: Vec<Record> =
            trace.events.iter().filter_map(record::decode).filter(known).collect();
        if !records.is_sorted_by_key(|record| record.order) {
            records.sort_by_key(|record| record.order);
        }
        let names = trace.nodes.iter().map(|node| node.name.clone()).collect();
        ZkTrace { records, names, committed: OnceCell::new() }
    }
}

impl ZkTrace {
    /// What nodes have told, without what the testbed did to them.
    fn told(&self) -> impl Iterator<Item = (&Record, &Told)> {
        self.records.iter().filter_map(|record| match &record.kind {
            Kind::Told(told) => Some((record, told)),
            Kind::Life(_) => None,
        })
    }

    fn committed(&self) -> &Committed {
        self.committed.get_or_init(|| replay::committed(&self.records))
    }

    fn name(&self, node: NodeId) -> &str {
        self.names.get(node.index()).map_or("?", String::as_str)
    }

    /// The instance that has sent means of this epoch, as it says itself.
    fn sender(&self, wanted: u64) -> Option<NodeId> {
        self.told()
            .find(|(_, told)| matches!(told, Told::Mean(Mean { epoch, .. }) if *epoch == wanted))
            .map(|(record, _)| record.node)
    }

    /// The transactions that lead to `last`, it included. Transactions before the first one known
    /// are left out.
    fn history(&self, last: u64) -> BTreeSet<u64> {
        let mut history = BTreeSet::new();
        let mut at = last;
        while let Some(txn) = self.committed().get(&at) {
            // A damaged trace may lead in a circle.
            if !history.insert(at) || txn.prev >= at {
                break;
            }
            at = txn.prev;
        }
        history
    }
}

/// Judge by the events of the service. A trace without any does not show a correct one.
fn judge_zk(
    case: &Case<'_>,
    check: &'static str,
    judgement: impl FnOnce(&ZkTrace, &mut Findings),
) -> Verdict {
    let zk: Rc<ZkTrace> = case.view();
    if !zk.told().any(|(_, told)| matches!(told, Told::ZabState(_) | Told::ZabApply(_))) {
        return Verdict::Unknown("the trace holds no event of the coordination service".to_owned());
    }
    let mut findings = Findings::new(check);
    judgement(&zk, &mut findings);
    findings.verdict()
}

/// The first committed change that a watch set at a zxid has to tell of.
fn first_change(zk: &ZkTrace, kind: WatchKind, path: &str, since: u64) -> Option<u64> {
    let tells = |change: &replay::Change| match kind {
        WatchKind::Data => *change.path == *path && change.what != ZnodeChange::Create,
        WatchKind::Exists => *change.path == *path && change.what == ZnodeChange::Create,
        WatchKind::Children => {
            (change.what != ZnodeChange::Set && parent(&change.path) == path)
                || (change.what == ZnodeChange::Delete && *change.path == *path)
        }
    };
    let after = (std::ops::Bound::Excluded(since), std::ops::Bound::Unbounded);
    let found = zk.committed().range(after).find(|(_, txn)| txn.changes.iter().any(tells));
    found.map(|(zxid, _)| *zxid)
}
