//! What the checks of replication share: its events decoded, and the logs of the replicas replayed
//! from them.
//!
//! A log is a list of hashes, each of which stands for everything up to it; so "the follower has
//! stored what was acknowledged" is a comparison of one number. An event that lacks a field, or
//! speaks of a node that does not exist, is skipped: a checker judges what it understands.

pub(crate) mod acked_not_lost;
pub(crate) mod acked_replicated;
pub(crate) mod applied_in_order;
pub(crate) mod at_most_once;
mod contested;
pub(crate) mod epoch_fencing;
pub(crate) mod epochs_increase;
pub(crate) mod forms_linearizable;
pub(crate) mod hash_chain;
pub(crate) mod in_sync_complete;
pub(crate) mod leader_serves;
mod logs;
pub(crate) mod one_leader_per_epoch;
pub(crate) mod prefix_equal;
pub(crate) mod read_through_followers;
mod record;
pub(crate) mod recovery_keeps_records;
pub(crate) mod replicas_converge;
pub(crate) mod retry_not_duplicate;
pub(crate) mod view_acknowledged;
mod views;

pub use logs::Logs;
pub use record::{Kind, Record};

use crate::checkers::Damage;
use crate::checkers::findings::Findings;
use crate::checkers::{
    Case, Checker, Verdict, View, all_operations_answered, availability, no_panic,
};
use crate::trace::{NodeId, Trace};

/// The checks that make sense for replication: what the clients saw, what was acknowledged, who
/// leads, the logs, then liveness.
pub static CHECKS: &[&Checker] = &[
    &forms_linearizable::CHECKER,
    &acked_replicated::CHECKER,
    &acked_not_lost::CHECKER,
    &one_leader_per_epoch::CHECKER,
    &epochs_increase::CHECKER,
    &view_acknowledged::CHECKER,
    &in_sync_complete::CHECKER,
    &epoch_fencing::CHECKER,
    &leader_serves::CHECKER,
    &read_through_followers::CHECKER,
    &prefix_equal::CHECKER,
    &hash_chain::CHECKER,
    &recovery_keeps_records::CHECKER,
    &applied_in_order::CHECKER,
    &at_most_once::CHECKER,
    &retry_not_duplicate::CHECKER,
    &replicas_converge::CHECKER,
    &no_panic::CHECKER,
    &all_operations_answered::CHECKER,
    &availability::CHECKER,
];

/// The events of a run of replication, decoded once for all checks.
pub struct Replication {
    records: Vec<Record>,
    names: Vec<String>,
    /// The nodes with the role of a replica.
    replicas: Vec<NodeId>,
    damage: Damage,
    logs: Logs,
}

impl View for Replication {
    fn new(trace: &Trace) -> Self {
        Replication::decode(trace)
    }
}

impl Replication {
    fn decode(trace: &Trace) -> Self {
        let mut records: Vec<Record> =
            trace.events.iter().filter_map(|event| record::decode(trace, event)).collect();
        if !records.is_sorted_by_key(|record| record.order) {
            records.sort_by_key(|record| record.order);
        }
        let replicas = trace.with_role("replica").collect();
        let names = trace.nodes.iter().map(|node| node.name.clone()).collect();
        let logs = Logs::new(trace.nodes.len(), &records);
        Replication { records, names, replicas, damage: Damage::new(trace), logs }
    }

    /// All records, in the order in which they happened.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// All records, each with the logs as they were when it had happened.
    pub fn replay(&self, mut see: impl FnMut(&Record, &Logs)) {
        let mut logs = self.logs.clone();
        for record in &self.records {
            logs.replay(record);
            see(record, &logs);
        }
    }

    /// The logs before anything has happened.
    pub fn logs(&self) -> Logs {
        self.logs.clone()
    }

    pub fn name(&self, node: NodeId) -> &str {
        self.names.get(node.index()).map_or("?", String::as_str)
    }

    /// Names joined by commas.
    pub fn list(&self, nodes: &[NodeId]) -> String {
        nodes.iter().map(|node| self.name(*node)).collect::<Vec<_>>().join(", ")
    }

    pub fn replicas(&self) -> &[NodeId] {
        &self.replicas
    }

    /// Whether the nemesis has damaged what was durable on this node at any time up to a record.
    pub fn damaged(&self, node: NodeId, until: u64) -> bool {
        self.damage.between(node, 0, until)
    }

    /// How many participants there are.
    pub fn nodes(&self) -> usize {
        self.names.len()
    }

    /// Whether writes waited for all replicas in sync, by what the leaders say; `false` where none
    /// says anything.
    pub fn is_sync_all(&self) -> bool {
        self.records
            .iter()
            .any(|record| matches!(record.kind, Kind::Leads { mode: record::Mode::SyncAll, .. }))
    }
}

/// Judge by the events of replication. A trace in which nobody ever led is no evidence of anything.
fn judge(
    case: &Case<'_>,
    check: &'static str,
    judgement: impl FnOnce(&Replication, &mut Findings),
) -> Verdict {
    let replication = case.view::<Replication>();
    if !replication.records().iter().any(|record| matches!(record.kind, Kind::Leads { .. })) {
        return Verdict::Unknown("the trace holds no leader of a replicated store".to_owned());
    }
    let mut findings = Findings::new(check);
    judgement(&replication, &mut findings);
    findings.verdict()
}
