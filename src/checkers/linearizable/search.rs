//! The search for a linear order, by `porcupine-rs`, with a limit that is counted and not timed.

use std::cell::Cell;

use porcupine_rs::{Model, Operation, check_operations};

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
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    pub effect: Effect,
    pub invoked: u64,
    /// `None`: it may still happen at any later time.
    pub completed: Option<u64>,
}

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Legal,
    Illegal,
    /// It was given up.
    LimitMet,
}

thread_local! {
    /// Steps that the search on this thread may still make. The model of the crate is a type without state, hence this place.
    static STEPS_LEFT: Cell<u64> = const { Cell::new(0) };
}

/// One key of the store.
#[derive(Clone)]
struct Key;

impl Model for Key {
    type State = u64;
    type Op = Effect;
    type Metadata = ();

    fn init() -> u64 {
        NIL_STATE
    }

    fn step(state: &u64, effect: &Effect) -> (bool, u64) {
        let left = STEPS_LEFT.get();
        if left == 0 {
            // Every order ends here from now on, and the search with them.
            return (false, *state);
        }
        STEPS_LEFT.set(left - 1);
        match *effect {
            Effect::Read(text) => (*state == text, *state),
            Effect::Write(text) => (true, text),
            Effect::Append(part) => (true, add_part(*state, part)),
            Effect::Cas { from, to } => (*state == from, to),
            Effect::OpenCas { from, to } => (true, if *state == from { to } else { *state }),
        }
    }
}

/// Whether some order of the operations explains them, found within so many steps.
pub fn linearizable(operations: &[Timed], steps: u64) -> Answer {
    let time = |order: u64| i64::try_from(order).unwrap_or(i64::MAX);
    let history: Vec<Operation<Key>> = operations
        .iter()
        .map(|each| Operation {
            client_id: None,
            call_time: time(each.invoked),
            return_time: each.completed.map_or(i64::MAX, time),
            op: each.effect,
            metadata: None,
        })
        .collect();
    STEPS_LEFT.set(steps);
    // One partition and no time limit: the crate then works on this thread.
    let legal = check_operations(&history);
    match (legal, STEPS_LEFT.get()) {
        (true, _) => Answer::Legal,
        (false, 0) => Answer::LimitMet,
        (false, _) => Answer::Illegal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(effect: Effect, invoked: u64, completed: Option<u64>) -> Timed {
        Timed { effect, invoked, completed }
    }

    /// A write that was never answered may take effect late: after a read of the old text, before one of the new.
    #[test]
    fn an_open_write_may_take_effect_late_or_never() {
        let write = timed(Effect::Write(7), 0, None);
        let old = timed(Effect::Read(NIL_STATE), 1, Some(2));
        assert_eq!(linearizable(&[write, old], 100), Answer::Legal);
        let new = timed(Effect::Read(7), 3, Some(4));
        assert_eq!(linearizable(&[write, old, new], 100), Answer::Legal);
        let old_again = timed(Effect::Read(NIL_STATE), 5, Some(6));
        assert_eq!(linearizable(&[write, old, new, old_again], 100), Answer::Illegal);
    }

    /// A search that was given up has shown nothing: neither that an order exists nor that there is none.
    #[test]
    fn a_search_without_steps_is_no_verdict() {
        let write = timed(Effect::Write(7), 0, Some(1));
        assert_eq!(linearizable(&[write], 0), Answer::LimitMet);
        assert_eq!(linearizable(&[write], 1), Answer::Legal);
    }
}
