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
}

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

    /// A bound that is not a power of two is reached by every value, and never met.
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
