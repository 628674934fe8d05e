//! The testbed's side of a confined start: the launcher's command line and its status.

use std::fs;
use std::io::{self, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use super::interpreter::{Located, locate};
use super::{Confined, ENTER, EXIT_NOT_ENTERED, Entry, MEASURES, Measure};

/// What a distribution's programs need to start: libraries and their cache, user names, time zones,
/// and the kernel's information about processors and memory. `/etc` as a whole is excluded, because
/// it has the machine's secrets.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/ssl/openssl.cnf",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/sys/devices/system/cpu",
];

/// A scratch folder that is removed with the value.
#[derive(Debug)]
pub(in crate::program) struct Scratch(PathBuf);

impl Scratch {
    /// An empty folder in this one. Its name comes from a counter, because a simulation has
    /// replaced the system's randomness by its own, from which nothing outside the simulation may
    /// draw. All names have the same length, because a different length would shift a program's
    /// memory addresses.
    fn new(within: &Path) -> io::Result<Scratch> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        loop {
            let path = within.join(format!(
                "process-{:010}-{:010}",
                std::process::id(),
                COUNT.fetch_add(1, Ordering::Relaxed)
            ));
            match builder.create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                done => return done.map(|()| Scratch(path)),
            }
        }
    }

    pub(in crate::program) fn path(&self) -> &Path {
        &self.0
    }

    /// One that a process created in this one.
    #[cfg(target_os = "linux")]
    pub(in crate::program) fn made_within(&self, name: &str) -> Scratch {
        Scratch(self.0.join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // If it cannot be removed, the testbed's caller removes the parent folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program about to start: the command, its scratch folder, and the pipe through which the
/// launcher reports failures.
pub(in crate::program) struct Prepared {
    pub command: Command,
    pub scratch: Option<Scratch>,
    pub status: PipeReader,
}

/// The command that starts a confined program. The launcher uses its stdin, which is then empty;
/// its environment is complete.
pub(in crate::program) fn program(
    confined: &Confined,
    command: &[String],
    folder: &Path,
) -> Result<Prepared, String> {
    let (name, arguments) = command.split_first().ok_or("the command is empty")?;
    prepare(confined, name, folder, |found, entry| {
        let mut launcher = launcher(confined, entry)?;
        launcher.arg(&found.executable).args(arguments);
        Ok(launcher)
    })
}

/// The command that starts a confined zygote: the interpreter with this code, whose command line
/// lists the measures that each fork has to apply to itself, followed by `--` and the program.
#[cfg(target_os = "linux")]
pub(in crate::program) fn zygote(
    confined: &Confined,
    (interpreter, code): (&str, &str),
    program: &[String],
    folder: &Path,
) -> Result<Prepared, String> {
    prepare(confined, interpreter, folder, |found, entry| {
        entry.zygote = true;
        // Each fork has a different folder in `/proc`.
        entry.readable.retain(|path| !path.starts_with("/proc/self"));
        let mut launcher = launcher(confined, entry)?;
        launcher.arg(&found.executable).args(["-S", "-c", code]);
        for path in &entry.readable {
            launcher.arg(named("read", path));
        }
        if let Some(scratch) = &entry.scratch {
            launcher.arg(named("scratch", scratch));
        }
        launcher
            .args(super::linux::DEVICES.iter().map(|device| named("device", Path::new(device))));
        launcher.args(super::calls::unfinished()?.iter().map(|filter| format!("filter={filter}")));
        launcher.arg("--").args(program);
        Ok(launcher)
    })
}

#[cfg(target_os = "linux")]
fn named(name: &str, path: &Path) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::from(format!("{name}="));
    word.push(path);
    word
}

/// What a confined start needs besides its command: the scratch folder, the environment, and the
/// status pipe.
fn prepare(
    confined: &Confined,
    name: &str,
    folder: &Path,
    command: impl FnOnce(&Located, &mut Entry) -> Result<Command, String>,
) -> Result<Prepared, String> {
    let found = locate(name, folder)
        .ok_or_else(|| format!("`{name}` does not exist or is not executable"))?;
    let io = |error: io::Error| format!("cannot confine `{name}`: {error}");
    let scratch = confined.scratch.as_deref().map(Scratch::new).transpose().map_err(io)?;
    let readable = [folder.to_path_buf()]
        .into_iter()
        .chain(confined.readable.iter().cloned())
        .chain(found.reads.iter().cloned());
    let mut entry = entry(
        confined,
        readable.collect(),
        scratch.as_ref().map(|scratch| scratch.0.clone()),
        false,
    );
    let (status, to_status) = io::pipe().map_err(io)?;
    let mut command =
        command(&found, &mut entry).map_err(|why| format!("cannot confine `{name}`: {why}"))?;
    let home = scratch.as_ref().map_or(Path::new("/nonexistent"), Scratch::path);
    let mut path =
        found.executable.parent().unwrap_or(Path::new("/usr/bin")).as_os_str().to_owned();
    path.push(":/usr/local/bin:/usr/bin:/bin");
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("TMPDIR", home)
        .stdin(to_status);
    Ok(Prepared { command, scratch, status })
}

/// The launcher's command, with how to confine itself; the program's own words follow.
fn launcher(confined: &Confined, entry: &Entry) -> Result<Command, String> {
    let entry =
        serde_json::to_string(entry).map_err(|error| format!("a path is not UTF-8: {error}"))?;
    let mut command = Command::new(&confined.launcher);
    command.arg(ENTER).arg(entry).arg("--");
    Ok(command)
}

/// The command that runs something confined outside a simulation: a build. It inherits only its
/// output descriptors; the program's folder is its working directory, and `scratch` its only
/// writable folder; with [`super::Limits::processes`] above 1 it may start processes. Its exit
/// status is its own, or 119 if it could not be confined, with the reason on stderr. Its process
/// group has the id of its process: kill that group when the process has exited or taken too long,
/// and nothing is left behind.
pub fn command(
    confined: &Confined,
    words: &[String],
    folder: &Path,
    scratch: Option<&Path>,
) -> Result<Command, String> {
    let (name, arguments) = words.split_first().ok_or("the command is empty")?;
    let found = locate(name, folder)
        .ok_or_else(|| format!("`{name}` does not exist or is not executable"))?;
    let readable = [folder.to_path_buf()]
        .into_iter()
        .chain(confined.readable.iter().cloned())
        .chain(found.reads);
    let entry = entry(confined, readable.collect(), scratch.map(Path::to_path_buf), false);
    let mut command =
        launcher(confined, &entry).map_err(|why| format!("cannot confine `{name}`: {why}"))?;
    let home = scratch.unwrap_or(Path::new("/nonexistent"));
    let mut path =
        found.executable.parent().unwrap_or(Path::new("/usr/bin")).as_os_str().to_owned();
    path.push(":/usr/local/bin:/usr/bin:/bin");
    command.arg(&found.executable).args(arguments).current_dir(folder);
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .stdin(Stdio::null());
    Ok(command)
}

fn entry(
    confined: &Confined,
    mut readable: Vec<PathBuf>,
    scratch: Option<PathBuf>,
    probe: bool,
) -> Entry {
    readable.extend(SYSTEM.iter().map(PathBuf::from));
    Entry {
        parent: std::process::id(),
        readable,
        scratch,
        user: confined.user_id(),
        limits: confined.limits,
        without: confined.without.clone(),
        probe,
        zygote: false,
    }
}

/// Why the launcher could not become the program, if that is why it exited. Only the launcher has
/// the other end of `status`, so no program can fake this.
pub(in crate::program) fn why_not_started(
    status: &mut PipeReader,
    exit_code: Option<i32>,
) -> Option<String> {
    if exit_code != Some(EXIT_NOT_ENTERED) {
        return None;
    }
    let mut text = String::new();
    // The launcher, the last writer, has exited.
    status.read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(text)
}

/// The measures that this machine supports for this confinement. A process applies them and then
/// tries what it must not be able to do.
pub fn measures(confined: &Confined) -> Vec<Measure> {
    let none = |why: &str| -> Vec<Measure> {
        MEASURES
            .iter()
            .map(|info| Measure {
                name: info.name.to_owned(),
                in_force: false,
                why: why.to_owned(),
            })
            .collect()
    };
    let mut launcher = match launcher(
        confined,
        &entry(confined, confined.readable.clone(), confined.scratch.clone(), true),
    ) {
        Ok(launcher) => launcher,
        Err(why) => return none(&why),
    };
    launcher.arg("/bin/true").env_clear().current_dir("/").stdin(Stdio::null());
    match launcher.output() {
        Err(error) => none(&format!("cannot start `{}`: {error}", confined.launcher.display())),
        Ok(output) => serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            none(&format!(
                "`{}` gave no report: {}",
                confined.launcher.display(),
                said.lines().next().unwrap_or("it exited")
            ))
        }),
    }
}
