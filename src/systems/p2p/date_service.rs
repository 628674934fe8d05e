//! The date service: it tells every node that connects and asks date and time by its own wall
//! clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::date::date_text;
use super::framing::{Strings, encode};
use super::node::{Ctx, P2pTimer};
use super::settings::P2pSettings;
use super::vocabulary::{DateServiceMetrics, DateText, Dated};
use crate::node::{NodeId, Port, Probe, StreamEvent, StreamId};
use crate::vocabulary::Metrics as _;

/// Where it listens.
pub const PORT: Port = Port(80);
/// What a node asks.
pub const REQUEST: &str = "GET_DATE";

/// The date service's node.
pub struct DateService {
    settings: Arc<P2pSettings>,
    connections: BTreeMap<StreamId, (NodeId, Strings)>,
    given: u64,
}

impl DateService {
    pub fn new(settings: Arc<P2pSettings>) -> DateService {
        DateService { settings, connections: BTreeMap::new(), given: 0 }
    }

    pub fn boot(&mut self, ctx: &mut Ctx<'_>) {
        ctx.listen(PORT);
    }

    pub fn on_stream(&mut self, ctx: &mut Ctx<'_>, event: StreamEvent) {
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

    fn on_data(&mut self, ctx: &mut Ctx<'_>, stream: StreamId, bytes: &[u8]) {
        let Some((from, strings)) = self.connections.get_mut(&stream) else { return };
        strings.push(bytes);
        match strings.string() {
            Ok(None) => {}
            Ok(Some(request)) if request == REQUEST => {
                let (from, date) = (*from, date_text(ctx.wall()));
                self.given += 1;
                ctx.emit(Dated { to: from, date: DateText(date.clone()) });
                ctx.write(stream, encode([date.as_str()]));
                ctx.close(stream);
                self.forget(ctx, stream);
            }
            Ok(Some(_)) | Err(_) => self.on_idle(ctx, stream),
        }
    }

    /// Nothing useful came: the connection is broken off.
    pub fn on_idle(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
        if self.connections.contains_key(&stream) {
            ctx.reset(stream);
            self.forget(ctx, stream);
        }
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
        ctx.close(stream);
        self.forget(ctx, stream);
    }

    fn forget(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
        self.connections.remove(&stream);
        ctx.cancel_timer(P2pTimer::Idle(stream));
    }

    pub fn probe(&self, probe: &mut Probe<'_>) {
        DateServiceMetrics { dates: self.given }.show(probe);
    }
}
