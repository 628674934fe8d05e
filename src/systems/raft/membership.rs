//! Membership changes (dissertation chapter 4).
//!
//! A configuration is in force on a server from the moment it is in its log, committed or not. The
//! leader changes it either by one server at a time, so that the majorities before and after
//! overlap anyhow, or through a joint configuration. Either way it never has two uncommitted ones,
//! and it appends none before an entry of its own term is committed: without the latter, two
//! leaders of different terms could go on from configurations that do not overlap (Ongaro's
//! correction of 2015).
//!
//! New servers first receive the log as learners, without a vote: one that voted immediately could
//! stop the cluster while it catches up (§4.2.1).
//!
//! What an operator asks for is a goal, which the leader pursues a configuration at a time. A new
//! leader does not know the goals of the old one, but it does end a joint configuration that it
//! finds.

use std::rc::Rc;

use super::configuration::Configuration;
use super::defects::Defect;
use super::host::Host;
use super::log::{Log, Payload};
use super::replication::FollowerProgress;
use super::server::{Raft, Role};
use super::snapshot::Snapshot;
use super::state_machine::StateMachine;
use super::types::{LogIndex, Term};
use super::vocabulary::{self as events, ShownRole};
use crate::node::NodeId;
use crate::trace::Word;

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A server that receives the log.
    AddLearner(NodeId),
    /// A server with a vote, once it has caught up.
    AddVoter(NodeId),
    /// A learner becomes a voter, once it has caught up.
    Promote(NodeId),
    /// A server goes.
    Remove(NodeId),
    /// Exactly these voters, through a joint configuration.
    Change(Vec<NodeId>),
}

/// What to do next for a goal.
enum ChangeStep {
    /// Nothing: it is reached, or cannot be.
    Done,
    /// Somebody has to catch up first.
    Wait,
    /// This configuration.
    Propose(Configuration),
}

impl<S: StateMachine> Raft<S> {
    // The configurations of the log.

    /// The configuration in force on this server: the last one in its log, committed or not.
    pub fn config(&self) -> &Rc<Configuration> {
        let (index, last) = self.configs.last().expect("there is always a configuration");
        if *index > self.commit_index && self.plants(Defect::ConfigAtCommit) {
            return &self.config_at(self.commit_index).1;
        }
        last
    }

    /// The last configuration up to `index`.
    pub(super) fn config_at(&self, index: LogIndex) -> &(LogIndex, Rc<Configuration>) {
        let config =
            self.configs.iter().rev().find(|(at, _)| *at <= index).or(self.configs.first());
        config.expect("there is always a configuration")
    }

    /// Whether no configuration is on its way.
    pub(super) fn config_is_committed(&self) -> bool {
        self.configs.last().is_some_and(|(index, _)| *index <= self.commit_index)
    }

    /// At boot: that of the snapshot or the initial one, and all in the log.
    pub(super) fn recover_configs(&mut self, host: &mut impl Host) {
        if let Some(snapshot) = &self.snapshot {
            self.configs = vec![snapshot.config.clone()];
        } else if self.current_term == Term::ZERO && self.log.is_empty() {
            // The initial configuration stands before the first entry; a server shows it when it
            // starts for the first time.
            show_config(host, LogIndex::ZERO, Term::ZERO, self.config());
        }
        collect_configs(&mut self.configs, &self.log);
    }

    /// A configuration has come into the log.
    pub(super) fn adopt_config(
        &mut self,
        host: &mut impl Host,
        index: LogIndex,
        term: Term,
        config: Rc<Configuration>,
    ) {
        show_config(host, index, term, &config);
        let before = Some(self.shown_role());
        // Those that committed ones have replaced will not be wanted again.
        let keep =
            self.configs.iter().rposition(|(at, _)| *at <= self.snapshot_index()).unwrap_or(0);
        self.configs.drain(..keep);
        self.configs.push((index, config));
        self.after_config_change(host, before);
    }

    /// A configuration is committed.
    pub(super) fn on_config_applied(&mut self, host: &mut impl Host, index: LogIndex, term: Term) {
        host.emit(events::ConfigCommit { index, term });
        if self.plants(Defect::ConfigAtCommit) {
            self.after_config_change(host, None);
        }
    }

    /// The entries from `from` on are gone, and with them their configurations.
    pub(super) fn forget_configs(&mut self, from: LogIndex) {
        while self.configs.len() > 1 && self.configs.last().is_some_and(|(index, _)| *index >= from)
        {
            self.configs.pop();
        }
    }

    /// The state was replaced by a snapshot's.
    pub(super) fn adopt_snapshot_config(&mut self, host: &mut impl Host, snapshot: &Snapshot) {
        if self.configs.last() != Some(&snapshot.config) && self.plants(Defect::ConfigNotRestored) {
            return;
        }
        let before = Some(self.shown_role());
        self.configs = vec![snapshot.config.clone()];
        collect_configs(&mut self.configs, &self.log);
        self.after_config_change(host, before);
    }

    fn after_config_change(&mut self, host: &mut impl Host, role_before: Option<ShownRole>) {
        if self.role == Role::Leader {
            self.update_progress(host);
        }
        if Some(self.shown_role()) != role_before {
            self.show_role(host);
        }
    }

    /// Know of every other member how far it is, and of nobody else.
    pub(super) fn update_progress(&mut self, host: &impl Host) {
        let members = self.config().members();
        let (last, now) = (self.log.last_index(), host.now());
        self.leader.progress.retain(|node, _| members.contains(node));
        for node in members {
            if node != self.id {
                self.leader
                    .progress
                    .entry(node)
                    .or_insert_with(|| FollowerProgress::new(last, now));
            }
        }
    }

    // What an operator asks for.

    /// `add_node n6`, `add_learner n6`, `promote n6`, `remove_node n2`, `change n1,n2,n6`.
    pub(super) fn on_change_command(
        &mut self,
        host: &mut impl Host,
        change: &str,
        names: Option<&str>,
    ) {
        if self.role != Role::Leader {
            return;
        }
        let Some(nodes) = find_all(host, names.unwrap_or_default()) else {
            return host.log(|| format!("{change}: no such node"));
        };
        let goal = match (change, nodes.as_slice()) {
            ("add_node", [node]) => Goal::AddVoter(*node),
            ("add_learner", [node]) => Goal::AddLearner(*node),
            ("promote", [node]) => Goal::Promote(*node),
            ("remove_node", [node]) => Goal::Remove(*node),
            ("change", [_, ..]) => Goal::Change(Configuration::simple(nodes).voters),
            _ => return host.log(|| format!("not a command of Raft: {change}")),
        };
        self.leader.goals.push_back(goal);
        self.pursue_goals(host);
    }

    /// Propose the next configuration, if there is one to propose and it may be.
    pub(super) fn pursue_goals(&mut self, host: &mut impl Host) {
        while self.role == Role::Leader && self.wants_change() && self.may_change_config() {
            if self.config().voters_old.is_some() {
                let end = Configuration {
                    voters_old: None,
                    leaves_joint: true,
                    ..(**self.config()).clone()
                };
                return self.propose_config(host, end);
            }
            let Some(goal) = self.leader.goals.front() else { return };
            match self.next_step(goal) {
                ChangeStep::Done => self.leader.goals.pop_front(),
                ChangeStep::Wait => return,
                ChangeStep::Propose(config) => return self.propose_config(host, config),
            };
        }
    }

    fn propose_config(&mut self, host: &mut impl Host, config: Configuration) {
        self.append_as_leader(host, Payload::Config(Rc::new(config)));
        self.replicate(host);
        self.maybe_commit(host);
    }

    fn wants_change(&self) -> bool {
        !self.leader.goals.is_empty() || self.config().voters_old.is_some()
    }

    /// One change at a time, and none before an entry of this leader's own term is committed.
    fn may_change_config(&self) -> bool {
        (self.config_is_committed() || self.plants(Defect::ChangesOverlap))
            && (self.has_committed_in_term() || self.plants(Defect::ChangeBeforeOwnCommit))
    }

    fn next_step(&self, goal: &Goal) -> ChangeStep {
        let config = self.config();
        match goal {
            Goal::AddLearner(node) if config.is_member(*node) => ChangeStep::Done,
            Goal::AddLearner(node) => ChangeStep::Propose(with_learners(config, &[*node])),
            Goal::AddVoter(node) if config.is_voter(*node) => ChangeStep::Done,
            Goal::AddVoter(node)
                if !config.is_member(*node) && !self.plants(Defect::NoLearners) =>
            {
                ChangeStep::Propose(with_learners(config, &[*node]))
            }
            Goal::AddVoter(node) => self.promotion(config, *node),
            Goal::Promote(node) if !config.learners.contains(node) => ChangeStep::Done,
            Goal::Promote(node) => self.promotion(config, *node),
            Goal::Remove(node) if !config.is_member(*node) || config.voters == [*node] => {
                ChangeStep::Done
            }
            Goal::Remove(node) => ChangeStep::Propose(Configuration {
                voters: without(&config.voters, *node),
                learners: without(&config.learners, *node),
                ..Configuration::default()
            }),
            Goal::Change(voters) if *voters == config.voters => ChangeStep::Done,
            Goal::Change(voters) => self.next_step_of_change(config, voters),
        }
    }

    fn promotion(&self, config: &Configuration, node: NodeId) -> ChangeStep {
        if !self.has_caught_up(node) && !self.plants(Defect::NoLearners) {
            return ChangeStep::Wait;
        }
        let mut voters = config.voters.clone();
        voters.push(node);
        let learners = without(&config.learners, node);
        ChangeStep::Propose(Configuration { learners, ..Configuration::simple(voters) })
    }

    fn next_step_of_change(&self, config: &Configuration, voters: &[NodeId]) -> ChangeStep {
        let strangers: Vec<NodeId> =
            voters.iter().copied().filter(|node| !config.is_member(*node)).collect();
        if !strangers.is_empty() {
            return ChangeStep::Propose(with_learners(config, &strangers));
        }
        let behind = |node: &&NodeId| config.learners.contains(node) && !self.has_caught_up(**node);
        if voters.iter().any(|node| behind(&node)) {
            return ChangeStep::Wait;
        }
        let learners =
            config.learners.iter().copied().filter(|node| !voters.contains(node)).collect();
        ChangeStep::Propose(Configuration {
            voters: voters.to_vec(),
            voters_old: (!self.plants(Defect::NoJointPhase)).then(|| config.voters.clone()),
            learners,
            leaves_joint: false,
        })
    }

    fn has_caught_up(&self, node: NodeId) -> bool {
        let missing = self.log.last_index().since(self.leader.match_index(node)) as u64;
        missing <= self.settings.catch_up_entries
    }
}

/// All configurations of the log that are later than what is there.
fn collect_configs(configs: &mut Vec<(LogIndex, Rc<Configuration>)>, log: &Log) {
    let after = configs.last().map_or(LogIndex::ZERO, |(index, _)| *index);
    configs.extend(log.iter().filter(|(index, _)| *index > after).filter_map(|(index, entry)| {
        match &entry.payload {
            Payload::Config(config) => Some((index, config.clone())),
            _ => None,
        }
    }));
}

fn show_config(host: &mut impl Host, index: LogIndex, term: Term, config: &Configuration) {
    let names = |nodes: &[NodeId]| -> Word {
        if nodes.is_empty() {
            return "-".into();
        }
        let names: Vec<&str> = nodes.iter().map(|node| host.name(*node)).collect();
        names.join("+").into()
    };
    let (voters, learners) = (names(&config.voters), names(&config.learners));
    let voters_old = names(config.voters_old.as_deref().unwrap_or_default());
    let kind = config.kind();
    host.emit(events::ConfigAppend { index, term, kind, voters, learners, voters_old });
}

fn find_all(host: &impl Host, names: &str) -> Option<Vec<NodeId>> {
    names.split([',', '+']).map(|name| host.find(name)).collect()
}

fn with_learners(config: &Configuration, nodes: &[NodeId]) -> Configuration {
    let mut learners = [&config.learners, nodes].concat();
    learners.sort_unstable();
    learners.dedup();
    Configuration { learners, leaves_joint: false, ..config.clone() }
}

fn without(nodes: &[NodeId], gone: NodeId) -> Vec<NodeId> {
    nodes.iter().copied().filter(|node| *node != gone).collect()
}
