//! A leader: discovery, synchronisation, broadcast (Zab), and the requests that only it can decide.
//!
//! Discovery: a majority promises a new epoch, and says what it has; nobody of it may have more
//! than the leader. Synchronisation: each follower gets the leader's history. When a majority has
//! it durably, the leader is established, and the whole history is committed. Broadcast: what a
//! majority has logged is committed, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::channel::Channel;
use super::defects::{Defect, Planted};
use super::host::Host;
use super::message::{Body, ConnectionId, Packet, ServerState};
use super::prepare::prepare;
use super::request::Op;
use super::server::Server;
use super::tracker::SessionTracker;
use super::tree::DataTree;
use super::txn::{Entry, Txn};
use super::types::{Epoch, ErrorCode, SessionId, Zxid};
use super::vocabulary::{
    ServerRole, SessionExpired, SessionTouched, ZabEstablished, ZabPropose, ZabState,
};
use crate::node::{LocalTime, NodeId};
use crate::vocabulary::Digest64;

/// How far a leader has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// A majority is to promise an epoch.
    Discovery,
    /// A majority is to have the history.
    Synchronisation,
    /// The leader is established.
    Broadcast,
}

/// How far a follower has come, as its leader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LearnerProgress {
    /// It has reported.
    Reported,
    /// It has promised the epoch and said what it has.
    Promised,
    /// It is sent the history and everything that is proposed after it.
    Synchronising,
    /// It has the history.
    Synchronised,
    /// It knows what is committed.
    Active,
}

#[derive(Clone, Debug)]
struct Learner {
    channel: Channel,
    progress: LearnerProgress,
    /// Its last transaction when it reported; what the synchronisation starts from.
    last_zxid: Zxid,
    /// What it has logged for certain.
    acked: Zxid,
}

/// What a server keeps while it leads.
#[derive(Clone, Debug)]
pub struct Leading {
    pub phase: Phase,
    /// The epoch of this leadership, once a majority has reported.
    epoch: Option<Epoch>,
    /// The epochs that the servers have accepted before.
    reported: BTreeMap<NodeId, Epoch>,
    promised: BTreeSet<NodeId>,
    learners: BTreeMap<NodeId, Learner>,
    since: LocalTime,
    /// The tree that all proposals so far lead to.
    prepared: DataTree,
    counter: u32,
    pub tracker: SessionTracker,
    /// At which server and connection each session is.
    owners: BTreeMap<SessionId, (NodeId, ConnectionId)>,
}

impl Leading {
    /// Whether a channel of a follower has this number.
    pub fn learner_of(&self, connection: ConnectionId) -> Option<NodeId> {
        self.learners
            .iter()
            .find(|(_, learner)| learner.channel.id == connection)
            .map(|(node, _)| *node)
    }

    /// A follower is gone.
    pub fn drop_learner(&mut self, node: NodeId) {
        self.learners.remove(&node);
    }

    /// All channels.
    pub fn channels(&mut self) -> impl Iterator<Item = &mut Channel> {
        self.learners.values_mut().map(|learner| &mut learner.channel)
    }
}

// The way to the leadership.
impl Server {
    pub(super) fn start_leading(&mut self, host: &mut impl Host) {
        assert!(self.following.is_none(), "a server that follows does not lead");
        self.state = ServerState::Leading;
        self.leading = Some(Leading {
            phase: Phase::Discovery,
            epoch: None,
            reported: BTreeMap::from([(self.me, self.accepted_epoch)]),
            promised: BTreeSet::new(),
            learners: BTreeMap::new(),
            since: host.now(),
            prepared: DataTree::default(),
            counter: 0,
            tracker: SessionTracker::default(),
            owners: BTreeMap::new(),
        });
        self.propose_epoch(host);
    }

    /// A follower connects.
    pub(super) fn on_new_learner(&mut self, host: &mut impl Host, from: NodeId, packet: &Packet) {
        let channel =
            Channel::new(from, packet.connection, self.settings.retransmit_after, host.now());
        let Some(leading) = &mut self.leading else { return };
        let learner = Learner {
            channel,
            progress: LearnerProgress::Reported,
            last_zxid: Zxid::ZERO,
            acked: Zxid::ZERO,
        };
        if let Some(old) = leading.learners.insert(from, learner) {
            self.remember_closed(old.channel.id);
        }
    }

    pub(super) fn on_learner_packet(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        packet: &Packet,
    ) {
        let now = host.now();
        let Some(learner) =
            self.leading.as_mut().and_then(|leading| leading.learners.get_mut(&from))
        else {
            return;
        };
        for body in learner.channel.on_packet(now, packet) {
            self.on_learner_body(host, from, &body);
        }
    }

    fn on_learner_body(&mut self, host: &mut impl Host, from: NodeId, body: &Body) {
        match body {
            Body::FollowerInfo { accepted_epoch } => {
                self.on_follower_info(host, from, *accepted_epoch)
            }
            Body::AckEpoch { current_epoch, last_zxid } => {
                self.on_ack_epoch(host, from, *current_epoch, *last_zxid)
            }
            Body::AckNewLeader { zxid } => self.on_ack_new_leader(host, from, *zxid),
            Body::Ack { zxid } => {
                if let Some(learner) = self.learner(from) {
                    learner.acked = learner.acked.max(*zxid);
                }
                self.maybe_commit(host);
            }
            Body::PingReply { touched } => {
                touched.iter().for_each(|session| self.touch(host, *session))
            }
            Body::Forward { session, connection, xid, op } => {
                self.on_write(host, (from, *connection), *session, *xid, op)
            }
            Body::ForwardOpen { connection, timeout_ms } => {
                self.on_open(host, (from, *connection), *timeout_ms)
            }
            Body::Revalidate { session, connection } => {
                let alive = self.revalidate(host, (from, *connection), *session);
                self.send_to_learner(
                    host,
                    from,
                    Body::RevalidateReply { session: *session, connection: *connection, alive },
                );
            }
            _ => {}
        }
    }

    fn learner(&mut self, node: NodeId) -> Option<&mut Learner> {
        self.leading.as_mut()?.learners.get_mut(&node)
    }

    fn send_to_learner(&mut self, host: &mut impl Host, node: NodeId, body: Body) {
        if let Some(learner) = self.learner(node) {
            learner.channel.send(host, body);
        }
    }

    fn on_follower_info(&mut self, host: &mut impl Host, from: NodeId, accepted: Epoch) {
        let Some(leading) = &mut self.leading else { return };
        leading.reported.insert(from, accepted);
        match leading.epoch {
            Some(epoch) => self.send_to_learner(host, from, Body::LeaderInfo { epoch }),
            None => self.propose_epoch(host),
        }
    }

    /// A majority has reported: the new epoch is above all that any of it has accepted.
    fn propose_epoch(&mut self, host: &mut impl Host) {
        let quorum = self.quorum();
        let Some(leading) = &mut self.leading else { return };
        if leading.reported.len() < quorum {
            return;
        }
        let epoch = leading.reported.values().max().copied().unwrap_or_default().next();
        leading.epoch = Some(epoch);
        leading.promised.insert(self.me);
        for learner in leading.learners.values_mut() {
            learner.channel.send(host, Body::LeaderInfo { epoch });
        }
        self.set_epochs(host, epoch, self.current_epoch);
        self.see_whether_promised(host);
    }

    fn on_ack_epoch(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        current: Option<Epoch>,
        last_zxid: Zxid,
    ) {
        let own = (self.current_epoch, self.log.last());
        let planted = self.planted;
        let Some(leading) = &mut self.leading else { return };
        if let Some(learner) = leading.learners.get_mut(&from) {
            (learner.last_zxid, learner.progress) = (last_zxid, LearnerProgress::Promised);
        }
        if leading.phase > Phase::Discovery {
            return self.synchronise(host, from);
        }
        if let Some(current) = current {
            let is_ahead = (current, last_zxid) > own;
            if is_ahead && !planted.plants(Defect::VoteIgnoresHistory) {
                host.log(|| "a follower has more than its leader".to_owned());
                return self.look_for_leader(host);
            }
            leading.promised.insert(from);
        }
        self.see_whether_promised(host);
    }

    fn see_whether_promised(&mut self, host: &mut impl Host) {
        let quorum = self.quorum();
        let Some(leading) = &mut self.leading else { return };
        let Some(epoch) = leading
            .epoch
            .filter(|_| leading.phase == Phase::Discovery && leading.promised.len() >= quorum)
        else {
            return;
        };
        leading.phase = Phase::Synchronisation;
        let waiting: Vec<NodeId> = leading
            .learners
            .iter()
            .filter(|(_, learner)| learner.progress == LearnerProgress::Promised)
            .map(|(node, _)| *node)
            .collect();
        self.set_epochs(host, self.accepted_epoch, epoch);
        for node in waiting {
            self.synchronise(host, node);
        }
        self.see_whether_established(host);
    }

    /// Bring a follower's log to the state of the leader's: by what it lacks, after cutting off
    /// what nobody ever committed, or by the whole tree.
    fn synchronise(&mut self, host: &mut impl Host, node: NodeId) {
        let Some(leading) = &mut self.leading else { return };
        let (Some(epoch), Some(learner)) = (leading.epoch, leading.learners.get_mut(&node)) else {
            return;
        };
        let theirs = learner.last_zxid;
        let after = |zxid: Zxid| self.log.after(zxid).cloned().collect::<Vec<Rc<Entry>>>();
        let body = if self.log.has(theirs) {
            Body::Diff { entries: after(theirs) }
        } else if theirs < self.log.base() {
            let tree: Rc<[u8]> = self.tree.encode().into();
            Body::Snap { tree, entries: after(self.tree.last()) }
        } else {
            let zxid = self.log.floor(theirs);
            Body::Trunc { zxid, entries: after(zxid) }
        };
        learner.progress = LearnerProgress::Synchronising;
        learner.channel.send(host, body);
        learner.channel.send(host, Body::NewLeader { epoch });
    }

    fn on_ack_new_leader(&mut self, host: &mut impl Host, from: NodeId, zxid: Zxid) {
        let commit = self.tree.last();
        let Some(leading) = &mut self.leading else { return };
        let established = leading.phase == Phase::Broadcast;
        let Some(learner) = leading.learners.get_mut(&from) else { return };
        (learner.acked, learner.progress) = (zxid, LearnerProgress::Synchronised);
        if established {
            learner.progress = LearnerProgress::Active;
            learner.channel.send(host, Body::UpToDate { commit });
            self.maybe_commit(host);
        } else {
            self.see_whether_established(host);
        }
    }

    /// A majority has the leader's history durably: all of it is committed.
    fn see_whether_established(&mut self, host: &mut impl Host) {
        let quorum = self.quorum();
        let Some(leading) = &mut self.leading else { return };
        let Some(epoch) = leading.epoch else { return };
        let synchronised = leading
            .learners
            .values()
            .filter(|learner| learner.progress >= LearnerProgress::Synchronised)
            .count();
        if leading.phase != Phase::Synchronisation || synchronised + 1 < quorum {
            return;
        }
        leading.phase = Phase::Broadcast;
        let last = self.log.last();
        host.emit(ZabEstablished {
            epoch: epoch.into(),
            last: last.into(),
            quorum: (synchronised + 1).into(),
        });
        host.emit(ZabState { state: ServerRole::Leader, leader: Some(self.me).into() });
        self.apply_up_to(host, last);
        let (tick, now, planted) = (self.settings.tick, host.now(), self.planted);
        let Some(leading) = &mut self.leading else { return };
        leading.prepared = self.tree.clone();
        leading.tracker =
            SessionTracker::new(tick, self.tree.sessions(), || silence_begins(planted, now));
        for learner in leading
            .learners
            .values_mut()
            .filter(|learner| learner.progress == LearnerProgress::Synchronised)
        {
            learner.progress = LearnerProgress::Active;
            learner.channel.send(host, Body::UpToDate { commit: last });
        }
    }
}

/// From when on a new leader counts the silence of the sessions that it finds: from now on, because
/// nobody can tell it how long they have been silent.
fn silence_begins(planted: Planted, now: LocalTime) -> LocalTime {
    if planted.plants(Defect::DeadlinesOfTheOldLeader) {
        return LocalTime::ZERO;
    }
    if planted.plants(Defect::SessionsNeverExpire) {
        return LocalTime::from_nanos(u64::MAX / 2);
    }
    now
}

// The broadcast.
impl Server {
    /// Propose a transaction: log it, and send it to all that have the history before it.
    pub(super) fn propose(
        &mut self,
        host: &mut impl Host,
        session: SessionId,
        request: u64,
        make: impl FnOnce(&DataTree) -> Txn,
    ) {
        let time_ms = host.wall().as_nanos().div_euclid(1_000_000);
        let (planted, limit) = (self.planted, self.settings.epoch_length);
        let Some(leading) =
            self.leading.as_mut().filter(|leading| leading.phase == Phase::Broadcast)
        else {
            return;
        };
        if leading.counter >= limit {
            // The counter has no room left; a new epoch gives a fresh one.
            return self.look_for_leader(host);
        }
        leading.counter += 1;
        let zxid =
            Zxid::new(leading.epoch.expect("an established leader has an epoch"), leading.counter);
        let txn = make(&leading.prepared);
        let session =
            if matches!(txn, Txn::OpenSession { .. }) { SessionId(zxid.0) } else { session };
        let entry = Entry::new(zxid, session, request, time_ms, txn);
        // The answer is the committed tree's to give.
        let _ = leading.prepared.apply(&entry, planted, true);
        match entry.txn {
            Txn::OpenSession { timeout_ms, .. } => {
                leading.tracker.open(session, timeout_ms, host.now())
            }
            Txn::CloseSession => {
                leading.tracker.close(session);
                leading.owners.remove(&session);
            }
            _ => {}
        }
        for learner in leading
            .learners
            .values_mut()
            .filter(|learner| learner.progress >= LearnerProgress::Synchronising)
        {
            learner.channel.send(host, Body::Proposal(entry.clone()));
        }
        host.emit(ZabPropose { zxid: entry.zxid.into(), digest: Digest64(entry.digest) });
        self.log.append(host, std::slice::from_ref(&entry));
        self.maybe_commit(host);
    }

    /// What a majority has logged is committed. All of it is of this epoch, or was committed with
    /// the leadership itself.
    fn maybe_commit(&mut self, host: &mut impl Host) {
        let (quorum, own) = (self.quorum(), self.log.last());
        let Some(leading) =
            self.leading.as_ref().filter(|leading| leading.phase == Phase::Broadcast)
        else {
            return;
        };
        let mut logged: Vec<Zxid> =
            leading.learners.values().map(|learner| learner.acked).collect();
        logged.push(own);
        logged.sort_unstable_by(|a, b| b.cmp(a));
        let Some(commit) =
            logged.get(quorum - 1).copied().filter(|commit| *commit > self.tree.last())
        else {
            return;
        };
        self.apply_up_to(host, commit);
        let Some(leading) = &mut self.leading else { return };
        for learner in leading
            .learners
            .values_mut()
            .filter(|learner| learner.progress == LearnerProgress::Active)
        {
            learner.channel.send(host, Body::Commit { zxid: commit });
        }
    }

    /// Half a tick has passed: pings, silent followers, silent sessions.
    pub(super) fn leader_tick(&mut self, host: &mut impl Host) {
        let (now, quorum) = (host.now(), self.quorum());
        let (sync, init) = (
            self.settings.ticks(self.settings.sync_limit),
            self.settings.ticks(self.settings.init_limit),
        );
        let planted = self.planted;
        let Some(leading) = &mut self.leading else { return };
        let mut gone = Vec::new();
        leading.learners.retain(|_, learner| {
            let limit = if learner.progress == LearnerProgress::Active { sync } else { init };
            let stays = now.saturating_since(learner.channel.heard) <= limit;
            if !stays {
                gone.push(learner.channel.id);
            }
            stays
        });
        let active = leading
            .learners
            .values()
            .filter(|learner| learner.progress == LearnerProgress::Active)
            .count();
        let waited = now.saturating_since(leading.since) > init;
        let lost = if leading.phase == Phase::Broadcast {
            active + 1 < quorum && !planted.plants(Defect::CountsAbsentFollowers)
        } else {
            waited
        };
        for learner in leading.learners.values_mut() {
            learner.channel.send(host, Body::Ping);
        }
        gone.into_iter().for_each(|connection| self.remember_closed(connection));
        if lost {
            host.log(|| "no majority follows any more".to_owned());
            return self.look_for_leader(host);
        }
        self.expire_sessions(host);
    }
}

// Requests.
impl Server {
    fn expire_sessions(&mut self, host: &mut impl Host) {
        let now = host.now();
        let Some(leading) =
            self.leading.as_mut().filter(|leading| leading.phase == Phase::Broadcast)
        else {
            return;
        };
        for session in leading.tracker.expired(now) {
            host.emit(SessionExpired { session: session.into() });
            self.propose(host, session, 0, |_| Txn::CloseSession);
        }
    }

    /// A session has shown that it lives.
    pub(super) fn touch(&mut self, host: &mut impl Host, session: SessionId) {
        let now = host.now();
        if self.leading.as_mut().is_some_and(|leading| leading.tracker.touch(session, now)) {
            host.emit(SessionTouched { session: session.into() });
        }
    }

    /// A client that is connected to some server wants a session.
    pub(super) fn on_open(
        &mut self,
        host: &mut impl Host,
        owner: (NodeId, ConnectionId),
        timeout_ms: u32,
    ) {
        let password = host.below(u64::MAX);
        self.propose(host, SessionId::NONE, owner.1.0, |_| Txn::OpenSession {
            timeout_ms,
            password,
        });
        let session = SessionId(self.log.last().0);
        if let Some(leading) = &mut self.leading {
            leading.owners.insert(session, owner);
        }
    }

    /// A client has come to another server with its session: from now on only that one speaks for
    /// it.
    pub(super) fn revalidate(
        &mut self,
        host: &mut impl Host,
        owner: (NodeId, ConnectionId),
        session: SessionId,
    ) -> bool {
        let Some(leading) = &mut self.leading else { return false };
        if !leading.prepared.sessions().contains_key(&session) {
            return false;
        }
        leading.owners.insert(session, owner);
        let ephemerals = leading.prepared.ephemerals_of(session);
        self.touch(host, session);
        self.keep_ephemerals(host, session, ephemerals);
        true
    }

    /// A write of a client that is connected to some server.
    pub(super) fn on_write(
        &mut self,
        host: &mut impl Host,
        owner: (NodeId, ConnectionId),
        session: SessionId,
        xid: i32,
        op: &Op,
    ) {
        let planted = self.planted;
        let Some(leading) = &mut self.leading else { return };
        // After a change of leader the first server to speak for a session has it: all older
        // connections were cut then.
        let moved = *leading.owners.entry(session).or_insert(owner) != owner;
        self.touch(host, session);
        let request = xid as u64;
        self.propose(host, session, request, |tree| match moved {
            true => Txn::Error(ErrorCode::SessionMoved),
            false => prepare(tree, planted, session, op),
        });
    }
}
