//! A replica of the web tier: it holds nothing, and turns requests into questions to the store.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::http::{
    HttpRequest, HttpResponse, Point, StoreRequest, WebMessage, read_milli, show_milli,
};
use super::node::{ZkNode, ZkNodeTimer};
use crate::node::{Ctx, NodeId};

/// How often a question to the store is sent before the replica gives up.
const ATTEMPTS_MAX: u32 = 4;

struct Waiting {
    from: NodeId,
    id: u64,
    question: StoreRequest,
    attempts: u32,
}

/// A web replica.
pub struct Web {
    store: NodeId,
    timeout: Duration,
    last_id: u64,
    open: BTreeMap<u64, Waiting>,
}

impl Web {
    /// A replica that uses this store, and asks it again after so long.
    pub fn new(store: NodeId, timeout: Duration) -> Web {
        Web { store, timeout, last_id: 0, open: BTreeMap::new() }
    }

    /// A request of the balancer or an answer of the store.
    pub fn on_web(&mut self, ctx: &mut Ctx<'_, ZkNode>, from: NodeId, message: WebMessage) {
        match message {
            WebMessage::HttpRequest(request) => self.on_request(ctx, from, &request),
            WebMessage::StoreReply { id, status, points } => {
                let Some(waiting) = self.open.remove(&id) else { return };
                ctx.cancel_timer(ZkNodeTimer::Proxy(id));
                let body = match waiting.question {
                    StoreRequest::Put { .. } => String::new(),
                    _ => points.iter().map(line).collect(),
                };
                answer(ctx, waiting.from, waiting.id, status, body);
            }
            _ => {}
        }
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_, ZkNode>, from: NodeId, request: &HttpRequest) {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let question = match path {
            "/detectar" => match query.strip_prefix("dato=").and_then(read_milli) {
                Some(milli) => {
                    StoreRequest::Put { epoch: request.epoch, number: request.number, milli }
                }
                None => {
                    return answer(ctx, from, request.id, 400, "dato must be a number".to_owned());
                }
            },
            "/listar" => StoreRequest::List,
            "/anomalias" => StoreRequest::Anomalies,
            _ => return answer(ctx, from, request.id, 404, String::new()),
        };
        self.last_id += 1;
        self.open.insert(self.last_id, Waiting { from, id: request.id, question, attempts: 0 });
        self.ask(ctx, self.last_id);
    }

    fn ask(&mut self, ctx: &mut Ctx<'_, ZkNode>, id: u64) {
        let Some(waiting) = self.open.get_mut(&id) else { return };
        waiting.attempts += 1;
        ctx.send(
            self.store,
            WebMessage::StoreRequest { id, request: waiting.question.clone() }.into(),
        );
        ctx.set_timer(ZkNodeTimer::Proxy(id), self.timeout);
    }

    /// The store has not answered in time.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_, ZkNode>, id: u64) {
        let Some(waiting) = self.open.get(&id) else { return };
        if waiting.attempts < ATTEMPTS_MAX {
            return self.ask(ctx, id);
        }
        let Some(waiting) = self.open.remove(&id) else { return };
        answer(ctx, waiting.from, waiting.id, 503, "the store does not answer".to_owned());
    }
}

fn answer(ctx: &mut Ctx<'_, ZkNode>, to: NodeId, id: u64, status: u16, body: String) {
    ctx.send(
        to,
        WebMessage::HttpResponse(HttpResponse { id, status, body: Rc::from(body) }).into(),
    );
}

/// A line of a list: timestamp in ms and value.
fn line(point: &Point) -> String {
    format!("{},{}\n", point.at_ms, show_milli(point.milli))
}
