//! Which nodes a fault certainly makes faulty, as far as the text of a scenario decides that.

use std::collections::{BTreeMap, BTreeSet};

use super::targets::TargetSpec;

/// The nodes of a scenario.
#[derive(Clone, Debug)]
pub struct Members<'a> {
    /// Name and role of each node.
    pub nodes: Vec<(&'a str, &'a str)>,
    /// Named groups of nodes.
    pub groups: &'a BTreeMap<String, Vec<String>>,
}

/// The nodes that a fault takes from the majority, at the least if the nemesis may choose fewer.
#[derive(Clone, Debug)]
pub enum Taken {
    /// These.
    These(BTreeSet<String>),
    /// This many, drawn from the seed.
    Any(usize),
}

impl Taken {
    /// How many they are.
    pub fn count(&self) -> usize {
        match self {
            Taken::These(names) => names.len(),
            Taken::Any(count) => *count,
        }
    }
}

impl Members<'_> {
    /// How many nodes there are.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes that these targets stand for.
    pub fn targeted(&self, targets: &TargetSpec) -> Taken {
        let all = self.count();
        Taken::Any(match targets {
            TargetSpec::Names(names) => return Taken::These(self.expanded(names)),
            TargetSpec::Role(wanted) => {
                let of_role = self.nodes.iter().filter(|(_, role)| role == wanted);
                return Taken::These(of_role.map(|(name, _)| (*name).to_owned()).collect());
            }
            TargetSpec::All => all,
            TargetSpec::One
            | TargetSpec::Leader
            | TargetSpec::Follower
            | TargetSpec::Minority
            | TargetSpec::Random => 1,
            TargetSpec::Majority => all / 2 + 1,
            TargetSpec::Followers => all - 1,
            TargetSpec::Count(count) => (*count as usize).min(all),
        })
    }

    /// The nodes of a list of names, groups opened and clients left out.
    pub fn expanded(&self, names: &[String]) -> BTreeSet<String> {
        let open =
            |name: &String| self.groups.get(name).cloned().unwrap_or_else(|| vec![name.clone()]);
        let is_node = |name: &String| self.nodes.iter().any(|(node, _)| node == name);
        names.iter().flat_map(open).filter(is_node).collect()
    }
}
