//! The configurations that a search has seen: Lowe's cache.
//!
//! All are kept one behind the other in one list of words, and found by a table of their numbers
//! with open addressing: no allocation for each, and every byte is counted.

use std::hash::{DefaultHasher, Hash, Hasher};

/// No entry. There are fewer, since bytes are limited.
const VACANT: u32 = u32::MAX;
/// The least size of a table. A power of two, as every size.
const TABLE_MIN: usize = 64;

/// Numbers of entries by their hash.
struct Table {
    places: Vec<u32>,
    count: usize,
}

impl Table {
    fn new() -> Table {
        Table { places: vec![VACANT; TABLE_MIN], count: 0 }
    }

    /// The number of the entry that is equal, or `None` after adding the next number in its place.
    fn find_or_add(
        &mut self,
        hash: u64,
        is_equal: impl Fn(u32) -> bool,
        hash_of: impl Fn(u32) -> u64,
    ) -> Option<u32> {
        if self.count * 2 >= self.places.len() {
            let larger = vec![VACANT; self.places.len() * 2];
            for number in std::mem::replace(&mut self.places, larger) {
                if number != VACANT {
                    let place = self.place(hash_of(number), |_| false);
                    self.places[place] = number;
                }
            }
        }
        let place = self.place(hash, is_equal);
        if self.places[place] != VACANT {
            return Some(self.places[place]);
        }
        self.places[place] = u32::try_from(self.count).expect("bytes are limited");
        self.count += 1;
        None
    }

    /// Where the entry is, or where it would be.
    fn place(&self, hash: u64, is_equal: impl Fn(u32) -> bool) -> usize {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        while self.places[place] != VACANT && !is_equal(self.places[place]) {
            place = (place + 1) & mask;
        }
        place
    }

    fn bytes(&self) -> u64 {
        4 * self.places.len() as u64
    }
}

/// Configurations by number: a position in the history, the number of a state, a set of slots.
pub struct Visited {
    /// Words of one: position and state, then the set.
    stride: usize,
    words: Vec<u64>,
    table: Table,
}

impl Visited {
    /// Without any, for sets of this many words.
    pub fn new(set_words: usize) -> Visited {
        Visited { stride: set_words + 1, words: vec![], table: Table::new() }
    }

    /// Add a configuration; its number, or `None` if it is there already.
    pub fn add(&mut self, position: usize, state: u32, set: &[u64]) -> Option<u32> {
        let Visited { stride, words, table } = self;
        // It is written first and taken away if it is there already: then all are compared and
        // hashed as they lie in memory.
        let new = words.len();
        words.push((position as u64) << 32 | u64::from(state));
        words.extend_from_slice(set);
        let at = |number: u32| &words[number as usize * *stride..][..*stride];
        let number = table.count as u32;
        let known = table.find_or_add(
            hash_of(&words[new..]),
            |number| at(number) == &words[new..],
            |number| hash_of(at(number)),
        );
        if known.is_some() {
            words.truncate(new);
            return None;
        }
        Some(number)
    }

    /// The configuration of this number: position, state, set.
    pub fn get(&self, number: u32) -> (usize, u32, &[u64]) {
        let entry = &self.words[number as usize * self.stride..][..self.stride];
        ((entry[0] >> 32) as usize, entry[0] as u32, &entry[1..])
    }

    /// What they take.
    pub fn bytes(&self) -> u64 {
        8 * self.words.len() as u64 + self.table.bytes()
    }
}

/// A fast hash of words. Collisions cost time and nothing else: entries are compared.
fn hash_of(words: &[u64]) -> u64 {
    words.iter().fold(0, |hash: u64, word| {
        let mixed = u128::from((hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15));
        let product = mixed * 0xd1b5_4a32_d192_ed03;
        product as u64 ^ (product >> 64) as u64
    })
}

/// States by number, each once.
pub struct States<S> {
    states: Vec<S>,
    table: Table,
}

impl<S: Hash + Eq> States<S> {
    /// Without any.
    pub fn new() -> States<S> {
        States { states: vec![], table: Table::new() }
    }

    /// The number of a state, and whether it is new.
    pub fn number(&mut self, state: S) -> (u32, bool) {
        let States { states, table } = self;
        let hash_of = |state: &S| {
            // The algorithm of std may change; only collisions would be others.
            let mut hasher = DefaultHasher::new();
            state.hash(&mut hasher);
            hasher.finish()
        };
        let known = table.find_or_add(
            hash_of(&state),
            |number| states[number as usize] == state,
            |number| hash_of(&states[number as usize]),
        );
        match known {
            Some(number) => (number, false),
            None => {
                states.push(state);
                (states.len() as u32 - 1, true)
            }
        }
    }

    /// The state of this number.
    pub fn get(&self, number: u32) -> &S {
        &self.states[number as usize]
    }

    /// What the table takes.
    pub fn bytes(&self) -> u64 {
        self.table.bytes()
    }
}
