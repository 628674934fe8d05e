//! The pictures of the coordination service and its application.

pub(super) mod leaders;
pub(super) mod means;
pub(super) mod sessions;
pub(super) mod zxid_lag;

pub use leaders::ZK_LEADERS;
pub use means::ZK_MEANS;
pub use sessions::ZK_SESSIONS;
pub use zxid_lag::ZK_ZXID_LAG;
