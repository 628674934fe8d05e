//! What the answer to a probe tells: the hour at its arrival, and how far from the truth that can
//! be.
//!
//! A probe leaves at `t0` and its answer, which shows the server's hour `T`, arrives at `t1`, both
//! on the monotonic clock. The answer has been under way for at least `min` and at most for `t1 -
//! t0 - min`; the middle of that interval is `T + (t1 - t0)/2`, and it is wrong by at most `(t1 -
//! t0)/2 - min`. Nothing better can be said: when all of the delay lies on one way, the error is
//! the bound.

use super::defects::{Defect, Planted};
use super::settings::{Algorithm, CristianSettings};
use super::soft_clock::growth;

/// The answer to one probe. Times in ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The number of the answer.
    pub nonce: u64,
    /// When the probe left, monotonic.
    pub t0: i64,
    /// When the answer arrived, monotonic.
    pub t1: i64,
    /// The server's hour when the probe came.
    pub t2: i64,
    /// The server's hour when the answer left.
    pub t3: i64,
    /// How far the server's own hour may be from true time, if it says so.
    pub root: Option<i64>,
    /// The round trip as the asker counts it, which is `t1 - t0` unless it counts by another clock.
    pub rtt: i64,
}

/// What a round has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The sample that counts.
    pub sample: Sample,
    /// The hour minus the monotonic clock.
    pub offset: i64,
    /// The error of that at `t1`, without the server's own.
    pub error: i64,
    /// All samples, as delay and offset.
    pub samples: Vec<(i64, i64)>,
}

/// The part of the round trip in which the messages were under way.
pub fn delay(algorithm: Algorithm, sample: &Sample) -> i64 {
    match algorithm {
        Algorithm::Ntp => sample.rtt - (sample.t3 - sample.t2),
        _ => sample.rtt,
    }
}

/// The hour minus the monotonic clock, by one sample.
fn offset(planted: Planted, algorithm: Algorithm, sample: &Sample) -> i64 {
    match algorithm {
        Algorithm::Ntp => ntp_offset(planted, sample),
        // Cristian 1989: the answer is as old as half of the round trip, give or take.
        _ => {
            let mut age = sample.rtt / 2;
            if planted.plants(Defect::NoRtt) {
                age = 0;
            } else if planted.plants(Defect::FullRtt) {
                age = sample.rtt;
            }
            sample.t3 + age - sample.t1
        }
    }
}

/// RFC 5905 §8: `((t2 - t1) + (t3 - t4)) / 2`.
fn ntp_offset(planted: Planted, sample: &Sample) -> i64 {
    let (t1, t2, t3, t4) = (sample.t0, sample.t2, sample.t3, sample.t1);
    if planted.plants(Defect::NoRtt) {
        return t3 - t4;
    }
    let way = t4 - t1 - (t3 - t2);
    let sent = if planted.plants(Defect::FullRtt) { t3 + way } else { t3 };
    let offset = ((t2 - t1) + (sent - t4)) / 2;
    if planted.plants(Defect::OffsetReversed) { t3 - (offset - (t3 - t4)) - t4 } else { offset }
}

/// The least one-way delay that bounds count on: what the scenario declares, and nothing that was
/// measured.
fn least_delay(planted: Planted, declared: i64, delays: &[i64]) -> i64 {
    if planted.plants(Defect::AsymmetricBlind) {
        return delays.iter().min().map_or(declared, |least| least / 2);
    }
    if !delays.is_empty() && planted.plants(Defect::MinOverestimated) {
        return delays.iter().sum::<i64>() / delays.len() as i64 / 2;
    }
    declared
}

/// The bound `D/2 - min`, and what both oscillators may have gained or lost meanwhile.
pub fn error_of(settings: &CristianSettings, delay: i64, rtt: i64, delays: &[i64]) -> i64 {
    let min = least_delay(settings.planted, settings.min_delay.as_nanos() as i64, delays);
    delay / 2 - min + 2 * growth(rtt, settings.drift_bound_ppm)
}

/// What the samples of a round tell. `delays` are all that this machine has seen, newest last.
pub fn estimate(
    settings: &CristianSettings,
    algorithm: Algorithm,
    samples: &[Sample],
    delays: &[i64],
) -> Option<Estimate> {
    let planted = settings.planted;
    let all: Vec<(i64, i64)> = samples
        .iter()
        .map(|sample| (delay(algorithm, sample), offset(planted, algorithm, sample)))
        .collect();
    let best = (0..samples.len()).min_by_key(|i| all[*i].0)?;
    let sample = samples[best];
    // A round goes by its best sample.
    let mut offset = all[best].1;
    if all.len() > 1 && planted.plants(Defect::MeanOfSamples) {
        // Summed around the best one, so that the sum stays small.
        let apart = all.iter().map(|(_, other)| other - offset).sum::<i64>();
        offset += apart / all.len() as i64;
    }
    let error = error_of(settings, all[best].0, sample.rtt, delays);
    Some(Estimate { sample, offset, error, samples: all })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn settings() -> CristianSettings {
        CristianSettings { drift_bound_ppm: 0, ..CristianSettings::default() }
    }

    /// The true hour is the monotonic reading plus 1,000 ms.
    fn sample(there: i64, held: i64, back: i64) -> Sample {
        let (t2, t3, rtt) = (1_000 + there, 1_000 + there + held, there + held + back);
        Sample {
            nonce: 1,
            t0: 0,
            t1: rtt * MS,
            t2: t2 * MS,
            t3: t3 * MS,
            root: Some(0),
            rtt: rtt * MS,
        }
    }

    fn error_and_bound(algorithm: Algorithm, samples: &[Sample]) -> (i64, i64) {
        let estimate = estimate(&settings(), algorithm, samples, &[]).expect("there is a sample");
        ((estimate.offset - 1_000 * MS) / MS, estimate.error / MS)
    }

    /// Equal ways leave no error. With all of the delay on one way it is the bound itself, and
    /// never more.
    #[test]
    fn the_error_is_at_most_half_the_round_trip_without_the_least_delay() {
        assert_eq!(error_and_bound(Algorithm::Cristian, &[sample(5, 0, 5)]), (0, 4));
        assert_eq!(error_and_bound(Algorithm::Cristian, &[sample(9, 0, 1)]), (4, 4));
        assert_eq!(error_and_bound(Algorithm::Cristian, &[sample(1, 0, 9)]), (-4, 4));
    }

    /// A server that takes 20 ms to answer makes Cristian's bound 10 ms wider; four timestamps take
    /// that out.
    #[test]
    fn four_timestamps_do_not_count_the_servers_own_time() {
        assert_eq!(error_and_bound(Algorithm::Cristian, &[sample(3, 20, 5)]).1, 13);
        assert_eq!(error_and_bound(Algorithm::Ntp, &[sample(3, 20, 5)]), (-1, 3));
    }

    /// The sample with the shortest round trip leaves the least room for an error.
    #[test]
    fn the_shortest_round_trip_counts() {
        let samples = [sample(9, 0, 1), sample(2, 0, 2), sample(1, 0, 7)];
        assert_eq!(error_and_bound(Algorithm::BestOfN, &samples), (0, 1));
    }
}
