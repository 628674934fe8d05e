//! Placeholder.
use super::Checker;
/// The checks of replication.
pub static REPLICATION_CHECKS: &[&Checker] =
    &[&super::no_panic::CHECKER, &super::all_operations_answered::CHECKER, &super::availability::CHECKER];
