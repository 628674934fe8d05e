//! A node's only way to the world.

use std::time::Duration;

use super::disk::{Disk, DiskOp};
use super::effects::{Effect, Effects, TimerOp};
use super::stream::{Port, StreamId, StreamOp};
use super::{Identity, Node};
use crate::rng::Rng;
use crate::time::{LocalTime, WallTime};
use crate::trace::{Fields, NodeId, Value, Word};
use crate::vocabulary::Event;

/// A node's way to the world during one step.
pub struct Ctx<'a, N: Node> {
    pub(crate) identity: &'a Identity,
    pub(crate) now: LocalTime,
    pub(crate) wall: WallTime,
    pub(crate) rng: &'a mut Rng,
    pub(crate) disk: &'a Disk,
    pub(crate) next_stream: &'a mut u64,
    pub(crate) logging: bool,
    pub(crate) effects: &'a mut Effects<N::Msg, N::Timer>,
}

impl<N: Node> Ctx<'_, N> {
    /// This node.
    pub fn id(&self) -> NodeId {
        self.identity.id
    }

    /// The nodes of the same role, without this one, in the scenario's order.
    pub fn peers(&self) -> &[NodeId] {
        &self.identity.peers
    }

    /// The name of a participant.
    pub fn name(&self, node: NodeId) -> &str {
        &self.identity.names[node.index()]
    }

    /// The participant of this name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        NodeId::named(&self.identity.names, name)
    }

    /// How often this node has started, from 1. For the trace, not for protocols: a real process
    /// does not know it.
    pub fn incarnation(&self) -> u32 {
        self.identity.incarnation
    }

    /// The node's monotonic clock. It drifts, and it never goes back.
    pub fn now(&self) -> LocalTime {
        self.now
    }

    /// The node's wall clock, which may be wrong, step and stand still.
    pub fn wall(&self) -> WallTime {
        self.wall
    }

    /// The node's own stream of randomness.
    pub fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    /// Send a datagram, to this node itself too. It may be lost, doubled, late or out of order.
    pub fn send(&mut self, dest: NodeId, message: N::Msg) {
        self.effects.out.push(Effect::Send { dest, message });
    }

    /// Send a datagram to every peer.
    pub fn broadcast(&mut self, message: &N::Msg) {
        for i in 0..self.identity.peers.len() {
            self.send(self.identity.peers[i], message.clone());
        }
    }

    /// Have `timer` run out after `after` on this node's monotonic clock, replacing an earlier
    /// setting of the same timer.
    pub fn set_timer(&mut self, timer: N::Timer, after: Duration) {
        self.effects.timers.push(TimerOp::Set { timer, after });
    }

    /// Forget a timer; nothing happens where it does not run.
    pub fn cancel_timer(&mut self, timer: N::Timer) {
        self.effects.timers.push(TimerOp::Cancel { timer });
    }

    /// The content of a file as this process sees it at the beginning of the step, unsynced saves
    /// included.
    pub fn read(&self, file: &str) -> Option<Vec<u8>> {
        self.disk.read(file)
    }

    /// The names of all files, sorted.
    pub fn files(&self) -> Vec<String> {
        self.disk.files()
    }

    /// Append bytes to a file, which is made where it does not exist. A crash before the sync may
    /// leave a part of them.
    pub fn append(&mut self, file: &'static str, bytes: Vec<u8>) {
        self.save(DiskOp::Append { file: file.into(), bytes });
    }

    /// Give a file a new content, old or new but never a mixture after a crash (written aside,
    /// synced and renamed).
    pub fn replace(&mut self, file: &'static str, bytes: Vec<u8>) {
        self.save(DiskOp::Replace { file: file.into(), bytes });
    }

    /// Cut a file to `len` bytes.
    pub fn truncate(&mut self, file: &'static str, len: u64) {
        self.save(DiskOp::Truncate { file: file.into(), len });
    }

    /// Remove a file.
    pub fn remove(&mut self, file: &'static str) {
        self.save(DiskOp::Remove { file: file.into() });
    }

    /// Any disk operation; for files whose names are made at run time.
    pub fn save(&mut self, op: DiskOp) {
        if self.effects.sync {
            self.effects.saves.push(op);
        } else {
            self.effects.lazy_saves.push(op);
        }
    }

    /// From here to the end of the step, saves only reach the operating system's cache, and nothing
    /// waits for them: the classic mistake, to be asked for by defects.
    pub fn without_sync(&mut self) {
        self.effects.sync = false;
    }

    /// Record what happened, for checkers and plots. `names` and `values` go in pairs.
    pub fn observe(
        &mut self,
        name: &'static str,
        names: &'static [&'static str],
        values: &[Value],
    ) {
        self.effects.out.push(Effect::Observe {
            name: Word::Borrowed(name),
            fields: Fields::new(names, values),
        });
    }

    /// Record what happened, for checkers and plots, as the system's vocabulary declares it.
    pub fn emit<E: Event>(&mut self, event: E) {
        let fields = Fields::from_parts(E::FIELDS, event.values());
        self.effects.out.push(Effect::Observe { name: Word::Borrowed(E::NAME), fields });
    }

    /// A line for `--log`. The closure runs only when somebody reads it.
    pub fn log(&mut self, line: impl FnOnce() -> String) {
        if self.logging {
            self.effects.logs.push(line());
        }
    }

    /// Accept streams on a port.
    pub fn listen(&mut self, port: Port) {
        self.effects.out.push(Effect::Stream(StreamOp::Listen(port)));
    }

    /// Open a stream; [`Connected`](super::StreamEvent::Connected), `Refused` or `TimedOut` follows.
    pub fn connect(&mut self, dest: NodeId, port: Port) -> StreamId {
        let stream = StreamId(*self.next_stream);
        *self.next_stream += 1;
        self.effects.out.push(Effect::Stream(StreamOp::Connect { stream, dest, port }));
        stream
    }

    /// Append bytes to a stream's send buffer; the network takes them as flow control allows. The
    /// buffer refuses nothing: [`Writable`](super::StreamEvent::Writable) follows when one that had exceeded the
    /// scenario's `window` has fallen to half of it.
    pub fn write(&mut self, stream: StreamId, bytes: Vec<u8>) {
        self.effects.out.push(Effect::Stream(StreamOp::Write(stream, bytes)));
    }

    /// Close this side of a stream once its buffer is sent.
    pub fn close(&mut self, stream: StreamId) {
        self.effects.out.push(Effect::Stream(StreamOp::Close(stream)));
    }

    /// Take no more bytes of a stream for now. Once the receive window is full, the peer has to
    /// wait. Bytes that wait for this node already still come.
    pub fn pause_reading(&mut self, stream: StreamId) {
        self.effects.out.push(Effect::Stream(StreamOp::PauseReading(stream)));
    }

    /// Take the bytes of a stream again, those first that have come meanwhile.
    pub fn resume_reading(&mut self, stream: StreamId) {
        self.effects.out.push(Effect::Stream(StreamOp::ResumeReading(stream)));
    }

    /// Break a stream off.
    pub fn reset(&mut self, stream: StreamId) {
        self.effects.out.push(Effect::Stream(StreamOp::Reset(stream)));
    }

    /// End this process after the step, as `exit(1)` does.
    pub fn exit(&mut self) {
        self.effects.exit = true;
    }
}
