//! The search itself: depth first, back where nothing fits.

use super::visited::{States, Visited};
use super::window::{Window, contains, insert, remove, slots};
use super::{Answer, Limits, Sequential, Timed};

/// A configuration that is being searched, at the completion of an operation without a place.
struct Frame {
    /// Its number among those visited, which hold where it is.
    configuration: u32,
    /// What was tried.
    progress: Progress,
}

/// How far a configuration was searched.
#[derive(Clone, Copy)]
enum Progress {
    New,
    /// The operation that is due was tried first: mostly it fits, and the search ends there.
    DueTried,
    /// The others were listed. Choices from this position on are still to be tried, the last one
    /// first.
    Listed(usize),
}

/// A limit was met.
struct Spent {
    cache_full: bool,
}

/// See the module.
pub struct DepthFirst<'a, S: Sequential> {
    object: &'a S,
    operations: &'a [Timed<S::Effect>],
    limits: Limits,
    steps: u64,
    state_bytes: u64,
    window: Window,
    visited: Visited,
    states: States<S::State>,
    /// The present state, by number.
    state: u32,
    /// Slots of the pending operations that have a place. Invariant: a subset of those pending.
    placed: Vec<u64>,
    frames: Vec<Frame>,
    choices: Vec<u32>,
    /// The farthest completion that could not be passed yet, as a position.
    farthest: usize,
}

impl<'a, S: Sequential> DepthFirst<'a, S> {
    pub fn new(object: &'a S, operations: &'a [Timed<S::Effect>], limits: Limits) -> Self {
        let window = Window::new(operations);
        let words = window.words();
        let mut states = States::new();
        let (state, _) = states.number(object.initial());
        DepthFirst {
            object,
            operations,
            limits,
            steps: 0,
            state_bytes: 0,
            window,
            visited: Visited::new(words),
            states,
            state,
            placed: vec![0; words],
            frames: vec![],
            choices: vec![],
            farthest: 0,
        }
    }

    pub fn run(mut self) -> Answer {
        match self.search() {
            Ok(true) => Answer::Legal,
            Ok(false) => Answer::Illegal { at: self.window.time_at(self.farthest) },
            Err(Spent { cache_full }) => {
                let proven = self.window.completed_before(self.farthest);
                Answer::LimitMet { proven, cache_full }
            }
        }
    }

    /// Whether there is an order.
    fn search(&mut self) -> Result<bool, Spent> {
        loop {
            if !self.pass_what_is_placed() {
                return Ok(true);
            }
            self.farthest = self.farthest.max(self.window.position());
            self.enter()?;
            if !self.place_next()? {
                return Ok(false);
            }
        }
    }

    /// Pass invocations, and completions of operations that have a place, up to one that has none.
    /// `false` at the end of the history.
    fn pass_what_is_placed(&mut self) -> bool {
        while let Some((operation, slot, is_completion)) = self.window.next() {
            if is_completion {
                if !contains(&self.placed, slot) {
                    return true;
                }
                remove(&mut self.placed, slot);
                self.window.advance();
                continue;
            }
            self.window.advance();
            let effect = &self.operations[operation as usize].effect;
            if self.object.is_free(self.states.get(self.state), effect) {
                insert(&mut self.placed, slot);
            }
        }
        false
    }

    /// Search the present configuration from now on, unless it was seen.
    fn enter(&mut self) -> Result<(), Spent> {
        if let Some(configuration) =
            self.visited.add(self.window.position(), self.state, &self.placed)
        {
            self.frames.push(Frame { configuration, progress: Progress::New });
        }
        let bytes = self.visited.bytes() + self.states.bytes() + self.state_bytes;
        if bytes > self.limits.cache_bytes { Err(Spent { cache_full: true }) } else { Ok(()) }
    }

    /// Place an operation by the next choice that fits; going back as far as it takes. `false` if
    /// no choice is left.
    fn place_next(&mut self) -> Result<bool, Spent> {
        while let Some(frame) = self.frames.last_mut() {
            let (position, state, placed) = self.visited.get(frame.configuration);
            self.window.back_to(position);
            self.placed.copy_from_slice(placed);
            self.state = state;
            let (_, due, _) = self.window.next().expect("a frame stands at a completion");
            let progress = frame.progress;
            if let Progress::New = progress {
                frame.progress = Progress::DueTried;
                if self.place(due)? {
                    return Ok(true);
                }
            }
            let first = match progress {
                Progress::Listed(first) => first,
                Progress::New | Progress::DueTried => self.list_choices(due)?,
            };
            while self.choices.len() > first {
                let slot = self.choices.pop().expect("longer than `first`");
                if self.place(slot)? {
                    return Ok(true);
                }
            }
            self.frames.pop();
        }
        Ok(false)
    }

    /// Place a pending operation in the present state, if it fits.
    fn place(&mut self, slot: u32) -> Result<bool, Spent> {
        let Some(state) = self.after(self.state, slot)? else { return Ok(false) };
        insert(&mut self.placed, slot);
        let has_changed = state != self.state;
        self.state = state;
        let operation = self.window.holder(slot);
        let effect = &self.operations[operation as usize].effect;
        // Whatever now costs nothing gets its place as well.
        let (object, state) = (self.object, self.states.get(state));
        for (word, pending) in self.window.pending().iter().enumerate() {
            for slot in slots(word, pending & !self.placed[word]) {
                let other = &self.operations[self.window.holder(slot) as usize].effect;
                if object.hides(effect, other) || has_changed && object.is_free(state, other) {
                    insert(&mut self.placed, slot);
                }
            }
        }
        Ok(true)
    }

    /// List what may be placed before the operation that is due. Those after which it fits are
    /// tried first. Returns where the list begins.
    fn list_choices(&mut self, due: u32) -> Result<usize, Spent> {
        let first = self.choices.len();
        let mut helpful = vec![];
        for word in (0..self.window.words()).rev() {
            let others = self.window.pending()[word] & !self.placed[word];
            let from = self.choices.len();
            self.choices.extend(slots(word, others).filter(|slot| *slot != due));
            self.choices[from..].reverse();
        }
        let mut kept = first;
        for at in first..self.choices.len() {
            let slot = self.choices[at];
            let Some(next) = self.after(self.state, slot)? else { continue };
            if next != self.state && self.after(next, due)?.is_some() {
                helpful.push(slot);
            } else {
                self.choices[kept] = slot;
                kept += 1;
            }
        }
        self.choices.truncate(kept);
        self.choices.append(&mut helpful);
        if let Some(frame) = self.frames.last_mut() {
            frame.progress = Progress::Listed(first);
        }
        Ok(first)
    }

    /// The state after a pending operation, by number; `None` if the operation does not fit or must
    /// not come yet.
    fn after(&mut self, before: u32, slot: u32) -> Result<Option<u32>, Spent> {
        if self.steps == self.limits.steps {
            return Err(Spent { cache_full: false });
        }
        self.steps += 1;
        let operation = self.window.holder(slot);
        let effect = &self.operations[operation as usize].effect;
        let state = self.states.get(before);
        let Some(next) = self.object.step(state, effect) else { return Ok(None) };
        if next == *state {
            return Ok(Some(before));
        }
        if !self.object.may_leave(state, self.window.time()) {
            return Ok(None);
        }
        let (next, is_new) = self.states.number(next);
        if is_new {
            self.state_bytes += 8 + self.object.state_bytes(self.states.get(next));
        }
        Ok(Some(next))
    }
}
