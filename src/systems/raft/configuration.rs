//! Who belongs to the cluster, and what a majority is.

use serde::{Deserialize, Serialize};

use super::defects::{Defect, Planted};
use super::vocabulary::ConfigKind;
use crate::codec::{Reader, Writer};
use crate::trace::NodeId;

/// A configuration of the cluster (§6; dissertation chapter 4).
///
/// Invariant: every list is sorted and without doubles, and no learner is a voter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Who votes; in a joint configuration the new voters.
    pub voters: Vec<NodeId>,
    /// In a joint configuration the old voters: then a decision needs a majority of both.
    pub voters_old: Option<Vec<NodeId>>,
    /// Who only receives entries.
    pub learners: Vec<NodeId>,
    /// Whether this one ends a joint configuration.
    pub leaves_joint: bool,
}

impl Configuration {
    /// The first configuration of a cluster.
    pub fn simple(mut voters: Vec<NodeId>) -> Configuration {
        voters.sort_unstable();
        voters.dedup();
        Configuration { voters, ..Configuration::default() }
    }

    /// The word for the trace.
    pub fn kind(&self) -> ConfigKind {
        match (&self.voters_old, self.leaves_joint) {
            (Some(_), _) => ConfigKind::Joint,
            (None, true) => ConfigKind::LeaveJoint,
            (None, false) => ConfigKind::Simple,
        }
    }

    /// Whether a server has a vote.
    pub fn is_voter(&self, node: NodeId) -> bool {
        self.voters.contains(&node)
            || self.voters_old.as_ref().is_some_and(|old| old.contains(&node))
    }

    /// Whether a server receives entries.
    pub fn is_member(&self, node: NodeId) -> bool {
        self.is_voter(node) || self.learners.contains(&node)
    }

    /// All who receive entries, sorted.
    pub fn members(&self) -> Vec<NodeId> {
        let old = self.voters_old.iter().flatten();
        let mut members: Vec<NodeId> =
            self.voters.iter().chain(old).chain(&self.learners).copied().collect();
        members.sort_unstable();
        members.dedup();
        members
    }

    /// Whether those for whom `agrees` holds can decide: a majority, in a joint configuration one
    /// of each side.
    pub fn decides(&self, planted: Planted, agrees: impl Fn(NodeId) -> bool) -> bool {
        let side = |voters: &[NodeId]| {
            let agree = voters.iter().filter(|node| agrees(**node)).count();
            agree >= majority(voters.len())
                || (agree >= half(voters.len()) && planted.plants(Defect::QuorumTooSmall))
        };
        side(&self.voters)
            && (self.voters_old.as_deref().is_none_or(side) || planted.plants(Defect::JointNewOnly))
    }

    /// The greatest value that enough voters have reached to decide. `scratch` saves an
    /// allocation.
    pub fn reached<T: Ord + Copy>(
        &self,
        planted: Planted,
        scratch: &mut Vec<T>,
        value: impl Fn(NodeId) -> T,
    ) -> T {
        let mut side = |voters: &[NodeId]| {
            scratch.clear();
            scratch.extend(voters.iter().map(|node| value(*node)));
            scratch.sort_unstable();
            let reached = scratch[voters.len() - majority(voters.len())];
            let by_half = scratch[voters.len() - half(voters.len())];
            let too_small = by_half > reached && planted.plants(Defect::QuorumTooSmall);
            if too_small { by_half } else { reached }
        };
        let new = side(&self.voters);
        let Some(old) = &self.voters_old else { return new };
        let both = new.min(side(old));
        if both < new && planted.plants(Defect::JointNewOnly) { new } else { both }
    }

    /// For the disk.
    pub fn encode(&self, writer: &mut Writer) {
        let flags = u8::from(self.voters_old.is_some()) | (u8::from(self.leaves_joint) << 1);
        writer.byte(flags);
        for list in [&self.voters, &self.learners, self.voters_old.as_ref().unwrap_or(&vec![])] {
            writer.u32(list.len() as u32);
            for node in list {
                writer.u32(node.0);
            }
        }
    }

    /// Read what [`Configuration::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Option<Configuration> {
        let flags = reader.byte()?;
        let mut list = || -> Option<Vec<NodeId>> {
            let count = reader.u32()?;
            (0..count).map(|_| reader.u32().map(NodeId)).collect()
        };
        let (voters, learners, old) = (list()?, list()?, list()?);
        Some(Configuration {
            voters,
            voters_old: (flags & 1 != 0).then_some(old),
            learners,
            leaves_joint: flags & 2 != 0,
        })
    }
}

/// How many of this many voters are a majority: any two majorities have a server in common.
fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

/// What one defect takes for a majority.
fn half(voters: usize) -> usize {
    (voters / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(ids: &[u32]) -> Vec<NodeId> {
        ids.iter().copied().map(NodeId).collect()
    }

    fn joint() -> Configuration {
        Configuration {
            voters: nodes(&[1, 2, 6]),
            voters_old: Some(nodes(&[1, 2, 3])),
            learners: nodes(&[7]),
            leaves_joint: false,
        }
    }

    /// "Agreement requires separate majorities from both the old and the new configurations" (§6).
    #[test]
    fn a_joint_configuration_needs_both_majorities() {
        let decides =
            |ids: &[u32]| joint().decides(Planted::default(), |node| ids.contains(&node.0));
        assert!(decides(&[1, 2]));
        assert!(!decides(&[1, 6]), "a majority of the new voters only");
        assert!(!decides(&[1, 3]), "a majority of the old voters only");
        assert!(!decides(&[7, 2]), "a learner has no vote");
    }

    /// Sorted, the value at the place of the majority is what a majority has reached.
    #[test]
    fn a_majority_has_reached_the_median() {
        let config = Configuration::simple(nodes(&[5, 1, 2, 3, 4, 4]));
        assert_eq!(config.reached(Planted::default(), &mut vec![], |node| node.0 * 10), 30);
        let even = Configuration::simple(nodes(&[1, 2, 3, 4]));
        assert_eq!(
            even.reached(Planted::default(), &mut vec![], |node| node.0 * 10),
            20,
            "three of four"
        );
        assert_eq!(joint().reached(Planted::default(), &mut vec![], |node| node.0 * 10), 20);
    }

    /// A configuration read from the disk is the one that was written.
    #[test]
    fn configurations_survive_encoding() {
        let mut writer = Writer::default();
        joint().encode(&mut writer);
        assert_eq!(Configuration::decode(&mut Reader(&writer.0)), Some(joint()));
    }
}
