//! The event heap: small keys in a binary heap, the events themselves in slots beside it.
//!
//! Invariant: events of the same nanosecond leave in the order in which they were put in, so that
//! the heap's inner order never matters.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Time;

#[derive(Debug)]
pub(crate) struct Queue<E> {
    /// (time, serial number, slot), the least first.
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    slots: Vec<Option<E>>,
    free: Vec<u32>,
    serial: u64,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Self {
        Queue { heap: BinaryHeap::new(), slots: Vec::new(), free: Vec::new(), serial: 0 }
    }

    pub(crate) fn push(&mut self, at: Time, event: E) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(event);
                slot
            }
            None => {
                self.slots.push(Some(event));
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 events wait at a time")
            }
        };
        self.heap.push(Reverse((at.as_nanos(), self.serial, slot)));
        self.serial += 1;
    }

    /// The time of the next event.
    pub(crate) fn next_time(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, ..))| Time::from_nanos(*at))
    }

    pub(crate) fn pop(&mut self) -> Option<(Time, E)> {
        let Reverse((at, _, slot)) = self.heap.pop()?;
        let event = self.slots[slot as usize].take().expect("a slot in the heap is taken");
        self.free.push(slot);
        Some((Time::from_nanos(at), event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times first; at the same time, the order of putting in.
    #[test]
    fn ties_leave_in_the_order_of_arrival() {
        let mut queue = Queue::new();
        for (at, name) in [(5, "c"), (1, "a"), (5, "d"), (2, "b"), (5, "e")] {
            queue.push(Time::from_nanos(at), name);
        }
        let order: Vec<&str> = std::iter::from_fn(|| queue.pop().map(|(_, name)| name)).collect();
        assert_eq!(order, ["a", "b", "c", "d", "e"]);
    }
}
