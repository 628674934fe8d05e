//! Values that may be drawn from the seed: numbers and durations with a least and a greatest value.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::reader::{Key, Section};
use super::tree::Item;
use super::units::{show_signed, show_text};
use super::values::{read_pair, read_signed, show_pair};
use crate::rng::Rng;

/// A number that may be drawn from the seed each time the fault begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount {
    /// Least.
    pub min: f64,
    /// Most.
    pub max: f64,
}

/// A duration that may be drawn from the seed each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Least.
    pub min: Duration,
    /// Most.
    pub max: Duration,
}

impl Amount {
    /// Draw it.
    pub fn draw(self, rng: &mut Rng) -> f64 {
        rng.amount(self.min, self.max)
    }

    /// The same amount, drawn once for all.
    pub fn fixed(self, rng: &mut Rng) -> Amount {
        let drawn = self.draw(rng);
        Amount { min: drawn, max: drawn }
    }

    /// The greatest distance from zero.
    pub fn magnitude_max(self) -> f64 {
        self.min.abs().max(self.max.abs())
    }
}

impl Span {
    /// Draw it.
    pub fn draw(self, rng: &mut Rng) -> Duration {
        rng.duration(self.min, self.max)
    }

    /// The same span, drawn once for all.
    pub fn fixed(self, rng: &mut Rng) -> Span {
        let drawn = self.draw(rng);
        Span { min: drawn, max: drawn }
    }
}

impl Section<'_> {
    /// A number that may be drawn.
    pub(crate) fn amount(
        &mut self,
        key: &'static str,
        default: (f64, f64),
        range: RangeInclusive<f64>,
        doc: &'static str,
    ) -> Amount {
        let (min, max) = self.numbers(key, default, range, doc);
        Amount { min, max }
    }

    /// A duration that may be drawn.
    pub(crate) fn span(
        &mut self,
        key: &'static str,
        default: (Duration, Duration),
        range: RangeInclusive<Duration>,
        doc: &'static str,
    ) -> Span {
        let (min, max) = self.durations(key, default, range, doc);
        Span { min, max }
    }

    /// A signed duration that may be drawn, kept in milliseconds.
    pub(crate) fn signed_milliseconds(
        &mut self,
        key: &'static str,
        default_ms: f64,
        doc: &'static str,
    ) -> Amount {
        let key = Key {
            name: key,
            kind: "a duration with a sign or a range of two",
            range: String::new(),
            doc,
        };
        let default = ((default_ms * 1e6) as i64, (default_ms * 1e6) as i64);
        let read = |item: &Item| read_pair(item, read_signed);
        let (min, max) = self
            .value(key, default, read, |pair| show_pair(pair, |end| show_text(&show_signed(*end))));
        Amount { min: min as f64 / 1e6, max: max as f64 / 1e6 }
    }
}
