//! The balancer before the web replicas: each request goes to the next one, and to the one after it
//! where that does not answer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::http::{HttpRequest, HttpResponse, WebMessage};
use super::node::{ZkNode, ZkNodeTimer};
use crate::node::{Ctx, NodeId};

/// Replicas that are tried for a request.
const ATTEMPTS_MAX: u32 = 3;

struct Proxied {
    from: NodeId,
    request: HttpRequest,
    attempts: u32,
}

/// The balancer.
pub struct Balancer {
    replicas: Vec<NodeId>,
    timeout: Duration,
    /// The position of the replica that is next.
    next: usize,
    last_id: u64,
    open: BTreeMap<u64, Proxied>,
}

impl Balancer {
    /// A balancer before these replicas, which waits so long for one.
    pub fn new(replicas: Vec<NodeId>, timeout: Duration) -> Balancer {
        Balancer { replicas, timeout, next: 0, last_id: 0, open: BTreeMap::new() }
    }

    /// A request from outside or an answer of a replica.
    pub fn on_web(&mut self, ctx: &mut Ctx<'_, ZkNode>, from: NodeId, message: WebMessage) {
        match message {
            WebMessage::HttpRequest(request) => {
                self.last_id += 1;
                let id = self.last_id;
                self.open.insert(id, Proxied { from, request, attempts: 0 });
                self.pass_on(ctx, id);
            }
            WebMessage::HttpResponse(response) => {
                let Some(proxied) = self.open.remove(&response.id) else { return };
                ctx.cancel_timer(ZkNodeTimer::Proxy(response.id));
                ctx.send(
                    proxied.from,
                    WebMessage::HttpResponse(HttpResponse { id: proxied.request.id, ..response })
                        .into(),
                );
            }
            _ => {}
        }
    }

    /// A replica has not answered in time.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_, ZkNode>, id: u64) {
        let Some(proxied) = self.open.get(&id) else { return };
        if proxied.attempts < ATTEMPTS_MAX {
            return self.pass_on(ctx, id);
        }
        let Some(proxied) = self.open.remove(&id) else { return };
        let response =
            HttpResponse { id: proxied.request.id, status: 502, body: "no replica answers".into() };
        ctx.send(proxied.from, WebMessage::HttpResponse(response).into());
    }

    fn pass_on(&mut self, ctx: &mut Ctx<'_, ZkNode>, id: u64) {
        let Some(proxied) = self.open.get_mut(&id) else { return };
        proxied.attempts += 1;
        let replica = self.replicas[self.next % self.replicas.len()];
        self.next += 1;
        ctx.send(
            replica,
            WebMessage::HttpRequest(HttpRequest { id, ..proxied.request.clone() }).into(),
        );
        ctx.set_timer(ZkNodeTimer::Proxy(id), self.timeout);
    }
}
