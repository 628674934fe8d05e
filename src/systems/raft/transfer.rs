//! Leadership transfer (dissertation §3.10): the leader brings a follower up to date, takes no
//! commands meanwhile, and tells it to start an election immediately.

use super::host::Host;
use super::message::RaftMessage;
use super::server::{Raft, Role};
use super::state_machine::StateMachine;
use super::vocabulary as events;
use crate::node::{LocalTime, NodeId};

/// A transfer that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Handover {
    /// Who is to lead.
    pub target: NodeId,
    /// When the leader gives up and goes on leading.
    pub deadline: LocalTime,
    /// Whether the target was told.
    pub told: bool,
}

impl<S: StateMachine> Raft<S> {
    /// `transfer_leadership n2`; without a name to the voter with the longest log.
    pub(super) fn on_transfer_command(&mut self, host: &mut impl Host, name: Option<&str>) {
        if self.role != Role::Leader || self.leader.handover.is_some() {
            return;
        }
        let config = self.config().clone();
        let mut candidates = config.members();
        candidates.retain(|node| {
            *node != self.id
                && config.is_voter(*node)
                && name.is_none_or(|name| host.name(*node) == name)
        });
        // The first of the longest, so that the choice does not depend on the order of a map.
        let longest =
            candidates.into_iter().rev().max_by_key(|node| self.leader.match_index(*node));
        let Some(target) = longest else {
            return host.log(|| "transfer_leadership: no such voter".to_owned());
        };
        let deadline = host.now() + self.settings.election_timeout.1;
        self.leader.handover = Some(Handover { target, deadline, told: false });
        self.maybe_hand_over(host);
    }

    /// Tell the target once it has everything.
    pub(super) fn maybe_hand_over(&mut self, host: &mut impl Host) {
        let last = self.log.last_index();
        let Some(handover) = &mut self.leader.handover else { return };
        let target = handover.target;
        if handover.told
            || self.leader.progress.get(&target).is_none_or(|progress| progress.match_index < last)
        {
            return;
        }
        handover.told = true;
        // The message may be late, and whoever gets it ignores all loyalty: from here on no lease
        // protects this leader, even if the transfer is given up.
        self.leader.lease_given_up = true;
        host.emit(events::Transfer { term: self.current_term, target });
        host.send(target, RaftMessage::TimeoutNow { term: self.current_term });
    }

    /// The target does not take over: lead on.
    pub(super) fn maybe_end_handover(&mut self, host: &impl Host) {
        if self.leader.handover.is_some_and(|handover| host.now() >= handover.deadline) {
            self.leader.handover = None;
        }
    }
}
