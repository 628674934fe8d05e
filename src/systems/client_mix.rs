//! Which operation a client does next.

use crate::rng::Rng;

/// Operations with their relative frequencies, `workload.mix` of a scenario.
#[derive(Clone, Debug)]
pub struct Mix<T> {
    /// Each operation with the sum of the frequencies up to its own.
    sums: Vec<(T, f64)>,
}

impl<T> Mix<T> {
    /// The mix of these operations and frequencies.
    pub fn new(frequencies: impl IntoIterator<Item = (T, f64)>) -> Mix<T> {
        let mut sum = 0.0;
        let sums = frequencies.into_iter().map(|(operation, frequency)| {
            sum += frequency;
            (operation, sum)
        });
        Mix { sums: sums.collect() }
    }

    /// Draw an operation; `None` if there are none.
    pub fn draw(&self, rng: &mut Rng) -> Option<&T> {
        let total = self.sums.last().map_or(0.0, |(_, sum)| *sum);
        let drawn = rng.unit() * total;
        let found = self.sums.iter().find(|(_, sum)| drawn < *sum).or(self.sums.last());
        found.map(|(operation, _)| operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation comes as often as its frequency says, and never if that is 0.
    #[test]
    fn operations_come_as_often_as_they_should() {
        let mix = Mix::new([("never", 0.0), ("seldom", 1.0), ("often", 3.0), ("no more", 0.0)]);
        let mut rng = Rng::named(7, "mix");
        let drawn: Vec<&str> = (0..4_000).filter_map(|_| mix.draw(&mut rng).copied()).collect();
        let count = |name| drawn.iter().filter(|drawn| **drawn == name).count();
        assert_eq!((count("never"), count("no more"), drawn.len()), (0, 0, 4_000));
        assert!((900..1_100).contains(&count("seldom")), "{}", count("seldom"));
        assert_eq!(Mix::<u8>::new([]).draw(&mut rng), None);
    }
}
