//! The checks of the coordination service and of what is built on it.

use super::{Checker, all_operations_answered, availability, linearizable, no_panic};

/// The checks that make sense for `zookeeper`.
pub static ZOOKEEPER_CHECKS: &[&Checker] =
    &[&linearizable::CHECKER, &no_panic::CHECKER, &all_operations_answered::CHECKER, &availability::CHECKER];
