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

pub use crate::scenario::{Confined, Confinement, Limits, TASKS_PER_PROCESS, USER_BASE, USERS};

/// The name of the hidden command.
pub const ENTER: &str = "enter-sandbox";

/// The exit status of a launcher that could not become the program.
pub(crate) const EXIT_NOT_ENTERED: i32 = 119;

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
