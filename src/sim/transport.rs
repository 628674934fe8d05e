//! Streams over the links.

use super::Cluster;
use super::driver::Driver;
use crate::node::StreamOp;
use crate::trace::NodeId;

impl<C: Cluster> Driver<'_, C> {
    pub(super) fn stream_op(&mut self, node: NodeId, op: StreamOp) {
        let _ = (node, op);
    }

    pub(super) fn stream_timer(&mut self, node: NodeId, incarnation: u32, token: u64) {
        let _ = (node, incarnation, token);
    }

    pub(super) fn drop_streams(&mut self, node: NodeId, orderly: bool) {
        let _ = (node, orderly);
    }
}
