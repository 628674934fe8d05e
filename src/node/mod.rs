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

mod context;
pub mod disk;
mod effects;
mod probe;
mod program_message;
pub mod record_log;
mod stream;

use std::fmt::Debug;

pub use context::Ctx;
pub use disk::{CrashPolicy, Disk, DiskOp, FileName};
pub(crate) use effects::{Effect, Effects, TimerOp};
pub use probe::Probe;
pub(crate) use program_message::ProgramMessage;
pub use stream::{Port, StreamEvent, StreamId, StreamOp};

use crate::rng::Rng;
pub use crate::time::{LocalTime, WallTime};
pub use crate::trace::{Detail, NodeId, Value};

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
