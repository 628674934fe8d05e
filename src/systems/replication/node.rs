//! A node of the system: a replica, a coordinator, or a server of the ensemble that keeps the view.

use super::coordinator::Coordinator;
use super::message::ReplicationMessage;
use super::replica::Replica;
use crate::node::{Ctx, Node, NodeId, Probe, StreamEvent};
use crate::systems::zookeeper::{Server, ZkTimer};

/// A node.
pub enum Member {
    /// It stores forms.
    Replica(Box<Replica>),
    /// It chooses the leader.
    Coordinator(Box<Coordinator>),
    /// It keeps the view, with others.
    Server(Box<Server>),
}

/// A node's way to the world.
pub type Cx<'a> = Ctx<'a, Member>;

/// The timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReplicationTimer {
    /// A leader shows itself and looks after its followers.
    Heartbeat,
    /// A replica shows itself to the coordinator.
    Register,
    /// A leader copies everything.
    Copy,
    /// The coordinator looks who lives.
    Tick,
    /// Of the ensemble's servers and sessions.
    Zk(ZkTimer),
}

impl From<ZkTimer> for ReplicationTimer {
    fn from(timer: ZkTimer) -> ReplicationTimer {
        ReplicationTimer::Zk(timer)
    }
}

impl Node for Member {
    type Msg = ReplicationMessage;
    type Timer = ReplicationTimer;

    fn boot(&mut self, ctx: &mut Cx<'_>) {
        match self {
            Member::Replica(replica) => replica.boot(ctx),
            Member::Coordinator(coordinator) => coordinator.boot(ctx),
            Member::Server(server) => server.boot(ctx),
        }
    }

    fn on_message(&mut self, ctx: &mut Cx<'_>, from: NodeId, message: ReplicationMessage) {
        match self {
            Member::Replica(replica) => replica.on_message(ctx, from, message),
            Member::Coordinator(coordinator) => coordinator.on_message(ctx, from, message),
            Member::Server(server) => {
                if let ReplicationMessage::Zk(message) = message {
                    server.on_message(ctx, from, message);
                }
            }
        }
    }

    fn on_timer(&mut self, ctx: &mut Cx<'_>, timer: ReplicationTimer) {
        match self {
            Member::Replica(replica) => replica.on_timer(ctx, timer),
            Member::Coordinator(coordinator) => coordinator.on_timer(ctx, timer),
            Member::Server(server) => {
                if let ReplicationTimer::Zk(timer) = timer {
                    server.on_timer(ctx, timer);
                }
            }
        }
    }

    fn on_stream(&mut self, ctx: &mut Cx<'_>, event: StreamEvent) {
        if let Member::Replica(replica) = self {
            replica.on_stream(ctx, event);
        }
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        match self {
            Member::Replica(replica) => replica.probe(probe),
            Member::Coordinator(coordinator) => coordinator.probe(probe),
            // Its own role is another matter: the fault target `leader` means the leader of the
            // store.
            Member::Server(_) => probe.word("role", "server"),
        }
    }
}
