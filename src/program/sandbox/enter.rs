//! The process that drops its own rights and becomes the program.
//!
//! The order matters. Descriptors, session and limits come first, because they need nothing.
//! Readable paths are opened for Landlock while the process may still open them. Then the user id
//! is dropped; that clears the death signal, which is therefore set afterwards. `no_new_privs`
//! precedes Landlock, which requires it. The system call filter comes last, because it refuses the
//! calls that the others make.

use std::ffi::OsStr;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, setsid};

use super::{EXIT_NOT_ENTERED, Entry, Limits, MEASURES, Measure, TASKS_PER_PROCESS};
use crate::program::protocol::ANSWERS_FD;

/// Confine this process and become the program, or report the measures in force. Returns the exit
/// status on failure or after the report; it does not return if the process becomes the program.
/// The process must be single-threaded.
pub fn enter(entry: &str, command: &[String]) -> i32 {
    // Stdin leads to the testbed until the program starts, when the kernel closes the copy.
    let status = rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), ANSWERS_FD + 1).ok();
    let why = match serde_json::from_str::<Entry>(entry) {
        Err(error) => format!("`seedbed {}` is for internal use: {error}", super::ENTER),
        Ok(entry) => {
            let measures = confine(&entry, status.as_ref());
            if entry.probe {
                return say(&entry, measures);
            }
            become_program(command)
        }
    };
    eprintln!("{why}");
    if let Some(status) = status {
        // If the testbed does not listen, the line is on stderr.
        let _ = std::fs::File::from(status).write_all(why.as_bytes());
    }
    EXIT_NOT_ENTERED
}

fn become_program(command: &[String]) -> String {
    match command.split_first() {
        None => "the command is empty".to_owned(),
        Some((executable, arguments)) => {
            let error = Command::new(executable).args(arguments).stdin(Stdio::null()).exec();
            format!("cannot start `{executable}`: {error}")
        }
    }
}

/// The measures applied, in order.
struct Taken<'a> {
    entry: &'a Entry,
    measures: Vec<Measure>,
}

impl Taken<'_> {
    fn take(
        &mut self,
        name: &'static str,
        measure: impl FnOnce(&Entry) -> Result<String, String>,
    ) -> bool {
        let taken =
            if self.entry.wants(name) { measure(self.entry) } else { Err("left out".to_owned()) };
        let in_force = taken.is_ok();
        self.measures.push(Measure {
            name: name.to_owned(),
            in_force,
            why: taken.unwrap_or_else(|why| why),
        });
        in_force
    }
}

fn confine(entry: &Entry, status: Option<&OwnedFd>) -> Vec<Measure> {
    let mut taken = Taken { entry, measures: vec![] };
    taken.take("descriptors", |_| close_descriptors(status.map(AsRawFd::as_raw_fd)));
    taken.take("session", |_| match setsid() {
        Ok(_) => Ok("its own session and process group".to_owned()),
        Err(error) => Err(error.to_string()),
    });
    taken.take("limits", limit);
    #[cfg(target_os = "linux")]
    super::linux::confine(entry, &mut |name, measure| taken.take(name, |_| measure()));
    for info in MEASURES {
        if !taken.measures.iter().any(|measure| measure.name == info.name) {
            taken.take(info.name, |_| Err("only Linux has it".to_owned()));
        }
    }
    taken.measures
}

/// Close all inherited descriptors except the standard streams, the conversation and the status
/// pipe.
fn close_descriptors(status: Option<RawFd>) -> Result<String, String> {
    let own = |name: &OsStr| name.to_str().and_then(|name| name.parse::<RawFd>().ok());
    // Linux, and the equivalent of other systems.
    let listed = std::fs::read_dir("/proc/self/fd").or_else(|_| std::fs::read_dir("/dev/fd"));
    let open: Vec<RawFd> = match listed {
        Ok(listed) => listed.filter_map(|entry| own(&entry.ok()?.file_name())).collect(),
        Err(_) => (0..getrlimit(Resource::Nofile).current.unwrap_or(1 << 16).min(1 << 16) as RawFd)
            .collect(),
    };
    for descriptor in
        open.into_iter().filter(|number| *number > ANSWERS_FD && Some(*number) != status)
    {
        // The descriptor of the listing itself is already closed.
        let _ = nix::unistd::close(descriptor);
    }
    Ok("only the standard streams and the conversation stay open".to_owned())
}

fn limit(entry: &Entry) -> Result<String, String> {
    let Limits { memory_bytes, cpu_s, file_bytes, open_files, processes, .. } = entry.limits;
    let mut limits = vec![
        (Resource::Core, 0, 0),
        (Resource::Cpu, cpu_s, cpu_s + 1),
        (Resource::Fsize, file_bytes, file_bytes),
        (Resource::Nofile, open_files, open_files),
        // Threads are counted per user: for an ordinary user, those of the browser and the editor
        // would count too.
        (Resource::As, memory_bytes, memory_bytes),
    ];
    if rustix::process::getuid().is_root() && entry.wants("user") {
        let tasks = processes.saturating_mul(TASKS_PER_PROCESS);
        limits.push((Resource::Nproc, tasks, tasks));
    }
    let mut refused = vec![];
    for (resource, soft, hard) in limits {
        // A lower limit of the system stays in force.
        let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let wanted = Rlimit { current: Some(soft.min(most)), maximum: Some(hard.min(most)) };
        if let Err(error) = setrlimit(resource, wanted) {
            refused.push(format!("{resource:?}: {error}"));
        }
    }
    // Should memory run out all the same, the kernel must not kill the testbed. Only Linux has this
    // file, and no confined program can write it.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    match refused.is_empty() {
        true => Ok(format!(
            "memory {} MiB, {cpu_s} s of processor time, files of {} MiB, {open_files} open files",
            memory_bytes >> 20,
            file_bytes >> 20
        )),
        false => Err(refused.join("; ")),
    }
}

/// Report the measures in force, trying out those that can be tried.
fn say(entry: &Entry, mut measures: Vec<Measure>) -> i32 {
    for measure in measures.iter_mut().filter(|measure| measure.in_force) {
        if let Some(possible) = still_possible(entry, &measure.name) {
            measure.in_force = false;
            measure.why = format!("applied ({}), but {possible}", measure.why);
        }
    }
    match serde_json::to_string(&measures) {
        Ok(text) => {
            println!("{text}");
            0
        }
        Err(_) => EXIT_NOT_ENTERED,
    }
}

/// An action that a measure should have prevented but did not.
fn still_possible(entry: &Entry, measure: &str) -> Option<&'static str> {
    use std::net::{Ipv4Addr, TcpListener, UdpSocket};
    let refused = |error: &std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
    match measure {
        // In `/proc` a program sees only its own folder, and it may not write to the root.
        "files" if std::fs::read_dir("/proc").is_ok() => Some("a forbidden folder can be read"),
        "files" if std::fs::write("/seedbed-probe", "").is_ok() => {
            Some("a forbidden file can be written")
        }
        "ports" => {
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).is_ok().then_some("a port can be opened")
        }
        "signals" => {
            let parent = rustix::process::getppid()?;
            rustix::process::test_kill_process(parent)
                .is_ok()
                .then_some("the testbed can be killed")
        }
        "system_calls" if UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).is_ok() => {
            Some("a socket can be opened")
        }
        "system_calls" if setsid().is_ok() => Some("it can leave the process group"),
        "system_calls" if entry.limits.processes <= 1 => {
            match Command::new("/bin/true").stdin(Stdio::inherit()).status() {
                Err(error) if refused(&error) => None,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                _ => Some("it can start a process"),
            }
        }
        _ => None,
    }
}
