//! What Raft asks of the node that it lives in.
//!
//! The protocol is written against this trait and not against [`Ctx`], so that a node which does
//! other things besides (it streams audio, it answers clients of its own) can hold a
//! [`Raft`](super::Raft): its message type and its timer type only need a variant for Raft's.

use std::time::Duration;

use super::message::RaftMessage;
use crate::node::{Ctx, LocalTime, Node, NodeId, WallTime};
use crate::rng::Rng;
use crate::vocabulary::Event;

/// The timers of a [`Raft`](super::Raft).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RaftTimer {
    /// A follower or candidate has waited for a leader for long enough.
    Election,
    /// A leader shows itself again.
    Heartbeat,
}

/// The effects of a step, as [`Ctx`] has them.
#[allow(missing_docs, reason = "each is the method of `Ctx` of the same name")]
pub trait Host {
    fn id(&self) -> NodeId;
    fn now(&self) -> LocalTime;
    fn wall(&self) -> WallTime;
    fn rng(&mut self) -> &mut Rng;
    fn name(&self, node: NodeId) -> &str;
    fn find(&self, name: &str) -> Option<NodeId>;
    fn send(&mut self, dest: NodeId, message: RaftMessage);
    fn set_timer(&mut self, timer: RaftTimer, after: Duration);
    fn cancel_timer(&mut self, timer: RaftTimer);
    fn read(&self, file: &str) -> Option<Vec<u8>>;
    fn append(&mut self, file: &'static str, bytes: Vec<u8>);
    fn replace(&mut self, file: &'static str, bytes: Vec<u8>);
    fn truncate(&mut self, file: &'static str, len: u64);
    fn without_sync(&mut self);
    fn emit(&mut self, event: impl Event);
    fn log(&mut self, line: impl FnOnce() -> String);
}

impl<N: Node> Host for Ctx<'_, N>
where
    N::Msg: From<RaftMessage>,
    N::Timer: From<RaftTimer>,
{
    fn id(&self) -> NodeId {
        Ctx::id(self)
    }

    fn now(&self) -> LocalTime {
        Ctx::now(self)
    }

    fn wall(&self) -> WallTime {
        Ctx::wall(self)
    }

    fn rng(&mut self) -> &mut Rng {
        Ctx::rng(self)
    }

    fn name(&self, node: NodeId) -> &str {
        Ctx::name(self, node)
    }

    fn find(&self, name: &str) -> Option<NodeId> {
        Ctx::find(self, name)
    }

    fn send(&mut self, dest: NodeId, message: RaftMessage) {
        Ctx::send(self, dest, message.into());
    }

    fn set_timer(&mut self, timer: RaftTimer, after: Duration) {
        Ctx::set_timer(self, timer.into(), after);
    }

    fn cancel_timer(&mut self, timer: RaftTimer) {
        Ctx::cancel_timer(self, timer.into());
    }

    fn read(&self, file: &str) -> Option<Vec<u8>> {
        Ctx::read(self, file)
    }

    fn append(&mut self, file: &'static str, bytes: Vec<u8>) {
        Ctx::append(self, file, bytes);
    }

    fn replace(&mut self, file: &'static str, bytes: Vec<u8>) {
        Ctx::replace(self, file, bytes);
    }

    fn truncate(&mut self, file: &'static str, len: u64) {
        Ctx::truncate(self, file, len);
    }

    fn without_sync(&mut self) {
        Ctx::without_sync(self);
    }

    fn emit(&mut self, event: impl Event) {
        Ctx::emit(self, event);
    }

    fn log(&mut self, line: impl FnOnce() -> String) {
        Ctx::log(self, line);
    }
}
