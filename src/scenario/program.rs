//! How a program that takes a node's place is started, and what it is kept from.

use std::any::Any;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

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
    /// it uses none. See `program::Stall`.
    pub watchdog: Duration,
    /// An in-process node instead of the command.
    pub in_process: Option<Make>,
    /// The zygote from which processes are forked, if possible.
    pub zygote: Option<ZygoteHandle>,
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

/// A running node written with the Rust SDK: takes a turn, returns an answer, both without line
/// endings.
pub type InProcess = Box<dyn FnMut(&[u8]) -> Vec<u8>>;

/// Creates such a node for each start of its process.
#[derive(Clone)]
pub struct Make(Arc<dyn Fn() -> InProcess + Send + Sync>);

impl Make {
    /// From a function that creates a new node.
    pub fn new(make: impl Fn() -> InProcess + Send + Sync + 'static) -> Make {
        Make(Arc::new(make))
    }

    /// A fresh node.
    pub(crate) fn node(&self) -> InProcess {
        (self.0)()
    }
}

impl fmt::Debug for Make {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Make")
    }
}

impl PartialEq for Make {
    fn eq(&self, other: &Make) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Make {}

/// A process that is ready, from which others split off: a `program::Zygote`. Scenarios are read
/// below the floor that runs programs, so here it has no type.
#[derive(Clone)]
pub struct ZygoteHandle(Arc<dyn Any + Send + Sync>);

impl ZygoteHandle {
    /// A handle to this zygote.
    pub(crate) fn new(zygote: impl Any + Send + Sync) -> ZygoteHandle {
        ZygoteHandle(Arc::new(zygote))
    }

    /// The zygote, if it is of this type.
    pub(crate) fn get<Z: Any>(&self) -> Option<&Z> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for ZygoteHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ZygoteHandle")
    }
}

impl PartialEq for ZygoteHandle {
    fn eq(&self, other: &ZygoteHandle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ZygoteHandle {}

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
    /// Measures to leave out, by name (`program::sandbox::MEASURES`): if one is in the way, or to test the others.
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
