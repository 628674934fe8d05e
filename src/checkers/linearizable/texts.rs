//! The texts of one key: as digests, so that states of the search stay small, and by who wrote
//! their parts.
//!
//! A text is a list of parts (`7,9,12`), and its digest is made part by part, so that an append
//! needs only the digest before it. What was read shows which operations without an answer have
//! taken effect, and until when: that keeps the search short.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use super::KeyOperation;
use super::key::{Effect, Timed};
use crate::history::Outcome;
use crate::models::KvOp;

/// The digest of `nil`.
pub const NIL_STATE: u64 = 0;
/// The digest of a text without parts.
const EMPTY_STATE: u64 = 0x5eed_bed0_5eed_bed1;
/// So many parts are taken off a text in search of a beginning that is known; then its digest is
/// made from the start.
const STRIPPED_MAX: usize = 64;

/// The digest of a part.
pub fn part(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

/// The digest of a text with one part more.
pub fn add_part(state: u64, part: u64) -> u64 {
    let before = if state == NIL_STATE { EMPTY_STATE } else { state };
    let mixed = (before.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

fn digest(text: &str) -> u64 {
    text.split(',').fold(EMPTY_STATE, |state, each| add_part(state, part(each)))
}

/// Who wrote a part.
#[derive(Clone, Copy)]
struct Writer {
    /// The first operation that did, as a position in the key's operations, and when it was
    /// invoked.
    invoked: u64,
    /// How many did and have not failed.
    possible: u32,
}

/// What was written to a key and what was seen of it.
pub struct Writings {
    /// Digests of texts, by the hash of their bytes.
    states: BTreeMap<u64, u64>,
    writers: BTreeMap<u64, Writer>,
    /// When each part was certainly there for the first time: the completion of the first operation
    /// that saw it.
    seen: BTreeMap<u64, u64>,
}

impl Writings {
    pub fn new(operations: &[KeyOperation<'_>]) -> Self {
        let mut writings =
            Writings { states: BTreeMap::new(), writers: BTreeMap::new(), seen: BTreeMap::new() };
        for each in operations {
            let possible = u32::from(each.operation.outcome != Outcome::Fail);
            for_each_part(written(&each.op), |part| {
                let writer = writings
                    .writers
                    .entry(part)
                    .or_insert(Writer { invoked: each.operation.invoked, possible: 0 });
                if possible == 1 && writer.possible == 0 {
                    writer.invoked = each.operation.invoked;
                }
                writer.possible += possible;
            });
        }
        let mut seers: Vec<(u64, &str)> =
            operations.iter().filter_map(|each| Some((each.completed?, seen(each)?))).collect();
        seers.sort_unstable();
        for (completed, text) in seers {
            writings.see(text, completed);
        }
        writings.see_through(operations);
        writings
    }

    /// Note that a text was there at a time. In rising order of time, so that a text known already
    /// has nothing new to show.
    fn see(&mut self, text: &str, completed: u64) {
        let mut beginning = text;
        let mut added: Vec<&str> = Vec::new();
        let mut state = None;
        for _ in 0..STRIPPED_MAX {
            if let Some(known) = self.states.get(&xxh3_64(beginning.as_bytes())) {
                state = Some(*known);
                break;
            }
            let Some((before, last)) = beginning.rsplit_once(',') else { break };
            added.push(last);
            beginning = before;
        }
        let mut state = state.unwrap_or_else(|| {
            added = text.rsplit(',').collect();
            EMPTY_STATE
        });
        for each in added.into_iter().rev().map(part) {
            self.seen.entry(each).or_insert(completed);
            state = add_part(state, each);
        }
        self.states.insert(xxh3_64(text.as_bytes()), state);
    }

    /// A `cas` of which the result was seen has itself seen what it expected, whether it was
    /// answered or not, and so on.
    fn see_through(&mut self, operations: &[KeyOperation<'_>]) {
        loop {
            let mut changed = false;
            for each in operations {
                let KvOp::Cas { from: Some(from), to } = each.op else { continue };
                let Some(until) =
                    self.seen_by(to, u64::MAX).filter(|_| each.operation.outcome != Outcome::Fail)
                else {
                    continue;
                };
                for_each_part(Some(from), |part| {
                    let first = self.seen.entry(part).or_insert(u64::MAX);
                    changed |= until < *first;
                    *first = until.min(*first);
                });
            }
            if !changed {
                return;
            }
        }
    }

    /// When a written text was first seen to have been there, if each of its parts was by `cut`;
    /// later than that it cannot have been written by the only one who did.
    fn seen_by(&self, text: &str, cut: u64) -> Option<u64> {
        let mut first = Some(u64::MAX);
        for_each_part(Some(text), |part| {
            let seen = self.seen.get(&part).copied().filter(|seen| *seen <= cut);
            first = first.zip(seen).map(|(first, seen)| first.min(seen));
        });
        first
    }

    /// A part that was seen although nobody can have written it by then: the operation that saw it,
    /// and why it cannot.
    pub fn impossible(&self, operations: &[KeyOperation<'_>]) -> Option<(usize, String)> {
        let mut order: Vec<usize> =
            (0..operations.len()).filter(|i| operations[*i].completed.is_some()).collect();
        order.sort_by_key(|i| operations[*i].completed);
        let suspicious = |part: &u64, completed: u64| match self.writers.get(part) {
            Some(writer) => writer.possible == 0 || writer.invoked > completed,
            None => true,
        };
        // Each part is looked at once, when it is first seen; an ordinary history goes through here
        // without another look at its texts.
        if !self.seen.iter().any(|(part, completed)| suspicious(part, *completed)) {
            return None;
        }
        for i in order {
            let (Some(text), Some(completed)) = (seen(&operations[i]), operations[i].completed)
            else {
                continue;
            };
            for word in text.split(',') {
                let why = match self.writers.get(&part(word)) {
                    None => format!("nobody ever wrote {word}"),
                    Some(writer) if writer.possible == 0 => {
                        format!("the operation that wrote {word} had failed")
                    }
                    Some(writer) if writer.invoked > completed => {
                        format!("{word} was written later")
                    }
                    Some(_) => continue,
                };
                return Some((i, why));
            }
        }
        None
    }

    fn state(&self, text: Option<&str>) -> u64 {
        let Some(text) = text else { return NIL_STATE };
        self.states.get(&xxh3_64(text.as_bytes())).copied().unwrap_or_else(|| digest(text))
    }

    /// What an operation does, in digests.
    pub fn effect(&self, each: &KeyOperation<'_>) -> Effect {
        match each.op {
            KvOp::Read(text) => Effect::Read(self.state(text.flatten())),
            KvOp::Write(text) => Effect::Write(self.state(Some(text))),
            KvOp::Append(text) => Effect::Append(part(text)),
            KvOp::Cas { from, to } => {
                Effect::Cas { from: self.state(from), to: self.state(Some(to)) }
            }
        }
    }

    /// The beginning of a history up to the completion at `cut`, for the search: what was completed
    /// later is open there.
    ///
    /// An open operation of which a part was never seen can be left out: wherever it took effect,
    /// nobody looked before its text was replaced, so that an order with it exists if and only if
    /// one without it does. Where it was seen and nobody else wrote the same, it took effect before
    /// the first who saw it was answered.
    pub fn beginning(
        &self,
        operations: &[KeyOperation<'_>],
        effects: &[Effect],
        cut: u64,
    ) -> Vec<Timed> {
        let mut timed = Vec::with_capacity(operations.len());
        for (each, effect) in operations.iter().zip(effects) {
            let invoked = each.operation.invoked;
            if invoked > cut {
                continue;
            }
            if let Some(completed) = each.completed.filter(|completed| *completed <= cut) {
                timed.push(Timed { effect: *effect, invoked, completed: Some(completed) });
                continue;
            }
            let Some(seen) = written(&each.op).and_then(|text| self.seen_by(text, cut)) else {
                continue;
            };
            let mut only = true;
            for_each_part(written(&each.op), |part| {
                only &= self.writers.get(&part).is_some_and(|writer| writer.possible == 1)
            });
            let effect = match *effect {
                Effect::Cas { from, to } if !only => Effect::OpenCas { from, to },
                effect => effect,
            };
            timed.push(Timed { effect, invoked, completed: only.then_some(seen.max(invoked)) });
        }
        timed
    }
}

/// The text that an operation puts there.
fn written<'a>(op: &KvOp<'a>) -> Option<&'a str> {
    match *op {
        KvOp::Read(_) => None,
        KvOp::Write(text) | KvOp::Append(text) | KvOp::Cas { to: text, .. } => Some(text),
    }
}

/// The text that an answered operation has seen.
fn seen<'a>(each: &KeyOperation<'a>) -> Option<&'a str> {
    match each.op {
        _ if each.operation.outcome != Outcome::Ok => None,
        KvOp::Read(text) => text.flatten(),
        KvOp::Cas { from, .. } => from,
        KvOp::Write(_) | KvOp::Append(_) => None,
    }
}

fn for_each_part(text: Option<&str>, each: impl FnMut(u64)) {
    text.into_iter().flat_map(|text| text.split(',')).map(part).for_each(each);
}
