//! The disciplined clock: what a machine takes for the time.
//!
//! The hardware gives two readings: a monotonic one that nobody can set, and a wall clock that
//! anybody can. Both hang on the same oscillator, so their difference changes only when somebody
//! sets the wall clock. That is how a hand on the clock is noticed: the change moves the
//! disciplined clock too, as its owner wished, and the claimed error grows by as much until the
//! next round.
//!
//! All times are in nanoseconds. `offset` and `goal` are differences to the monotonic reading.

use super::defects::{Defect, Planted};
use super::settings::{CristianSettings, Discipline};
use crate::node::{Ctx, Node};

/// Both hardware clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The monotonic reading, ns.
    pub mono: i64,
    /// The wall clock, ns since 1970.
    pub wall: i64,
}

impl Look {
    /// The clocks of a node during a step.
    pub fn at<N: Node>(ctx: &Ctx<'_, N>) -> Look {
        Look { mono: ctx.now().as_nanos() as i64, wall: ctx.wall().as_nanos() }
    }
}

/// How far from the truth the clock may be, as far as its machine knows.
#[derive(Clone, Copy, Debug)]
struct Claim {
    /// Of the goal, when it was set.
    error: i64,
    /// When that was, monotonic.
    at: i64,
    /// By how much hands have moved the clock since.
    by_hand: i64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct SoftClock {
    discipline: Discipline,
    planted: Planted,
    slew_ppm: i64,
    drift_bound_ppm: i64,
    step_threshold: i64,
    initial_step: bool,
    /// Invariant: the reading is `looked + offset`.
    offset: i64,
    /// Where the offset is to go. Invariant: under `step` the offset is there.
    goal: i64,
    /// Wall clock minus monotonic clock, at the last look.
    base: i64,
    /// The monotonic reading of the last look.
    looked: i64,
    /// The clock stands still until the goal has caught up, also where it would be slewed.
    stands: bool,
    /// Somebody is editing the clock.
    stopped: bool,
    claim: Option<Claim>,
    /// By how much hands have moved the clock since the start, without sign.
    by_hand: i64,
}

/// The rate of [`Defect::SlewTooFast`].
const SLEW_TOO_FAST_PPM: i64 = 900_000;

impl SoftClock {
    /// The clock of a machine that starts; `correction` is what it had last added to the wall
    /// clock.
    pub fn new(
        settings: &CristianSettings,
        discipline: Discipline,
        look: Look,
        correction: i64,
    ) -> SoftClock {
        let base = look.wall - look.mono;
        SoftClock {
            discipline,
            planted: settings.planted,
            slew_ppm: settings.slew_ppm,
            drift_bound_ppm: settings.drift_bound_ppm,
            step_threshold: settings.step_threshold.as_nanos() as i64,
            initial_step: settings.initial_step,
            offset: base + correction,
            goal: base + correction,
            base,
            looked: look.mono,
            stands: false,
            stopped: false,
            claim: None,
            by_hand: 0,
        }
    }

    /// The reading, ns since 1970. Under `slew` and `hold` it never goes back.
    pub fn read(&mut self, look: Look) -> i64 {
        let elapsed = look.mono - self.looked;
        self.looked = look.mono;
        let base = look.wall - look.mono;
        let moved = base - self.base;
        self.base = base;
        // First the hand, then the discipline: so a clock that is stopped stands still from the
        // last look on.
        if moved != 0 {
            self.move_by_hand(moved);
        }
        if self.stopped && elapsed > 0 {
            self.move_by_hand(-elapsed);
        }
        self.follow(elapsed);
        look.mono + self.offset
    }

    /// Somebody sets the clock forwards or back.
    pub fn move_by_hand(&mut self, by: i64) {
        self.by_hand += by.abs();
        self.goal += by;
        if let Some(claim) = &mut self.claim {
            claim.by_hand += by.abs();
        }
        if self.discipline == Discipline::Step || by > 0 {
            self.offset += by;
        } else {
            self.stands = true;
        }
    }

    /// Somebody begins to edit the clock, which stands still meanwhile, or has ended.
    pub fn stop(&mut self, look: Look, stopped: bool) {
        self.read(look);
        self.stopped = stopped;
    }

    /// Let the offset go towards its goal for as long as `elapsed`.
    fn follow(&mut self, elapsed: i64) {
        let gap = self.goal - self.offset;
        if gap == 0 {
            self.stands = false;
            return;
        }
        match self.discipline {
            Discipline::Step => self.offset = self.goal,
            Discipline::Slew if !self.stands => {
                let too_fast = self.planted.plants(Defect::SlewTooFast);
                let ppm = if too_fast { SLEW_TOO_FAST_PPM } else { self.slew_ppm };
                let most = i128::from(elapsed) * i128::from(ppm) / 1_000_000;
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                self.offset += gap.clamp(-most, most);
            }
            Discipline::Slew | Discipline::Hold if gap > 0 => self.offset = self.goal,
            Discipline::Slew | Discipline::Hold => self.offset -= elapsed.min(-gap),
        }
        if self.goal == self.offset {
            self.stands = false;
        }
    }

    /// A round has found that the clock should show `by` more than it does, give or take `error`
    /// (`None`: nobody knows). [`SoftClock::read`] has just been called.
    pub fn correct(&mut self, by: i64, error: Option<i64>) {
        let first = self.claim.is_none() && self.initial_step;
        let ahead = by < 0;
        let at_once = match self.discipline {
            Discipline::Step => true,
            _ if first || self.planted.plants(Defect::StepsBackwards) => true,
            Discipline::Hold => !ahead,
            Discipline::Slew => by > self.step_threshold,
        };
        self.stands =
            !at_once && ahead && (self.discipline == Discipline::Hold || -by > self.step_threshold);
        // A clock that is ahead is held for as long as it is ahead.
        let by = if self.stands && self.planted.plants(Defect::MicroHold) {
            let reading = self.looked + self.offset;
            -(reading.rem_euclid(1_000_000_000) / 1_000 * 1_000)
        } else {
            by
        };
        self.goal = self.offset + by;
        if at_once {
            self.offset = self.goal;
        }
        self.claim = Some(Claim { error: error.unwrap_or(UNKNOWN), at: self.looked, by_hand: 0 });
    }

    /// What is still to be done until the clock shows what the last round has found, ns.
    pub fn remaining(&self) -> i64 {
        self.goal - self.offset
    }

    /// What the clock is doing: `right`, `slews` or `stands`.
    pub fn mode(&self) -> &'static str {
        match () {
            () if self.stopped || self.stands => "stands",
            () if self.remaining() == 0 => "right",
            () => "slews",
        }
    }

    /// How far the clock may be from true time at the last look, as far as the machine knows;
    /// `None` before the first round.
    pub fn error_bound(&self) -> Option<i64> {
        let claim = self.claim.filter(|claim| claim.error < UNKNOWN)?;
        // What the clock may have gone wrong by since its last round.
        let mut since = growth(self.looked - claim.at, self.drift_bound_ppm);
        if since > 0 && self.planted.plants(Defect::DriftIgnored) {
            since = 0;
        }
        Some(claim.error + since + claim.by_hand + self.remaining().abs())
    }

    /// Whether a round has ever ended since the start.
    pub fn is_set(&self) -> bool {
        self.claim.is_some()
    }

    /// What the machine adds to its wall clock once all is done: this survives a restart.
    pub fn correction(&self) -> i64 {
        self.goal - self.base
    }

    /// The reading minus the monotonic clock, at the last look.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// By how much hands have moved the clock since the start, ns without sign.
    pub fn by_hand(&self) -> i64 {
        self.by_hand
    }
}

/// An error that says nothing.
const UNKNOWN: i64 = i64::MAX / 4;

/// How far a clock that is off by at most `ppm` goes wrong while it counts `elapsed` ns itself.
pub fn growth(elapsed: i64, ppm: i64) -> i64 {
    let ppm = i128::from(ppm.min(900_000));
    // A slow oscillator counts less time than passes, hence the divisor; one nanosecond for the
    // rounding.
    i64::try_from(i128::from(elapsed.max(0)) * ppm / (1_000_000 - ppm)).unwrap_or(UNKNOWN) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn clock(discipline: Discipline) -> SoftClock {
        let settings = CristianSettings { initial_step: false, ..CristianSettings::default() };
        SoftClock::new(&settings, discipline, look(0, 0), 0)
    }

    /// The wall clock is `set` ms off what it was at the start.
    fn look(mono_ms: i64, set_ms: i64) -> Look {
        Look { mono: mono_ms * MS, wall: (mono_ms + set_ms) * MS }
    }

    /// Ahead by 300 ms: the clock shows the same for 300 ms, and then goes on.
    #[test]
    fn a_clock_that_is_ahead_is_held() {
        let mut clock = clock(Discipline::Hold);
        clock.read(look(1_000, 0));
        clock.correct(-300 * MS, Some(MS));
        let shown = [1_000, 1_100, 1_300, 1_500].map(|ms| clock.read(look(ms, 0)) / MS);
        assert_eq!(shown, [1_000, 1_000, 1_000, 1_200]);
        assert_eq!(clock.remaining(), 0);
    }

    /// At 5 % it takes 2 s to make 100 ms up; meanwhile the claim covers what is left.
    #[test]
    fn a_slewed_clock_runs_faster_until_it_is_right() {
        let mut clock = clock(Discipline::Slew);
        clock.read(look(0, 0));
        clock.correct(100 * MS, Some(MS));
        assert_eq!(clock.read(look(1_000, 0)) / MS, 1_050);
        assert_eq!(clock.error_bound().map(|bound| bound / MS), Some(51));
        assert_eq!(clock.read(look(3_000, 0)) / MS, 3_100);
    }

    /// Somebody sets the wall clock back by an hour: the disciplined clock stands still, and says
    /// by how much it may be wrong.
    #[test]
    fn a_hand_on_the_clock_is_noticed() {
        const HOUR_MS: i64 = 3_600_000;
        let mut clock = clock(Discipline::Hold);
        clock.read(look(1_000, 0));
        clock.correct(0, Some(MS));
        let shown = clock.read(look(2_000, -HOUR_MS));
        assert_eq!(shown / MS, 1_000);
        assert!(clock.error_bound() > Some(HOUR_MS * MS));
        clock.correct(1_000 * MS, Some(MS));
        assert_eq!(clock.read(look(2_500, -HOUR_MS)) / MS, 2_500);
    }

    /// A stopped clock shows the same, whatever the discipline, and is wrong by as long as it
    /// stood.
    #[test]
    fn a_clock_that_is_edited_stands_still() {
        for discipline in [Discipline::Step, Discipline::Slew, Discipline::Hold] {
            let mut clock = clock(discipline);
            clock.stop(look(1_000, 0), true);
            assert_eq!(clock.read(look(1_700, 0)) / MS, 1_000);
            clock.stop(look(2_000, 0), false);
            assert_eq!(clock.read(look(2_500, 0)) / MS, 1_500, "{discipline:?}");
        }
    }
}
