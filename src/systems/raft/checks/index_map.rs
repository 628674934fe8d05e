//! A map from log indices (or serial numbers), which are nearly always dense.

use std::collections::BTreeMap;

/// Up to this index values stand in a vector. Above it an index of a damaged trace could ask for
/// any amount of memory.
const DENSE_MAX: u64 = 1 << 16;

/// A map from `u64` that costs an array access for the indices of an ordinary run.
#[derive(Clone, Debug)]
pub struct IndexMap<T> {
    dense: Vec<Option<T>>,
    sparse: BTreeMap<u64, T>,
}

impl<T> Default for IndexMap<T> {
    fn default() -> Self {
        IndexMap { dense: Vec::new(), sparse: BTreeMap::new() }
    }
}

impl<T> IndexMap<T> {
    pub fn get(&self, index: u64) -> Option<&T> {
        if index < DENSE_MAX {
            self.dense.get(index as usize)?.as_ref()
        } else {
            self.sparse.get(&index)
        }
    }

    pub fn get_mut(&mut self, index: u64) -> Option<&mut T> {
        if index < DENSE_MAX {
            self.dense.get_mut(index as usize)?.as_mut()
        } else {
            self.sparse.get_mut(&index)
        }
    }

    pub fn insert(&mut self, index: u64, value: T) {
        if index < DENSE_MAX {
            let position = index as usize;
            if position >= self.dense.len() {
                self.dense.resize_with(position + 1, || None);
            }
            self.dense[position] = Some(value);
        } else {
            self.sparse.insert(index, value);
        }
    }

    /// The value at `index`. If there is no value, `value` is put there and `None` returned.
    pub fn get_or_put(&mut self, index: u64, value: T) -> Option<&T> {
        if self.get(index).is_none() {
            self.insert(index, value);
            return None;
        }
        self.get(index)
    }

    /// Indices and values in rising order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let dense =
            (0u64..).zip(&self.dense).filter_map(|(index, value)| Some((index, value.as_ref()?)));
        dense.chain(self.sparse.iter().map(|(index, value)| (*index, value)))
    }
}
