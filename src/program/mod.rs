//! Programs as nodes: any executable, in any language, in place of a node of the scenario.
//!
//! A program is run in a child process under virtual time, in lock step: the testbed tells it what has happened (a *turn*), the program works until nothing
//! of it can run, and answers exactly once with what it wants. It never reads a clock, an entropy source or a socket: its time is in the turn, its
//! randomness comes from a seed in the first one. So a run with programs is as much a function of its seed as one without, whatever the
//! machine's load. The lines are described in `sdk/PROTOCOL.md`.
//!
//! | file | what |
//! |---|---|
//! | `protocol` | the lines of the conversation |
//! | `conversation` | a process, or a node of the Rust SDK in this process |
//! | `child` | a process, its two descriptors, its watchdog |
//! | `seat` | a node's place in the simulation that a program has taken: timers, metrics, limits |
//! | `conform`, `talk` | whether a program speaks the protocol: for authors of SDKs |
//!
//! What a program says of itself proves nothing. Results come from the trace and from the testbed's own clients; who has sent a message, the
//! testbed stamps.

#[cfg(unix)]
mod child;
#[cfg(not(unix))]
#[path = "no_child.rs"]
mod child;
#[cfg(unix)]
pub mod conform;
mod conversation;
pub mod protocol;
mod seat;
#[cfg(unix)]
mod talk;

use std::fmt;
use std::path::PathBuf;

pub use conversation::{InProcess, Make};
pub(crate) use seat::{Asked, Happened, Leaves, Letter, Place, Seat};

/// How a program is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSpec {
    /// The executable and its arguments.
    pub command: Vec<String>,
    /// Its working directory, and where an executable with a relative path is looked for.
    pub folder: PathBuf,
    /// A node of this process in place of the command.
    pub in_process: Option<Make>,
}

/// What went wrong with a program. Virtual time and the program's own lines decide it, except where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It could not be started.
    NotStarted(String),
    /// It ended, or closed its descriptors, in the middle of a turn.
    Ended(String),
    /// It answered with what is no answer.
    Protocol(String),
    /// It did not answer for so many seconds of real time. That decides no grade: the run is given up.
    Silent(u64),
}

impl Fault {
    /// The word for the `reason` of the node's crash.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Fault::NotStarted(_) => "not_started",
            Fault::Ended(_) => "ended",
            Fault::Protocol(_) => "protocol",
            Fault::Silent(_) => "silent",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotStarted(why) | Fault::Ended(why) | Fault::Protocol(why) => f.write_str(why),
            Fault::Silent(seconds) => write!(f, "no answer for {seconds} s of real time"),
        }
    }
}
