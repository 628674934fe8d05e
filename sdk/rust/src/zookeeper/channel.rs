//! Connections over datagrams: messages arrive once and in order, or the connection breaks.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::Ctx;

const RETRANSMIT_NS: u64 = 80_000_000;
/// The longest pause between retransmissions, as a multiple of the first one.
const BACKOFF_MAX: u64 = 8;
/// How many packets are resent together; the others follow when these are acknowledged.
const BURST_MAX: usize = 8;

/// One end of a connection: packets are numbered, acknowledged (with the next packet back, or
/// separately), and resent until they are.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) number: u64,
    /// When [`Channel::resend`] must be called, ns.
    pub(super) resend_at: u64,
    peer: String,
    next_seq: u64,
    /// Sent but not acknowledged, in order, with their numbers.
    unacked: VecDeque<(u64, Value)>,
    pause: u64,
    /// The last packet that arrived without a gap, and those after the gap.
    received: u64,
    early: BTreeMap<u64, Value>,
    owes_ack: bool,
}

impl Channel {
    pub(super) fn open(ctx: &mut Ctx, peer: &str) -> Channel {
        Channel {
            number: ctx.random().bits() >> 1,
            resend_at: u64::MAX,
            peer: peer.to_owned(),
            next_seq: 1,
            unacked: VecDeque::new(),
            pause: RETRANSMIT_NS,
            received: 0,
            early: BTreeMap::new(),
            owes_ack: false,
        }
    }

    /// Send now, and again until it has arrived.
    pub(super) fn send(&mut self, ctx: &mut Ctx, mut body: Value) {
        if self.unacked.is_empty() {
            self.pause = RETRANSMIT_NS;
            self.resend_at = ctx.now_ns() + self.pause;
        }
        body["channel"] = json!(self.number);
        body["seq"] = json!(self.next_seq);
        self.transmit(ctx, &mut body);
        self.unacked.push_back((self.next_seq, body));
        self.next_seq += 1;
    }

    fn transmit(&mut self, ctx: &mut Ctx, body: &mut Value) {
        self.owes_ack = false;
        body["ack"] = json!(self.received);
        ctx.send(&self.peer, body);
    }

    /// Accept a packet, and return the messages that can be handled now, in order.
    pub(super) fn on_packet(&mut self, seq: u64, message: &Value) -> Vec<Value> {
        self.owes_ack = true;
        if seq > self.received {
            self.early.insert(seq, message.clone());
        }
        let mut ready = Vec::new();
        while let Some(body) = self.early.remove(&(self.received + 1)) {
            self.received += 1;
            ready.push(body);
        }
        ready
    }

    /// The peer has everything up to `ack`.
    pub(super) fn on_ack(&mut self, now: u64, ack: u64) {
        let before = self.unacked.len();
        self.unacked.retain(|(seq, _)| *seq > ack);
        if self.unacked.len() < before {
            self.pause = RETRANSMIT_NS;
            self.resend_at = if self.unacked.is_empty() { u64::MAX } else { now + self.pause };
        }
    }

    /// Resend packets that have waited long enough.
    pub(super) fn resend(&mut self, ctx: &mut Ctx) {
        if ctx.now_ns() < self.resend_at {
            return;
        }
        let mut burst: Vec<Value> =
            self.unacked.iter().take(BURST_MAX).map(|(_, body)| body.clone()).collect();
        for body in &mut burst {
            self.transmit(ctx, body);
        }
        self.pause = (self.pause * 2).min(RETRANSMIT_NS * BACKOFF_MAX);
        self.resend_at = ctx.now_ns() + self.pause;
    }

    /// At the end of a step, acknowledge what no packet has acknowledged.
    pub(super) fn flush(&mut self, ctx: &mut Ctx) {
        if std::mem::take(&mut self.owes_ack) {
            ctx.send(
                &self.peer,
                &json!({ "type": "PacketAck", "connection": self.number, "ack": self.received }),
            );
        }
    }
}
