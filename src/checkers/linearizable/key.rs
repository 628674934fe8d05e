//! One key of a store as a sequential object, as far as anybody can tell.
//!
//! Its states are the texts that somebody saw, each with its beginnings, and one more for all
//! others: a text that nobody sees, nor any text that begins with it, is like every other such text.
//! There are as many orders of a hundred concurrent appends as of a hundred cards; the texts that
//! were seen say which one it was.

use super::super::search::{self, Sequential};

/// A text by its number in [`super::texts::Texts`].
pub type TextId = u32;

/// A text that nobody sees.
pub const UNSEEN: TextId = u32::MAX;
/// A text that the key never has.
pub const IMPOSSIBLE: TextId = u32::MAX - 1;

/// What an operation does to the text of its key, or wants of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The text is this one.
    Read(TextId),
    /// It becomes this one.
    Write(TextId),
    /// The text that each of these begins with becomes this one; every other becomes one that
    /// nobody sees.
    Append {
        /// Before and after.
        changes: Vec<(TextId, TextId)>,
        /// Whether somebody saw what nobody else can have written, so that the text is certainly
        /// one of these.
        is_seen: bool,
    },
    /// It is `from` and becomes `to`.
    Cas { from: TextId, to: TextId },
    /// It becomes `to` if it is `from`; a `cas` whose result nobody knows.
    OpenCas { from: TextId, to: TextId },
    /// It becomes some text that nobody sees.
    Hidden,
}

/// An operation with its times in the shared order.
pub type Timed = search::Timed<Effect>;

/// One key of the store.
pub struct Key {
    /// For each text that a key has at most once: when the last operation was invoked that
    /// certainly saw it. Until then it stays.
    pub last_looks: Vec<u64>,
}

impl Sequential for Key {
    type State = TextId;
    type Effect = Effect;

    fn initial(&self) -> TextId {
        super::texts::NIL_ID
    }

    fn step(&self, state: &TextId, effect: &Effect) -> Option<TextId> {
        match effect {
            Effect::Read(text) => (state == text).then_some(*state),
            Effect::Write(text) => Some(*text),
            Effect::Append { changes, is_seen } => {
                match changes.iter().find(|(before, _)| before == state) {
                    Some((_, after)) => Some(*after),
                    None => (!is_seen).then_some(UNSEEN),
                }
            }
            Effect::Cas { from, to } => (state == from).then_some(*to),
            Effect::OpenCas { from, to } => Some(if state == from { *to } else { *state }),
            Effect::Hidden => Some(UNSEEN),
        }
    }

    fn is_free(&self, state: &TextId, effect: &Effect) -> bool {
        match effect {
            Effect::Read(text) => state == text,
            // Without it, the text is another until the next write; meanwhile stand here only
            // operations that are possible with every text, or this one would not be.
            Effect::Hidden => *state == UNSEEN,
            _ => false,
        }
    }

    fn hides(&self, effect: &Effect, earlier: &Effect) -> bool {
        matches!((effect, earlier), (Effect::Write(_), Effect::Hidden))
    }

    fn may_leave(&self, state: &TextId, now: u64) -> bool {
        self.last_looks.get(*state as usize).is_none_or(|last| *last <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::search::{Answer, Limits, linearizable};
    use super::super::texts::NIL_ID;
    use super::*;

    fn timed(effect: Effect, invoked: u64, completed: Option<u64>) -> Timed {
        Timed { effect, invoked, completed }
    }

    /// A write that was never answered may take effect late: after a read of the old text, before
    /// one of the new.
    #[test]
    fn an_open_write_may_take_effect_late_or_never() {
        let limits = Limits { steps: 100, cache_bytes: 10_000 };
        let judge =
            |operations: &[Timed]| linearizable(&Key { last_looks: vec![] }, operations, limits);
        let write = timed(Effect::Write(7), 0, None);
        let old = timed(Effect::Read(NIL_ID), 1, Some(2));
        assert_eq!(judge(&[write.clone(), old.clone()]), Answer::Legal);
        let new = timed(Effect::Read(7), 3, Some(4));
        assert_eq!(judge(&[write.clone(), old.clone(), new.clone()]), Answer::Legal);
        let old_again = timed(Effect::Read(NIL_ID), 5, Some(6));
        assert_eq!(judge(&[write, old, new, old_again]), Answer::Illegal { at: 6 });
    }
}
