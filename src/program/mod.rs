//! Programs as nodes: any executable, in any language, can be a node of a scenario.
//!
//! A program runs in a child process under virtual time, in lock step: the testbed tells it what
//! has happened (a *turn*), and the program works until it has nothing left to do and answers
//! exactly once with the effects it wants. It never reads a clock, an entropy source or a socket:
//! the time is in the turn, and randomness comes from a seed in the first one. So a run with
//! programs is as much a function of its seed as one without, whatever the machine's load.
//! `sdk/PROTOCOL.md` describes the lines.
//!
//! | file | what |
//! |---|---|
//! | `protocol` | the lines of the conversation |
//! | `conversation` | a process, or an in-process node of the Rust SDK |
//! | `child` | a process, its descriptors, its output |
//! | `zygote` | a preloaded interpreter from which processes are forked |
//! | `watch` | the watchdog: how long a program works, and how much it writes |
//! | `node` | a program as a node of the simulation: timers, metrics, limits |
//! | `sandbox` | the confinement of untrusted programs |
//! | `conform`, `talk` | tests whether a program speaks the protocol, for SDK authors |
//!
//! What a program says about itself proves nothing. Results come from the trace and from the
//! testbed's own clients, and the testbed stamps the sender of every message.

#[cfg(unix)]
mod child;
#[cfg(not(unix))]
#[path = "no_child.rs"]
mod child;
#[cfg(unix)]
pub mod conform;
mod conversation;
mod node;
pub mod protocol;
pub mod sandbox;
#[cfg(unix)]
mod talk;
#[cfg(unix)]
mod watch;
#[cfg(target_os = "linux")]
mod zygote;
#[cfg(not(target_os = "linux"))]
#[path = "no_zygote.rs"]
mod zygote;

use std::fmt;

pub use child::fix_addresses;
pub(crate) use node::{ProgramEffect, ProgramEffects, ProgramNode, TurnContext, TurnInput};
pub use zygote::Zygote;

pub use crate::scenario::{InProcess, Make, ProgramSpec, WATCHDOG};

/// A program that did not answer a turn, so that the run was aborted.
///
/// Real time decides no grade, so a stall is not yet a verdict on the program. Lock step makes the
/// turns of a node the same in every run of the seed: if a second run stalls in the same turn of
/// the same node, in whatever way, the program is to blame; otherwise the machine was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stall {
    /// The node's name.
    pub node: String,
    /// Which process of the node: 1 is the first, and each restart adds one.
    pub incarnation: u32,
    /// Which turn of that process, from 1.
    pub turn: u64,
    /// Whether it worked or slept.
    pub kind: StallKind,
}

/// How a program that does not answer behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StallKind {
    /// It works endlessly: more processor time in one turn than the watchdog's patience, or more in
    /// total than its limit.
    Busy,
    /// It sleeps: the watchdog's patience passed in real time, the program was asleep at every
    /// check and used less than a hundredth of that time.
    Silent,
    /// It works now and then, or the machine allows it no more: ten times the watchdog's patience
    /// passed in real time.
    Slow,
    /// It was killed, by itself or by a kernel out of memory; the two cannot be told apart.
    Killed,
}

impl StallKind {
    /// The verdict if a second run stalls in the same turn, so that the program is to blame:
    /// `busy_loop` or `crash`.
    pub fn verdict_if_repeated(self) -> &'static str {
        match self {
            StallKind::Busy | StallKind::Silent | StallKind::Slow => "busy_loop",
            StallKind::Killed => "crash",
        }
    }

    /// The word for the `reason` of the node's crash.
    pub fn word(self) -> &'static str {
        match self {
            StallKind::Busy => "busy",
            StallKind::Silent => "silent",
            StallKind::Slow => "slow",
            StallKind::Killed => "killed",
        }
    }
}

/// How a program failed. Virtual time and the program's own lines decide it, except as noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It could not be started.
    NotStarted(String),
    /// It exited, or closed its descriptors, in the middle of a turn.
    Ended(String),
    /// It ran out of memory.
    Memory(String),
    /// It sent an invalid answer.
    Protocol(String),
    /// It printed more than allowed.
    Output(String),
    /// It wrote more to its folder than allowed.
    Disk(String),
    /// It had more turns than any program needs: it must be looping.
    BusyLoop(String),
    /// It did not answer. That alone decides no grade: the run is aborted. See [`Stall`].
    Stalled { turn: u64, kind: StallKind, why: String },
}

impl Failure {
    /// The word for the `reason` of the node's crash.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Failure::NotStarted(_) => "not_started",
            Failure::Ended(_) => "ended",
            Failure::Memory(_) => "memory",
            Failure::Protocol(_) => "protocol",
            Failure::Output(_) => "output",
            // `disk` is taken by errors of the simulated disk, for which a program is not to blame.
            Failure::Disk(_) => "scratch",
            Failure::BusyLoop(_) => "busy_loop",
            Failure::Stalled { kind, .. } => kind.word(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotStarted(why)
            | Failure::Ended(why)
            | Failure::Memory(why)
            | Failure::Protocol(why)
            | Failure::Output(why)
            | Failure::Disk(why)
            | Failure::BusyLoop(why) => f.write_str(why),
            Failure::Stalled { turn, why, .. } => write!(f, "no answer to turn {turn}: {why}"),
        }
    }
}
