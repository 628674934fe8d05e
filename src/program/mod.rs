//! Programs as nodes: any executable, in any language, in place of a node of the scenario.
//!
//! A program is run in a child process under virtual time, in lock step: the testbed tells it what
//! has happened (a *turn*), the program works until nothing of it can run, and answers exactly once
//! with what it wants. It never reads a clock, an entropy source or a socket: its time is in the
//! turn, its randomness comes from a seed in the first one. So a run with programs is as much a
//! function of its seed as one without, whatever the machine's load. The lines are described in
//! `sdk/PROTOCOL.md`.
//!
//! | file | what |
//! |---|---|
//! | `protocol` | the lines of the conversation |
//! | `conversation` | a process, or a node of the Rust SDK in this process |
//! | `child` | a process, its descriptors, what it prints |
//! | `zygote` | an interpreter that is ready, from which processes split off |
//! | `watch` | how long it works, and what it writes: the watchdog's eyes |
//! | `seat` | a node's place in the simulation that a program has taken: timers, metrics, limits |
//! | `sandbox` | what a program that is not trusted cannot do |
//! | `conform`, `talk` | whether a program speaks the protocol: for authors of SDKs |
//!
//! What a program says of itself proves nothing. Results come from the trace and from the testbed's
//! own clients; who has sent a message, the testbed stamps.

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

/// The watchdog's patience where nothing else is said: no program that makes progress comes near
/// it.
pub const WATCHDOG: Duration = Duration::from_secs(20);

/// How a program is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSpec {
    /// The executable and its arguments.
    pub command: Vec<String>,
    /// Its working directory, and where an executable with a relative path is looked for.
    pub folder: PathBuf,
    /// What it is kept from.
    pub confinement: Confinement,
    /// The watchdog's patience in one turn: processor time of the program, or real time in which it
    /// uses none. See [`Stall`].
    pub watchdog: Duration,
    /// A node of this process in place of the command.
    pub in_process: Option<Make>,
    /// From which processes are split off, where that can be.
    pub zygote: Option<Zygote>,
}

impl ProgramSpec {
    /// A program of the user's own, which may do what the user may.
    pub fn trusted(command: Vec<String>, folder: PathBuf) -> ProgramSpec {
        // The folder of a file that is named without one.
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

    /// A node of this process, written with the Rust SDK, in place of a program.
    pub fn in_process(make: Make) -> ProgramSpec {
        ProgramSpec { in_process: Some(make), ..ProgramSpec::trusted(vec![], PathBuf::new()) }
    }
}

/// A program that did not answer a turn, and for which the run was given up.
///
/// Real time decides no grade, so a stall is not yet a verdict on the program. Lock step makes the
/// turns of a node the same in every run of the seed: where a second run stalls in the same turn of
/// the same node, in whichever way, it is the program; where not, it was the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stall {
    /// The node's name.
    pub node: String,
    /// Which process of the node: 1 is the first, and each restart one more.
    pub incarnation: u32,
    /// Which turn of that process, from 1.
    pub turn: u64,
    /// Whether it worked or slept.
    pub kind: StallKind,
}

/// What a program that does not answer does instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StallKind {
    /// It works without end: more processor time in one turn than the watchdog's, or more in its
    /// whole life than its limit.
    Busy,
    /// It sleeps: the watchdog's real time went by, the program was asleep whenever it was looked
    /// at, and has used less than a hundredth of that time.
    Silent,
    /// It works now and then, or the machine lets it no more: ten times the watchdog's real time
    /// went by.
    Slow,
    /// It was killed, by itself or by a kernel that has no memory left; nobody can tell which.
    Killed,
}

impl StallKind {
    /// What it is where a second run stalls in the same turn, so that it is the program's doing:
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

/// What went wrong with a program. Virtual time and the program's own lines decide it, except where
/// it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It could not be started.
    NotStarted(String),
    /// It ended, or closed its descriptors, in the middle of a turn.
    Ended(String),
    /// It ended for want of memory.
    Memory(String),
    /// It answered with what is no answer.
    Protocol(String),
    /// It printed more than its limit.
    Output(String),
    /// It wrote more to its folder than its limit.
    Disk(String),
    /// It had so many turns that it must be going in circles.
    BusyLoop(String),
    /// It did not answer. That alone decides no grade: the run is given up. See [`Stall`].
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
            // `disk` is the word for an error of the simulated disk, for which a program is not to
            // blame.
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
