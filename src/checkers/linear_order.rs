//! The search for an order in which a sequential object would have given the answers that were seen
//! (Wing and Gong 1993, Lowe 2017; crate `porcupine-rs`), with a limit that is counted in steps and
//! not timed, so that it is met at the same place on every machine.

use std::cell::Cell;
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;

use porcupine_rs::{Model, Operation, check_operations};

/// An object that serves one operation after the other.
pub trait Sequential: Clone + Send + Sync {
    /// What it remembers.
    type State: Clone + Send + Sync + Debug + Hash + Eq;
    /// An operation together with what was seen of its result.
    type Effect: Clone + Send + Sync + Debug;

    /// Before the first operation.
    fn initial() -> Self::State;

    /// Whether the operation may show this result in this state, and the state afterwards.
    fn step(state: &Self::State, effect: &Self::Effect) -> (bool, Self::State);
}

/// An operation with its times in the shared order.
#[derive(Clone, Copy, Debug)]
pub struct Timed<E> {
    pub effect: E,
    pub invoked: u64,
    /// `None`: it may still happen at any later time.
    pub completed: Option<u64>,
}

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Legal,
    Illegal,
    /// It was given up, and has shown nothing.
    LimitMet,
}

thread_local! {
    /// Steps that the search on this thread may still make. The model of the crate is a type
    /// without state, hence this place.
    static STEPS_LEFT: Cell<u64> = const { Cell::new(0) };
}

/// The object as the crate wants it, with its steps counted.
#[derive(Clone)]
struct Counted<S>(PhantomData<S>);

impl<S: Sequential> Model for Counted<S> {
    type State = S::State;
    type Op = S::Effect;
    type Metadata = ();

    fn init() -> S::State {
        S::initial()
    }

    fn step(state: &S::State, effect: &S::Effect) -> (bool, S::State) {
        let left = STEPS_LEFT.get();
        if left == 0 {
            // Every order ends here from now on, and the search with them.
            return (false, state.clone());
        }
        STEPS_LEFT.set(left - 1);
        S::step(state, effect)
    }
}

/// Whether some order of the operations explains them, found within so many steps.
pub fn linearizable<S: Sequential>(operations: &[Timed<S::Effect>], steps: u64) -> Answer {
    let time = |order: u64| i64::try_from(order).unwrap_or(i64::MAX);
    let history: Vec<Operation<Counted<S>>> = operations
        .iter()
        .map(|each| Operation {
            client_id: None,
            call_time: time(each.invoked),
            return_time: each.completed.map_or(i64::MAX, time),
            op: each.effect.clone(),
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

/// The end of the shortest beginning of a history that no order explains, given the ends of its
/// operations and what a search finds of the history up to a moment. `None` if nothing in it has
/// ended.
pub fn first_illegal_end(mut ends: Vec<u64>, until: impl Fn(u64) -> Answer) -> Option<u64> {
    ends.sort_unstable();
    // A longer history is never more linearizable than its beginning, so the shortest bad one is
    // found by halving.
    let first = ends.partition_point(|end| until(*end) != Answer::Illegal);
    ends.get(first).or(ends.last()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that is added to, and read.
    #[derive(Clone)]
    struct Sum;

    #[derive(Clone, Copy, Debug)]
    enum Effect {
        Add(u64),
        Read(u64),
    }

    impl Sequential for Sum {
        type State = u64;
        type Effect = Effect;

        fn initial() -> u64 {
            0
        }

        fn step(sum: &u64, effect: &Effect) -> (bool, u64) {
            match *effect {
                Effect::Add(number) => (true, sum + number),
                Effect::Read(number) => (*sum == number, *sum),
            }
        }
    }

    fn timed(effect: Effect, invoked: u64, completed: u64) -> Timed<Effect> {
        Timed { effect, invoked, completed: Some(completed) }
    }

    /// A search that was given up has shown nothing: neither that an order exists nor that there is
    /// none.
    #[test]
    fn a_search_without_steps_is_no_verdict() {
        let add = timed(Effect::Add(7), 0, 1);
        assert_eq!(linearizable::<Sum>(&[add], 0), Answer::LimitMet);
        assert_eq!(linearizable::<Sum>(&[add], 1), Answer::Legal);
    }

    /// Of a history that goes wrong in its middle, the end of the operation that nothing explains
    /// is found.
    #[test]
    fn the_first_operation_without_an_explanation_is_found() {
        let history = [
            timed(Effect::Add(1), 0, 1),
            timed(Effect::Read(1), 2, 3),
            timed(Effect::Read(2), 4, 5),
            timed(Effect::Read(1), 6, 7),
        ];
        let until = |cut: u64| {
            let beginning: Vec<_> = history
                .into_iter()
                .filter(|each| each.completed.is_some_and(|completed| completed <= cut))
                .collect();
            linearizable::<Sum>(&beginning, 100)
        };
        assert_eq!(first_illegal_end(vec![7, 5, 3, 1], until), Some(5));
        assert_eq!(first_illegal_end(vec![], until), None);
    }
}
