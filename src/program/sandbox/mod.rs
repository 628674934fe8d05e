//! The confinement of untrusted programs.
//!
//! A confined program is started through the testbed's own executable ([`Confined::launcher`]),
//! with the hidden command `enter-sandbox`. That process drops every right that the program must
//! not have, and then becomes the program. So nothing has to be done between `fork` and `exec`,
//! which would need unsafe code, and the measures in force can be tried out from inside before the
//! program starts ([`measures`]).
//!
//! | file | what |
//! |---|---|
//! | `enter` | the process that drops its own rights |
//! | `linux` | the measures specific to Linux: Landlock, system calls, user ids |
//! | `calls` | the system calls that a program may not make |
//! | `interpreter` | where the program's executable is, and what it must read to start |
//!
//! What a kernel does not support is left out and reported: each [`Measure`] tells whether it is in
//! force. `docs/sandbox.md` lists the attacks and what stops them.

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

/// The exit status of a launcher that could not become the program.
pub(crate) const EXIT_NOT_ENTERED: i32 = 119;

/// User ids are assigned from here on: a range in which distributions have no users, and which
/// containers map.
pub const USER_BASE: u32 = 61_440;

/// This many user ids are assigned before they repeat.
pub const USERS: u32 = 4_000;

/// Whether and how a program is confined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Confinement {
    /// Not at all: it may do whatever the user may. For the user's own programs.
    #[default]
    None,
    /// By all measures that this machine supports.
    Confined(Box<Confined>),
}

/// The confinement of an untrusted program.
///
/// It may read its own folder, its interpreter, the system's libraries and `readable`; write to its
/// scratch folder; use processor and memory up to the limits; and talk to the testbed. Everything
/// else is prevented, as far as the machine supports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confined {
    /// The `seedbed` executable, which confines itself and becomes the program.
    pub launcher: PathBuf,
    /// What it may read and execute besides its own folder, its interpreter and the system: the
    /// SDK.
    pub readable: Vec<PathBuf>,
    /// The folder in which each process gets its own empty folder, the only place where it can
    /// write; that folder is removed with the process. `None`: it can write nowhere.
    pub scratch: Option<PathBuf>,
    /// The number of the submission, from 0. As root, each submission runs under its own user id:
    /// [`USER_BASE`] plus this number.
    pub user: u32,
    /// Its resource limits.
    pub limits: Limits,
    /// Measures to leave out, by name ([`MEASURES`]): if one is in the way, or to test the others.
    pub without: Vec<String>,
}

impl Confined {
    /// Confined by the running executable, which must be `seedbed`, with nothing additional to read
    /// and nowhere to write.
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

/// The resource limits of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space, bytes. Allocations beyond it fail: `MemoryError` in Python.
    pub memory_bytes: u64,
    /// Total processor time of a process, seconds; the watchdog, which counts per turn, should
    /// trigger first.
    pub cpu_s: u64,
    /// The largest file that it can write, bytes.
    pub file_bytes: u64,
    /// The size of its scratch folder, bytes; checked ten times a second, so it can be exceeded
    /// briefly.
    pub disk_bytes: u64,
    /// Its output outside the protocol, bytes.
    pub output_bytes: u64,
    /// Open files.
    pub open_files: u64,
    /// Processes. With 1 it can start only threads, if the kernel can enforce that; a build needs
    /// more. It is also the limit of a whole submission that has its own user id (times
    /// [`TASKS_PER_PROCESS`], because threads count).
    pub processes: u64,
}

/// Threads and processes that a user id may have for each allowed process.
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

/// A measure, and whether it is in force here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// One of [`MEASURES`].
    pub name: String,
    /// Whether it is in force.
    pub in_force: bool,
    /// How it is enforced, or why it is not.
    pub why: String,
}

/// The documentation of a measure.
pub struct MeasureInfo {
    /// Its name.
    pub name: &'static str,
    /// What it keeps a program from.
    pub keeps_from: &'static str,
    /// Whether untrusted programs should not be run without it.
    pub is_needed: bool,
}

const fn info(name: &'static str, is_needed: bool, keeps_from: &'static str) -> MeasureInfo {
    MeasureInfo { name, keeps_from, is_needed }
}

/// All measures, in the order in which they are applied.
pub const MEASURES: &[MeasureInfo] = &[
    info("descriptors", true, "using the testbed's open files"),
    info(
        "session",
        true,
        "reaching the terminal, and outliving the run: its whole process group is killed",
    ),
    info("limits", true, "using up memory, processor time, disk and open files"),
    info("user", false, "reaching what belongs to the user or to another submission"),
    info("death_signal", false, "outliving a killed testbed"),
    info("no_new_privileges", true, "gaining privileges through a setuid program"),
    info(
        "files",
        true,
        "reading the scenario, the secret and other submissions, and writing anything",
    ),
    info("ports", false, "opening TCP connections"),
    info("signals", false, "killing other processes"),
    info(
        "system_calls",
        true,
        "sockets of any kind, other processes, tracing, mounting, namespaces, and leaving its \
            process group",
    ),
];

/// The names of required measures that are not in force: if there are any, untrusted programs
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

/// The launcher's argument.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// The testbed's process.
    parent: u32,
    readable: Vec<PathBuf>,
    /// The only writable folder.
    scratch: Option<PathBuf>,
    user: u32,
    limits: Limits,
    without: Vec<String>,
    /// Report the measures in force, tried out, instead of becoming a program.
    probe: bool,
    /// It becomes a zygote, whose forks apply the remaining measures themselves.
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

/// Systems without inherited descriptors cannot run programs.
#[cfg(not(unix))]
pub fn measures(_confined: &Confined) -> Vec<Measure> {
    let none = |info: &MeasureInfo| Measure {
        name: info.name.to_owned(),
        in_force: false,
        why: "not a Unix system".to_owned(),
    };
    MEASURES.iter().map(none).collect()
}

/// Systems without inherited descriptors cannot run programs.
#[cfg(not(unix))]
pub fn enter(_entry: &str, _command: &[String]) -> i32 {
    EXIT_NOT_ENTERED
}

#[cfg(not(unix))]
pub(crate) fn interpreter_version(_name: &str) -> Option<(PathBuf, String)> {
    None
}
