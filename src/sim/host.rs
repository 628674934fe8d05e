//! One machine of the run: a node (or a client), its clock, its disk, and what waits there.

use std::collections::{BTreeMap, VecDeque};

use super::clock::Clock;
use super::recorder::Record;
use super::stream::Streams;
use crate::faults::Status;
use crate::language::Sampler;
use crate::node::disk::{Disk, FileName};
use crate::node::{Effect, Identity, Node, ProgramMessage, StreamEvent};
use crate::program::{Failure, ProgramNode};
use crate::rng::Rng;
use crate::time::{LocalTime, Time};
use crate::trace::{NodeId, Value, Word};

/// Something that a node handles in one step.
#[derive(Debug)]
pub(crate) enum Input<M, T> {
    Boot,
    /// `record`: its place in the trace.
    Message {
        from: NodeId,
        message: M,
        record: Record,
    },
    /// A message that a program has sent, for a program.
    ProgramMessage {
        from: NodeId,
        message: Box<ProgramMessage>,
        record: Record,
    },
    Timer(T),
    Stream(StreamEvent),
    Command(String),
    Stop,
}

/// A timer that is set. The heap holds at most one live event for it: a later deadline lets that
/// event come and be put back, so that a timer which is set anew with every message (an election
/// timeout) costs the heap nothing.
#[derive(Debug)]
pub(crate) struct TimerState {
    /// When it runs out on the node's clock; `None`: cancelled, but its event still waits in the
    /// heap.
    pub(crate) deadline: Option<LocalTime>,
    /// When the event comes.
    pub(crate) event_at: Time,
    /// Which event is the live one.
    pub(crate) serial: u64,
}

/// Saves on their way to the disk, and the effects that wait for them. Counts are operations since
/// the process started.
#[derive(Debug)]
pub(crate) struct Syncs<M> {
    /// Put into the cache.
    pub(crate) written: u64,
    /// Durable.
    pub(crate) durable: u64,
    /// The last one that effects wait for.
    pub(crate) required: u64,
    /// Where the sync that is under way ends.
    pub(crate) under_way: Option<u64>,
    /// Whether the sync under way has ended while the disk was stalled or the process paused.
    pub(crate) ended_meanwhile: bool,
    /// Effects in order, each with the operation that must be durable first.
    pub(crate) gated: VecDeque<(u64, Effect<M>)>,
}

impl<M> Default for Syncs<M> {
    fn default() -> Self {
        Syncs {
            written: 0,
            durable: 0,
            required: 0,
            under_way: None,
            ended_meanwhile: false,
            gated: VecDeque::new(),
        }
    }
}

/// How the disk behaves at the moment.
#[derive(Debug)]
pub(crate) struct DiskHealth {
    pub(crate) latency: Sampler,
    pub(crate) slow: f64,
    pub(crate) error: f64,
    pub(crate) full: bool,
    pub(crate) stalled: bool,
    pub(crate) backup: Option<BTreeMap<FileName, Vec<u8>>>,
}

/// A node at work.
pub(crate) enum Running<N> {
    /// A state machine of this crate.
    BuiltIn(N),
    /// A program; one that could not be started says so in its first step.
    Program(Box<Result<ProgramNode, Failure>>),
}

pub(crate) struct Host<N: Node> {
    pub(crate) identity: Identity,
    pub(crate) role: String,
    /// `None` while it is down, and for clients.
    pub(crate) node: Option<Running<N>>,
    pub(crate) status: Status,
    pub(crate) rng: Rng,
    pub(crate) network_rng: Rng,
    pub(crate) disk_rng: Rng,
    pub(crate) clock: Clock,
    pub(crate) disk: Disk,
    pub(crate) disk_health: DiskHealth,
    pub(crate) syncs: Syncs<N::Msg>,
    /// `None` is the first deadline of a program.
    pub(crate) timers: BTreeMap<Option<N::Timer>, TimerState>,
    pub(crate) timer_serial: u64,
    /// Inputs that wait, with the time since when: the node is paused or its processor is busy.
    pub(crate) backlog: VecDeque<Input<N::Msg, Option<N::Timer>>>,
    pub(crate) busy_until: Time,
    /// Whether the supervisor is about to start the process again; a kill takes that over.
    pub(crate) restarts: bool,
    /// Whether an event waits in the heap that will look at the backlog.
    pub(crate) wakes: bool,
    /// Processor time of an input, times this.
    pub(crate) slowness: f64,
    pub(crate) slow: f64,
    /// The metrics last shown.
    pub(crate) shown: Vec<(Word, Value)>,
    pub(crate) shown_offset_us: i64,
    pub(crate) streams: Streams,
    /// Draws how the bytes of streams are cut into pieces.
    pub(crate) stream_rng: Rng,
}

impl<N: Node> Host<N> {
    /// Whether effects of the node wait for the disk.
    pub(crate) fn is_gated(&self) -> bool {
        self.syncs.required > self.syncs.durable
    }
}
