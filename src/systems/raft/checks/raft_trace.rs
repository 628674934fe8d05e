//! What the checks of Raft share: its events decoded, logs replayed from them, configurations,
//! damage to disks, elections and commits.
//!
//! The vocabulary of the events is the system's; this module only reads it. An event that lacks a
//! field, or speaks of a node that does not exist, is skipped: a checker judges what it
//! understands.

use std::cell::OnceCell;
use std::rc::Rc;

use super::*;
use crate::checkers::Verdict;
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Damage, View};

use crate::trace::{NodeId, Trace};

/// The events of a run of Raft, decoded once for all checks.
pub struct RaftTrace {
    records: Vec<RaftEvent>,
    /// The kind of each record again, as a bit position: a check that looks for rare kinds reads 60
    /// kB, not 4 MB.
    tags: Vec<u8>,
    configs: Vec<Config>,
    /// The voters at the beginning; `None` where the trace does not tell them.
    initial: Option<Config>,
    damage: Damage,
    /// How many participants the trace declares; every node of a record is below.
    nodes: usize,
    names: Vec<String>,
    speaks_raft: bool,
    timeline: OnceCell<Timeline>,
}

impl RaftTrace {
    fn decode(trace: &Trace) -> Self {
        let mut records = Vec::with_capacity(trace.events.len());
        let mut configs = Vec::new();
        for event in &trace.events {
            if event.node.index() < trace.nodes.len() {
                records.extend(record::decode(trace, event, &mut configs));
            }
        }
        // Recorded in this order; a trace whose lines were shuffled is put right, so that "earlier"
        // means the same for all checks.
        if !records.is_sorted_by_key(|record| record.order) {
            records.sort_by_key(|record| record.order);
        }
        note_kept_logs(trace, &mut records);
        let tags: Vec<u8> = records.iter().map(|record| record.kind.tag()).collect();
        let speaks_raft = tags.iter().any(|tag| kinds::PROTOCOL & (1 << tag) != 0);
        let initial = config::initial(trace, &records, &configs);
        RaftTrace {
            records,
            tags,
            initial,
            configs,
            damage: Damage::new(trace),
            nodes: trace.nodes.len(),
            names: trace.nodes.iter().map(|node| node.name.clone()).collect(),
            speaks_raft,
            timeline: OnceCell::new(),
        }
    }

    /// Whether any node said anything that only a Raft node says.
    pub fn speaks_raft(&self) -> bool {
        self.speaks_raft
    }

    /// The records of some kinds (a sum of [`kinds`]), in the order in which they happened.
    pub fn select(&self, kinds: u32) -> impl Iterator<Item = &RaftEvent> {
        self.tags
            .iter()
            .zip(&self.records)
            .filter(move |(tag, _)| kinds & (1 << **tag) != 0)
            .map(|(_, record)| record)
    }

    /// A value for each participant.
    pub fn per_node<T: Clone + Default>(&self) -> Vec<T> {
        vec![T::default(); self.nodes]
    }

    pub fn name(&self, node: NodeId) -> &str {
        self.names.get(node.index()).map_or("?", String::as_str)
    }

    /// How many participants there are.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Names joined by commas.
    pub fn names(&self, nodes: &[NodeId]) -> String {
        if nodes.is_empty() {
            return "no node".to_owned();
        }
        nodes.iter().map(|node| self.name(*node)).collect::<Vec<_>>().join(", ")
    }

    pub fn config(&self, id: u32) -> &Config {
        &self.configs[id as usize]
    }

    pub fn initial(&self) -> Option<&Config> {
        self.initial.as_ref()
    }

    pub fn damage(&self) -> &Damage {
        &self.damage
    }

    /// Elections and commits of the whole run.
    pub fn timeline(&self) -> &Timeline {
        self.timeline.get_or_init(|| Timeline::new(self))
    }
}

impl View for RaftTrace {
    fn new(trace: &Trace) -> Self {
        RaftTrace::decode(trace)
    }
}

/// The events of Raft, decoded once for all checks.
pub fn raft_trace(case: &Case<'_>) -> Rc<RaftTrace> {
    case.view()
}

/// Note at each installed snapshot whether the log after it was kept, for those who do not replay
/// the logs.
fn note_kept_logs(trace: &Trace, records: &mut [RaftEvent]) {
    if !records.iter().any(|record| matches!(record.kind, Kind::SnapshotInstall { .. })) {
        return;
    }
    let mut logs = Logs::new(trace.nodes.len());
    for record in records {
        if let Kind::SnapshotInstall { index, chain, keeps, .. } = &mut record.kind {
            *keeps = logs.of(record.node).keeps(*index, *chain);
        }
        logs.replay(record);
    }
}

/// Judge by the events of Raft. A trace without any does not prove a correct Raft, and gets
/// `Unknown`.
pub fn judge_raft(
    case: &Case<'_>,
    check: &'static str,
    judgement: impl FnOnce(&RaftTrace, &mut Findings),
) -> Verdict {
    let raft = raft_trace(case);
    if !raft.speaks_raft() {
        return Verdict::Unknown("the trace holds no event of Raft".to_owned());
    }
    let mut findings = Findings::new(check);
    judgement(&raft, &mut findings);
    findings.verdict()
}
