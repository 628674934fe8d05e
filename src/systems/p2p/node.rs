//! A node of the system: one of four roles.

use super::date_service::DateService;
use super::directory::Directory;
use super::logger::Logger;
use super::message::P2pMessage;
use super::peer::Peer;
use crate::node::{Node, NodeId, Probe, StreamEvent, StreamId};

/// A node's way to the world during one step, for any role.
pub type Ctx<'a> = crate::node::Ctx<'a, P2pNode>;

/// The timers of all roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum P2pTimer {
    /// A stream has not brought a whole request (directory, date service, sharing peer).
    Idle(StreamId),
    /// It is time to look at the leases (directory).
    Sweep,
    /// A report was not confirmed (directory).
    Report,
    /// With the defect `logged-first`: the call of the logging server should have returned
    /// (directory).
    Execute,
    /// One try of a request has taken too long (peer).
    Attempt,
    /// The request has taken too long, with all its tries (peer).
    Deadline,
    /// A transfer stands still (peer).
    Stall,
    /// It is time for a heartbeat (peer).
    Heartbeat,
    /// A connection that says nothing ends (peer).
    Silence(StreamId),
}

/// A node.
pub enum P2pNode {
    /// Shares and fetches.
    Peer(Box<Peer>),
    /// Knows who is where and has what.
    Directory(Box<Directory>),
    /// Tells date and time.
    DateService(DateService),
    /// Keeps the operation log.
    Logger(Logger),
}

impl Node for P2pNode {
    type Msg = P2pMessage;
    type Timer = P2pTimer;

    fn boot(&mut self, ctx: &mut Ctx<'_>) {
        match self {
            P2pNode::Peer(peer) => peer.boot(ctx),
            P2pNode::Directory(directory) => directory.boot(ctx),
            P2pNode::DateService(service) => service.boot(ctx),
            P2pNode::Logger(logger) => logger.boot(ctx),
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, message: P2pMessage) {
        match self {
            P2pNode::Peer(peer) => peer.on_message(ctx, from, message),
            P2pNode::Directory(directory) => directory.on_message(ctx, from, message),
            P2pNode::DateService(_) => {}
            P2pNode::Logger(logger) => logger.on_message(ctx, from, message),
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: P2pTimer) {
        match self {
            P2pNode::Peer(peer) => peer.on_timer(ctx, timer),
            P2pNode::Directory(directory) => directory.on_timer(ctx, timer),
            P2pNode::DateService(service) => {
                if let P2pTimer::Idle(stream) = timer {
                    service.on_idle(ctx, stream);
                }
            }
            P2pNode::Logger(_) => {}
        }
    }

    fn on_stream(&mut self, ctx: &mut Ctx<'_>, event: StreamEvent) {
        match self {
            P2pNode::Peer(peer) => peer.on_stream(ctx, event),
            P2pNode::Directory(directory) => directory.on_stream(ctx, event),
            P2pNode::DateService(service) => service.on_stream(ctx, event),
            P2pNode::Logger(_) => {}
        }
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        match self {
            P2pNode::Peer(peer) => peer.probe(probe),
            P2pNode::Directory(directory) => directory.probe(probe),
            P2pNode::DateService(service) => service.probe(probe),
            P2pNode::Logger(logger) => logger.probe(probe),
        }
    }
}
