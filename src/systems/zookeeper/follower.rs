//! A follower: it finds its leader's epoch, takes over its history, logs what it proposes and
//! applies what it commits.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::channel::Channel;
use super::defects::{Defect, MAY_MISS_COMMITTED};
use super::host::Host;
use super::message::{Body, ServerState};
use super::server::Server;
use super::storage::save_epochs;
use super::tree::DataTree;
use super::txn::Entry;
use super::types::{Epoch, SessionId, Zxid};
use super::vocabulary::{ServerRole, ZabEpoch, ZabSnapshot, ZabState};
use crate::node::{LocalTime, NodeId};
use crate::vocabulary::Digest64;

/// How far a follower has come with its leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It waits for the leader's epoch.
    Discovery,
    /// It takes over the leader's history.
    Synchronisation,
    /// It serves clients.
    Broadcast,
}

/// What a server keeps while it follows.
#[derive(Clone, Debug)]
pub struct Following {
    pub leader: NodeId,
    pub channel: Channel,
    pub stage: Stage,
    since: LocalTime,
    /// Sessions that were heard of since the last ping.
    pub touched: BTreeSet<SessionId>,
}

impl Server {
    pub(super) fn start_following(&mut self, host: &mut impl Host, leader: NodeId) {
        assert!(self.leading.is_none(), "a server that leads follows nobody");
        self.state = ServerState::Following;
        let mut channel = Channel::open(host, leader, self.settings.retransmit_after);
        channel.send(host, Body::FollowerInfo { accepted_epoch: self.accepted_epoch });
        let since = host.now();
        self.following = Some(Following {
            leader,
            channel,
            stage: Stage::Discovery,
            since,
            touched: BTreeSet::new(),
        });
    }

    /// Half a tick has passed: is the leader still there?
    pub(super) fn follower_tick(&mut self, host: &mut impl Host) {
        let Some(following) = &self.following else { return };
        let limit = match following.stage {
            Stage::Broadcast => self.settings.ticks(self.settings.sync_limit),
            _ => self.settings.ticks(self.settings.init_limit),
        };
        let since = if following.stage == Stage::Broadcast {
            following.channel.heard
        } else {
            following.since
        };
        if host.now().saturating_since(since) > limit {
            host.log(|| "the leader is silent".to_owned());
            self.look_for_leader(host);
        }
    }

    pub(super) fn send_to_leader(&mut self, host: &mut impl Host, body: Body) {
        if let Some(following) = &mut self.following {
            following.channel.send(host, body);
        }
    }

    pub(super) fn on_leader_body(&mut self, host: &mut impl Host, body: &Body) {
        let Some(stage) = self.following.as_ref().map(|following| following.stage) else { return };
        match (stage, body) {
            (Stage::Discovery, Body::LeaderInfo { epoch }) => self.on_leader_info(host, *epoch),
            (Stage::Synchronisation, Body::Diff { entries }) => self.take_over(host, entries),
            (Stage::Synchronisation, Body::Trunc { zxid, entries }) => {
                if !self.plants(Defect::TruncIgnored) {
                    self.cut_off(host, *zxid);
                }
                self.take_over(host, entries);
            }
            (Stage::Synchronisation, Body::Snap { tree, entries }) => {
                self.take_over_tree(host, tree);
                self.take_over(host, entries);
            }
            (Stage::Synchronisation, Body::NewLeader { epoch }) => {
                self.set_epochs(host, self.accepted_epoch, *epoch);
                let zxid = self.log.last();
                self.send_to_leader(host, Body::AckNewLeader { zxid });
            }
            (Stage::Synchronisation, Body::UpToDate { commit }) => {
                self.apply_up_to(host, *commit);
                self.set_stage(Stage::Broadcast);
                let leader = self.following.as_ref().map(|following| following.leader);
                host.emit(ZabState { state: ServerRole::Follower, leader: leader.into() });
            }
            (Stage::Synchronisation | Stage::Broadcast, Body::Proposal(entry)) => {
                self.on_proposal(host, entry)
            }
            (Stage::Broadcast, Body::Commit { zxid }) => self.apply_up_to(host, *zxid),
            (_, Body::Ping) => {
                let touched = self
                    .following
                    .as_mut()
                    .map(|following| std::mem::take(&mut following.touched))
                    .unwrap_or_default();
                self.send_to_leader(
                    host,
                    Body::PingReply { touched: touched.into_iter().collect() },
                );
            }
            (Stage::Broadcast, Body::RevalidateReply { session, connection, alive }) => {
                self.on_revalidated(host, *session, *connection, *alive);
            }
            _ => host.log(|| format!("{} has no place in {stage:?}", body.kind_name())),
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        if let Some(following) = &mut self.following {
            following.stage = stage;
        }
    }

    /// The promise: to follow nobody of an earlier epoch. Where the same epoch was promised before,
    /// perhaps to another, it does not count again.
    fn on_leader_info(&mut self, host: &mut impl Host, epoch: Epoch) {
        if epoch < self.accepted_epoch {
            return self.look_for_leader(host);
        }
        let current_epoch = (epoch > self.accepted_epoch).then_some(self.current_epoch);
        if current_epoch.is_some() {
            self.set_epochs(host, epoch, self.current_epoch);
        }
        self.set_stage(Stage::Synchronisation);
        let last_zxid = self.log.last();
        self.send_to_leader(host, Body::AckEpoch { current_epoch, last_zxid });
    }

    pub(super) fn set_epochs(&mut self, host: &mut impl Host, accepted: Epoch, current: Epoch) {
        assert!(
            accepted >= self.accepted_epoch && accepted >= current,
            "promised epoch {}, now {}, with the history of epoch {}",
            self.accepted_epoch.0,
            accepted.0,
            current.0
        );
        if accepted != self.accepted_epoch {
            host.emit(ZabEpoch { epoch: accepted.into() });
        }
        (self.accepted_epoch, self.current_epoch) = (accepted, current);
        if !self.plants(Defect::EpochNotPersisted) {
            save_epochs(host, accepted, current);
        }
    }

    fn take_over(&mut self, host: &mut impl Host, entries: &[Rc<Entry>]) {
        // Where transactions were not cut off that should have been, what follows them does not
        // fit.
        let last = self.log.last();
        let entries: Vec<Rc<Entry>> =
            entries.iter().filter(|entry| entry.zxid > last).cloned().collect();
        if entries.is_empty() {
            return;
        }
        self.log.append(host, &entries);
    }

    fn cut_off(&mut self, host: &mut impl Host, zxid: Zxid) {
        self.log.truncate(host, zxid);
        if self.tree.last() > zxid {
            // Only what was committed is ever applied, and a leader has all of that.
            assert!(
                MAY_MISS_COMMITTED.iter().any(|defect| self.planted.holds(*defect)),
                "transaction {} was applied, and the leader has only {zxid}",
                self.tree.last()
            );
            self.tree = host
                .read(super::storage::SNAPSHOT)
                .and_then(|bytes| DataTree::decode(&bytes))
                .unwrap_or_default();
            self.apply_up_to(host, zxid);
        }
    }

    fn take_over_tree(&mut self, host: &mut impl Host, tree: &[u8]) {
        let tree = DataTree::decode(tree).expect("a connection carries what was sent");
        self.log.reset(host, &tree);
        self.tree = tree;
        self.applied_since_snapshot = 0;
        host.emit(ZabSnapshot {
            zxid: self.tree.last().into(),
            chain: Digest64(self.tree.chain()),
            tree: Digest64(self.tree.state()),
        });
    }

    fn on_proposal(&mut self, host: &mut impl Host, entry: &Rc<Entry>) {
        if entry.zxid <= self.log.last() {
            // Two leaders of one epoch give the same numbers.
            assert!(
                self.planted.holds(Defect::EpochNotPersisted),
                "transaction {} was proposed after {}",
                entry.zxid,
                self.log.last()
            );
            return;
        }
        if self.plants(Defect::SkipSync) {
            host.without_sync();
        }
        self.log.append(host, std::slice::from_ref(entry));
        self.send_to_leader(host, Body::Ack { zxid: entry.zxid });
        // It is applied when a majority has it, which the leader tells.
        if self.plants(Defect::ApplyOnProposal) {
            self.apply_up_to(host, entry.zxid);
        }
    }
}
