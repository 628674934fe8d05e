//! Axes: the position of a value, and the labels. Labels are integers; the unit is chosen so that
//! they are.

use std::fmt::Write as _;

/// Time from left to right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeAxis {
    pub(crate) from_us: u64,
    pub(crate) to_us: u64,
    pub(crate) left: f64,
    pub(crate) right: f64,
}

impl TimeAxis {
    /// The position of a time, clamped to the axis.
    pub(crate) fn x(&self, time_us: u64) -> f64 {
        let span = self.to_us.saturating_sub(self.from_us).max(1);
        let since = time_us.clamp(self.from_us, self.to_us.max(self.from_us)) - self.from_us;
        self.left + (self.right - self.left) * since as f64 / span as f64
    }

    /// The labelled times, with the unit that makes them integers: `("s", [(5_000_000, "5"), …])`.
    pub(crate) fn ticks(&self) -> (&'static str, Vec<(u64, String)>) {
        const TICKS_MAX: u64 = 11;
        let step = nice_step(self.to_us.saturating_sub(self.from_us) / TICKS_MAX);
        let (unit, unit_us) = match step {
            1_000_000.. => ("s", 1_000_000),
            1_000.. => ("ms", 1_000),
            _ => ("µs", 1),
        };
        let mut ticks = Vec::new();
        let mut tick = self.from_us.div_ceil(step).saturating_mul(step);
        while tick <= self.to_us && ticks.len() <= 2 * TICKS_MAX as usize {
            ticks.push((tick, grouped(i64::try_from(tick / unit_us).unwrap_or(i64::MAX))));
            match tick.checked_add(step) {
                Some(next) => tick = next,
                None => break,
            }
        }
        (unit, ticks)
    }
}

/// The smallest of 1, 2, 5, 10, 20, … above `least`.
pub(crate) fn nice_step(least: u64) -> u64 {
    let mut decade = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let step = decade.saturating_mul(factor);
            if step > least || step == u64::MAX {
                return step;
            }
        }
        decade = decade.saturating_mul(10);
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('−');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        let _ = text.write_char(digit);
    }
    text
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Linear,
    /// Equal ratios are equal distances.
    Log,
    /// Like [`Shape::Log`] of the value plus one, so that 0 has a position.
    LogFromZero,
}

/// Values from bottom to top.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    shape: Shape,
    low: f64,
    high: f64,
    /// The labelled values, with their texts.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Equal steps, from a round number at or below `low` to one at or above `high`.
    pub(crate) fn linear(low: f64, high: f64, ticks_max: u32) -> Self {
        // Beyond this, doubles cannot represent all integers.
        const WHOLE_MAX: f64 = 9e15;
        let whole =
            |value: f64| if value.is_nan() { 0.0 } else { value.clamp(-WHOLE_MAX, WHOLE_MAX) };
        let (low, high) = (whole(low).floor(), whole(high).ceil());
        let high = if high > low { high } else { low + 1.0 };
        let step =
            nice_step(((high - low) / f64::from(ticks_max.max(1))).ceil().max(1.0) as u64 - 1)
                as f64;
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let count = (last - first).clamp(1.0, 100.0) as i64;
        let ticks = (0..=count)
            .map(|i| (first + i as f64) * step)
            .map(|value| (value, grouped(value as i64)))
            .collect();
        Scale { shape: Shape::Linear, low: first * step, high: last * step, ticks }
    }

    /// Equal ratios, for values above 0.
    pub(crate) fn log(low: f64, high: f64) -> Self {
        let (low, high) = (low.clamp(1.0, 1e15), high.clamp(1.0, 1e15));
        let steps: Vec<f64> = one_two_five();
        let first = steps.iter().rposition(|step| *step <= low).unwrap_or(0);
        let last = steps
            .iter()
            .position(|step| *step >= high)
            .unwrap_or(steps.len() - 1)
            .max(first + 1)
            .min(steps.len() - 1);
        // Over more than three decades the labels 2 and 5 would be too close.
        let all = last - first <= 10;
        let ticks = (first..=last)
            .filter(|i| all || i.is_multiple_of(3))
            .map(|i| (steps[i], grouped(steps[i] as i64)))
            .collect();
        Scale { shape: Shape::Log, low: steps[first], high: steps[last], ticks }
    }

    /// Nearly equal ratios, with a position for 0; small numbers stay visible next to large ones.
    pub(crate) fn log_from_zero(high: f64) -> Self {
        let steps = one_two_five();
        let last = steps.iter().position(|step| *step >= high).unwrap_or(steps.len() - 1);
        let all = last <= 10;
        let shown = (0..=last).filter(|i| all || i.is_multiple_of(3)).map(|i| steps[i]);
        let ticks =
            std::iter::once(0.0).chain(shown).map(|value| (value, grouped(value as i64))).collect();
        Scale { shape: Shape::LogFromZero, low: 0.0, high: steps[last], ticks }
    }

    /// The position of a value, from 0 (bottom) to 1 (top).
    pub(crate) fn part(&self, value: f64) -> f64 {
        let value = if value.is_nan() { self.low } else { value.clamp(self.low, self.high) };
        let place = |value: f64| match self.shape {
            Shape::Linear => value,
            Shape::Log => libm::log(value),
            Shape::LogFromZero => libm::log(value + 1.0),
        };
        let (low, high) = (place(self.low), place(self.high));
        if high > low { (place(value) - low) / (high - low) } else { 0.0 }
    }
}

/// 1, 2, 5, 10, … up to 10^15.
fn one_two_five() -> Vec<f64> {
    let mut steps = Vec::with_capacity(46);
    let mut decade = 1.0;
    while decade < 1e15 {
        steps.extend([decade, 2.0 * decade, 5.0 * decade]);
        decade *= 10.0;
    }
    steps.push(decade);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Steps of 1, 2 or 5 times a power of ten are the ones people read; whole numbers need no
    /// decimals.
    #[test]
    fn a_linear_scale_counts_in_whole_round_steps() {
        assert_eq!(labels(&Scale::linear(0.0, 37.2, 5)), ["0", "10", "20", "30", "40"]);
        assert_eq!(
            labels(&Scale::linear(-210.0, 180.0, 5)),
            ["−300", "−200", "−100", "0", "100", "200"]
        );
        assert_eq!(labels(&Scale::linear(0.0, 0.0, 5)), ["0", "1"]);
        assert_eq!(labels(&Scale::linear(0.0, 3.0, 5)), ["0", "1", "2", "3"]);
    }

    /// Between 1 and 1,000 every 1, 2 and 5 has room; over more decades only the powers of ten
    /// remain.
    #[test]
    fn a_logarithmic_scale_shows_decades() {
        assert_eq!(labels(&Scale::log(3.0, 180.0)), ["2", "5", "10", "20", "50", "100", "200"]);
        assert_eq!(
            labels(&Scale::log(1.0, 1e6)),
            ["1", "10", "100", "1,000", "10,000", "100,000", "1,000,000"]
        );
        assert_eq!(Scale::log(1.0, 100.0).part(10.0), 0.5);
    }

    /// A window of 200 ms inside a run is labelled in milliseconds of the run, a run of 40 s in
    /// seconds.
    #[test]
    fn times_are_written_in_the_unit_that_makes_them_whole() {
        let axis = |from_us, to_us| TimeAxis { from_us, to_us, left: 0.0, right: 1.0 };
        let (unit, ticks) = axis(0, 40_000_000).ticks();
        assert_eq!((unit, ticks.len(), ticks[1].1.as_str()), ("s", 9, "5"));
        let (unit, ticks) = axis(5_110_000, 5_310_000).ticks();
        assert_eq!((unit, ticks[0].1.as_str(), ticks[1].1.as_str()), ("ms", "5,120", "5,140"));
    }

    /// Any bounds give a scale with a bounded number of ticks, and any value has a position on it.
    #[test]
    fn absurd_bounds_are_survived() {
        for (low, high) in [
            (f64::MIN, f64::MAX),
            (f64::NAN, 1.0),
            (5.0, -5.0),
            (0.0, f64::INFINITY),
            (i64::MIN as f64, i64::MAX as f64),
        ] {
            for scale in
                [Scale::linear(low, high, 6), Scale::log(low, high), Scale::log_from_zero(high)]
            {
                assert!(scale.ticks.len() < 110, "{} ticks", scale.ticks.len());
                assert!(
                    (0.0..=1.0).contains(&scale.part(f64::NAN))
                        && (0.0..=1.0).contains(&scale.part(f64::MAX))
                );
            }
        }
        let axis = TimeAxis { from_us: 0, to_us: u64::MAX, left: 0.0, right: 1.0 };
        assert!(axis.ticks().1.len() < 30);
    }
}
