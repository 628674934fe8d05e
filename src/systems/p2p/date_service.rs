//! The date service: whoever connects and asks is told date and time by this node's wall clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::date::date_text;
use super::events;
use super::framing::{Strings, encode};
use super::node::{P2pTimer, Step};
use super::settings::P2pSettings;
use crate::node::{NodeId, Port, Probe, StreamEvent, StreamId};

/// Where it listens.
pub const PORT: Port = Port(80);
/// What is asked.
pub const REQUEST: &str = "GET_DATE";

/// The state of the service.
pub struct DateService {
    settings: Arc<P2pSettings>,
    connections: BTreeMap<StreamId, (NodeId, Strings)>,
    given: u64,
}

impl DateService {
    pub fn new(settings: Arc<P2pSettings>) -> DateService {
        DateService { settings, connections: BTreeMap::new(), given: 0 }
    }

    pub fn boot(&mut self, ctx: &mut Step<'_>) {
        ctx.listen(PORT);
    }

    pub fn on_stream(&mut self, ctx: &mut Step<'_>, event: StreamEvent) {
        match event {
            StreamEvent::Accepted { stream, from, .. } => {
                self.connections.insert(stream, (from, Strings::default()));
                ctx.set_timer(P2pTimer::Idle(stream), self.settings.idle_timeout);
            }
            StreamEvent::Data(stream, bytes) => self.on_data(ctx, stream, &bytes),
            StreamEvent::PeerClosed(stream) => self.end(ctx, stream),
            StreamEvent::Reset(stream) | StreamEvent::TimedOut(stream) => self.forget(ctx, stream),
            _ => {}
        }
    }

    fn on_data(&mut self, ctx: &mut Step<'_>, stream: StreamId, bytes: &[u8]) {
        let Some((from, strings)) = self.connections.get_mut(&stream) else { return };
        strings.push(bytes);
        match strings.string() {
            Ok(None) => {}
            Ok(Some(request)) if request == REQUEST => {
                let (from, date) = (*from, date_text(ctx.wall()));
                self.given += 1;
                events::dated(ctx, from, &date);
                ctx.write(stream, encode([date.as_str()]));
                ctx.close(stream);
                self.forget(ctx, stream);
            }
            Ok(Some(_)) | Err(_) => self.on_idle(ctx, stream),
        }
    }

    /// Nothing useful came: the connection is broken off.
    pub fn on_idle(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        if self.connections.contains_key(&stream) {
            ctx.reset(stream);
            self.forget(ctx, stream);
        }
    }

    fn end(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        ctx.close(stream);
        self.forget(ctx, stream);
    }

    fn forget(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        self.connections.remove(&stream);
        ctx.cancel_timer(P2pTimer::Idle(stream));
    }

    pub fn probe(&self, probe: &mut Probe<'_>) {
        probe.int("dates", self.given as i64);
    }
}
