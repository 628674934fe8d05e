//! Distributions of delays, and how they are drawn.

use std::time::Duration;

use crate::rng::Rng;
use crate::time::nanos;

/// A distribution of durations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// Always the same.
    Constant(Duration),
    /// Any value between two, alike.
    Uniform(Duration, Duration),
    /// `min` plus an exponential with this mean.
    Exponential {
        /// The least value.
        min: Duration,
        /// The mean of what is added.
        mean: Duration,
    },
    /// The normal distribution, cut at `min`.
    Normal {
        /// The mean.
        mean: Duration,
        /// The standard deviation.
        sd: Duration,
        /// The least value.
        min: Duration,
    },
    /// `min` plus a lognormal.
    Lognormal {
        /// Half of the values lie below.
        median: Duration,
        /// 99 of 100 lie below.
        p99: Duration,
        /// The least value.
        min: Duration,
    },
    /// A Pareto distribution: heavy tails.
    Pareto {
        /// The least value, the scale.
        min: Duration,
        /// The shape; the smaller, the heavier the tail. Above 0.
        alpha: f64,
    },
}

impl Latency {
    /// The greatest value, if there is one.
    pub fn bound(&self) -> Option<Duration> {
        match *self {
            Latency::Constant(value) => Some(value),
            Latency::Uniform(_, max) => Some(max),
            _ => None,
        }
    }

    /// Draw a delay. Where many are drawn, make a [`Sampler`] once.
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        Duration::from_nanos(Sampler::new(self).draw(rng))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Percentiles of ten thousand draws lie where the distribution's parameters say.
    #[test]
    fn a_lognormal_has_its_median_and_its_99th_percentile() {
        let ms = Duration::from_millis;
        let latency = Latency::Lognormal { median: ms(5), p99: ms(25), min: Duration::ZERO };
        let mut rng = Rng::named(7, "test");
        let mut drawn: Vec<u64> = (0..10_000).map(|_| nanos(latency.draw(&mut rng))).collect();
        drawn.sort_unstable();
        assert!((4_800_000..5_200_000).contains(&drawn[5_000]), "median {}", drawn[5_000]);
        assert!((23_000_000..27_500_000).contains(&drawn[9_900]), "p99 {}", drawn[9_900]);
    }
}
