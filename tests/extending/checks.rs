//! The checks of lamps.

use crate::checkers::{Checker, no_panic};

/// The checks that make sense for lamps.
pub static CHECKS: &[&Checker] = &[
    &no_panic::CHECKER,
];
