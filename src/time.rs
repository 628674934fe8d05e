//! Time in a run: true virtual time, which only the testbed sees, and the readings of a node's own
//! clocks.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// True virtual time since the start of the run, in nanoseconds. Checkers and plots use it; nodes
/// never see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// A reading of a node's monotonic clock, in nanoseconds since the node's power-on. It follows the
/// node's drift and never goes back; readings of different nodes cannot be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(u64);

/// A reading of a node's wall clock, in nanoseconds since 1970-01-01T00:00:00Z. The clock can be
/// wrong, step and stand still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(i64);

/// The true date at which every run starts, 2026-01-01T00:00:00Z, in nanoseconds since 1970.
pub const RUN_BEGINS: WallTime = WallTime(1_767_225_600_000_000_000);

macro_rules! instant {
    ($name:ident) => {
        impl $name {
            /// The origin of this clock.
            pub const ZERO: $name = $name(0);

            /// The reading `nanos` nanoseconds after the origin.
            #[inline]
            pub const fn from_nanos(nanos: u64) -> Self {
                $name(nanos)
            }

            /// The reading `micros` microseconds after the origin.
            #[inline]
            pub const fn from_micros(micros: u64) -> Self {
                $name(micros * 1_000)
            }

            /// Nanoseconds since the origin.
            #[inline]
            pub const fn as_nanos(self) -> u64 {
                self.0
            }

            /// Whole microseconds since the origin, rounded down: the unit of every trace.
            #[inline]
            pub const fn as_micros(self) -> u64 {
                self.0 / 1_000
            }

            /// The time since `earlier`, or zero if `earlier` is later.
            pub fn saturating_since(self, earlier: Self) -> Duration {
                Duration::from_nanos(self.0.saturating_sub(earlier.0))
            }
        }

        impl Add<Duration> for $name {
            type Output = $name;
            #[inline]
            fn add(self, duration: Duration) -> $name {
                $name(self.0.saturating_add(nanos(duration)))
            }
        }

        impl Sub<$name> for $name {
            type Output = Duration;
            fn sub(self, earlier: $name) -> Duration {
                Duration::from_nanos(
                    self.0.checked_sub(earlier.0).expect("subtraction of a later instant"),
                )
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}.{:06}s", self.0 / 1_000_000_000, self.0 / 1_000 % 1_000_000)
            }
        }
    };
}

instant!(Time);
instant!(LocalTime);

impl WallTime {
    /// The reading `nanos` nanoseconds after 1970-01-01T00:00:00Z.
    #[inline]
    pub const fn from_nanos(nanos: i64) -> Self {
        WallTime(nanos)
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    #[inline]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// This reading moved by `nanos`, which may be negative.
    #[inline]
    pub const fn shifted(self, nanos: i64) -> Self {
        WallTime(self.0.saturating_add(nanos))
    }
}

/// A duration in whole nanoseconds, saturating at 584 years.
#[inline]
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
