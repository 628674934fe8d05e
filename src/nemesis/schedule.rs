//! When entries begin: `at`, `after`, `every`, `when`; and the alarms by which the nemesis is
//! called again.
//!
//! An entry never begins in the middle of something else. Even a condition that has come true sets
//! an alarm, for this very moment if there is no delay, so that the step that made it true ends
//! first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::conditions::{self, Sight};
use crate::faults::{Alarms, Groups, World};
use crate::scenario::{Condition, NemesisEntry, When};
use crate::time::Time;

/// Why the nemesis has asked to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    /// The time of an entry has come.
    Due { entry: usize },
    /// A fault in force ends.
    End { active: u64 },
    /// A fault in force goes on.
    Step { active: u64, step: usize },
    /// A member of a swarm in force begins.
    Member { active: u64, member: usize },
    /// Somebody may lead now, who can be asked for this.
    Ask { request: usize },
}

/// An entry begins at most this often, whatever its `repeat`: two entries that wait for each other
/// would go on for ever.
const BEGINNINGS_MAX: u64 = 100_000;

/// The least time between two beginnings of an entry with `every`.
const PERIOD_MIN: Duration = Duration::from_millis(1);

/// How far an entry has come.
#[derive(Debug)]
struct Progress {
    /// How often its time may still come.
    left: u64,
    /// Whether its condition is looked at.
    armed: bool,
    /// How often its event or message was seen since it was armed.
    seen: u64,
}

/// The entries and the alarms.
#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) entries: Arc<[NemesisEntry]>,
    progress: Vec<Progress>,
    alarms: BTreeMap<u64, Alarm>,
    next_token: u64,
    /// `duration`: nothing begins from here on.
    end: Time,
    over: bool,
    /// What was asked for while nobody led.
    pub(super) requests: Vec<String>,
}

impl Schedule {
    pub(super) fn new(entries: &[NemesisEntry], duration: Duration) -> Schedule {
        let progress = |entry: &NemesisEntry| Progress {
            left: entry.repeat.times.min(BEGINNINGS_MAX),
            armed: false,
            seen: 0,
        };
        Schedule {
            entries: entries.into(),
            progress: entries.iter().map(progress).collect(),
            alarms: BTreeMap::new(),
            next_token: 0,
            end: Time::ZERO + duration,
            over: false,
            requests: Vec::new(),
        }
    }

    /// Time until `duration`.
    pub(super) fn left(&self, now: Time) -> Duration {
        self.end.saturating_since(now)
    }

    /// Whether entries may still begin.
    pub(super) fn is_open(&self, now: Time) -> bool {
        !self.over && now < self.end
    }

    /// From now on nothing begins, and no alarm counts but those for requests: a membership that
    /// was asked for is a part of the healing.
    pub(super) fn close(&mut self) {
        self.over = true;
        self.alarms.retain(|_, alarm| matches!(alarm, Alarm::Ask { .. }));
    }

    /// Ask to be called. What would be at `duration` or later is left to the healing there.
    pub(super) fn set(&mut self, world: &mut dyn World, at: Time, alarm: Alarm) {
        if !matches!(alarm, Alarm::Ask { .. }) && (self.over || at >= self.end) {
            return;
        }
        let token = self.next_token;
        self.next_token += 1;
        self.alarms.insert(token, alarm);
        world.alarm(at, token);
    }

    /// What an alarm was set for; `None` where it does not count any more.
    pub(super) fn take(&mut self, token: u64) -> Option<Alarm> {
        self.alarms.remove(&token)
    }

    /// The run begins.
    pub(super) fn start(&mut self, world: &mut dyn World) {
        for entry in 0..self.entries.len() {
            match &self.entries[entry].when {
                When::At(_) | When::Every(_) => self.arm(world, entry),
                When::Condition { .. } => {
                    self.progress[entry].armed = self.progress[entry].left > 0
                }
                When::After { .. } => {}
            }
        }
    }

    /// Draw the moment of an entry that waits for nothing but the clock (any more).
    fn arm(&mut self, world: &mut dyn World, entry: usize) {
        if self.progress[entry].left == 0 {
            return;
        }
        self.progress[entry].left -= 1;
        let at = match &self.entries[entry].when {
            When::At(span) => Time::ZERO + world.draw(span.min, span.max),
            When::Every(span) => world.now() + world.draw(span.min, span.max).max(PERIOD_MIN),
            When::After { delay, .. } | When::Condition { delay, .. } => {
                world.now() + world.draw(delay.min, delay.max)
            }
        };
        let at = at.max(world.now());
        self.set(world, at, Alarm::Due { entry });
    }

    /// An entry's time has come: whether it happens.
    pub(super) fn due(&mut self, world: &mut dyn World, entry: usize) -> bool {
        if matches!(self.entries[entry].when, When::Every(_)) {
            self.arm(world, entry);
        }
        let probability = self.entries[entry].probability;
        world.rng().chance(probability)
    }

    /// A fault of an entry has begun.
    pub(super) fn began(&mut self, world: &mut dyn World, entry: usize) {
        self.follow(world, entry, false);
    }

    /// A fault of an entry has healed.
    pub(super) fn ended(&mut self, world: &mut dyn World, entry: usize) {
        self.follow(world, entry, true);
        self.rearm(entry);
    }

    /// Look for an entry's condition again, which is used up since its time has come.
    pub(super) fn rearm(&mut self, entry: usize) {
        let progress = &mut self.progress[entry];
        if matches!(self.entries[entry].when, When::Condition { .. }) {
            progress.armed = progress.left > 0 && !self.over;
            progress.seen = 0;
        }
    }

    fn follow(&mut self, world: &mut dyn World, entry: usize, has_ended: bool) {
        let entries = self.entries.clone();
        for (follower, each) in entries.iter().enumerate() {
            if matches!(&each.when, When::After { entry: name, ended, .. } if *name == entries[entry].name && *ended == has_ended)
            {
                self.arm(world, follower);
            }
        }
    }

    /// Something was seen that conditions may wait for.
    pub(super) fn on_sight(&mut self, world: &mut dyn World, groups: &Groups, sight: Sight<'_>) {
        let entries = self.entries.clone();
        for (entry, each) in entries.iter().enumerate() {
            let When::Condition { condition, .. } = &each.when else { continue };
            if !self.progress[entry].armed || !conditions::fits(world, groups, condition, sight) {
                continue;
            }
            self.progress[entry].seen += 1;
            let wanted = match condition {
                Condition::Metric { .. } => 1,
                Condition::Event { nth, .. } | Condition::Message { nth, .. } => *nth,
            };
            if self.progress[entry].seen >= wanted {
                self.progress[entry].armed = false;
                self.arm(world, entry);
            }
        }
    }
}

impl Alarms for Schedule {
    fn step_at(&mut self, world: &mut dyn World, at: Time, id: u64, step: usize) {
        self.set(world, at, Alarm::Step { active: id, step });
    }

    fn ask_at(&mut self, world: &mut dyn World, at: Time, command: String) {
        let request = self.requests.len();
        self.requests.push(command);
        self.set(world, at, Alarm::Ask { request });
    }
}
