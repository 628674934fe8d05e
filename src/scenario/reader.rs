//! The machinery of reading: sections, keys, spans, hints; it also prints the reference.

use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A table of the file while it is read. Each call takes one key; what no call took is an unknown key. A mistake is noted with its place and
/// the default goes on, so that all mistakes of a file are shown at once. Every call also tells the reference what the key means.
pub struct Section<'a> {
    marker: PhantomData<&'a ()>,
}

#[allow(unused_variables, missing_docs, reason = "lands with the scenario reader")]
impl Section<'_> {
    /// A duration with a unit: `"150ms"`.
    pub fn duration(&mut self, key: &'static str, default: Duration, range: RangeInclusive<Duration>, doc: &'static str) -> Duration {
        unimplemented!()
    }
    /// A range of durations, `["150ms", "300ms"]`, or one duration for both ends.
    pub fn durations(
        &mut self,
        key: &'static str,
        default: (Duration, Duration),
        range: RangeInclusive<Duration>,
        doc: &'static str,
    ) -> (Duration, Duration) {
        unimplemented!()
    }
    /// A whole number.
    pub fn integer(&mut self, key: &'static str, default: u64, range: RangeInclusive<u64>, doc: &'static str) -> u64 {
        unimplemented!()
    }
    /// A whole number that may be left out.
    pub fn optional_integer(&mut self, key: &'static str, range: RangeInclusive<u64>, doc: &'static str) -> Option<u64> {
        unimplemented!()
    }
    /// A number; probabilities have the range 0 to 1.
    pub fn number(&mut self, key: &'static str, default: f64, range: RangeInclusive<f64>, doc: &'static str) -> f64 {
        unimplemented!()
    }
    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str, default: bool, doc: &'static str) -> bool {
        unimplemented!()
    }
    /// One of some words.
    pub fn choice(&mut self, key: &'static str, default: &'static str, options: &[&'static str], doc: &'static str) -> &'static str {
        unimplemented!()
    }
    /// A list of words out of some (`defects`, `message types`); `options` empty: any.
    pub fn words(&mut self, key: &'static str, options: &[&'static str], doc: &'static str) -> Vec<String> {
        unimplemented!()
    }
}
