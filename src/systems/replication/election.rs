//! How the coordinator chooses a leader.
//!
//! First it opens a new epoch and closes all before it: whoever promises to follow no earlier epoch
//! tells how far its log goes. Then it chooses among those who can hold all that was acknowledged:
//! in `sync-all` any member of the in-sync set, in `sync-quorum` the best of a majority, since any
//! two majorities share a replica. Among equals it chooses at random, as the assignment does.

use std::collections::BTreeMap;

use super::coordinator::Coordinator;
use super::defects::Defect;
use super::events;
use super::message::{Position, ReplicationMessage};
use super::node::Cx;
use super::settings::Mode;
use crate::node::{LocalTime, NodeId};

/// An election that is under way.
pub struct Election {
    /// The epoch that it is for.
    epoch: u64,
    /// What the replicas have told.
    positions: BTreeMap<NodeId, Position>,
    /// When there was somebody to choose for the first time.
    possible_since: Option<LocalTime>,
}

impl Coordinator {
    /// Have a new epoch opened, without a leader yet.
    pub(super) fn begin_election(&mut self, ctx: &mut Cx<'_>) {
        self.begin_election_after(ctx, self.view.epoch);
    }

    fn begin_election_after(&mut self, ctx: &mut Cx<'_>, epoch: u64) {
        if self.is_waiting() {
            return;
        }
        let epoch = epoch + u64::from(epoch == 0 || !self.plants(Defect::SplitBrain));
        let view = self.view.next(|view| (view.epoch, view.leader) = (epoch, None));
        self.change(ctx, view);
        if !self.is_waiting() {
            self.open_election(ctx, epoch);
        }
    }

    /// The epoch is open: ask the replicas to close all before it.
    pub(super) fn open_election(&mut self, ctx: &mut Cx<'_>, epoch: u64) {
        self.election = Some(Election { epoch, positions: BTreeMap::new(), possible_since: None });
        self.ask_positions(ctx);
    }

    /// Ask those who have not answered; the others may have died since, and choosing must not wait
    /// for ever.
    fn ask_positions(&self, ctx: &mut Cx<'_>) {
        let Some(election) = &self.election else { return };
        for replica in
            self.replicas.iter().filter(|replica| !election.positions.contains_key(replica))
        {
            ctx.send(*replica, ReplicationMessage::Fence { epoch: election.epoch });
        }
    }

    pub(super) fn go_on_with_election(&mut self, ctx: &mut Cx<'_>) {
        self.choose(ctx);
        self.ask_positions(ctx);
    }

    /// A replica has promised to follow no earlier epoch.
    pub(super) fn on_position(&mut self, ctx: &mut Cx<'_>, from: NodeId, position: Position) {
        let Some(election) =
            self.election.as_mut().filter(|election| election.epoch == position.epoch)
        else {
            return;
        };
        election.positions.insert(from, position);
        self.choose(ctx);
    }

    /// A replica knows a later epoch than this coordinator, whose disk was perhaps replaced: begin
    /// beyond it.
    pub(super) fn on_later_epoch(&mut self, ctx: &mut Cx<'_>, epoch: u64) {
        if self.election.as_ref().is_some_and(|election| election.epoch < epoch) {
            self.begin_election_after(ctx, epoch);
        }
    }

    /// Choose, if there are enough to choose from.
    fn choose(&mut self, ctx: &mut Cx<'_>) {
        if self.is_waiting() {
            return;
        }
        let (now, candidates, planted) = (ctx.now(), self.candidates(), self.settings.planted);
        let all_answered = self.election.as_ref().is_some_and(|election| {
            self.replicas
                .iter()
                .all(|replica| election.positions.contains_key(replica) || !self.lives(*replica))
        });
        let Some(election) = &mut self.election else { return };
        if candidates.is_empty() {
            election.possible_since = None;
            return;
        }
        // Wait a little for a replica that has more, or is as good, so that the choice is one.
        let since = *election.possible_since.get_or_insert(now);
        let hurried = !all_answered && now.saturating_since(since) < self.settings.election_wait;
        if hurried && !planted.plants(Defect::FirstAnswerWins) {
            return;
        }
        let rank = |(_, position): &(NodeId, Position)| (position.log_epoch, position.seq);
        let best = candidates.iter().map(rank).max().unwrap_or_default();
        let wrong =
            || planted.plants(Defect::RandomPromotion) || planted.plants(Defect::FirstAnswerWins);
        let equals: Vec<(NodeId, Position)> = candidates
            .iter()
            .filter(|candidate| rank(candidate) == best || wrong())
            .copied()
            .collect();
        let Some((leader, position)) = ctx.rng().pick(&equals).copied() else { return };
        let epoch = election.epoch;
        self.election = None;
        let view = self.view.next(|view| {
            (view.leader, view.avoid) = (Some(leader.0), None);
            (view.start_seq, view.start_hash) = (position.seq, position.hash);
        });
        events::promoted(ctx, epoch, leader, position.log_epoch, position.seq);
        self.change(ctx, view);
    }

    /// Those among whom the best has all that was ever acknowledged; nobody where that is not
    /// certain.
    fn candidates(&self) -> Vec<(NodeId, Position)> {
        let Some(election) = &self.election else { return vec![] };
        let planted = self.settings.planted;
        // Before the first leader there is nothing to lose, and all disks are new.
        let first = self.view.active_epoch == 0;
        let usable = |position: &Position| first || position.log_epoch > 0;
        let answered = election
            .positions
            .iter()
            .filter(|(_, position)| usable(position) || planted.plants(Defect::RandomPromotion));
        let answered: Vec<(NodeId, Position)> =
            answered.map(|(node, position)| (*node, *position)).collect();
        let without: Vec<(NodeId, Position)> =
            answered.iter().filter(|(node, _)| Some(node.0) != self.view.avoid).copied().collect();
        let enough = |from: &[(NodeId, Position)]| -> Vec<(NodeId, Position)> {
            match self.settings.mode {
                Mode::SyncAll if !planted.plants(Defect::RandomPromotion) => {
                    let complete = |(node, position): &&(NodeId, Position)| {
                        first
                            || (self.view.has(*node)
                                && position.log_epoch >= self.view.active_epoch)
                    };
                    from.iter().filter(complete).copied().collect()
                }
                Mode::SyncQuorum
                    if from.len() <= self.replicas.len() / 2
                        && !planted.plants(Defect::FirstAnswerWins) =>
                {
                    vec![]
                }
                _ => from.to_vec(),
            }
        };
        let preferred = enough(&without);
        if preferred.is_empty() { enough(&answered) } else { preferred }
    }
}
