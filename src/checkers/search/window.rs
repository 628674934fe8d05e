//! The place of the search in the history, and the operations that are pending there.
//!
//! Each operation has a slot from its invocation to its completion; the lowest that is free, so
//! that there are only as many slots as operations were ever pending together. An operation that
//! was never completed keeps its slot. The search moves to and fro, so every move can be undone:
//! an operation remembers who had its slot before.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Timed;

/// Nobody had the slot before.
const NOBODY: u32 = u32::MAX;

/// An invocation or a completion.
#[derive(Clone, Copy)]
struct Moment {
    time: u64,
    operation: u32,
    is_completion: bool,
}

/// See the module.
pub struct Window {
    /// In the order of time; at the same time, invocations first.
    moments: Vec<Moment>,
    /// The slot of each operation, and who had it before.
    slots: Vec<(u32, u32)>,
    /// The next moment.
    position: usize,
    /// Who has, or had last, each slot.
    holders: Vec<u32>,
    /// Slots of the operations that are pending.
    pending: Vec<u64>,
}

impl Window {
    pub fn new<E>(operations: &[Timed<E>]) -> Window {
        let mut moments = Vec::with_capacity(2 * operations.len());
        for (operation, each) in operations.iter().enumerate() {
            let operation = u32::try_from(operation).expect("a trace has fewer than 2^32 records");
            moments.push(Moment { time: each.invoked, operation, is_completion: false });
            if let Some(completed) = each.completed {
                let time = completed.max(each.invoked);
                moments.push(Moment { time, operation, is_completion: true });
            }
        }
        moments.sort_by_key(|moment| (moment.time, moment.is_completion, moment.operation));
        let mut slots = vec![(0, NOBODY); operations.len()];
        let mut holders: Vec<u32> = vec![];
        let mut free = BinaryHeap::new();
        for moment in &moments {
            let operation = moment.operation as usize;
            if moment.is_completion {
                free.push(Reverse(slots[operation].0));
                continue;
            }
            let slot = match free.pop() {
                Some(Reverse(slot)) => slot,
                None => {
                    holders.push(NOBODY);
                    holders.len() as u32 - 1
                }
            };
            slots[operation] = (slot, holders[slot as usize]);
            holders[slot as usize] = moment.operation;
        }
        holders.fill(NOBODY);
        let pending = vec![0; holders.len().div_ceil(64)];
        Window { moments, slots, position: 0, holders, pending }
    }

    /// Words of a set of slots.
    pub fn words(&self) -> usize {
        self.pending.len()
    }

    /// The position of the next moment.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Its time.
    pub fn time(&self) -> u64 {
        self.time_at(self.position)
    }

    /// The time of the moment at a position.
    pub fn time_at(&self, position: usize) -> u64 {
        self.moments[position].time
    }

    /// The time of the last completion before a position that is earlier than the time there.
    pub fn completed_before(&self, position: usize) -> Option<u64> {
        let time = self.time_at(position);
        let earlier = |moment: &&Moment| moment.is_completion && moment.time < time;
        self.moments[..position].iter().rev().find(earlier).map(|moment| moment.time)
    }

    /// The next moment: the operation, its slot, and whether it is its completion. `None` at the
    /// end.
    pub fn next(&self) -> Option<(u32, u32, bool)> {
        let moment = self.moments.get(self.position)?;
        Some((moment.operation, self.slots[moment.operation as usize].0, moment.is_completion))
    }

    /// The operation in a slot.
    pub fn holder(&self, slot: u32) -> u32 {
        self.holders[slot as usize]
    }

    /// The pending operations' slots.
    pub fn pending(&self) -> &[u64] {
        &self.pending
    }

    /// Pass the next moment.
    pub fn advance(&mut self) {
        let moment = self.moments[self.position];
        let (slot, _) = self.slots[moment.operation as usize];
        flip(&mut self.pending, slot);
        if !moment.is_completion {
            self.holders[slot as usize] = moment.operation;
        }
        self.position += 1;
    }

    /// Go back to an earlier position.
    pub fn back_to(&mut self, position: usize) {
        assert!(position <= self.position, "back to {position} from {}", self.position);
        while self.position > position {
            self.position -= 1;
            let moment = self.moments[self.position];
            let (slot, before) = self.slots[moment.operation as usize];
            flip(&mut self.pending, slot);
            if !moment.is_completion {
                self.holders[slot as usize] = before;
            }
        }
    }
}

fn flip(set: &mut [u64], slot: u32) {
    set[slot as usize / 64] ^= 1 << (slot % 64);
}

/// Add a slot to a set.
pub fn insert(set: &mut [u64], slot: u32) {
    set[slot as usize / 64] |= 1 << (slot % 64);
}

/// Take a slot out of a set.
pub fn remove(set: &mut [u64], slot: u32) {
    set[slot as usize / 64] &= !(1 << (slot % 64));
}

/// Whether a slot is in a set.
pub fn contains(set: &[u64], slot: u32) -> bool {
    set[slot as usize / 64] >> (slot % 64) & 1 == 1
}

/// The slots in a word of a set, the lowest first.
pub fn slots(word: usize, mut bits: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let slot = (bits != 0).then(|| word as u32 * 64 + bits.trailing_zeros());
        bits &= bits.wrapping_sub(1);
        slot
    })
}
