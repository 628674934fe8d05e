//! A node of a scenario: one of the roles, with the messages and timers of all of them.

use serde_json::Value;

use super::balancer::Balancer;
use super::host::ZkTimer;
use super::http::WebMessage;
use super::instance::Instance;
use super::message::ZkMessage;
use super::server::Server;
use super::store::Store;
use super::vocabulary::{HelperMetrics, HelperRole};
use super::web::Web;
use super::worker::Worker;
use crate::node::{Ctx, Detail, Message, Node, NodeId, Probe};
use crate::wire;

/// What nodes and clients send.
#[derive(Clone, Debug)]
pub enum ZkNodeMessage {
    /// To and from servers of the ensemble.
    Zk(ZkMessage),
    /// To and from the web tier.
    Web(WebMessage),
}

impl From<ZkMessage> for ZkNodeMessage {
    fn from(message: ZkMessage) -> ZkNodeMessage {
        ZkNodeMessage::Zk(message)
    }
}

impl From<WebMessage> for ZkNodeMessage {
    fn from(message: WebMessage) -> ZkNodeMessage {
        ZkNodeMessage::Web(message)
    }
}

impl Message for ZkNodeMessage {
    fn to_json(&self, names: &[String]) -> Option<Value> {
        match self {
            ZkNodeMessage::Zk(message) => message.to_json(names),
            ZkNodeMessage::Web(message) => wire::to_json(message, names),
        }
    }

    fn from_json(body: &Value, names: &[String]) -> Result<ZkNodeMessage, String> {
        if WebMessage::SHOWN.iter().any(|shown| body["type"] == shown.name) {
            wire::from_json(body, names).map(ZkNodeMessage::Web)
        } else {
            ZkMessage::from_json(body, names).map(ZkNodeMessage::Zk)
        }
    }

    fn name(&self) -> &'static str {
        match self {
            ZkNodeMessage::Zk(message) => message.name(),
            ZkNodeMessage::Web(message) => message.kind_name(),
        }
    }

    fn size(&self) -> u32 {
        match self {
            ZkNodeMessage::Zk(message) => message.size(),
            ZkNodeMessage::Web(message) => message.size(),
        }
    }

    fn detail(&self) -> Detail {
        match self {
            ZkNodeMessage::Zk(message) => message.detail(),
            ZkNodeMessage::Web(message) => message.detail(),
        }
    }
}

/// The timers of all roles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZkNodeTimer {
    /// Of a server or a session.
    Zk(ZkTimer),
    /// An instance measures.
    Measure,
    /// The elected instance makes a mean.
    Mean,
    /// What only a defect waits for.
    OfDefect,
    /// It sends a mean again.
    Post,
    /// A worker does something.
    Work,
    /// A balancer or a web replica has waited long enough for this request.
    Proxy(u64),
}

impl From<ZkTimer> for ZkNodeTimer {
    fn from(timer: ZkTimer) -> ZkNodeTimer {
        ZkNodeTimer::Zk(timer)
    }
}

/// A node.
#[allow(missing_docs, reason = "each is the role of the same name")]
#[allow(
    clippy::large_enum_variant,
    reason = "there are a few nodes, and each is one of these for its whole life"
)]
pub enum ZkNode {
    Server(Server),
    Instance(Instance),
    Web(Web),
    Balancer(Balancer),
    Store(Store),
    Worker(Worker),
}

impl Node for ZkNode {
    type Msg = ZkNodeMessage;
    type Timer = ZkNodeTimer;

    fn boot(&mut self, ctx: &mut Ctx<'_, Self>) {
        match self {
            ZkNode::Server(server) => server.boot(ctx),
            ZkNode::Instance(instance) => instance.boot(ctx),
            ZkNode::Worker(worker) => worker.boot(ctx),
            ZkNode::Store(store) => store.boot(ctx),
            ZkNode::Web(_) | ZkNode::Balancer(_) => {}
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, from: NodeId, message: ZkNodeMessage) {
        match (self, message) {
            (ZkNode::Server(server), ZkNodeMessage::Zk(message)) => {
                server.on_message(ctx, from, message)
            }
            (ZkNode::Instance(instance), ZkNodeMessage::Zk(message)) => {
                instance.on_zk(ctx, from, &message)
            }
            (ZkNode::Instance(instance), ZkNodeMessage::Web(message)) => {
                instance.on_web(ctx, message)
            }
            (ZkNode::Worker(worker), ZkNodeMessage::Zk(message)) => {
                worker.on_zk(ctx, from, &message)
            }
            (ZkNode::Balancer(balancer), ZkNodeMessage::Web(message)) => {
                balancer.on_web(ctx, from, message)
            }
            (ZkNode::Web(web), ZkNodeMessage::Web(message)) => web.on_web(ctx, from, message),
            (ZkNode::Store(store), ZkNodeMessage::Web(message)) => store.on_web(ctx, from, message),
            _ => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, timer: ZkNodeTimer) {
        match (self, timer) {
            (ZkNode::Server(server), ZkNodeTimer::Zk(timer)) => server.on_timer(ctx, timer),
            (ZkNode::Instance(instance), timer) => instance.on_timer(ctx, &timer),
            (ZkNode::Worker(worker), timer) => worker.on_timer(ctx, &timer),
            (ZkNode::Balancer(balancer), ZkNodeTimer::Proxy(id)) => balancer.on_timeout(ctx, id),
            (ZkNode::Web(web), ZkNodeTimer::Proxy(id)) => web.on_timeout(ctx, id),
            _ => {}
        }
    }

    fn on_command(&mut self, ctx: &mut Ctx<'_, Self>, command: &str) {
        if let ZkNode::Instance(instance) = self {
            instance.on_command(ctx, command);
        }
    }

    fn on_stop(&mut self, ctx: &mut Ctx<'_, Self>) {
        if let ZkNode::Instance(instance) = self {
            instance.on_stop(ctx);
        }
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        match self {
            ZkNode::Server(server) => server.probe(probe),
            ZkNode::Instance(instance) => instance.probe(probe),
            ZkNode::Worker(worker) => worker.probe(probe),
            ZkNode::Store(store) => store.probe(probe),
            ZkNode::Web(_) => probe.show(&HelperMetrics { role: HelperRole::Web }),
            ZkNode::Balancer(_) => probe.show(&HelperMetrics { role: HelperRole::Balancer }),
        }
    }
}
