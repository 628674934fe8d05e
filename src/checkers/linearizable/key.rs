//! One key of a store as a sequential object.

use super::super::linear_order::{self, Sequential};
use super::texts::{NIL_STATE, add_part};

/// What an operation does to the text of its key, or wants of it. Texts are known by their digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The text is this one.
    Read(u64),
    /// It becomes this one.
    Write(u64),
    /// It gets this part more.
    Append(u64),
    /// It is `from` and becomes `to`.
    Cas { from: u64, to: u64 },
    /// It becomes `to` if it is `from`; a `cas` whose result nobody knows.
    OpenCas { from: u64, to: u64 },
}

/// An operation with its times in the shared order.
pub type Timed = linear_order::Timed<Effect>;

/// One key of the store.
#[derive(Clone)]
pub struct Key;

impl Sequential for Key {
    type State = u64;
    type Effect = Effect;

    fn initial() -> u64 {
        NIL_STATE
    }

    fn step(state: &u64, effect: &Effect) -> (bool, u64) {
        match *effect {
            Effect::Read(text) => (*state == text, *state),
            Effect::Write(text) => (true, text),
            Effect::Append(part) => (true, add_part(*state, part)),
            Effect::Cas { from, to } => (*state == from, to),
            Effect::OpenCas { from, to } => (true, if *state == from { to } else { *state }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::linear_order::{Answer, linearizable};
    use super::*;

    fn timed(effect: Effect, invoked: u64, completed: Option<u64>) -> Timed {
        Timed { effect, invoked, completed }
    }

    /// A write that was never answered may take effect late: after a read of the old text, before
    /// one of the new.
    #[test]
    fn an_open_write_may_take_effect_late_or_never() {
        let write = timed(Effect::Write(7), 0, None);
        let old = timed(Effect::Read(NIL_STATE), 1, Some(2));
        assert_eq!(linearizable::<Key>(&[write, old], 100), Answer::Legal);
        let new = timed(Effect::Read(7), 3, Some(4));
        assert_eq!(linearizable::<Key>(&[write, old, new], 100), Answer::Legal);
        let old_again = timed(Effect::Read(NIL_STATE), 5, Some(6));
        assert_eq!(linearizable::<Key>(&[write, old, new, old_again], 100), Answer::Illegal);
    }
}
