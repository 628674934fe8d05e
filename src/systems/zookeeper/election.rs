//! Fast leader election: servers that know no leader tell each other whom they would follow, until
//! a majority says the same.
//!
//! A vote is better if it names a newer history: first by the epoch, then by the last transaction,
//! and by the server's number only between equals, so that the order is total and everybody comes
//! to the same vote. The election only saves time: that a leader is safe to follow is seen to by
//! the discovery that comes after it. Votes are datagrams, repeated as long as the sender looks for
//! a leader.

use std::collections::BTreeMap;

use super::defects::Defect;
use super::host::{Host, ZkTimer};
use super::message::{Datagram, Notification, ServerState, Vote, ZkMessage};
use super::server::Server;
use super::vocabulary::{ServerRole, ZabState};
use crate::node::{LocalTime, NodeId};

/// What a server knows of the election it takes part in.
#[derive(Clone, Debug)]
pub struct Election {
    /// The election by this server's count; larger than all that it has seen before.
    pub round: u64,
    /// Whom it would follow at present.
    pub vote: Vote,
    /// The votes of this round.
    votes: BTreeMap<NodeId, Vote>,
    /// What those say who do not look any more.
    settled: BTreeMap<NodeId, Notification>,
    /// When a vote that a majority shares is final, unless a better one comes.
    final_at: Option<LocalTime>,
}

impl Election {
    /// An election that has not begun.
    pub fn new(vote: Vote) -> Election {
        Election {
            round: 0,
            vote,
            votes: BTreeMap::new(),
            settled: BTreeMap::new(),
            final_at: None,
        }
    }
}

impl Server {
    /// Give up whatever there was, and look for a leader.
    pub(super) fn look_for_leader(&mut self, host: &mut impl Host) {
        self.become_looking(host);
        let vote = self.own_vote();
        self.election = Election { round: self.election.round + 1, ..Election::new(vote) };
        self.broadcast_vote(host);
        self.see_whether_majority(host);
    }

    fn own_vote(&self) -> Vote {
        Vote { epoch: self.current_epoch, zxid: self.log.last(), leader: self.me }
    }

    /// The newest history is better; the server's number decides only between equals.
    fn is_better(&self, vote: Vote, than: Vote) -> bool {
        let (by_history, by_number) = (vote > than, vote.leader > than.leader);
        if by_number != by_history && self.plants(Defect::VoteIgnoresHistory) {
            return by_number;
        }
        by_history
    }

    fn notification(&self) -> ZkMessage {
        let Election { vote, round, .. } = self.election;
        Datagram::Notification(Notification { vote, round, state: self.state }).into()
    }

    fn broadcast_vote(&mut self, host: &mut impl Host) {
        for peer in self.peers() {
            host.send(peer, self.notification());
        }
        host.set_timer(ZkTimer::Election, self.settings.notification_interval);
    }

    pub(super) fn on_election_timer(&mut self, host: &mut impl Host) {
        if self.state != ServerState::Looking {
            return;
        }
        match self.election.final_at {
            Some(at) if host.now() >= at => self.settle(host, self.election.vote.leader),
            _ => self.broadcast_vote(host),
        }
    }

    pub(super) fn on_notification(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        theirs: Notification,
    ) {
        if !self.ensemble.contains(&from) {
            return;
        }
        if self.state != ServerState::Looking {
            if theirs.state == ServerState::Looking {
                host.send(from, self.notification());
            }
            return;
        }
        if theirs.state != ServerState::Looking {
            self.election.settled.insert(from, theirs);
            return self.see_whether_settled(host, theirs.vote.leader);
        }
        let own = self.own_vote();
        let before = self.election.vote;
        if theirs.round > self.election.round {
            self.election.round = theirs.round;
            self.election.votes.clear();
            self.election.vote = if self.is_better(theirs.vote, own) { theirs.vote } else { own };
            self.election.final_at = None;
            self.broadcast_vote(host);
        } else if theirs.round < self.election.round {
            host.send(from, self.notification());
            return;
        } else if self.is_better(theirs.vote, before) {
            self.election.vote = theirs.vote;
            self.election.final_at = None;
            self.broadcast_vote(host);
        }
        self.election.votes.insert(from, theirs.vote);
        self.see_whether_majority(host);
    }

    /// A majority says the same: wait a little for a vote that is better still.
    fn see_whether_majority(&mut self, host: &mut impl Host) {
        let same = self.election.votes.values().filter(|vote| **vote == self.election.vote).count();
        if same + 1 >= self.quorum() && self.election.final_at.is_none() {
            let wait = self.settings.finalize_wait;
            self.election.final_at = Some(host.now() + wait);
            host.set_timer(ZkTimer::Election, wait);
        }
    }

    /// The others have a leader already, who says so itself: follow it.
    fn see_whether_settled(&mut self, host: &mut impl Host, leader: NodeId) {
        let settled = &self.election.settled;
        let follow = settled.values().filter(|each| each.vote.leader == leader).count();
        let leads = settled
            .get(&leader)
            .is_some_and(|each| each.state == ServerState::Leading && each.vote.leader == leader);
        if leads && leader != self.me && follow >= self.quorum() {
            self.election.round = settled[&leader].round.max(self.election.round);
            self.election.vote = settled[&leader].vote;
            self.settle(host, leader);
        }
    }

    fn settle(&mut self, host: &mut impl Host, leader: NodeId) {
        host.cancel_timer(ZkTimer::Election);
        let state = match leader == self.me {
            true => ServerRole::Leading,
            false => ServerRole::Following,
        };
        host.emit(ZabState { state, leader: Some(leader).into() });
        if leader == self.me {
            self.start_leading(host)
        } else {
            self.start_following(host, leader)
        }
    }
}
