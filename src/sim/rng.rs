//! Randomness: one seed, split into named streams.
//!
//! A stream is ChaCha8 under the run's seed, with the hash of the stream's name as its nonce. So
//! `node:n3` draws the same numbers whatever other nodes, faults or clients a scenario has. All
//! draws are integer arithmetic or exact floating point (plus `libm`), and therefore the same on
//! every machine; the few lines below are our own because a library's `random_range` may change its
//! numbers with a minor version.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use xxhash_rust::xxh3::xxh3_64;

use crate::scenario::Latency;
use crate::time::nanos;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Rng {
    chacha: ChaCha8Rng,
}

impl Rng {
    /// The stream of this name under this seed.
    pub fn named(seed: u64, name: &str) -> Rng {
        let mut chacha = ChaCha8Rng::seed_from_u64(seed);
        chacha.set_stream(xxh3_64(name.as_bytes()));
        Rng { chacha }
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.chacha.next_u64()
    }

    /// A number below `bound`, all alike. Panics for a bound of zero.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below zero");
        // Lemire: the high half of a product, drawn again in the rare case that would prefer some
        // numbers.
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number from `min` to `max`, both included.
    #[inline]
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        assert!(min <= max, "an empty range: {min} to {max}");
        match (max - min).checked_add(1) {
            Some(width) => min + self.below(width),
            None => self.bits(),
        }
    }

    /// A number of the half-open unit interval, in steps of 2⁻⁵³.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// `true` with this probability. Draws nothing for 0 and 1, so that a fault that is off costs
    /// nothing and shifts nothing.
    #[inline]
    pub fn chance(&mut self, probability: f64) -> bool {
        if probability <= 0.0 {
            return false;
        }
        probability >= 1.0 || self.unit() < probability
    }

    /// A number of a range of numbers, `min` where the range is a point.
    pub fn amount(&mut self, min: f64, max: f64) -> f64 {
        if min >= max { min } else { min + (max - min) * self.unit() }
    }

    /// A duration from `min` to `max`, in nanoseconds; `min` where the range is empty.
    pub fn duration(&mut self, min: Duration, max: Duration) -> Duration {
        if min >= max { min } else { Duration::from_nanos(self.between(nanos(min), nanos(max))) }
    }

    /// One element, or `None` of an empty slice.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len() as u64) as usize) }
    }

    /// Put a slice into a random order.
    pub fn shuffle<T>(&mut self, slice: &mut [T]) {
        for last in (1..slice.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            slice.swap(last, other);
        }
    }

    /// A standard normal number, by inversion of the distribution function (Wichura, algorithm AS
    /// 241, 1988): one draw each.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        normal_quantile((self.unit() * (1.0 - f64::EPSILON)) + 0.5 / (1_u64 << 53) as f64)
    }

    /// A delay of this distribution. Where many are drawn, make a [`Sampler`] once.
    pub fn latency(&mut self, latency: &Latency) -> Duration {
        Duration::from_nanos(Sampler::new(latency).draw(self))
    }
}

/// A distribution of delays with its constants worked out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sampler {
    Constant(u64),
    Uniform(u64, u64),
    Exponential { min: u64, mean: f64 },
    Normal { mean: f64, sd: f64, min: u64 },
    Lognormal { min: u64, median: f64, sigma: f64 },
    Pareto { min: f64, exponent: f64 },
}

impl Sampler {
    pub(crate) fn new(latency: &Latency) -> Sampler {
        match *latency {
            Latency::Constant(value) => Sampler::Constant(nanos(value)),
            Latency::Uniform(min, max) => Sampler::Uniform(nanos(min), nanos(max).max(nanos(min))),
            Latency::Exponential { min, mean } => {
                Sampler::Exponential { min: nanos(min), mean: nanos(mean) as f64 }
            }
            Latency::Normal { mean, sd, min } => {
                Sampler::Normal { mean: nanos(mean) as f64, sd: nanos(sd) as f64, min: nanos(min) }
            }
            Latency::Lognormal { median, p99, min } => {
                let median = nanos(median).max(1) as f64;
                Sampler::Lognormal {
                    min: nanos(min),
                    median,
                    sigma: libm::log(nanos(p99) as f64 / median) / Z99,
                }
            }
            Latency::Pareto { min, alpha } => {
                Sampler::Pareto { min: nanos(min) as f64, exponent: -1.0 / alpha }
            }
        }
    }

    /// A delay in nanoseconds. A constant draws nothing.
    #[inline]
    pub(crate) fn draw(&self, rng: &mut Rng) -> u64 {
        match *self {
            Sampler::Constant(value) => value,
            Sampler::Uniform(min, max) => rng.between(min, max),
            Sampler::Exponential { min, mean } => min + whole(-mean * libm::log(1.0 - rng.unit())),
            Sampler::Normal { mean, sd, min } => whole(mean + sd * rng.normal()).max(min),
            Sampler::Lognormal { min, median, sigma } => {
                min + whole(median * libm::exp(sigma * rng.normal()))
            }
            Sampler::Pareto { min, exponent } => whole(min * libm::pow(1.0 - rng.unit(), exponent)),
        }
    }
}

fn whole(nanos: f64) -> u64 {
    nanos.clamp(0.0, LATENCY_MAX_NS) as u64
}

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

/// No delay is longer than this, however heavy a distribution's tail: an hour of virtual time.
const LATENCY_MAX_NS: f64 = 3_600e9;

/// The quantile function of the standard normal distribution, AS 241 (PPND16): relative error about
/// 1e-16.
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE_A, r) / polynomial(&CENTRE_B, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let magnitude = if r <= 5.0 {
        polynomial(&MIDDLE_C, r - 1.6) / polynomial(&MIDDLE_D, r - 1.6)
    } else {
        polynomial(&TAIL_E, r - 5.0) / polynomial(&TAIL_F, r - 5.0)
    };
    if q < 0.0 { -magnitude } else { magnitude }
}

/// Horner's scheme, the constant first.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

const CENTRE_A: [f64; 8] = [
    3.387_132_872_796_366_5,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_B: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_659_7e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_545e3,
];
const MIDDLE_C: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const MIDDLE_D: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const TAIL_E: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const TAIL_F: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_7e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The streams of two names share nothing, and a stream depends on nothing but seed and name.
    #[test]
    fn a_stream_is_its_seed_and_its_name() {
        let draw = |seed, name| Rng::named(seed, name).bits();
        assert_eq!(draw(1, "node:n1"), draw(1, "node:n1"));
        assert_ne!(draw(1, "node:n1"), draw(1, "node:n2"));
        assert_ne!(draw(1, "node:n1"), draw(2, "node:n1"));
    }

    /// These numbers are part of the format: a change would give every scenario another run.
    #[test]
    fn the_numbers_of_a_stream_never_change() {
        let mut rng = Rng::named(42, "network:n1");
        let drawn = [rng.bits(), rng.below(1_000), rng.between(5, 9), (rng.normal() * 1e12) as u64];
        insta::assert_debug_snapshot!(drawn);
    }

    /// Wichura's paper gives these values to check an implementation by.
    #[test]
    fn the_normal_quantile_agrees_with_the_published_values() {
        for (p, z) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-14, "at {p}: {}", normal_quantile(p));
        }
    }

    /// Percentiles of ten thousand draws lie where the distribution's parameters say.
    #[test]
    fn a_lognormal_has_its_median_and_its_99th_percentile() {
        let ms = Duration::from_millis;
        let latency = Latency::Lognormal { median: ms(5), p99: ms(25), min: Duration::ZERO };
        let mut rng = Rng::named(7, "test");
        let mut drawn: Vec<u64> = (0..10_000).map(|_| nanos(rng.latency(&latency))).collect();
        drawn.sort_unstable();
        assert!((4_800_000..5_200_000).contains(&drawn[5_000]), "median {}", drawn[5_000]);
        assert!((23_000_000..27_500_000).contains(&drawn[9_900]), "p99 {}", drawn[9_900]);
    }

    /// A bound that is no power of two is reached by every value, and never met.
    #[test]
    fn below_covers_its_range_evenly() {
        let mut rng = Rng::named(3, "test");
        let mut counts = [0_u32; 6];
        for _ in 0..6_000 {
            counts[rng.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
