//! The UTC source: its hardware shows true time, and it tells it to the time server, to nobody
//! else.

use super::events;
use super::message::CristianMessage;
use super::process::Context;
use crate::node::NodeId;

/// See the module.
pub struct UtcSource;

impl UtcSource {
    pub fn on_message(&mut self, ctx: &mut Context<'_>, from: NodeId, message: &CristianMessage) {
        if let CristianMessage::UtcRequest { nonce } = message {
            events::utc_asked(ctx, from);
            ctx.send(
                from,
                CristianMessage::UtcResponse { nonce: *nonce, utc: ctx.wall().as_nanos() },
            );
        }
    }
}
