//! Configurations of the cluster, and which of them each node goes by.

use super::RaftTrace;
pub use crate::systems::raft::vocabulary::ConfigKind;

use super::record::{Kind, RaftEvent, Role, kinds};
use crate::trace::{NodeId, Trace};

/// A configuration.
#[derive(Clone, Debug)]
pub struct Config {
    pub kind: ConfigKind,
    pub voters: Vec<NodeId>,
    pub learners: Vec<NodeId>,
    /// The other set of voters of a joint configuration; empty otherwise.
    pub voters_old: Vec<NodeId>,
}

impl Config {
    /// Whether the nodes that satisfy `agrees` are a majority; in a joint configuration, of both
    /// sets.
    pub fn majority(&self, mut agrees: impl FnMut(NodeId) -> bool) -> bool {
        self.sets().all(|set| 2 * set.iter().filter(|node| agrees(**node)).count() > set.len())
    }

    /// The sets of voters of which each must have a majority.
    pub fn sets(&self) -> impl Iterator<Item = &[NodeId]> {
        let sets = [self.voters.as_slice(), self.voters_old.as_slice()];
        sets.into_iter()
            .enumerate()
            .filter(|(i, set)| *i == 0 || !set.is_empty())
            .map(|(_, set)| set)
    }

    /// Whether a node belongs to it at all.
    pub fn has(&self, node: NodeId) -> bool {
        self.voters.contains(&node)
            || self.voters_old.contains(&node)
            || self.learners.contains(&node)
    }
}

/// Decode the fields of `config_append`; `None` where they name no known voter.
pub fn decode(
    trace: &Trace,
    kind: ConfigKind,
    voters: &str,
    learners: &str,
    voters_old: &str,
) -> Option<Config> {
    let nodes =
        |list: &str| list.split('+').filter_map(|name| trace.node(name)).collect::<Vec<_>>();
    let voters_old = if kind == ConfigKind::Joint { nodes(voters_old) } else { Vec::new() };
    let config = Config { kind, voters: nodes(voters), learners: nodes(learners), voters_old };
    (!config.voters.is_empty()).then_some(config)
}

/// The configuration that the cluster began with.
///
/// A node can show it by a `config_append` at index 0, and the first joint configuration names it.
/// Otherwise a node tells by its first role whether it has a vote; one that never showed a role is
/// taken for none, since too few voters make the checks mild and too many wrong.
pub fn initial(trace: &Trace, records: &[RaftEvent], configs: &[Config]) -> Option<Config> {
    let mut first_roles: Vec<Option<Role>> = vec![None; trace.nodes.len()];
    let mut first_config = None;
    for record in records {
        match record.kind {
            Kind::Role(role) => {
                first_roles[record.node.index()].get_or_insert(role);
            }
            Kind::ConfigAppend { index, config, .. } => {
                first_config.get_or_insert((index, &configs[config as usize]));
            }
            _ => {}
        }
    }
    let votes = |node: &NodeId| first_roles[node.index()].is_some_and(|role| role != Role::Learner);
    let voters: Vec<NodeId> = match first_config {
        Some((0, first)) => return Some(first.clone()),
        Some((_, first)) if first.kind == ConfigKind::Joint => first.voters_old.clone(),
        // A change could involve the silent ones.
        Some(_) if trace.with_role("peer").any(|node| first_roles[node.index()].is_none()) => {
            return None;
        }
        // Whatever the nodes are called in their system: who shows a role of Raft is a server.
        _ => (0u32..).map(NodeId).take(trace.nodes.len()).filter(votes).collect(),
    };
    let config =
        Config { kind: ConfigKind::Simple, voters, learners: Vec::new(), voters_old: Vec::new() };
    (!config.voters.is_empty()).then_some(config)
}

/// A configuration in a node's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adopted {
    pub index: u64,
    pub term: u64,
    pub config: u32,
}

/// The configurations in the logs of all nodes while the records are gone through. A node goes by
/// the latest one in its log, committed or not (Raft §6).
pub struct Membership {
    per_node: Vec<Vec<Adopted>>,
    /// Every configuration that was shown.
    shown: Vec<Adopted>,
    /// Those that were committed, by index.
    committed: Vec<Adopted>,
}

impl Membership {
    pub fn new(raft: &RaftTrace) -> Self {
        Membership { per_node: raft.per_node(), shown: Vec::new(), committed: Vec::new() }
    }

    /// The configurations in a node's log, oldest first; without the initial one.
    pub fn of(&self, node: NodeId) -> &[Adopted] {
        &self.per_node[node.index()]
    }

    /// The configuration that a node goes by; `None` where the trace does not tell.
    pub fn in_force<'a>(&self, raft: &'a RaftTrace, node: NodeId) -> Option<&'a Config> {
        match self.of(node).last() {
            Some(adopted) => Some(raft.config(adopted.config)),
            None => raft.initial(),
        }
    }

    pub fn replay(&mut self, record: &RaftEvent) {
        let list = &mut self.per_node[record.node.index()];
        match record.kind {
            Kind::ConfigAppend { index, term, config } => {
                let adopted = Adopted { index, term, config };
                list.retain(|other| other.index < index);
                list.push(adopted);
                if !self.shown.iter().any(|other| (other.index, other.term) == (index, term)) {
                    self.shown.push(adopted);
                }
            }
            Kind::ConfigCommit { index, term } => {
                let shown = self
                    .shown
                    .iter()
                    .find(|adopted| (adopted.index, adopted.term) == (index, term));
                if let Some(shown) = shown.filter(|shown| !self.committed.contains(shown)) {
                    self.committed.push(*shown);
                    self.committed.sort_by_key(|adopted| adopted.index);
                }
            }
            Kind::Truncate { from } => list.retain(|adopted| adopted.index < from),
            Kind::Recover { last_index, snapshot_index, .. } => {
                list.retain(|adopted| adopted.index <= last_index.max(snapshot_index));
                self.take_from_snapshot(record.node, snapshot_index);
            }
            Kind::SnapshotInstall { index, keeps, .. } => {
                list.retain(|adopted| keeps || adopted.index <= index);
                self.take_from_snapshot(record.node, index);
            }
            _ => {}
        }
    }

    /// A snapshot brings the last configuration before its index, which is committed like all that
    /// a snapshot holds.
    fn take_from_snapshot(&mut self, node: NodeId, index: u64) {
        let Some(latest) = self.committed.iter().rfind(|adopted| adopted.index <= index).copied()
        else {
            return;
        };
        let list = &mut self.per_node[node.index()];
        if !list.contains(&latest) {
            list.retain(|adopted| adopted.index > latest.index);
            list.insert(0, latest);
        }
    }
}

/// The configuration at the end of the run, as the node that has committed most sees it. Who is not
/// in it works for itself: nobody asks it for anything, and what it does concerns nobody. `None`
/// where the trace does not tell.
pub fn last_config(raft: &RaftTrace) -> Option<&Config> {
    let mut membership = Membership::new(raft);
    let mut furthest: Option<(u64, NodeId)> = None;
    for record in raft.select(kinds::MEMBERSHIP | kinds::COMMIT) {
        membership.replay(record);
        if let Kind::Commit { index, .. } = record.kind
            && furthest.is_none_or(|(most, _)| index > most)
        {
            furthest = Some((index, record.node));
        }
    }
    match furthest {
        Some((_, node)) => membership.in_force(raft, node),
        None => raft.initial(),
    }
}
