//! A node's clock: an oscillator that drifts, a monotonic reading that follows it, and a wall clock
//! that can also be set.
//!
//! Invariant: the monotonic reading is continuous and never goes back, whatever is done to drift
//! and wall clock. All arithmetic is in whole nanoseconds and parts per billion, hence exact.

use crate::time::{LocalTime, RUN_BEGINS, Time, WallTime};

/// Parts of a billion.
const BILLION: i128 = 1_000_000_000;

/// The slowest oscillator: half speed. The fastest is its mirror image.
const PPB_MAX: i64 = 500_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// From here on, the drift has been `ppb`.
    anchor: Time,
    local_at_anchor: LocalTime,
    ppb: i64,
    /// What the drift was at the start, to go back to.
    initial_ppb: i64,
    /// The wall clock shows the monotonic reading plus this, ns.
    wall_base: i64,
    /// What the wall clock shows while it stands still.
    frozen: Option<WallTime>,
}

impl Clock {
    /// A clock that is wrong by `offset_ns` at the start and drifts by `ppm` (cut to half and one
    /// and a half times the true speed).
    pub(crate) fn new(offset_ns: i64, ppm: f64) -> Clock {
        let ppb = ppb(ppm);
        let wall_base = RUN_BEGINS.shifted(offset_ns).as_nanos();
        Clock {
            anchor: Time::ZERO,
            local_at_anchor: LocalTime::ZERO,
            ppb,
            initial_ppb: ppb,
            wall_base,
            frozen: None,
        }
    }

    /// The monotonic reading.
    #[inline]
    pub(crate) fn local(&self, now: Time) -> LocalTime {
        let elapsed = now.as_nanos() - self.anchor.as_nanos();
        if self.ppb == 0 {
            return LocalTime::from_nanos(self.local_at_anchor.as_nanos() + elapsed);
        }
        let gained = i128::from(elapsed) * (BILLION + i128::from(self.ppb)) / BILLION;
        LocalTime::from_nanos(
            self.local_at_anchor.as_nanos()
                + u64::try_from(gained).expect("a clock that runs forward"),
        )
    }

    /// The true time at which the monotonic reading first reaches `local`; `now` where it has
    /// already.
    #[inline]
    pub(crate) fn when(&self, local: LocalTime, now: Time) -> Time {
        let ahead = local.as_nanos().saturating_sub(self.local_at_anchor.as_nanos());
        let elapsed = if self.ppb == 0 {
            i128::from(ahead)
        } else {
            let rate = BILLION + i128::from(self.ppb);
            (i128::from(ahead) * BILLION + rate - 1) / rate
        };
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        Time::from_nanos(self.anchor.as_nanos().saturating_add(elapsed)).max(now)
    }

    /// The wall clock.
    #[inline]
    pub(crate) fn wall(&self, now: Time) -> WallTime {
        self.frozen.unwrap_or_else(|| {
            WallTime::from_nanos(self.wall_base).shifted(self.local(now).as_nanos() as i64)
        })
    }

    /// Wall clock minus true time, ns.
    pub(crate) fn offset_ns(&self, now: Time) -> i64 {
        self.wall(now).as_nanos() - RUN_BEGINS.as_nanos() - now.as_nanos() as i64
    }

    /// The drift in force, parts per million, rounded towards zero.
    pub(crate) fn drift_ppm(&self) -> i64 {
        self.ppb / 1_000
    }

    /// Change the drift from now on; `None` goes back to the first one.
    pub(crate) fn set_drift(&mut self, now: Time, ppm: Option<f64>) {
        self.local_at_anchor = self.local(now);
        self.anchor = now;
        self.ppb = ppm.map_or(self.initial_ppb, ppb);
    }

    /// Step the wall clock. A clock that stands still steps too.
    pub(crate) fn step(&mut self, by_ns: i64) {
        self.wall_base = self.wall_base.saturating_add(by_ns);
        self.frozen = self.frozen.map(|wall| wall.shifted(by_ns));
    }

    /// Stop the wall clock, or let it go on from where it stands.
    pub(crate) fn freeze(&mut self, now: Time, frozen: bool) {
        match (frozen, self.frozen) {
            (true, None) => self.frozen = Some(self.wall(now)),
            (false, Some(wall)) => {
                self.frozen = None;
                self.wall_base = wall.as_nanos() - self.local(now).as_nanos() as i64;
            }
            _ => {}
        }
    }

    /// Put the wall clock right.
    pub(crate) fn reset(&mut self, now: Time) {
        self.step(-self.offset_ns(now));
    }
}

fn ppb(ppm: f64) -> i64 {
    ((ppm * 1_000.0) as i64).clamp(-PPB_MAX, PPB_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// At +100 ppm, ten seconds on the node's clock pass in 10 / 1.0001 true seconds.
    #[test]
    fn a_fast_clock_reaches_a_deadline_early() {
        let clock = Clock::new(0, 100.0);
        let when = clock.when(LocalTime::from_nanos(10 * SECOND), Time::ZERO);
        assert_eq!(when.as_nanos(), 9_999_000_100);
        assert!(clock.local(when) >= LocalTime::from_nanos(10 * SECOND));
    }

    /// Half of ten seconds at normal speed, the other half at double speed (cut to 1.5): 5 s + 5 s
    /// / 1.5.
    #[test]
    fn a_change_of_drift_moves_a_deadline_that_is_waited_for() {
        let mut clock = Clock::new(0, 0.0);
        clock.set_drift(Time::from_nanos(5 * SECOND), Some(1_000_000.0));
        let when = clock.when(LocalTime::from_nanos(10 * SECOND), Time::from_nanos(5 * SECOND));
        assert_eq!(when.as_nanos(), 8_333_333_334);
    }

    /// Steps, freezes and resets of the wall clock leave the monotonic clock alone.
    #[test]
    fn the_wall_clock_can_be_set_and_the_monotonic_clock_cannot() {
        let mut clock = Clock::new(-200, 0.0);
        let at = |s: u64| Time::from_nanos(s * SECOND);
        assert_eq!(clock.offset_ns(at(1)), -200);
        clock.step(500);
        assert_eq!(clock.offset_ns(at(2)), 300);
        clock.freeze(at(2), true);
        assert_eq!(clock.offset_ns(at(5)), 300 - 3 * SECOND as i64);
        clock.freeze(at(5), false);
        assert_eq!(clock.offset_ns(at(9)), 300 - 3 * SECOND as i64);
        clock.reset(at(9));
        assert_eq!(clock.offset_ns(at(10)), 0);
        assert_eq!(clock.local(at(10)).as_nanos(), 10 * SECOND);
    }
}
