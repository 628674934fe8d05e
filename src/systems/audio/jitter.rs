//! Interarrival jitter (RFC 3550 §6.4.1 and A.8): how unevenly frames arrive that were sent evenly.
//!
//! Arrival and media time are on different clocks, but only differences count: `D` is how much
//! later a frame came after the one before than it was meant to. The estimate `J` follows `|D|`
//! with a gain of 1/16, in whole numbers and with 4 places behind the point, as in A.8.

use super::defects::{Defect, Planted};

/// The estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter {
    /// Arrival minus media time of the frame before, µs.
    transit_us: Option<i64>,
    /// Sixteenths of a microsecond.
    scaled: i64,
}

impl Jitter {
    /// A frame has come.
    pub fn arrived(&mut self, arrival_us: i64, media_us: i64, planted: Planted) {
        let transit_us = arrival_us.wrapping_sub(media_us);
        if let Some(before) = self.transit_us.replace(transit_us) {
            let apart = transit_us.wrapping_sub(before).saturating_abs();
            let next = next_jitter(self.scaled, apart);
            let sum = self.scaled.saturating_add(apart);
            self.scaled =
                if sum != next && planted.plants(Defect::JitterGain) { sum } else { next };
        }
    }

    /// What follows comes from another sender, whose clock begins elsewhere.
    pub fn another_source(&mut self) {
        self.transit_us = None;
    }

    /// The estimate, µs.
    pub fn us(self) -> i64 {
        self.scaled >> 4
    }
}

/// The next estimate by RFC 3550 A.8, in sixteenths.
pub fn next_jitter(scaled: i64, apart_us: i64) -> i64 {
    scaled.saturating_add(apart_us.saturating_sub(scaled.saturating_add(8) >> 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames 20 ms apart that arrive 20 ms apart have no jitter, however late they all are; delays
    /// that differ by 10 ms each time approach 10 ms.
    #[test]
    fn only_differences_of_delay_count() {
        let mut jitter = Jitter::default();
        (0..100)
            .for_each(|i| jitter.arrived(7_000_000 + 20_000 * i, 20_000 * i, Planted::default()));
        assert_eq!(jitter.us(), 0);
        (0..200).for_each(|i| {
            jitter.arrived(20_000 * i + 10_000 * (i % 2), 20_000 * i, Planted::default())
        });
        assert!((9_900..=10_100).contains(&jitter.us()), "{}", jitter.us());
    }
}
