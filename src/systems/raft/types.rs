//! The two numbers of Raft that must not be confused.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::trace::Value;
use crate::vocabulary::{FieldValue, Kind};

/// A term: the logical clock of elections. Each has at most one leader (Raft §5.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Term(pub u64);

/// A position in the log, from 1; 0 is the place before the first entry.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LogIndex(pub u64);

impl Term {
    /// Before the first election.
    pub const ZERO: Term = Term(0);

    /// The term that follows.
    pub fn next(self) -> Term {
        Term(self.0 + 1)
    }
}

impl LogIndex {
    /// The place before the first entry.
    pub const ZERO: LogIndex = LogIndex(0);

    /// The index that follows.
    pub fn next(self) -> LogIndex {
        LogIndex(self.0 + 1)
    }

    /// The index before; zero stays.
    pub fn prev(self) -> LogIndex {
        LogIndex(self.0.saturating_sub(1))
    }

    /// The index `count` further on.
    pub fn plus(self, count: usize) -> LogIndex {
        LogIndex(self.0 + count as u64)
    }

    /// How many entries lie after `earlier` up to and with this one; 0 where `earlier` is not
    /// earlier.
    pub fn since(self, earlier: LogIndex) -> usize {
        self.0.saturating_sub(earlier.0) as usize
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LogIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// No run has terms or indices as great as this; to refuse them keeps the arithmetic of the
/// checks free of overflow.
const NUMBER_MAX: i64 = 1 << 48;

macro_rules! numbers_of_the_trace {
    ($($number:ident)+) => {$(
        impl FieldValue for $number {
            const KIND: Kind = Kind::Number;

            #[inline]
            fn to_value(&self) -> Value {
                Value::Int(self.0 as i64)
            }

            #[inline]
            fn from_value(value: &Value) -> Option<$number> {
                let number = value.int()?;
                if !(0..NUMBER_MAX).contains(&number) {
                    return None;
                }
                Some($number(number as u64))
            }

            #[inline]
            fn equals(&self, value: &Value) -> bool {
                matches!(value, Value::Int(number) if *number == self.0 as i64)
            }
        }
    )+};
}

numbers_of_the_trace!(Term LogIndex);
