//! Every decision that a planted mistake can turn: what is right, and what the mistake makes of it.
//!
//! The protocol calls these functions; who reads it may take each for what its name says.

use std::collections::BTreeSet;

use super::defects::{Defect, Planted};
use super::message::Vote;
use super::request::Path;
use super::tree::Znode;
use super::types::{Epoch, SessionId, Zxid};
use crate::node::{LocalTime, NodeId};

// The broadcast.
impl Planted {
    pub(super) fn syncs_proposals(self) -> bool {
        !self.plants(Defect::SkipSync)
    }

    pub(super) fn saves_epochs(self) -> bool {
        !self.plants(Defect::EpochNotPersisted)
    }

    pub(super) fn recovered_epochs(self, accepted: Epoch, current: Epoch) -> (Epoch, Epoch) {
        (accepted, current)
    }

    /// The order of votes: the newest history first, the server's number only between equals.
    pub(super) fn is_better(self, vote: Vote, than: Vote) -> bool {
        if self.plants(Defect::VoteIgnoresHistory) {
            vote.leader > than.leader
        } else {
            vote > than
        }
    }

    /// Whether a leader may not lead a follower with this history.
    pub(super) fn is_ahead(self, follower: (Epoch, Zxid), leader: (Epoch, Zxid)) -> bool {
        follower > leader && !self.plants(Defect::VoteIgnoresHistory)
    }

    pub(super) fn applies_on_proposal(self) -> bool {
        self.plants(Defect::ApplyOnProposal)
    }

    pub(super) fn obeys_trunc(self) -> bool {
        !self.plants(Defect::TruncIgnored)
    }

    /// What goes with a session; `live` says whether the server serves clients or only catches up.
    pub(super) fn removed_with_session(self, owned: BTreeSet<Path>, live: bool) -> BTreeSet<Path> {
        if self.plants(Defect::EphemeralsKeptOnReplay) && !live { BTreeSet::new() } else { owned }
    }

    pub(super) fn sync_is_broadcast(self) -> bool {
        !self.plants(Defect::SyncAnsweredLocally)
    }

    pub(super) fn needs_majority_to_lead(self) -> bool {
        !self.plants(Defect::CountsAbsentFollowers)
    }
}

// Sessions and watches.
impl Planted {
    /// Whether a server may serve a client that has seen this state.
    pub(super) fn may_serve(self, server: Zxid, client: Zxid) -> bool {
        server >= client || self.plants(Defect::ClientZxidIgnored)
    }

    /// The leader's answer would come after all that it has committed, and so would hide half of
    /// the mistake.
    pub(super) fn takes_on_trust(self) -> bool {
        self.plants(Defect::ClientZxidIgnored)
    }

    pub(super) fn reads_wait_for_writes(self) -> bool {
        !self.plants(Defect::ReadsOvertakeWrites)
    }

    pub(super) fn moving_keeps_ephemerals(self) -> bool {
        !self.plants(Defect::EarlyEphemeralDelete)
    }

    /// From when on a new leader counts the silence of a session.
    pub(super) fn silent_since(self, now: LocalTime) -> LocalTime {
        if self.plants(Defect::DeadlinesOfTheOldLeader) {
            return LocalTime::ZERO;
        }
        if self.plants(Defect::SessionsNeverExpire) {
            LocalTime::from_nanos(u64::MAX / 2)
        } else {
            now
        }
    }

    pub(super) fn watch_goes_first(self) -> bool {
        !self.plants(Defect::WatchAfterReply)
    }

    pub(super) fn watch_stays(self) -> bool {
        self.plants(Defect::WatchStays)
    }

    pub(super) fn sets_watches_again(self) -> bool {
        !self.plants(Defect::WatchesLostOnReconnect)
    }
}

// Operations.
impl Planted {
    pub(super) fn versions_are_compared(self) -> bool {
        !self.plants(Defect::VersionIgnored)
    }

    /// The number of the next sequential child.
    pub(super) fn next_number(self, parent: &Znode) -> i32 {
        if self.plants(Defect::SequenceFromChildren) {
            parent.children.len() as i32
        } else {
            parent.stat.cversion
        }
    }

    pub(super) fn ephemerals_are_leaves(self) -> bool {
        !self.plants(Defect::ChildrenOfEphemerals)
    }

    pub(super) fn multi_stops_at_error(self) -> bool {
        !self.plants(Defect::MultiInParts)
    }
}

// The recipe and the application.
impl Planted {
    pub(super) fn watches_predecessor_only(self) -> bool {
        !self.plants(Defect::Herd)
    }

    pub(super) fn looks_again(self) -> bool {
        !self.plants(Defect::NoRecheck)
    }

    pub(super) fn contends_by_number(self) -> bool {
        !self.plants(Defect::NonSequentialElection) && !self.plants(Defect::LeaderBySmallestId)
    }

    pub(super) fn contends_ephemerally(self) -> bool {
        !self.plants(Defect::LeaderBySmallestId)
    }

    pub(super) fn looks_for_its_own(self) -> bool {
        !self.plants(Defect::NoGuid)
    }

    pub(super) fn leaves_others_in_the_row(self) -> bool {
        !self.plants(Defect::SweepsTheRow)
    }

    /// The epoch that means carry.
    pub(super) fn epoch(self, znode: Zxid, session: SessionId) -> u64 {
        if self.plants(Defect::SessionAsEpoch) { session.0 } else { znode.0 }
    }

    pub(super) fn resigns_when_disconnected(self) -> bool {
        !self.plants(Defect::LeadsWhileCutOff) && !self.plants(Defect::LeadsOnWithoutZnode)
    }

    pub(super) fn resigns_when_expired(self) -> bool {
        !self.plants(Defect::LeadsOnWithoutZnode)
    }

    pub(super) fn measures_again(self) -> bool {
        !self.plants(Defect::MeasuresOnce)
    }

    /// Whether the time series may accept a mean of this leader, after one of another.
    pub(super) fn is_current(self, epoch: u64, newest: u64) -> bool {
        epoch >= newest || self.plants(Defect::NoFencing)
    }

    pub(super) fn reads_one_instant(self) -> bool {
        !self.plants(Defect::StaleReadMean)
    }

    pub(super) fn stores_once(self) -> bool {
        !self.plants(Defect::RetryStoredTwice)
    }

    pub(super) fn measures_ephemerally(self) -> bool {
        !self.plants(Defect::MeasurementsOutliveSensors)
    }
}

/// The vote of a server for itself.
pub(super) fn own_vote(me: NodeId, epoch: Epoch, zxid: Zxid) -> Vote {
    Vote { epoch, zxid, leader: me }
}

/// Whether a session id means a session.
pub(super) fn is_session(session: SessionId) -> bool {
    session != SessionId::NONE
}
