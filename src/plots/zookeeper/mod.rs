//! The pictures of the coordination service and its application.

mod leaders;
mod means;
mod sessions;
mod zxid_lag;

pub use leaders::ZK_LEADERS;
pub use means::ZK_MEANS;
pub use sessions::ZK_SESSIONS;
pub use zxid_lag::ZK_ZXID_LAG;
