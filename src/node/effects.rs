//! What a step asks for, before the driver does it.

use std::time::Duration;

use super::disk::DiskOp;
use super::program_message::ProgramMessage;
use super::stream::StreamOp;
use crate::trace::{Fields, NodeId, Word};

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
    SendFromProgram { dest: NodeId, message: Box<ProgramMessage> },
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
