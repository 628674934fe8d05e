//! One end of a connection: the handshake, the time-outs, and how it comes to an end.

use std::time::Duration;

use super::receive::Receiver;
use super::rto::Rto;
use super::segment::{Kind, Segment};
use super::send::Sender;
use super::{StreamOut, Token};
use crate::node::{NodeId, Port, StreamEvent, StreamId};
use crate::rng::Rng;
use crate::scenario::StreamSpec;
use crate::time::Time;

/// How far a connection has come. RFC 9293 has more names for `Open` (FIN-WAIT, CLOSE-WAIT,
/// LAST-ACK …); they say which of the two FINs was sent, received and acknowledged, and the two
/// halves know that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// This end has sent a SYN.
    SynSent(Port),
    /// This end has answered a SYN, and the node does not know of it yet.
    SynReceived(Port),
    /// Both sides know each other.
    Open,
    /// Both sides have closed and everything is acknowledged. For some time the end answers the
    /// peer, which may not know that.
    TimeWait,
}

/// Whether the host keeps an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Forgotten,
}

/// One end. The deadlines that it may have are kept apart, and one timer stands for the next of
/// them.
#[derive(Clone, Debug)]
pub(super) struct End {
    id: StreamId,
    pub(super) peer: NodeId,
    /// The peer's end; `None` until its SYN-ACK.
    pub(super) peer_end: Option<StreamId>,
    pub(super) state: State,
    send: Sender,
    receive: Receiver,
    rto: Rto,
    segment: u32,
    retries_max: u32,
    /// How long a peer may go on retransmitting.
    patience: Duration,
    /// Time-outs since the peer last acknowledged something.
    retries: u32,
    retransmit_at: Option<Time>,
    forget_at: Option<Time>,
    /// What to acknowledge with: the newest stamp of a segment without a gap before it (RFC 7323,
    /// 4.3).
    echo: Time,
    /// The process that had this end is gone; the host brings it to its end alone.
    orphan: bool,
    /// The timer that runs, and its number.
    armed: Option<Time>,
    serial: u32,
}

impl End {
    fn new(
        id: StreamId,
        peer: NodeId,
        peer_end: Option<StreamId>,
        state: State,
        spec: &StreamSpec,
    ) -> Self {
        End {
            id,
            peer,
            peer_end,
            state,
            send: Sender::new(spec),
            receive: Receiver::new(spec),
            rto: Rto::new(spec),
            segment: spec.segment,
            retries_max: spec.retries,
            patience: spec.rto_max.saturating_mul(spec.retries.saturating_add(1)),
            retries: 0,
            retransmit_at: None,
            forget_at: None,
            echo: Time::ZERO,
            orphan: false,
            armed: None,
            serial: 0,
        }
    }

    /// Open a connection.
    pub(super) fn connect(
        now: Time,
        id: StreamId,
        peer: NodeId,
        port: Port,
        spec: &StreamSpec,
        out: &mut Vec<StreamOut>,
    ) -> Self {
        let mut end = End::new(id, peer, None, State::SynSent(port), spec);
        end.emit(now, Kind::Syn { port }, out);
        end.rearm(now, true);
        end
    }

    /// Answer a SYN.
    pub(super) fn answer(
        now: Time,
        id: StreamId,
        peer: NodeId,
        syn: &Segment,
        port: Port,
        spec: &StreamSpec,
        out: &mut Vec<StreamOut>,
    ) -> Self {
        let mut end = End::new(id, peer, syn.src, State::SynReceived(port), spec);
        end.echo = syn.stamp;
        end.send.on_ack(0, syn.window, false, &mut vec![]);
        end.emit(now, Kind::SynAck, out);
        end.rearm(now, true);
        end
    }

    pub(super) fn write(&mut self, now: Time, bytes: &[u8], out: &mut Vec<StreamOut>) {
        self.send.write(bytes);
        self.transmit(now, out);
    }

    pub(super) fn close(&mut self, now: Time, out: &mut Vec<StreamOut>) {
        self.send.close();
        self.transmit(now, out);
    }

    pub(super) fn pause(&mut self) {
        self.receive.pause();
    }

    /// Read again.
    pub(super) fn resume(&mut self, now: Time, out: &mut Vec<StreamOut>) -> Fate {
        let mut events = vec![];
        self.receive.resume(self.id, &mut events);
        self.tell(events, out);
        self.update_window(now, out);
        self.settle(now)
    }

    /// Bytes that were handed over wait in the node's backlog.
    pub(super) fn queued(&mut self, bytes: u64) {
        self.receive.on_queued(bytes);
    }

    /// The node has taken bytes from its backlog.
    pub(super) fn taken(&mut self, now: Time, bytes: u64, out: &mut Vec<StreamOut>) {
        self.receive.on_taken(bytes);
        self.update_window(now, out);
    }

    /// Break the connection off.
    pub(super) fn reset(&mut self, now: Time, out: &mut Vec<StreamOut>) {
        // To an unanswered SYN there is nothing to break off: its answer will find no end here.
        if self.peer_end.is_some() && self.state != State::TimeWait {
            self.emit(now, Kind::Rst, out);
        }
    }

    /// The process has ended. What it wrote still reaches the peer, then a FIN; but a process that
    /// leaves bytes unread, or is not known to the peer yet, breaks the connection off (RFC 2525,
    /// 2.17).
    pub(super) fn abandon(&mut self, now: Time, out: &mut Vec<StreamOut>) -> Fate {
        let open = matches!(self.state, State::Open | State::TimeWait);
        if !open || self.receive.unread() {
            self.reset(now, out);
            return Fate::Forgotten;
        }
        self.orphan = true;
        self.close(now, out);
        if self.state == State::Open {
            self.receive.resume(self.id, &mut vec![]);
        }
        self.settle(now)
    }

    /// A segment for this end, from its peer.
    pub(super) fn on_segment(
        &mut self,
        now: Time,
        segment: Segment,
        rng: &mut Rng,
        out: &mut Vec<StreamOut>,
    ) -> Fate {
        let opens = self.state != State::Open;
        match (self.state, &segment.kind) {
            (State::TimeWait, Kind::Data { .. } | Kind::Fin { .. }) => {
                self.emit(now, Kind::Ack, out);
                return Fate::Kept;
            }
            // RFC 1337: a reset in TIME-WAIT, like everything else there, means nothing.
            (State::TimeWait, _) => return Fate::Kept,
            (_, Kind::Rst) => return self.on_reset(out),
            (State::SynSent(_), Kind::SynAck) => {
                self.peer_end = segment.src;
                self.open(StreamEvent::Connected(self.id), out);
            }
            // The peer speaks to an end that it knows, so it has the SYN-ACK.
            (State::SynReceived(port), _) => {
                self.open(StreamEvent::Accepted { stream: self.id, from: self.peer, port }, out)
            }
            (State::SynSent(_) | State::Open, _) => {}
        }
        self.acknowledge(now, &segment, opens, out);
        let answer = match segment.kind {
            Kind::Data { seq, bytes } => {
                self.freshen(segment.stamp, seq);
                if self.receive.on_data(seq, bytes) {
                    if self.orphan {
                        self.reset(now, out);
                        return Fate::Forgotten;
                    }
                    self.hand_over(now, rng, out);
                }
                true
            }
            Kind::Fin { seq } => {
                self.freshen(segment.stamp, seq);
                self.receive.on_fin(seq);
                self.hand_over(now, rng, out);
                true
            }
            Kind::SynAck => {
                self.freshen(segment.stamp, 0);
                true
            }
            Kind::Ack | Kind::Syn { .. } | Kind::Rst => false,
        };
        // Each segment is acknowledged immediately and by itself: three of the same mean a loss.
        if answer {
            self.emit(now, Kind::Ack, out);
        }
        self.transmit(now, out);
        self.settle(now)
    }

    /// The SYN of this end's own connection came once more: the peer may not have the answer.
    pub(super) fn on_syn_again(&mut self, now: Time, out: &mut Vec<StreamOut>) {
        if matches!(self.state, State::SynReceived(_)) {
            self.emit(now, Kind::SynAck, out);
        }
    }

    /// The timer ran out; a token of an earlier one means nothing.
    pub(super) fn on_timer(&mut self, now: Time, token: Token, out: &mut Vec<StreamOut>) -> Fate {
        if token.serial != self.serial {
            return Fate::Kept;
        }
        self.armed = None;
        let due = |deadline: Option<Time>| deadline.is_some_and(|at| at <= now);
        if due(self.forget_at) {
            return Fate::Forgotten;
        }
        if due(self.receive.deadline()) {
            let mut events = vec![];
            self.receive.flush(self.id, &mut events);
            self.tell(events, out);
            self.update_window(now, out);
        }
        if due(self.retransmit_at) {
            if self.retries == self.retries_max {
                return self.give_up(out);
            }
            self.retries += 1;
            self.rto.double();
            let mut kinds = vec![];
            match self.state {
                State::SynSent(port) => kinds.push(Kind::Syn { port }),
                State::SynReceived(_) => kinds.push(Kind::SynAck),
                State::Open | State::TimeWait => self.send.on_timeout(&mut kinds),
            }
            self.emit_all(now, kinds, out);
            self.rearm(now, true);
        }
        self.settle(now)
    }

    /// Have a timer for the next deadline. Where one runs that comes earlier, it does: deadlines
    /// mostly move away, and one timer for each of them would fill the driver's heap.
    pub(super) fn arm(&mut self, out: &mut Vec<StreamOut>) {
        let deadlines = [self.retransmit_at, self.forget_at, self.receive.deadline()];
        let Some(next) = deadlines.into_iter().flatten().min() else { return };
        if self.armed.is_none_or(|armed| next < armed) {
            self.armed = Some(next);
            self.serial += 1;
            out.push(StreamOut::Timer {
                at: next,
                token: Token { stream: self.id, serial: self.serial },
            });
        }
    }

    fn open(&mut self, event: StreamEvent, out: &mut Vec<StreamOut>) {
        self.state = State::Open;
        self.retries = 0;
        self.retransmit_at = None;
        self.tell(vec![event], out);
    }

    /// Take the acknowledgement that every segment carries. The one that `opens` the connection
    /// acknowledges the handshake.
    fn acknowledge(&mut self, now: Time, segment: &Segment, opens: bool, out: &mut Vec<StreamOut>) {
        let bare = segment.kind == Kind::Ack;
        let mut kinds = vec![];
        let acked = self.send.on_ack(segment.ack, segment.window, bare, &mut kinds);
        if acked.progress || opens {
            self.rto.sample(now.saturating_since(segment.echo));
        } else if acked.unblocked {
            self.rto.forget_doublings();
        }
        // A peer that has no room but says so is alive (RFC 9293, 3.8.6.1): the connection stays
        // for as long as it does.
        if acked.progress || self.send.blocked() {
            self.retries = 0;
        }
        self.emit_all(now, kinds, out);
        if acked.writable {
            self.tell(vec![StreamEvent::Writable(self.id)], out);
        }
        self.rearm(now, acked.progress);
    }

    /// The node took bytes. A peer for which there was no room would find out with its next window
    /// probe; it is told immediately.
    fn update_window(&mut self, now: Time, out: &mut Vec<StreamOut>) {
        if self.state == State::Open && self.receive.owes_room(self.segment) {
            self.emit(now, Kind::Ack, out);
        }
    }

    /// Remember the stamp of a segment that leaves no gap before it.
    fn freshen(&mut self, stamp: Time, seq: u64) {
        if seq <= self.receive.ack() {
            self.echo = self.echo.max(stamp);
        }
    }

    fn hand_over(&mut self, now: Time, rng: &mut Rng, out: &mut Vec<StreamOut>) {
        let mut events = vec![];
        self.receive.hand_over(now, self.id, rng, &mut events);
        self.tell(events, out);
    }

    fn on_reset(&mut self, out: &mut Vec<StreamOut>) -> Fate {
        match self.state {
            State::SynSent(_) => self.tell(vec![StreamEvent::Refused(self.id)], out),
            State::Open => self.break_off(StreamEvent::Reset(self.id), out),
            State::SynReceived(_) | State::TimeWait => {}
        }
        Fate::Forgotten
    }

    fn give_up(&mut self, out: &mut Vec<StreamOut>) -> Fate {
        match self.state {
            State::SynSent(_) => self.tell(vec![StreamEvent::TimedOut(self.id)], out),
            State::Open => self.break_off(StreamEvent::TimedOut(self.id), out),
            State::SynReceived(_) | State::TimeWait => {}
        }
        Fate::Forgotten
    }

    /// The connection ends before its time. What has arrived can still be read, as from a socket.
    /// Where both sides have closed and only the acknowledgement of the last FIN is missing,
    /// nothing was lost, and the node has nothing to learn.
    fn break_off(&mut self, event: StreamEvent, out: &mut Vec<StreamOut>) {
        let mut events = vec![];
        self.receive.resume(self.id, &mut events);
        if !(self.receive.told() && self.send.only_fin_is_missing()) {
            events.push(event);
        }
        self.tell(events, out);
    }

    fn transmit(&mut self, now: Time, out: &mut Vec<StreamOut>) {
        if self.state == State::Open {
            let idle = !self.send.outstanding();
            let mut kinds = vec![];
            self.send.transmit(&mut kinds);
            self.rearm(now, idle && !kinds.is_empty());
            self.emit_all(now, kinds, out);
        }
    }

    /// RFC 6298 (5.1) to (5.3): the timer runs while something is unacknowledged, and begins anew
    /// with each acknowledgement of new bytes.
    fn rearm(&mut self, now: Time, anew: bool) {
        let waits = match self.state {
            State::SynSent(_) | State::SynReceived(_) => true,
            State::Open => self.send.outstanding() || self.send.blocked(),
            State::TimeWait => false,
        };
        if !waits {
            self.retransmit_at = None;
        } else if anew || self.retransmit_at.is_none() {
            self.retransmit_at = Some(now + self.rto.current());
        }
    }

    /// See whether the end has nothing more to do. It then stays for as long as the peer could send
    /// its last segments again, so that they are acknowledged and not refused; and so does an
    /// orphan whose peer never closes (Linux calls it `tcp_fin_timeout`).
    fn settle(&mut self, now: Time) -> Fate {
        if self.state == State::Open && self.send.finished() {
            if self.receive.told() {
                self.state = State::TimeWait;
                self.retransmit_at = None;
            }
            if (self.receive.told() || self.orphan) && self.forget_at.is_none() {
                self.forget_at = Some(now + self.patience);
            }
        }
        Fate::Kept
    }

    fn tell(&self, events: Vec<StreamEvent>, out: &mut Vec<StreamOut>) {
        if !self.orphan {
            out.extend(events.into_iter().map(StreamOut::Event));
        }
    }

    fn emit_all(&mut self, now: Time, kinds: Vec<Kind>, out: &mut Vec<StreamOut>) {
        for kind in kinds {
            self.emit(now, kind, out);
        }
    }

    fn emit(&mut self, now: Time, kind: Kind, out: &mut Vec<StreamOut>) {
        let segment = Segment {
            src: Some(self.id),
            dest: self.peer_end,
            kind,
            ack: self.receive.ack(),
            window: self.receive.promise(),
            stamp: now,
            echo: self.echo,
        };
        out.push(StreamOut::Segment { dest: self.peer, segment });
    }
}
