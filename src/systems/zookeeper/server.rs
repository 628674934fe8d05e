//! A server of the ensemble: its state, and where its inputs go.
//!
//! It looks for a leader, follows one, or leads. Only while it follows or leads with a majority
//! does it serve clients; whenever it has to look for a leader again, all its clients are sent
//! away.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::clients::ClientConnection;
use super::defects::{Defect, Planted, ServerDefectState};
use super::election::Election;
use super::ensemble::ServerSettings;
use super::follower::{Following, Stage};
use super::host::{Host, ZkTimer};
use super::leader::{Leading, Phase};
use super::message::{Body, ConnectionId, Datagram, Packet, ServerState, Vote, ZkMessage};
use super::request::WatchEventKind;
use super::storage::{self, TxnLog};
use super::tree::{DataTree, Trigger};
use super::txn::{Change, Entry, Txn};
use super::types::{Epoch, SessionId, Zxid};
use super::vocabulary::{
    ServerMetrics, ServerRole, SessionClosed, SessionOpened, ZabApply, ZabRecover, ZabState,
    ZnodeChange, ZnodeChanged,
};
use super::watches::Watches;
use crate::node::{LocalTime, NodeId, Probe};
use crate::vocabulary::Digest64;

/// Numbers of closed connections that are remembered, so that a late first packet opens none of
/// them again.
const CLOSED_MAX: usize = 256;

/// A server of the ensemble.
pub struct Server {
    pub(super) settings: ServerSettings,
    pub(super) planted: Planted,
    pub(super) me: NodeId,
    /// All servers, this one included.
    pub(super) ensemble: Vec<NodeId>,
    pub(super) state: ServerState,
    /// The newest epoch that it has promised itself to. Durable. Invariant: `current_epoch <=
    /// accepted_epoch`.
    pub(super) accepted_epoch: Epoch,
    /// The epoch whose leader's history it has. Durable.
    pub(super) current_epoch: Epoch,
    /// The state after the last transaction known to be committed. Invariant: `tree.last() <=
    /// log.last()`.
    pub(super) tree: DataTree,
    /// Durable.
    pub(super) log: TxnLog,
    pub(super) election: Election,
    /// Some exactly while `state` is `Leading`.
    pub(super) leading: Option<Leading>,
    /// Some exactly while `state` is `Following`.
    pub(super) following: Option<Following>,
    pub(super) clients: BTreeMap<ConnectionId, ClientConnection>,
    pub(super) by_session: BTreeMap<SessionId, ConnectionId>,
    pub(super) watches: Watches,
    /// What only defects keep.
    pub(super) defect: ServerDefectState,
    closed: VecDeque<ConnectionId>,
    pub(super) applied_since_snapshot: u64,
    applied: u64,
}

impl Server {
    /// A server of this ensemble, before it has read its disk.
    pub fn new(settings: ServerSettings, me: NodeId, ensemble: Vec<NodeId>) -> Server {
        let planted = settings.planted;
        Server {
            settings,
            planted,
            me,
            ensemble,
            state: ServerState::Looking,
            accepted_epoch: Epoch(0),
            current_epoch: Epoch(0),
            tree: DataTree::default(),
            log: TxnLog::default(),
            election: Election::new(Vote { epoch: Epoch(0), zxid: Zxid::ZERO, leader: me }),
            leading: None,
            following: None,
            clients: BTreeMap::new(),
            by_session: BTreeMap::new(),
            watches: Watches::default(),
            defect: ServerDefectState::default(),
            closed: VecDeque::new(),
            applied_since_snapshot: 0,
            applied: 0,
        }
    }

    /// The state after all transactions that this server knows to be committed.
    pub fn tree(&self) -> &DataTree {
        &self.tree
    }

    /// Whether it is an established leader.
    pub fn is_leader(&self) -> bool {
        self.leading.as_ref().is_some_and(|leading| leading.phase == Phase::Broadcast)
    }

    pub(super) fn peers(&self) -> Vec<NodeId> {
        self.ensemble.iter().copied().filter(|node| *node != self.me).collect()
    }

    pub(super) fn plants(&self, defect: Defect) -> bool {
        self.planted.plants(defect)
    }

    /// This many servers are a majority.
    pub(super) fn quorum(&self) -> usize {
        self.ensemble.len() / 2 + 1
    }

    /// Whether clients may be served.
    pub(super) fn is_serving(&self) -> bool {
        self.is_leader()
            || self.following.as_ref().is_some_and(|following| following.stage == Stage::Broadcast)
    }
}

// Boot, messages, timers.
impl Server {
    /// Read the disk and look for a leader.
    pub fn boot(&mut self, host: &mut impl Host) {
        let recovered = storage::recover(host);
        host.emit(ZabRecover {
            accepted_epoch: recovered.accepted_epoch.into(),
            current_epoch: recovered.current_epoch.into(),
            snapshot: recovered.tree.last().into(),
            last: recovered.log.last().into(),
        });
        (self.accepted_epoch, self.current_epoch) =
            (recovered.accepted_epoch, recovered.current_epoch);
        // What of the log after the snapshot is committed, only a leader can say.
        (self.tree, self.log) = (recovered.tree, recovered.log);
        host.set_timer(ZkTimer::Tick, self.settings.tick / 2);
        self.look_for_leader(host);
        self.end_step(host);
    }

    /// A datagram arrived.
    pub fn on_message(&mut self, host: &mut impl Host, from: NodeId, message: ZkMessage) {
        match message {
            ZkMessage::Bare(Datagram::Notification(notification)) => {
                self.on_notification(host, from, notification)
            }
            ZkMessage::Packet(packet) => self.on_packet(host, from, &packet),
            ZkMessage::Bare(Datagram::PacketAck { connection, ack }) => {
                let now = host.now();
                if let Some(channel) = self.channel(connection) {
                    channel.on_ack(now, ack);
                }
            }
            ZkMessage::Bare(Datagram::Reset { connection }) => self.on_reset(host, connection),
        }
        self.end_step(host);
    }

    /// A timer ran out.
    pub fn on_timer(&mut self, host: &mut impl Host, timer: ZkTimer) {
        match timer {
            ZkTimer::Election => self.on_election_timer(host),
            ZkTimer::Tick => {
                host.set_timer(ZkTimer::Tick, self.settings.tick / 2);
                self.leader_tick(host);
                self.follower_tick(host);
                self.clients_tick(host);
                self.maybe_compact(host);
            }
            ZkTimer::Retransmit => self.for_each_channel(|channel| channel.resend(host)),
            ZkTimer::Session => {}
        }
        self.end_step(host);
    }

    fn on_packet(&mut self, host: &mut impl Host, from: NodeId, packet: &Packet) {
        let connection = packet.connection;
        if self.following.as_ref().is_some_and(|following| following.channel.id == connection) {
            let now = host.now();
            let bodies = self
                .following
                .as_mut()
                .map(|following| following.channel.on_packet(now, packet))
                .unwrap_or_default();
            return bodies.iter().for_each(|body| self.on_leader_body(host, body));
        }
        if self.leading.as_ref().is_some_and(|leading| leading.learner_of(connection).is_some()) {
            return self.on_learner_packet(host, from, packet);
        }
        if self.clients.contains_key(&connection) {
            return self.on_client_packet(host, packet);
        }
        let is_first = packet.seq == 1 && !self.closed.contains(&connection);
        match &*packet.body {
            // Who is still looking may yet become the leader that the sender has chosen already.
            Body::FollowerInfo { .. } if is_first && self.state == ServerState::Looking => {}
            Body::FollowerInfo { .. } if is_first && self.state == ServerState::Leading => {
                self.on_new_learner(host, from, packet);
                self.on_learner_packet(host, from, packet);
            }
            Body::Connect { .. } if is_first && self.is_serving() => {
                self.on_new_client(host, from, packet);
                self.on_client_packet(host, packet);
            }
            _ => host.send(from, Datagram::Reset { connection }.into()),
        }
    }

    fn on_reset(&mut self, host: &mut impl Host, connection: ConnectionId) {
        if self.following.as_ref().is_some_and(|following| following.channel.id == connection) {
            host.log(|| "the leader does not know this server any more".to_owned());
            return self.look_for_leader(host);
        }
        if let Some(leading) = &mut self.leading
            && let Some(node) = leading.learner_of(connection)
        {
            leading.drop_learner(node);
            self.remember_closed(connection);
        }
        self.drop_client(connection);
    }

    pub(super) fn remember_closed(&mut self, connection: ConnectionId) {
        self.closed.push_back(connection);
        if self.closed.len() > CLOSED_MAX {
            self.closed.pop_front();
        }
    }

    fn channel(&mut self, connection: ConnectionId) -> Option<&mut super::channel::Channel> {
        let following = self.following.iter_mut().map(|following| &mut following.channel);
        let learners = self.leading.iter_mut().flat_map(Leading::channels);
        let clients =
            self.clients.get_mut(&connection).into_iter().map(|client| &mut client.channel);
        following.chain(learners).chain(clients).find(|channel| channel.id == connection)
    }

    fn for_each_channel(&mut self, mut each: impl FnMut(&mut super::channel::Channel)) {
        self.following.iter_mut().for_each(|following| each(&mut following.channel));
        self.leading.iter_mut().flat_map(Leading::channels).for_each(&mut each);
        self.clients.values_mut().for_each(|client| each(&mut client.channel));
    }

    /// Acknowledge what this step took in, and set the timer for what it sent.
    fn end_step(&mut self, host: &mut impl Host) {
        let mut next: Option<LocalTime> = None;
        self.for_each_channel(|channel| {
            channel.flush(host);
            next = match (next, channel.deadline()) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        });
        if let Some(next) = next {
            host.set_timer(ZkTimer::Retransmit, next.saturating_since(host.now()));
        }
    }
}

// Transitions.
impl Server {
    /// Neither leading nor following: clients are sent away, followers learn it by their next
    /// packet.
    pub(super) fn become_looking(&mut self, host: &mut impl Host) {
        if let Some(following) = self.following.take() {
            self.remember_closed(following.channel.id);
        }
        if let Some(mut leading) = self.leading.take() {
            for channel in leading.channels() {
                host.send(channel.peer, Datagram::Reset { connection: channel.id }.into());
            }
            let closed: Vec<ConnectionId> = leading.channels().map(|channel| channel.id).collect();
            closed.into_iter().for_each(|connection| self.remember_closed(connection));
        }
        self.send_clients_away(host);
        self.state = ServerState::Looking;
        host.emit(ZabState { state: ServerRole::Looking, leader: None.into() });
    }

    /// Apply what is committed, in order, and tell those who wait for it.
    pub(super) fn apply_up_to(&mut self, host: &mut impl Host, commit: Zxid) {
        let live = self.is_serving();
        while let Some(entry) = self.log.next(self.tree.last()).filter(|entry| entry.zxid <= commit)
        {
            let prev = self.tree.last();
            let (outcome, triggers) = self.tree.apply(&entry, self.planted, live);
            host.emit(ZabApply {
                zxid: entry.zxid.into(),
                prev: prev.into(),
                digest: Digest64(entry.digest),
                chain: Digest64(self.tree.chain()),
                tree: Digest64(self.tree.state()),
                kind: entry.kind().into(),
            });
            show_changes(host, &entry, &triggers);
            for trigger in &triggers {
                self.fire_watches(host, entry.zxid, trigger);
            }
            self.answer(host, &entry, outcome);
            self.applied += 1;
            self.applied_since_snapshot += 1;
        }
    }

    /// Half a tick has passed: enough transactions for another snapshot? Not in the step that
    /// applies them, so that clients do not wait for it.
    fn maybe_compact(&mut self, host: &mut impl Host) {
        if self.settings.snapshot_every > 0
            && self.applied_since_snapshot >= self.settings.snapshot_every
        {
            self.applied_since_snapshot = 0;
            self.log.compact(host, &self.tree, self.settings.log_trailing);
        }
    }
}

/// Tell the trace what a transaction changes.
fn show_changes(host: &mut impl Host, entry: &Entry, triggers: &[Trigger]) {
    match &entry.txn {
        Txn::OpenSession { timeout_ms, .. } => host.emit(SessionOpened {
            session: entry.zxid.into(),
            timeout_us: u64::from(*timeout_ms) * 1_000,
        }),
        Txn::CloseSession => host.emit(SessionClosed {
            zxid: entry.zxid.into(),
            session: entry.session.into(),
            request: (entry.request as i64).into(),
        }),
        _ => {}
    }
    let mut sets = match &entry.txn {
        Txn::Changes { changes, .. } => &changes[..],
        _ => &[],
    }
    .iter()
    .filter(|change| matches!(change, Change::Set { .. }));
    for Trigger { kind, path } in triggers {
        let (change, session, version, data): (_, _, _, &[u8]) = match kind {
            WatchEventKind::Created => {
                let Some(Change::Create { data, owner, .. }) = created(entry, path) else {
                    continue;
                };
                (ZnodeChange::Create, *owner, 0, data)
            }
            WatchEventKind::Deleted => (ZnodeChange::Delete, entry.session, 0, b""),
            WatchEventKind::DataChanged => {
                let Some(Change::Set { data, version, .. }) = sets.next() else { continue };
                (ZnodeChange::Set, entry.session, *version, data)
            }
            WatchEventKind::ChildrenChanged => continue,
        };
        let data = String::from_utf8_lossy(data).replace(char::is_whitespace, "_");
        host.emit(ZnodeChanged {
            zxid: entry.zxid.into(),
            change,
            session: session.into(),
            version: version.into(),
            path: path.clone(),
            data: Rc::<str>::from(data).into(),
        });
    }
}

fn created<'a>(entry: &'a Entry, wanted: &str) -> Option<&'a Change> {
    let Txn::Changes { changes, .. } = &entry.txn else { return None };
    changes
        .iter()
        .rev()
        .find(|change| matches!(change, Change::Create { path, .. } if **path == *wanted))
}

// The probe.
impl Server {
    /// What it does at present.
    pub fn role(&self) -> ServerRole {
        match self.state {
            ServerState::Looking => ServerRole::Looking,
            ServerState::Following if self.is_serving() => ServerRole::Follower,
            ServerState::Following => ServerRole::Following,
            ServerState::Leading if self.is_leader() => ServerRole::Leader,
            ServerState::Leading => ServerRole::Leading,
        }
    }

    /// Show the metrics.
    pub fn probe(&self, probe: &mut Probe<'_>) {
        probe.show(&ServerMetrics {
            role: self.role(),
            current_term: self.current_epoch.0,
            last_zxid_counter: self.tree.last().counter(),
            applied: self.applied,
            log_entries: self.log.len(),
            znodes: self.tree.len(),
            sessions: self.tree.sessions().len(),
            clients: self.by_session.len(),
        });
    }
}
