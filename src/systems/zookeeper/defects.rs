//! The defects that can be planted, and what only they need.
//!
//! Most are one guard beside the right rule, in the file where the paper has it. Where a guard does
//! not suffice, the protocol calls a function that is named after the right rule; it stands here,
//! and does nothing unless its defect is planted.

use std::rc::Rc;

use super::host::{Host, Link};
use super::instance::{Instance, MEASUREMENTS, Purpose};
use super::message::{Body, ConnectionId};
use super::node::{ZkNode, ZkNodeTimer};
use super::prepare::prepare;
use super::recipe::{Contender, ELECTION, Standing};
use super::request::{ANY_VERSION, Answer, Op, Outcome, Path, join};
use super::server::Server;
use super::session::Session;
use super::types::{SessionId, Zxid};
use crate::defects::defects;
use crate::node::Ctx;

defects! {
    // The broadcast.
    SkipSync "skip-sync" "acknowledged_writes_kept" "zookeeper/leader-comes-back-late" 2
        "A follower acknowledges a proposal before it is on the disk."
    EpochNotPersisted "epoch-not-persisted" "zab_one_leader_per_epoch" "zookeeper/power-failure" 2
        "The epochs are not written to the disk: after a restart a server promises the same epoch \
            again."
    VoteIgnoresHistory "vote-ignores-history" "zab_primary_integrity" "zookeeper/far-server" 12
        "The server with the largest number is elected, whatever its log lacks."
    ApplyOnProposal "apply-on-proposal" "zab_primary_integrity" "zookeeper/two-cut-off" 3
        "A follower applies a proposal when it has logged it, before it is committed."
    TruncIgnored "trunc-ignored" "zab_total_order" "zookeeper/leader-isolated" 2
        "A follower keeps transactions that the new leader tells it to cut off."
    EphemeralsKeptOnReplay "ephemerals-kept-on-replay" "replicas_equal" "zookeeper/followers-restart" 3
        "A server that catches up does not remove the ephemeral znodes of sessions that ended \
            meanwhile."
    SyncAnsweredLocally "sync-answered-locally" "linearizable" "zookeeper/leader-isolated" 3
        "A server answers `sync` immediately, from what it has."
    CountsAbsentFollowers "counts-absent-followers" "zk_leader_elected" "zookeeper/leader-isolated" 2
        "A leader that has lost its majority continues to lead."
    // Sessions and watches.
    ClientZxidIgnored "client-zxid-ignored" "session_zxid_monotone" "zookeeper/clients-move" 3
        "A server accepts a client that has seen a newer state than the server's."
    ReadsOvertakeWrites "reads-overtake-writes" "fifo_client_order" "zookeeper/sessions-and-watches" 2
        "A read is answered immediately, before the writes that its client asked for earlier."
    EarlyEphemeralDelete "early-ephemeral-delete" "ephemerals_live" "zookeeper/clients-move" 2
        "When a client moves to another server, its ephemeral znodes are removed although its \
            session lives."
    DeadlinesOfTheOldLeader "deadlines-of-the-old-leader" "session_expiry" "zookeeper/leader-killed-again-and-again" 2
        "A new leader counts sessions that it has not heard of yet as silent, and expires them."
    SessionsNeverExpire "sessions-never-expire" "session_expiry" "zookeeper/sessions-and-watches" 3
        "A new leader sets no deadline for the sessions that it finds."
    WatchAfterReply "watch-after-reply" "watch_before_data" "zookeeper/sessions-and-watches" 2
        "A watch tells of a change only after later answers have shown it."
    WatchStays "watch-stays" "watch_once" "zookeeper/sessions-and-watches" 2
        "A watch that has told stays set, and tells again."
    WatchesLostOnReconnect "watches-lost-on-reconnect" "watch_complete" "zookeeper/clients-move" 3
        "A client that moves to another server does not set its watches again."
    // Operations.
    VersionIgnored "version-ignored" "conditional_updates" "zookeeper/sessions-and-watches" 2
        "A change is made whatever version was asked for."
    SequenceFromChildren "sequence-from-children" "sequence_numbers" "zookeeper/sessions-and-watches" 2
        "The number of a sequential znode is the number of children that exist."
    ChildrenOfEphemerals "children-of-ephemerals" "no_orphans" "zookeeper/sessions-and-watches" 2
        "Ephemeral znodes may have children, which outlive them."
    MultiInParts "multi-in-parts" "multi_atomic" "zookeeper/sessions-and-watches" 2
        "A `multi` makes those of its changes that are possible, and skips the others."
    // The recipe and the application.
    Herd "herd" "no_herd" "zookeeper/herd" 2
        "All contenders watch the leader's znode: each exit wakes everybody."
    NoRecheck "no-recheck" "recipe_one_leader" "zookeeper/herd" 2
        "A contender whose predecessor has gone leads without looking for others before it."
    NonSequentialElection "non-sequential-election" "recipe_one_leader" "zookeeper/instances-come-and-go" 2
        "Contenders use their own names instead of numbers, and the smallest name leads, even when \
            it comes late."
    LeaderBySmallestId "leader-by-smallest-id" "mean_cadence" "zookeeper/leader-closed" 2
        "Contenders are persistent znodes, and the smallest id leads: a dead leader remains leader."
    NoGuid "no-guid" "mean_cadence" "zookeeper/create-reply-lost" 2
        "A contender whose answer was lost makes a second znode, and the first one stands before \
            everybody."
    SweepsTheRow "sweeps-the-row" "election_znodes_kept" "zookeeper/tour" 2
        "A contender that comes to lead removes the znodes of all others."
    SessionAsEpoch "session-as-epoch" "mean_from_elected" "zookeeper/tour" 2
        "Means carry the number of their sender's session instead of that of its znode."
    LeadsWhileCutOff "leads-while-cut-off" "leader_still_heard" "assignments/zookeeper-election/ensemble" 2
        "A leader that has lost its connection keeps sending the last mean that it knows."
    LeadsOnWithoutZnode "leads-on-without-znode" "refused_leader_stops" "assignments/zookeeper-election/cut-off" 2
        "A leader whose session has ended continues to lead in the next one, whatever the store says."
    MeasuresOnce "measures-once" "measurement_cadence" "zookeeper/tour" 2
        "An instance measures when its session begins, and never again."
    NoFencing "no-fencing" "fencing" "zookeeper/paused-leader" 2
        "The time series accepts means of leaders that have been replaced."
    StaleReadMean "stale-read-mean" "mean_of_one_instant" "zookeeper/tour" 2
        "The leader reads the measurements one after the other, and its mean mixes instants."
    RetryStoredTwice "retry-stored-twice" "mean_stored_once" "zookeeper/lossy-web-tier" 2
        "A mean that was sent again is stored again."
    MeasurementsOutliveSensors "measurements-outlive-sensors" "mean_of_one_instant" "zookeeper/leader-closed" 2
        "Measurements are persistent znodes: the mean counts instances that are gone."
}

/// Defects with which a leader may lack a transaction that was committed, or that a follower has
/// taken for committed.
pub(super) const MAY_MISS_COMMITTED: &[Defect] = &[
    Defect::SkipSync,
    Defect::EpochNotPersisted,
    Defect::VoteIgnoresHistory,
    Defect::ApplyOnProposal,
    Defect::TruncIgnored,
];

/// What only defects keep in a server.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerDefectState {
    /// Events of watches that wait for the next tick.
    pub(super) late_events: Vec<(ConnectionId, Body)>,
}

impl Server {
    /// Every event of a watch was told when it happened: nothing is left for the next tick.
    pub(super) fn keep_no_event_back(&mut self, host: &mut impl Host) {
        for (connection, body) in std::mem::take(&mut self.defect.late_events) {
            self.tell(host, connection, body);
        }
    }

    /// Ephemeral znodes belong to a session, not to a connection: they stay when its client moves
    /// to another server.
    pub(super) fn keep_ephemerals(
        &mut self,
        host: &mut impl Host,
        session: SessionId,
        ephemerals: Vec<Path>,
    ) {
        if !ephemerals.is_empty() && self.plants(Defect::EarlyEphemeralDelete) {
            let delete = |path| Op::Delete { path, version: ANY_VERSION };
            let op = Op::Multi(ephemerals.into_iter().map(delete).collect());
            let planted = self.planted;
            self.propose(host, SessionId::NONE, 0, |tree| prepare(tree, planted, session, &op));
        }
    }
}

impl Contender {
    /// The others stay in the row: each znode goes with its session.
    pub(super) fn leave_the_others(
        &self,
        link: &mut impl Link,
        session: &mut Session,
        others: &[&Rc<str>],
    ) {
        if !others.is_empty() && self.plants(Defect::SweepsTheRow) {
            for other in others {
                let path = join(ELECTION, other);
                session.request(link, Op::Delete { path, version: ANY_VERSION });
            }
        }
    }

    /// A number is given once, so that no znode has the name of a new one: a contender that meets
    /// one all the same begins again.
    pub(super) fn on_number_taken(
        &mut self,
        link: &mut impl Link,
        session: &mut Session,
    ) -> Standing {
        // It is left from an earlier life of the instance with this name.
        let path = join(ELECTION, &self.name);
        if self.plants(Defect::LeaderBySmallestId) {
            self.found(link, session, path);
            return Standing::Contending;
        }
        if self.plants(Defect::NonSequentialElection) {
            session.request(link, Op::Delete { path, version: ANY_VERSION });
            self.create(link, session);
            return Standing::Same;
        }
        self.begin(link, session);
        Standing::Same
    }
}

/// What only defects keep in an instance.
#[derive(Clone, Debug, Default)]
pub(super) struct InstanceDefectState {
    /// The names of the measurements that are still to be read.
    unread: Vec<Rc<str>>,
    /// The measurements that were read one after the other.
    read: Vec<i64>,
    /// The last measurements, and the state that they are from.
    last_mean: Option<(Zxid, Vec<i64>)>,
}

impl Instance {
    /// Whether a leader may lead without a connection, so that it is not known to lead.
    pub(super) fn may_lead_unheard(&self) -> bool {
        self.holds(Defect::LeadsWhileCutOff) || self.holds(Defect::LeadsOnWithoutZnode)
    }

    /// What the leader knew is old when its connection is back: it is forgotten.
    pub(super) fn forget_measurements(&mut self, zxid: Zxid, milli: &[i64]) {
        if self.may_lead_unheard() {
            self.defect.last_mean = Some((zxid, milli.to_vec()));
        }
    }

    /// A leader without a connection does not know whether it still leads, and sends nothing.
    pub(super) fn stay_silent(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        assert!(self.may_lead_unheard(), "the leader of {} is cut off", self.epoch());
        if let Some((zxid, milli)) = self.defect.last_mean.clone()
            && (self.plants(Defect::LeadsWhileCutOff) || self.plants(Defect::LeadsOnWithoutZnode))
        {
            self.publish(ctx, zxid, &milli);
        }
    }

    /// All measurements are of one state. Gives whether they are still to be read so.
    pub(super) fn read_one_state(&mut self, ctx: &mut Ctx<'_, ZkNode>, names: &[Rc<str>]) -> bool {
        if !self.plants(Defect::StaleReadMean) {
            return true;
        }
        self.defect.unread = names.iter().rev().cloned().collect();
        self.defect.read.clear();
        self.read_next(ctx);
        false
    }

    /// The timer of defects: the next measurement is read.
    pub(super) fn read_next(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        if let Some(name) = self.defect.unread.pop() {
            let op = Op::Get { path: join(MEASUREMENTS, &name), watch: false };
            self.ask(ctx, op, Purpose::OfDefect);
        }
    }

    /// The answer to what a defect has asked.
    pub(super) fn on_defect_reply(
        &mut self,
        ctx: &mut Ctx<'_, ZkNode>,
        zxid: Zxid,
        outcome: &Outcome,
    ) {
        if let Ok(answer @ Answer::Data(..)) = outcome {
            self.defect.read.extend(super::instance::value_of(answer));
        }
        if self.defect.unread.is_empty() {
            let milli = std::mem::take(&mut self.defect.read);
            return self.publish(ctx, zxid, &milli);
        }
        ctx.set_timer(ZkNodeTimer::OfDefect, self.period() / 5);
    }
}
