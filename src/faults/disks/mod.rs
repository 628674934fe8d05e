//! Faults of disks. A disk that is full, failing or stalled counts as a faulty node, because the
//! process may end or stand still at any save.

pub(crate) mod crash;
pub(crate) mod damage;
pub(crate) mod error;
pub(crate) mod full;
pub(crate) mod slow;
pub(crate) mod stale_restore;
pub(crate) mod stall;
