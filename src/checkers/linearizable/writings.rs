//! What was written to one key and what was seen of it.
//!
//! What was read shows which operations without an answer have taken effect, and until when; which
//! texts nobody has ever seen; and until when a text must have stayed. All of it keeps the search
//! short.

use std::collections::BTreeMap;

use super::KeyOperation;
use super::key::{Effect, IMPOSSIBLE, Key, TextId, Timed, UNSEEN};
use super::texts::{Texts, part, parts};
use crate::history::Outcome;
use crate::models::KvOp;

/// Who wrote a part.
#[derive(Clone, Copy)]
struct Writer {
    /// When the first operation was invoked that did.
    invoked: u64,
    /// How many did and have not failed.
    possible: u32,
}

/// See the module.
pub struct Writings {
    texts: Texts,
    writers: BTreeMap<u64, Writer>,
    /// When each part was certainly there for the first time: the completion of the first operation
    /// that saw it.
    seen: BTreeMap<u64, u64>,
}

impl Writings {
    pub fn new(operations: &[KeyOperation<'_>]) -> Self {
        let mut writings =
            Writings { texts: Texts::new(), writers: BTreeMap::new(), seen: BTreeMap::new() };
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
            operations.iter().filter_map(|each| Some((each.completed?, seen(each)??))).collect();
        seers.sort_unstable();
        for (completed, text) in seers {
            let seen = &mut writings.seen;
            writings.texts.see(text, completed, |part| {
                seen.entry(part).or_insert(completed);
            });
        }
        writings.see_through(operations);
        writings
    }

    /// A `cas` of which the result was seen may have seen what it expected, whether it was answered
    /// or not, and so on; if nobody else wrote the same, it certainly has.
    fn see_through(&mut self, operations: &[KeyOperation<'_>]) {
        loop {
            let mut changed = false;
            for each in operations.iter().filter(|each| each.operation.outcome != Outcome::Fail) {
                let KvOp::Cas { from: Some(from), to } = each.op else { continue };
                if self.texts.find(Some(to)).is_some() {
                    changed |= self.texts.want(from);
                }
                let Some(until) =
                    self.seen_by(to, u64::MAX).filter(|_| self.is_only_writer(Some(to)))
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

    /// Whether only one operation can have written each part of a text.
    fn is_only_writer(&self, text: Option<&str>) -> bool {
        let mut only = true;
        for_each_part(text, |part| {
            only &= self.writers.get(&part).is_some_and(|writer| writer.possible == 1)
        });
        only
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
        // Each part is checked when it is first seen and not again; an ordinary history goes through here
        // without another look at its texts.
        if !self.seen.iter().any(|(part, completed)| suspicious(part, *completed)) {
            return None;
        }
        for i in order {
            let (Some(Some(text)), Some(completed)) =
                (seen(&operations[i]), operations[i].completed)
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

    /// The number of a text, if somebody who was answered by `cut` has seen it, or may have.
    fn known(&self, text: Option<&str>, cut: u64) -> Option<TextId> {
        self.texts.find(text).filter(|id| self.texts.is_known(*id, cut))
    }

    /// What an operation does, as far as it was seen by `cut`.
    fn effect(&self, op: &KvOp<'_>, cut: u64) -> Effect {
        match *op {
            // What an answered operation saw is known, or it was answered after the cut.
            KvOp::Read(text) => Effect::Read(self.known(text.flatten(), cut).unwrap_or(IMPOSSIBLE)),
            KvOp::Write(text) => self.known(Some(text), cut).map_or(Effect::Hidden, Effect::Write),
            KvOp::Append(text) => {
                let mut changes = self.texts.changes(text);
                changes.retain(|(_, after)| self.texts.is_known(*after, cut));
                let is_seen = self.is_only_writer(Some(text)) && self.seen_by(text, cut).is_some();
                match changes.is_empty() && !is_seen {
                    true => Effect::Hidden,
                    false => Effect::Append { changes, is_seen },
                }
            }
            KvOp::Cas { from, to } => Effect::Cas {
                from: self.known(from, cut).unwrap_or(IMPOSSIBLE),
                to: self.known(Some(to), cut).unwrap_or(UNSEEN),
            },
        }
    }

    /// The beginning of a history up to the completion at `cut`, for the search: what was completed
    /// later is open there.
    ///
    /// An open operation whose text nobody can have seen can be left out: wherever it took effect,
    /// nobody looked before its text was replaced, so that an order with it exists if and only if
    /// one without it does. Where it was seen and nobody else wrote the same, it took effect before
    /// the first who saw it was answered.
    pub fn beginning(&self, operations: &[KeyOperation<'_>], cut: u64) -> (Key, Vec<Timed>) {
        let mut timed = Vec::with_capacity(operations.len());
        let mut last_looks = vec![0; self.texts.count()];
        for each in operations {
            let invoked = each.operation.invoked;
            if invoked > cut {
                continue;
            }
            if let Some(completed) = each.completed.filter(|completed| *completed <= cut) {
                let effect = self.effect(&each.op, cut);
                if let Effect::Read(text) | Effect::Cas { from: text, .. } = effect
                    && let Some(last) = last_looks.get_mut(text as usize)
                {
                    *last = invoked.max(*last);
                }
                timed.push(Timed { effect, invoked, completed: Some(completed) });
                continue;
            }
            let effect = self.effect(&each.op, cut);
            if matches!(effect, Effect::Read(_) | Effect::Hidden | Effect::Cas { to: UNSEEN, .. }) {
                continue;
            }
            let text = written(&each.op);
            let seen = text.and_then(|text| self.seen_by(text, cut));
            let completed = seen.filter(|_| self.is_only_writer(text));
            let effect = match effect {
                Effect::Cas { from, to } if completed.is_none() => Effect::OpenCas { from, to },
                effect => effect,
            };
            let completed = completed.map(|completed| completed.max(invoked));
            timed.push(Timed { effect, invoked, completed });
        }
        // A text that several can have written may come back, so that it may also go.
        for (id, last) in last_looks.iter_mut().enumerate() {
            let part = self.texts.last_part(id as TextId);
            let writer = part.and_then(|part| self.writers.get(&part));
            if writer.is_some_and(|writer| writer.possible > 1) {
                *last = 0;
            }
        }
        (Key { last_looks }, timed)
    }
}

/// The text that an operation puts there.
fn written<'a>(op: &KvOp<'a>) -> Option<&'a str> {
    match *op {
        KvOp::Read(_) => None,
        KvOp::Write(text) | KvOp::Append(text) | KvOp::Cas { to: text, .. } => Some(text),
    }
}

/// The text that an answered operation has seen; `None` within is `nil`.
fn seen<'a>(each: &KeyOperation<'a>) -> Option<Option<&'a str>> {
    match each.op {
        _ if each.operation.outcome != Outcome::Ok => None,
        KvOp::Read(text) => text,
        KvOp::Cas { from, .. } => Some(from),
        KvOp::Write(_) | KvOp::Append(_) => None,
    }
}

fn for_each_part(text: Option<&str>, each: impl FnMut(u64)) {
    text.into_iter().flat_map(parts).for_each(each);
}
