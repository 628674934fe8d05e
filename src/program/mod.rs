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
//! | `seat` | a program as a node of the simulation: timers, metrics, limits |
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
pub mod protocol;
pub mod sandbox;
mod seat;
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
use std::path::PathBuf;
use std::time::Duration;

pub use child::fix_addresses;
pub use conversation::{InProcess, Make};
use sandbox::Confinement;
pub(crate) use seat::{Asked, Happened, Leaves, Letter, Place, Seat};
pub use zygote::Zygote;

/// The watchdog's default patience: no program that makes progress comes near it.
pub const WATCHDOG: Duration = Duration::from_secs(20);

/// How a program is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSpec {
    /// The executable and its arguments.
    pub command: Vec<String>,
    /// Its working directory, and the base of an executable's relative path.
    pub folder: PathBuf,
    /// Its confinement.
    pub confinement: Confinement,
    /// The watchdog's patience for one turn: processor time of the program, or real time in which
    /// it uses none. See [`Stall`].
    pub watchdog: Duration,
    /// An in-process node instead of the command.
    pub in_process: Option<Make>,
    /// The zygote from which processes are forked, if possible.
    pub zygote: Option<Zygote>,
}

impl ProgramSpec {
    /// The user's own program, which may do whatever the user may.
    pub fn trusted(command: Vec<String>, folder: PathBuf) -> ProgramSpec {
        // The parent of a bare file name is empty.
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        ProgramSpec {
            command,
            folder,
            confinement: Confinement::None,
            watchdog: WATCHDOG,
            in_process: None,
            zygote: None,
        }
    }

    /// An in-process node, written with the Rust SDK, instead of a program.
    pub fn in_process(make: Make) -> ProgramSpec {
        ProgramSpec { in_process: Some(make), ..ProgramSpec::trusted(vec![], PathBuf::new()) }
    }
}

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
pub(crate) enum Fault {
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
    /// It had so many turns that it must be looping.
    BusyLoop(String),
    /// It did not answer. That alone decides no grade: the run is aborted. See [`Stall`].
    Stalled { turn: u64, kind: StallKind, why: String },
}

impl Fault {
    /// The word for the `reason` of the node's crash.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Fault::NotStarted(_) => "not_started",
            Fault::Ended(_) => "ended",
            Fault::Memory(_) => "memory",
            Fault::Protocol(_) => "protocol",
            Fault::Output(_) => "output",
            // `disk` is taken by errors of the simulated disk, for which a program is not to blame.
            Fault::Disk(_) => "scratch",
            Fault::BusyLoop(_) => "busy_loop",
            Fault::Stalled { kind, .. } => kind.word(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotStarted(why)
            | Fault::Ended(why)
            | Fault::Memory(why)
            | Fault::Protocol(why)
            | Fault::Output(why)
            | Fault::Disk(why)
            | Fault::BusyLoop(why) => f.write_str(why),
            Fault::Stalled { turn, why, .. } => write!(f, "no answer to turn {turn}: {why}"),
        }
    }
}
