//! The retransmission time-out of RFC 6298, in whole nanoseconds.

use std::time::Duration;

use crate::scenario::StreamSpec;
use crate::time::nanos;

/// The estimate of the round trip, and how often the time-out has been doubled since the last one.
#[derive(Clone, Debug)]
pub(super) struct Rto {
    min: u64,
    max: u64,
    /// Smoothed round-trip time and its variation, ns.
    estimate: Option<(u64, u64)>,
    doublings: u32,
}

impl Rto {
    pub(super) fn new(spec: &StreamSpec) -> Self {
        let max = nanos(spec.rto_max);
        Rto { min: nanos(spec.rto).min(max), max, estimate: None, doublings: 0 }
    }

    /// A segment was acknowledged after this time. The timestamps tell which copy of it, so that
    /// Karn's rule (no samples of retransmitted segments) is not needed, and a network slower than
    /// the first time-out is learned from its first answer.
    pub(super) fn sample(&mut self, round_trip: Duration) {
        let sample = nanos(round_trip).min(self.max);
        self.doublings = 0;
        self.estimate = Some(match self.estimate {
            None => (sample, sample / 2),
            // RFC 6298 (2.3): beta = 1/4 with the old mean, then alpha = 1/8.
            Some((mean, variation)) => {
                ((mean * 7 + sample) / 8, (variation * 3 + mean.abs_diff(sample)) / 4)
            }
        });
    }

    /// The time-out has passed without an answer.
    pub(super) fn double(&mut self) {
        self.doublings = self.doublings.saturating_add(1);
    }

    /// What the doubling was for is over, without a sample.
    pub(super) fn forget_doublings(&mut self) {
        self.doublings = 0;
    }

    pub(super) fn current(&self) -> Duration {
        let base = self
            .estimate
            .map_or(self.min, |(mean, variation)| mean.saturating_add(variation.saturating_mul(4)));
        let base = base.clamp(self.min, self.max);
        let factor = 1_u64.checked_shl(self.doublings).unwrap_or(u64::MAX);
        Duration::from_nanos(base.saturating_mul(factor).min(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn spec() -> StreamSpec {
        StreamSpec { rto: ms(200), rto_max: ms(10_000), ..StreamSpec::default() }
    }

    /// RFC 6298 (5.5) doubles the time-out; it ends at the scenario's maximum, and any answer
    /// brings it back.
    #[test]
    fn the_time_out_doubles_up_to_its_maximum_and_falls_with_an_answer() {
        let mut rto = Rto::new(&spec());
        let mut seen = vec![];
        for _ in 0..8 {
            seen.push(rto.current().as_millis());
            rto.double();
        }
        assert_eq!(seen, [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        rto.sample(ms(50));
        assert_eq!(rto.current(), ms(200));
    }

    /// RFC 6298 (2.2) and (2.3), computed by hand: 400 gives 400 + 4 · 200; then 560 gives a
    /// variation of (3 · 200 + 160) / 4 = 190 and a mean of (7 · 400 + 560) / 8 = 420.
    #[test]
    fn the_estimate_follows_the_published_formulas() {
        let mut rto = Rto::new(&spec());
        rto.sample(ms(400));
        assert_eq!(rto.current(), ms(1_200));
        rto.sample(ms(560));
        assert_eq!(rto.current(), ms(420 + 4 * 190));
    }
}
