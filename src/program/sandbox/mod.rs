//! Programs that are not trusted: what they are kept from, and how.
//!
//! A confined program is started through the testbed's own executable ([`Confined::launcher`]),
//! with the hidden command `enter-sandbox`. That process takes every right away from itself that
//! the program must not have, and then becomes the program. Nothing has to be done between `fork`
//! and `exec`, where only unsafe code can be, and what is in force can be tried out from inside
//! before the program begins ([`measures`]).
//!
//! | file | what |
//! |---|---|
//! | `enter` | the process that takes its own rights away |
//! | `linux` | Landlock, system calls, user ids: what only Linux has |
//! | `calls` | the system calls that a program may not make |
//! | `interpreter` | where the program's executable is, and what it must read to start |
//!
//! What a kernel does not offer is left out and said: each [`Measure`] tells whether it is in
//! force. `docs/sandbox.md` has the attacks and what becomes of them.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(unix)]
mod enter;
#[cfg(unix)]
mod interpreter;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(unix)]
mod start;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[cfg(unix)]
pub use enter::enter;
#[cfg(unix)]
pub(crate) use interpreter::version as interpreter_version;
#[cfg(target_os = "linux")]
pub(super) use start::{Prepared, zygote};
#[cfg(unix)]
pub(super) use start::{Scratch, program, why_not_started};
#[cfg(unix)]
pub use start::{command, measures};

/// The name of the hidden command.
pub const ENTER: &str = "enter-sandbox";

/// The status with which the process ends that could not become the program.
pub(crate) const EXIT_NOT_ENTERED: i32 = 119;

/// User ids are given out from here: a range in which distributions have no users of their own, and
/// which containers have mapped.
pub const USER_BASE: u32 = 61_440;

/// So many user ids are given out; then they begin again.
pub const USERS: u32 = 4_000;

/// What a program is kept from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Confinement {
    /// Nothing: it may do what the user may. For one's own programs.
    #[default]
    None,
    /// All that this machine can keep it from.
    Confined(Box<Confined>),
}

/// How a program that is not trusted is confined.
///
/// It may read its own folder, its interpreter, the system's libraries and what is in `readable`;
/// write its scratch folder; use processor and memory up to the limits; talk to the testbed. It is
/// kept from everything else that the machine can keep it from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confined {
    /// The `seedbed` executable, which confines itself and becomes the program.
    pub launcher: PathBuf,
    /// What it may read (and execute) besides its own folder, its interpreter and the system: the
    /// SDK.
    pub readable: Vec<PathBuf>,
    /// A folder in which each process gets an empty one of its own, the only place it can write; it
    /// is gone with the process. `None`: it can write nowhere.
    pub scratch: Option<PathBuf>,
    /// The number of the submission, from 0. As root, each runs under a user id of its own:
    /// [`USER_BASE`] and so many more.
    pub user: u32,
    /// How much of each thing it may use.
    pub limits: Limits,
    /// Measures to leave out, by name ([`MEASURES`]): where one is in the way, and to see what the
    /// others are worth.
    pub without: Vec<String>,
}

impl Confined {
    /// Confined by the running executable, which must be `seedbed`; nothing to read besides its
    /// own, nowhere to write.
    pub fn new() -> io::Result<Confined> {
        Ok(Confined::by(std::env::current_exe()?))
    }

    /// Confined by this `seedbed` executable.
    pub fn by(launcher: PathBuf) -> Confined {
        Confined {
            launcher,
            readable: vec![],
            scratch: None,
            user: 0,
            limits: Limits::default(),
            without: vec![],
        }
    }

    /// The user id under which it runs if the testbed runs as root.
    pub fn user_id(&self) -> u32 {
        USER_BASE + self.user % USERS
    }
}

/// How much a process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space, bytes. What it cannot get, it is told: `MemoryError` in Python.
    pub memory_bytes: u64,
    /// Processor time of a process' whole life, seconds; the watchdog, which counts a turn, is
    /// meant to come first.
    pub cpu_s: u64,
    /// The longest file that it can write, bytes.
    pub file_bytes: u64,
    /// All that lies in its scratch folder, bytes; looked at ten times a second, so it can be
    /// exceeded for a moment.
    pub disk_bytes: u64,
    /// What it prints past its SDK, bytes.
    pub output_bytes: u64,
    /// Open files.
    pub open_files: u64,
    /// Processes. With 1 it can start none, only threads, wherever the kernel can refuse that; a
    /// build needs more. It is also the limit of a whole submission where that has a user id of its
    /// own (times [`TASKS_PER_PROCESS`], because threads count).
    pub processes: u64,
}

/// Threads and processes that a user id may have for each process that a program is allowed.
pub const TASKS_PER_PROCESS: u64 = 1_024;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 1 << 30,
            cpu_s: 600,
            file_bytes: 16 << 20,
            disk_bytes: 64 << 20,
            output_bytes: 16 << 20,
            open_files: 256,
            processes: 1,
        }
    }
}

/// Something that a program is kept from, and whether it is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// One of [`MEASURES`].
    pub name: String,
    /// Whether it holds.
    pub in_force: bool,
    /// What holds it, or why it does not.
    pub why: String,
}

/// A measure as it is documented.
pub struct MeasureInfo {
    /// Its name.
    pub name: &'static str,
    /// What it keeps a program from.
    pub keeps_from: &'static str,
    /// Whether programs of strangers should not be run without it.
    pub is_needed: bool,
}

const fn info(name: &'static str, is_needed: bool, keeps_from: &'static str) -> MeasureInfo {
    MeasureInfo { name, keeps_from, is_needed }
}

/// All measures, in the order in which they are taken.
pub const MEASURES: &[MeasureInfo] = &[
    info("descriptors", true, "using files that the testbed has open"),
    info(
        "session",
        true,
        "reaching the terminal, and outliving the run: all of it is one process group, which is \
            ended",
    ),
    info("limits", true, "using up memory, processor time, disk and open files"),
    info("user", false, "reaching what belongs to the user or to another submission"),
    info("death_signal", false, "outliving a testbed that is killed"),
    info("no_new_privileges", true, "gaining rights by a set-user-id program"),
    info(
        "files",
        true,
        "reading the scenario, the secret and other submissions, and writing anything",
    ),
    info("ports", false, "opening TCP connections"),
    info("signals", false, "ending processes that are not its own"),
    info(
        "system_calls",
        true,
        "sockets of any kind, other processes, tracing, mounting, namespaces, and leaving its \
            process group",
    ),
];

/// The names of needed measures that are not in force: while there is one, strangers' programs
/// should not be run here.
pub fn lacking(measures: &[Measure]) -> Vec<&'static str> {
    let holds =
        |name: &str| measures.iter().any(|measure| measure.name == name && measure.in_force);
    MEASURES
        .iter()
        .filter(|info| info.is_needed && !holds(info.name))
        .map(|info| info.name)
        .collect()
}

/// What the launcher is told, as its argument.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// The testbed's process.
    parent: u32,
    readable: Vec<PathBuf>,
    /// The one folder to write.
    scratch: Option<PathBuf>,
    user: u32,
    limits: Limits,
    without: Vec<String>,
    /// Say what is in force, tried out, in place of becoming a program.
    probe: bool,
    /// It becomes a zygote, whose forks take the rest upon themselves.
    zygote: bool,
}

impl Entry {
    fn wants(&self, measure: &str) -> bool {
        debug_assert!(
            MEASURES.iter().any(|info| info.name == measure),
            "{measure} is not in the table"
        );
        !self.without.iter().any(|name| name == measure)
    }
}

/// Where there are no inherited descriptors, there are no programs.
#[cfg(not(unix))]
pub fn measures(_confined: &Confined) -> Vec<Measure> {
    let none = |info: &MeasureInfo| Measure {
        name: info.name.to_owned(),
        in_force: false,
        why: "not a Unix system".to_owned(),
    };
    MEASURES.iter().map(none).collect()
}

/// Where there are no inherited descriptors, there are no programs.
#[cfg(not(unix))]
pub fn enter(_entry: &str, _command: &[String]) -> i32 {
    EXIT_NOT_ENTERED
}

#[cfg(not(unix))]
pub(crate) fn interpreter_version(_name: &str) -> Option<(PathBuf, String)> {
    None
}
