//! What an implementer of a node sees: [`Node`], the state machine, and [`Ctx`], its only way to
//! the world.
//!
//! One input at a time, to completion. A handler reads its clock, its disk and its own stream of
//! randomness from the context, changes its own fields, and asks for effects; the effects of a step
//! happen together when the handler has returned.
//!
//! **Saves gate what leaves.** Where a step, or an earlier one, has saved something that is not yet
//! durable, its messages, stream operations and observations wait until it is. A crash in between
//! loses both. A node therefore cannot forget to sync before it answers, unless it asks for that
//! mistake with [`Ctx::without_sync`].

pub mod record_log;

use std::fmt::Debug;
use std::time::Duration;

use crate::program::Letter;
use crate::sim::disk::{Disk, DiskOp};
use crate::sim::rng::Rng;
pub use crate::time::{LocalTime, WallTime};
pub use crate::trace::{Detail, NodeId, Value};
use crate::trace::{Fields, Word};

/// A message between nodes: a value with a name for the trace and a size for the bandwidth of
/// links.
pub trait Message: Clone + Debug + 'static {
    /// The message type as the trace shows it: `AppendEntries`.
    fn name(&self) -> &'static str;

    /// The size on the wire, bytes.
    fn size(&self) -> u32;

    /// What `messages.csv` says of the content.
    fn detail(&self) -> Detail {
        Detail::None
    }

    /// The message as a program gets it: an object with its name as `type`. `None`: programs do not
    /// understand it.
    fn to_json(&self, names: &[String]) -> Option<serde_json::Value> {
        let _ = names;
        None
    }

    /// The message that a program has sent as this object, or why it is none.
    fn from_json(body: &serde_json::Value, names: &[String]) -> Result<Self, String> {
        let _ = (body, names);
        Err("programs do not speak to the nodes of this system".to_owned())
    }

    /// Flip bits, as a faulty network does. `false`: the format carries a checksum, and the
    /// receiver's network layer throws the damaged message away.
    fn corrupt(&mut self, rng: &mut Rng) -> bool {
        let _ = rng;
        false
    }
}

/// A participant as a pure state machine. A fresh value is made for each incarnation: what was not
/// on the disk is gone.
pub trait Node: Sized + 'static {
    /// The messages that nodes of this system exchange.
    type Msg: Message;
    /// The names of its timers. Setting a timer that runs already replaces it.
    type Timer: Clone + Debug + Ord + 'static;

    /// The node starts, for the first time or again: read the disk, set timers.
    fn boot(&mut self, ctx: &mut Ctx<'_, Self>);

    /// A datagram arrived.
    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, from: NodeId, message: Self::Msg);

    /// A timer ran out on the node's own clock.
    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, timer: Self::Timer);

    /// Something happened on a stream.
    fn on_stream(&mut self, ctx: &mut Ctx<'_, Self>, event: StreamEvent) {
        let _ = (ctx, event);
    }

    /// The nemesis or a script asks for something outside the protocol: `transfer_leadership n2`,
    /// `add_node n6`.
    fn on_command(&mut self, ctx: &mut Ctx<'_, Self>, command: &str) {
        let _ = (ctx, command);
    }

    /// The orderly stop begins; what is asked for here still happens.
    fn on_stop(&mut self, ctx: &mut Ctx<'_, Self>) {
        let _ = ctx;
    }

    /// Show the metrics, always all of them and in the same order. Called after every step.
    fn probe(&self, probe: &mut Probe<'_>);
}

/// One end of a stream connection, unique among all ends that its node ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// A port that streams are accepted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub u16);

/// What can happen on a stream, as a socket program sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// A peer has connected to a port that this node listens on.
    Accepted {
        /// The new end.
        stream: StreamId,
        /// Who has connected.
        from: NodeId,
        /// The port.
        port: Port,
    },
    /// A connection that this node asked for stands.
    Connected(StreamId),
    /// Nobody listens there.
    Refused(StreamId),
    /// Bytes, in order; how they are cut into pieces is drawn from the seed.
    Data(StreamId, Vec<u8>),
    /// The peer has closed its direction; this node may still write.
    PeerClosed(StreamId),
    /// There is room again in a send buffer that was full.
    Writable(StreamId),
    /// The connection was broken off by the peer, or the peer does not know it (any more).
    Reset(StreamId),
    /// The peer did not answer for as long as the retransmissions last.
    TimedOut(StreamId),
}

/// What a step asks of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamOp {
    /// Accept connections on a port from now on.
    Listen(Port),
    /// Open a connection; `stream` names the new end.
    Connect {
        /// The new end.
        stream: StreamId,
        /// The node to reach.
        dest: NodeId,
        /// The port to reach.
        port: Port,
    },
    /// Append bytes to the send buffer.
    Write(StreamId, Vec<u8>),
    /// No more bytes from this side (a half-close).
    Close(StreamId),
    /// Give the node no more bytes; they fill the receive window, and then the peer has to wait.
    PauseReading(StreamId),
    /// Give the node what has come meanwhile, and what comes.
    ResumeReading(StreamId),
    /// Break the connection off at once, and forget it.
    Reset(StreamId),
}

/// An effect that leaves the node, in the order of asking, once all saves before it are durable.
#[derive(Debug)]
pub(crate) enum Effect<M> {
    /// A datagram.
    Send { dest: NodeId, message: M },
    /// A stream operation.
    Stream(StreamOp),
    /// A line of `events.csv`.
    Observe { name: Word, fields: Fields },
    /// A message of a program.
    Letter { dest: NodeId, letter: Box<Letter> },
}

/// A timer request, which takes effect with the step.
#[derive(Debug)]
pub(crate) enum TimerOp<T> {
    Set { timer: T, after: Duration },
    Cancel { timer: T },
}

/// What a step asked for, collected by its context. The driver reuses one value for all steps.
#[derive(Debug)]
pub(crate) struct Effects<M, T> {
    /// Whether saves of this step are synced before anything leaves.
    pub(crate) sync: bool,
    pub(crate) saves: Vec<DiskOp>,
    /// Saves that nothing waits for.
    pub(crate) lazy_saves: Vec<DiskOp>,
    pub(crate) out: Vec<Effect<M>>,
    pub(crate) timers: Vec<TimerOp<T>>,
    pub(crate) logs: Vec<String>,
    /// The node stops itself, as a process that exits does.
    pub(crate) exit: bool,
}

impl<M, T> Default for Effects<M, T> {
    fn default() -> Self {
        Effects {
            sync: true,
            saves: vec![],
            lazy_saves: vec![],
            out: vec![],
            timers: vec![],
            logs: vec![],
            exit: false,
        }
    }
}

/// What does not change while a node lives.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The node's own id.
    pub id: NodeId,
    /// The names of all participants, by id.
    pub names: std::rc::Rc<Vec<String>>,
    /// The nodes of the same role, without itself, in the scenario's order.
    pub peers: std::rc::Rc<Vec<NodeId>>,
    /// How often it has started, from 1.
    pub incarnation: u32,
}

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

    /// Have `timer` run out after `after` on this node's monotonic clock, in place of an earlier
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
    pub fn emit<E: crate::vocabulary::Event>(&mut self, event: E) {
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

    /// Open a stream; [`StreamEvent::Connected`], `Refused` or `TimedOut` follows.
    pub fn connect(&mut self, dest: NodeId, port: Port) -> StreamId {
        let stream = StreamId(*self.next_stream);
        *self.next_stream += 1;
        self.effects.out.push(Effect::Stream(StreamOp::Connect { stream, dest, port }));
        stream
    }

    /// Append bytes to a stream's send buffer; the network takes them as flow control allows. The
    /// buffer refuses nothing: [`StreamEvent::Writable`] follows when one that had exceeded the
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

impl crate::vocabulary::MetricSink for Probe<'_> {
    fn metric<T: crate::vocabulary::FieldValue>(&mut self, name: &'static str, value: &T) {
        self.set(name, |last| value.equals(last), || value.to_value());
    }
}

/// Where [`Node::probe`] puts its metrics. Only changes are recorded.
pub struct Probe<'a> {
    pub(crate) last: &'a mut Vec<(Word, Value)>,
    pub(crate) position: usize,
    pub(crate) changed: &'a mut Vec<usize>,
}

impl Probe<'_> {
    /// A number.
    pub fn int(&mut self, name: &'static str, value: i64) {
        self.set(
            name,
            |last| matches!(last, Value::Int(old) if *old == value),
            || Value::Int(value),
        );
    }

    /// A word: a role, a state.
    pub fn word(&mut self, name: &'static str, value: &'static str) {
        self.set(
            name,
            |last| matches!(last, Value::Text(old) if old == value),
            || Value::Text(value.into()),
        );
    }

    /// A node, or `none`.
    pub fn node(&mut self, name: &'static str, value: Option<NodeId>) {
        match value {
            Some(node) => self.set(name, |last| *last == Value::Node(node), || Value::Node(node)),
            None => self.word(name, "none"),
        }
    }

    fn set(
        &mut self,
        name: &'static str,
        same: impl Fn(&Value) -> bool,
        value: impl Fn() -> Value,
    ) {
        let position = self.position;
        self.position += 1;
        match self.last.get_mut(position) {
            Some((_, last)) if same(last) => return,
            Some(slot) => *slot = (Word::Borrowed(name), value()),
            None => self.last.push((Word::Borrowed(name), value())),
        }
        self.changed.push(position);
    }
}
