//! Berkeley's algorithm (Gusella and Zatti 1989): the coordinator asks for all clocks, takes the
//! mean of those that agree, and tells each machine by how much it is off. A difference stays right
//! however long it is under way; an hour would be old when it arrives.
//!
//! The coordinator's own clock is one of them. Where it follows UTC it is not corrected itself, and
//! draws the others to it.

use std::collections::BTreeMap;

use super::defects::{Defect, Planted};
use super::estimate::error_of;
use super::settings::CristianSettings;
use super::soft_clock::growth;
use crate::node::NodeId;

/// A clock that was asked, in ns.
#[derive(Clone, Copy, Debug)]
struct Found {
    nonce: u64,
    rtt: i64,
    /// Its hour minus the coordinator's.
    offset: i64,
    /// How wrong that may be.
    error: i64,
}

/// What a machine is told.
#[derive(Clone, Copy, Debug)]
pub struct Correction {
    /// The poll that it is relative to.
    pub nonce: u64,
    pub by: i64,
    /// The round trip of that poll.
    pub rtt: i64,
    pub error: i64,
}

/// What a round has found.
pub struct Outcome {
    pub mean: i64,
    /// All clocks, relative to the coordinator's, and whether the mean is of them.
    pub clocks: Vec<(NodeId, i64, bool)>,
    pub corrections: BTreeMap<NodeId, Correction>,
}

/// A round of the coordinator.
#[derive(Debug, Default)]
pub struct Berkeley {
    /// The coordinator's hour minus its monotonic clock when the round began: a measuring rod that
    /// nobody moves during the round.
    rod: i64,
    /// Questions without an answer: number and time.
    asked: BTreeMap<NodeId, (u64, i64)>,
    found: BTreeMap<NodeId, Found>,
    tries: u32,
}

impl Berkeley {
    /// Begin a round. `hour` is the coordinator's at `mono`.
    pub fn begin(&mut self, hour: i64, mono: i64) {
        *self = Berkeley { rod: hour - mono, ..Berkeley::default() };
    }

    pub fn rod(&self) -> i64 {
        self.rod
    }

    /// A machine is asked.
    pub fn ask(&mut self, node: NodeId, nonce: u64, mono: i64) {
        self.asked.insert(node, (nonce, mono));
    }

    /// The machines that have not answered.
    pub fn silent(&self) -> Vec<NodeId> {
        self.asked.keys().copied().collect()
    }

    /// Another try; gives how many there were.
    pub fn count_try(&mut self) -> u32 {
        self.tries += 1;
        self.tries
    }

    /// Whether a mean can be taken of somebody.
    pub fn has_answers(&self) -> bool {
        !self.found.is_empty()
    }

    /// An answer. `true`: it was the last one that was waited for.
    pub fn on_answer(
        &mut self,
        settings: &CristianSettings,
        node: NodeId,
        nonce: u64,
        clock: i64,
        mono: i64,
    ) -> bool {
        let Some((_, sent)) = self.asked.get(&node).copied().filter(|(asked, _)| *asked == nonce)
        else {
            return false;
        };
        self.asked.remove(&node);
        let rtt = mono - sent;
        let offset = clock + rtt / 2 - (mono + self.rod);
        self.found
            .insert(node, Found { nonce, rtt, offset, error: error_of(settings, rtt, rtt, &[]) });
        self.asked.is_empty()
    }

    /// Take the mean, and forget the round.
    pub fn decide(&mut self, settings: &CristianSettings, coordinator: NodeId) -> Outcome {
        let mut clocks: Vec<(NodeId, i64)> = vec![(coordinator, 0)];
        clocks.extend(self.found.iter().map(|(node, found)| (*node, found.offset)));
        let taken = agreeing(settings.planted, &clocks, settings.gamma.as_nanos() as i64);
        let sum: i128 = taken.iter().map(|i| i128::from(clocks[*i].1)).sum();
        let mean = i64::try_from(sum / taken.len().max(1) as i128).unwrap_or(0);
        let correction = |found: &Found| Correction {
            nonce: found.nonce,
            by: mean - found.offset,
            rtt: found.rtt,
            error: found.error,
        };
        let corrections =
            self.found.iter().map(|(node, found)| (*node, correction(found))).collect();
        let clocks = clocks
            .iter()
            .enumerate()
            .map(|(i, (node, offset))| (*node, *offset, taken.contains(&i)))
            .collect();
        self.found.clear();
        self.asked.clear();
        Outcome { mean, clocks, corrections }
    }
}

/// How wrong the hour is that a mean stands for, if the coordinator's own hour was off by at most
/// `root` when the round began.
pub fn root_of_mean(settings: &CristianSettings, root: i64, mean: i64, elapsed: i64) -> i64 {
    root + mean.abs() + growth(elapsed, settings.drift_bound_ppm)
}

/// The largest set of clocks within `gamma` of each other. Of equal ones that with the
/// coordinator's, which is the first of the list.
fn agreeing(planted: Planted, clocks: &[(NodeId, i64)], gamma: i64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..clocks.len()).collect();
    if planted.plants(Defect::BerkeleyPlainMean) {
        return order;
    }
    order.sort_by_key(|i| clocks[*i].1);
    let mut best: &[usize] = &[];
    for from in 0..order.len() {
        let low = clocks[order[from]].1;
        let to = order.partition_point(|i| clocks[*i].1 <= low.saturating_add(gamma));
        let window = &order[from..to];
        if window.len() > best.len()
            || (window.len() == best.len() && window.contains(&0) && !best.contains(&0))
        {
            best = window;
        }
    }
    best.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four clocks agree and one is an hour ahead: the mean is that of the four, and the fifth is
    /// told to go back by the hour.
    #[test]
    fn an_outlier_does_not_move_the_mean() {
        const HOUR: i64 = 3_600_000_000_000;
        let clocks: Vec<(NodeId, i64)> = [0, 30, -30, HOUR, 12]
            .iter()
            .zip(0..)
            .map(|(offset, id)| (NodeId(id), *offset))
            .collect();
        let taken = agreeing(Planted::default(), &clocks, 1_000);
        assert_eq!(taken, [2, 0, 4, 1]);
    }

    /// Two clocks that are hours apart: nobody can say which is wrong, and the coordinator's
    /// counts.
    #[test]
    fn of_two_that_disagree_the_coordinator_is_right() {
        let clocks = [(NodeId(9), 0), (NodeId(1), -5_000)];
        assert_eq!(agreeing(Planted::default(), &clocks, 1_000), [0]);
    }
}
