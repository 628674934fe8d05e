//! What a server and a session ask of the node that they live in.
//!
//! Both are written against these traits and not against [`Ctx`], so that a node of another system
//! can hold a [`Server`](super::Server) or a [`Session`](super::Session): its message type and its
//! timer type only need a variant for ours. A session asks for less than a server, so that an
//! asynchronous client, which has no disk, can hold one too.

use std::time::Duration;

use super::message::ZkMessage;
use crate::node::{Ctx, LocalTime, Node, NodeId, WallTime};
use crate::vocabulary::Event;

/// The timers of servers and sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZkTimer {
    /// A server that looks for a leader says so again, or has waited long enough for a better one.
    Election,
    /// Half a tick has passed: pings, the liveness of peers, the expiry of sessions.
    Tick,
    /// A server's connections look at what was not acknowledged.
    Retransmit,
    /// A session has something to do: a ping, a retransmission, another server to try.
    Session,
}

/// What a session needs.
#[allow(missing_docs, reason = "each is the method of `Ctx` of the same name")]
pub trait Link {
    fn now(&self) -> LocalTime;
    /// A random number below `bound`.
    fn below(&mut self, bound: u64) -> u64;
    fn send(&mut self, dest: NodeId, message: ZkMessage);
    fn set_timer(&mut self, timer: ZkTimer, after: Duration);
    fn emit<E: Event>(&mut self, event: E);
}

/// What a server needs besides.
#[allow(missing_docs, reason = "each is the method of `Ctx` of the same name")]
pub trait Host: Link {
    fn wall(&self) -> WallTime;
    fn name(&self, node: NodeId) -> &str;
    fn cancel_timer(&mut self, timer: ZkTimer);
    fn read(&self, file: &str) -> Option<Vec<u8>>;
    fn append(&mut self, file: &'static str, bytes: Vec<u8>);
    fn replace(&mut self, file: &'static str, bytes: Vec<u8>);
    fn truncate(&mut self, file: &'static str, len: u64);
    fn without_sync(&mut self);
    fn log(&mut self, line: impl FnOnce() -> String);
}

impl<N: Node> Link for Ctx<'_, N>
where
    N::Msg: From<ZkMessage>,
    N::Timer: From<ZkTimer>,
{
    fn now(&self) -> LocalTime {
        Ctx::now(self)
    }

    fn below(&mut self, bound: u64) -> u64 {
        Ctx::rng(self).below(bound)
    }

    fn send(&mut self, dest: NodeId, message: ZkMessage) {
        Ctx::send(self, dest, message.into());
    }

    fn set_timer(&mut self, timer: ZkTimer, after: Duration) {
        Ctx::set_timer(self, timer.into(), after);
    }

    fn emit<E: Event>(&mut self, event: E) {
        Ctx::emit(self, event);
    }
}

impl<N: Node> Host for Ctx<'_, N>
where
    N::Msg: From<ZkMessage>,
    N::Timer: From<ZkTimer>,
{
    fn wall(&self) -> WallTime {
        Ctx::wall(self)
    }

    fn name(&self, node: NodeId) -> &str {
        Ctx::name(self, node)
    }

    fn cancel_timer(&mut self, timer: ZkTimer) {
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

    fn log(&mut self, line: impl FnOnce() -> String) {
        Ctx::log(self, line);
    }
}
