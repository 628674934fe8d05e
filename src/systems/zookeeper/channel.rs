//! Connections over datagrams: what is sent arrives once and in order, or the connection breaks.
//!
//! Zab assumes such channels between servers, and a client's requests are answered in order because
//! its connection keeps their order; ZooKeeper has both from TCP. Here packets are numbered,
//! acknowledged (with the next packet back, or by themselves at the end of the step) and sent again
//! after a while. A channel never gives up by itself: its owner drops it when the peer has been
//! silent for too long.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use super::host::Link;
use super::message::{Body, ConnectionId, Datagram, Packet, ZkMessage};
use crate::node::{LocalTime, NodeId};

/// Packets that are sent again together; the others follow when these are acknowledged.
const BURST_MAX: usize = 8;
/// How many times the first pause between retransmissions the longest one is.
const BACKOFF_MAX: u32 = 8;

/// One end of a connection.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The other end.
    pub peer: NodeId,
    /// Which connection.
    pub id: ConnectionId,
    /// When anything of it arrived last.
    pub heard: LocalTime,
    retransmit_after: Duration,
    next_seq: u64,
    /// Sent and not acknowledged, in order; the last one has the number `next_seq - 1`.
    unacked: VecDeque<Rc<Body>>,
    /// When the first of them is sent again.
    resend_at: LocalTime,
    pause: Duration,
    /// The last packet that arrived without a gap.
    received: u64,
    /// Packets that arrived before their predecessors.
    early: BTreeMap<u64, Rc<Body>>,
    owes_ack: bool,
}

impl Channel {
    /// A fresh connection; the peer learns of it by the first packet.
    pub fn new(
        peer: NodeId,
        id: ConnectionId,
        retransmit_after: Duration,
        now: LocalTime,
    ) -> Channel {
        Channel {
            peer,
            id,
            heard: now,
            retransmit_after,
            next_seq: 1,
            unacked: VecDeque::new(),
            resend_at: LocalTime::from_nanos(u64::MAX),
            pause: retransmit_after,
            received: 0,
            early: BTreeMap::new(),
            owes_ack: false,
        }
    }

    /// A fresh connection under a random number.
    pub fn open(link: &mut impl Link, peer: NodeId, retransmit_after: Duration) -> Channel {
        let id = ConnectionId(link.below(u64::MAX));
        Channel::new(peer, id, retransmit_after, link.now())
    }

    /// Send, now and until it has arrived.
    pub fn send(&mut self, link: &mut impl Link, body: Body) {
        let body = Rc::new(body);
        if self.unacked.is_empty() {
            self.pause = self.retransmit_after;
            self.resend_at = link.now() + self.pause;
        }
        self.unacked.push_back(body.clone());
        self.next_seq += 1;
        self.transmit(link, self.next_seq - 1, body);
    }

    fn transmit(&mut self, link: &mut impl Link, seq: u64, body: Rc<Body>) {
        self.owes_ack = false;
        link.send(
            self.peer,
            ZkMessage::Packet(Packet { connection: self.id, seq, ack: self.received, body }),
        );
    }

    /// A packet has arrived: what can be handled now, in order.
    pub fn on_packet(&mut self, now: LocalTime, packet: &Packet) -> Vec<Rc<Body>> {
        self.on_ack(now, packet.ack);
        self.owes_ack = true;
        if packet.seq > self.received {
            self.early.insert(packet.seq, packet.body.clone());
        }
        let mut ready = Vec::new();
        while let Some(body) = self.early.remove(&(self.received + 1)) {
            self.received += 1;
            ready.push(body);
        }
        ready
    }

    /// The peer has everything up to `ack`.
    pub fn on_ack(&mut self, now: LocalTime, ack: u64) {
        self.heard = now;
        let first = self.next_seq - self.unacked.len() as u64;
        let acked = (ack + 1).saturating_sub(first).min(self.unacked.len() as u64);
        if acked > 0 {
            self.unacked.drain(..acked as usize);
            self.pause = self.retransmit_after;
            self.resend_at = if self.unacked.is_empty() {
                LocalTime::from_nanos(u64::MAX)
            } else {
                now + self.pause
            };
        }
    }

    /// The step ends: acknowledge what no packet has acknowledged.
    pub fn flush(&mut self, link: &mut impl Link) {
        if std::mem::take(&mut self.owes_ack) {
            let ack = Datagram::PacketAck { connection: self.id, ack: self.received };
            link.send(self.peer, ack.into());
        }
    }

    /// Send again what has waited long enough.
    pub fn resend(&mut self, link: &mut impl Link) {
        if link.now() < self.resend_at {
            return;
        }
        let first = self.next_seq - self.unacked.len() as u64;
        let burst: Vec<Rc<Body>> = self.unacked.iter().take(BURST_MAX).cloned().collect();
        for (seq, body) in (first..).zip(burst) {
            self.transmit(link, seq, body);
        }
        self.pause = (self.pause * 2).min(self.retransmit_after * BACKOFF_MAX);
        self.resend_at = link.now() + self.pause;
    }

    /// When [`Channel::resend`] is to be called, if there is anything to wait for.
    pub fn deadline(&self) -> Option<LocalTime> {
        (!self.unacked.is_empty()).then_some(self.resend_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::zookeeper::host::ZkTimer;
    use crate::vocabulary::Event;

    #[derive(Default)]
    struct Wire {
        now: LocalTime,
        sent: Vec<Packet>,
    }

    impl Link for Wire {
        fn now(&self) -> LocalTime {
            self.now
        }
        fn below(&mut self, _: u64) -> u64 {
            7
        }
        fn send(&mut self, _: NodeId, message: ZkMessage) {
            if let ZkMessage::Packet(packet) = message {
                self.sent.push(packet);
            }
        }
        fn set_timer(&mut self, _: ZkTimer, _: Duration) {}
        fn emit<E: Event>(&mut self, _: E) {}
    }

    /// The second packet overtakes the first, the first comes twice: the receiver hands over each
    /// once, in the order of sending.
    #[test]
    fn packets_are_handed_over_once_and_in_order() {
        let mut wire = Wire::default();
        let pause = Duration::from_millis(100);
        let mut sender = Channel::open(&mut wire, NodeId(1), pause);
        let mut receiver = Channel::new(NodeId(0), sender.id, pause, LocalTime::ZERO);
        sender.send(&mut wire, Body::Ping);
        sender.send(&mut wire, Body::ClientPing);
        let (first, second) = (wire.sent[0].clone(), wire.sent[1].clone());
        assert!(receiver.on_packet(LocalTime::ZERO, &second).is_empty());
        assert_eq!(
            receiver.on_packet(LocalTime::ZERO, &first),
            [Rc::new(Body::Ping), Rc::new(Body::ClientPing)]
        );
        assert!(receiver.on_packet(LocalTime::ZERO, &first).is_empty());
    }

    /// What is not acknowledged is sent again when the pause is over, and not after the
    /// acknowledgement.
    #[test]
    fn lost_packets_are_sent_again() {
        let mut wire = Wire::default();
        let mut sender = Channel::open(&mut wire, NodeId(1), Duration::from_millis(100));
        sender.send(&mut wire, Body::Ping);
        sender.resend(&mut wire);
        assert_eq!(wire.sent.len(), 1);
        wire.now = wire.now + Duration::from_millis(100);
        sender.resend(&mut wire);
        assert_eq!(wire.sent.len(), 2);
        sender.on_ack(wire.now, 1);
        assert_eq!(sender.deadline(), None);
    }
}
