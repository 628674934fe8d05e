//! A child process, and the conversation with it.
//!
//! Turns and answers go over two inherited descriptors, never over stdin and stdout, so that
//! printing is harmless. Output is read while an answer is awaited, so that the child never blocks
//! on it, and only its tail is kept, to be shown if the process dies. The child's environment is
//! empty except for what makes interpreters deterministic, and it has its own process group, which
//! is killed with it. A confined child is started through the testbed's own executable: see
//! `sandbox`.
//!
//! All of this happens on the simulation's own thread, which cannot start another one, and waits
//! only by `poll`: the real time that passes decides nothing.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::protocol::{ANSWERS_FD, LINE_BYTES_MAX, TURNS_FD};
use super::sandbox::{self, Confinement, Limits};
use super::watch::{LOOK, Watch, alone, folder_bytes, real_time};
use super::zygote::{Fork, Zygote};
use super::{Failure, ProgramSpec, StallKind};

/// How many bytes of a process's output are kept, from the end.
const PRINTED_BYTES_MAX: usize = 8_192;

/// An answer is read in pieces of at least this size.
const PIECE_BYTES: usize = 16_384;

/// At most this much output is read at a time, so that the watchdog gets a turn while a process
/// prints endlessly.
const PRINTED_AT_ONCE_MAX: usize = 1 << 20;

/// Out-of-memory messages of CPython, Rust, C and C++, Java and Node.js, and shells.
const OUT_OF_MEMORY: &[&str] = &[
    "MemoryError",
    "memory allocation of",
    "bad_alloc",
    "OutOfMemoryError",
    "out of memory",
    "Cannot allocate memory",
];

pub(super) struct Child {
    process: Process,
    turns: PipeWriter,
    answers: PipeReader,
    /// The part of the current answer received so far.
    heard: Vec<u8>,
    /// Its output; `None` once it has closed it.
    output: Option<PipeReader>,
    printed: Vec<u8>,
    /// How many bytes it has printed in total.
    printed_bytes: u64,
    /// The number of the turn, from 1.
    turn: u64,
    patience: std::time::Duration,
    watch: Watch,
    confined: Option<Confined>,
}

/// The process, by parent.
enum Process {
    /// A child of the testbed.
    Own(std::process::Child),
    /// A child of a zygote.
    Fork(Fork),
}

/// Additional state of a confined child.
struct Confined {
    limits: Limits,
    /// Through this pipe the launcher reports why it could not become the program; a zygote's fork
    /// reports that before it starts.
    status: Option<PipeReader>,
    scratch: Option<sandbox::Scratch>,
    /// When its scratch folder was last checked, real time.
    looked: std::time::Duration,
}

impl Child {
    /// Start the process.
    pub(super) fn start(spec: &ProgramSpec) -> Result<Child, Failure> {
        let program = spec
            .command
            .first()
            .ok_or_else(|| Failure::NotStarted("the command is empty".to_owned()))?;
        let failed =
            |error: io::Error| Failure::NotStarted(format!("cannot start `{program}`: {error}"));
        let (turns_in, turns) = io::pipe().map_err(failed)?;
        let (answers, answers_out) = io::pipe().map_err(failed)?;
        let (output, output_in) = io::pipe().map_err(failed)?;
        // Nothing that the process does or fails to do may block the testbed.
        let unblocked = |ours: BorrowedFd<'_>| {
            rustix::io::ioctl_fionbio(ours, true).map_err(|error| failed(error.into()))
        };
        [turns.as_fd(), answers.as_fd(), output.as_fd()].into_iter().try_for_each(unblocked)?;
        let theirs =
            [OwnedFd::from(turns_in), OwnedFd::from(answers_out), OwnedFd::from(output_in)];
        let limits = match &spec.confinement {
            Confinement::None => None,
            Confinement::Confined(confined) => Some(confined.limits),
        };
        let confined = |status, scratch| {
            limits.map(|limits| Confined { limits, status, scratch, looked: real_time() })
        };
        let fork = spec
            .zygote
            .as_ref()
            .and_then(|handle| handle.get::<Zygote>())
            .and_then(|zygote| zygote.fork(theirs.each_ref().map(|file| file.as_fd())));
        let (process, confined) = if let Some(mut fork) = fork {
            let scratch = fork.scratch.take();
            (Process::Fork(fork), confined(None, scratch))
        } else {
            let (mut command, status, scratch) = match &spec.confinement {
                Confinement::None => (trusted(spec, program), None, None),
                Confinement::Confined(confined) => {
                    let prepared = sandbox::program(confined, &spec.command, &spec.folder)
                        .map_err(Failure::NotStarted)?;
                    unblocked(prepared.status.as_fd())?;
                    (prepared.command, Some(prepared.status), prepared.scratch)
                }
            };
            let [turns_in, answers_out, output_in] = theirs;
            set_environment(&mut command)
                .stdout(output_in.try_clone().map_err(failed)?)
                .stderr(output_in);
            let mappings = vec![
                FdMapping { parent_fd: turns_in, child_fd: TURNS_FD },
                FdMapping { parent_fd: answers_out, child_fd: ANSWERS_FD },
            ];
            command.fd_mappings(mappings).expect("the two descriptors differ");
            (Process::Own(spawn(&mut command).map_err(failed)?), confined(status, scratch))
        };
        // Dropping the command closes the parent's copies of the child's ends, so that the child's
        // exit is noticed.
        let (patience, watch) = (spec.watchdog, Watch::new(spec.watchdog));
        let (heard, printed) = (vec![], vec![]);
        Ok(Child {
            process,
            turns,
            answers,
            heard,
            output: Some(output),
            printed,
            printed_bytes: 0,
            turn: 0,
            patience,
            watch,
            confined,
        })
    }

    /// Send a turn (a line with its newline) and wait for the answer (a line without).
    pub(super) fn converse(&mut self, turn: &[u8]) -> Result<&[u8], Failure> {
        let more_than_once =
            || Failure::Protocol("it answered more than once to one turn".to_owned());
        self.turn += 1;
        self.watch = Watch::new(self.patience);
        self.heard.clear();
        if matches!(self.hear(), Ok(count) if count > 0) {
            return Err(more_than_once());
        }
        self.tell(turn)?;
        let mut searched = 0;
        let end = loop {
            self.wait(PollFlags::IN)?;
            match self.hear() {
                Ok(count) if count > 0 => {}
                Err(Errno::AGAIN) => continue,
                _ => return Err(self.ended()),
            }
            let found = self.heard[searched..]
                .iter()
                .position(|byte| *byte == b'\n')
                .map(|end| searched + end);
            searched = self.heard.len();
            // Including its newline, which may not have arrived yet.
            if found.unwrap_or(searched) >= LINE_BYTES_MAX {
                return Err(Failure::Protocol(format!(
                    "its answer is longer than {LINE_BYTES_MAX} bytes"
                )));
            }
            if let Some(end) = found {
                break end;
            }
        };
        if end + 1 < self.heard.len() {
            return Err(more_than_once());
        }
        self.check_limits()?;
        Ok(&self.heard[..end])
    }

    /// Read more of the answer, and return the number of new bytes.
    fn hear(&mut self) -> rustix::io::Result<usize> {
        self.heard.reserve(PIECE_BYTES);
        rustix::io::read(&self.answers, spare_capacity(&mut self.heard))
    }

    /// Write a turn. A process that does not read it counts as silent and does not block the
    /// testbed.
    fn tell(&mut self, mut turn: &[u8]) -> Result<(), Failure> {
        while !turn.is_empty() {
            match self.turns.write(turn) {
                Ok(count) => turn = &turn[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(PollFlags::OUT)?
                }
                Err(_) => return Err(self.ended()),
            }
        }
        Ok(())
    }

    /// Wait until the process answers (`IN`) or reads (`OUT`), reading its output meanwhile.
    fn wait(&mut self, flags: PollFlags) -> Result<(), Failure> {
        let limit = Timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos() as _ };
        loop {
            let conversation =
                if flags == PollFlags::IN { self.answers.as_fd() } else { self.turns.as_fd() };
            let output = self.output.as_ref().map_or(conversation, |output| output.as_fd());
            let mut files = [
                PollFd::from_borrowed_fd(conversation, flags),
                PollFd::from_borrowed_fd(output, PollFlags::IN),
            ];
            let count = if self.output.is_some() { 2 } else { 1 };
            let some = matches!(poll(&mut files[..count], Some(&limit)), Ok(count) if count > 0);
            let [is_ready, has_printed] = files.map(|file| some && !file.revents().is_empty());
            if has_printed {
                self.drain();
            }
            if is_ready {
                return Ok(());
            }
            if self.watch.is_due() {
                self.look()?;
            }
        }
    }

    /// Let the watchdog check whether the program works, sleeps, or exceeds its limits.
    fn look(&mut self) -> Result<(), Failure> {
        self.check_limits()?;
        match self.watch.look(self.process.id()) {
            Some((kind, why)) => Err(Failure::Stalled { turn: self.turn, kind, why }),
            None => Ok(()),
        }
    }

    /// Check that a confined program has not printed or written more than its limits. What it
    /// printed before an answer is counted with that answer.
    fn check_limits(&mut self) -> Result<(), Failure> {
        if self.confined.is_none() {
            return Ok(());
        }
        self.drain();
        let Some(confined) = &mut self.confined else { return Ok(()) };
        let (output, disk) = (confined.limits.output_bytes, confined.limits.disk_bytes);
        if self.printed_bytes > output {
            return Err(Failure::Output(format!("it printed more than {output} bytes")));
        }
        if let Some(scratch) = &confined.scratch
            && real_time().saturating_sub(confined.looked) >= LOOK
        {
            confined.looked = real_time();
            if folder_bytes(scratch.path()) > disk {
                return Err(Failure::Disk(format!(
                    "it wrote more than {disk} bytes, or too many files, to its scratch folder"
                )));
            }
        }
        Ok(())
    }

    /// Read the output, and keep its tail.
    fn drain(&mut self) {
        let mut piece = [0; 4_096];
        let mut taken = 0;
        while let Some(output) = self.output.as_mut().filter(|_| taken < PRINTED_AT_ONCE_MAX) {
            match output.read(&mut piece) {
                Ok(count) if count > 0 => {
                    taken += count;
                    self.printed_bytes += count as u64;
                    self.printed.extend_from_slice(&piece[..count]);
                    let excess = self.printed.len().saturating_sub(PRINTED_BYTES_MAX);
                    self.printed.drain(..excess);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                _ => self.output = None,
            }
        }
    }

    /// Find out how the process exited or closed its descriptors.
    fn ended(&mut self) -> Failure {
        // After closing its descriptors it has two seconds to exit, and longer if the machine is
        // too busy to let it.
        let (mut gone, mut used) = (false, None);
        for wait in 0..4_000 {
            // An exited process that has not been waited for still reports its processor time.
            let (now, is_asleep) = alone(self.process.id()).unzip();
            used = now.or(used);
            gone = self.process.is_gone();
            if gone || wait >= 400 && is_asleep.unwrap_or(true) {
                break;
            }
            let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 5_000_000 }));
        }
        self.process.kill();
        match self.process.wait() {
            _ if !gone => Failure::Ended("it closed its descriptors and kept running".to_owned()),
            Some(status) => self.ended_with(status, used.unwrap_or_default()),
            // A program cannot kill its zygote.
            None => Failure::Stalled {
                turn: self.turn,
                kind: StallKind::Killed,
                why: "it was killed by the machine".to_owned(),
            },
        }
    }

    fn ended_with(&mut self, status: ExitStatus, used: std::time::Duration) -> Failure {
        if let Some(confined) = &mut self.confined {
            let why = confined
                .status
                .as_mut()
                .and_then(|line| sandbox::why_not_started(line, status.code()));
            if let Some(why) = why {
                return Failure::NotStarted(why);
            }
            // A program may ignore the limit's first signal, but not the second.
            let cpu_s = confined.limits.cpu_s;
            let by_limit = status.signal() == Some(Signal::XCPU.as_raw())
                || status.signal().is_some() && used.as_secs() >= cpu_s;
            if by_limit {
                let why = format!("it used up its {cpu_s} s of processor time");
                return Failure::Stalled { turn: self.turn, kind: StallKind::Busy, why };
            }
            if status.signal() == Some(Signal::KILL.as_raw()) {
                let why =
                    "it was killed, by itself or because this machine ran out of memory".to_owned();
                return Failure::Stalled { turn: self.turn, kind: StallKind::Killed, why };
            }
        }
        let how = match (status.code(), status.signal()) {
            (Some(0), _) => "it exited without an answer".to_owned(),
            (Some(code), _) => format!("it exited with status {code}"),
            (None, signal) => format!("it was killed by signal {}", signal.unwrap_or(0)),
        };
        let printed = self.printed();
        match &self.confined {
            Some(confined) if OUT_OF_MEMORY.iter().any(|words| printed.contains(words)) => {
                Failure::Memory(format!(
                    "{how}, reporting that it ran out of memory (limit: {} MiB)",
                    confined.limits.memory_bytes >> 20
                ))
            }
            _ => Failure::Ended(how),
        }
    }

    /// The last output that it printed outside the protocol.
    pub(super) fn printed(&mut self) -> String {
        self.drain();
        String::from_utf8_lossy(&self.printed).trim_end().to_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.process.kill();
        // This can fail only because of a bug here, and there is nobody to report it to.
        let _ = self.process.wait();
    }
}

impl Process {
    fn id(&self) -> u32 {
        match self {
            Process::Own(process) => process.id(),
            Process::Fork(fork) => fork.process,
        }
    }

    /// Whether it has exited, or is unknown by now.
    fn is_gone(&mut self) -> bool {
        match self {
            Process::Own(process) => !matches!(process.try_wait(), Ok(None)),
            Process::Fork(fork) => fork.is_gone(),
        }
    }

    /// Wait until it has exited. `None` if its status is unknown.
    fn wait(&mut self) -> Option<ExitStatus> {
        match self {
            Process::Own(process) => process.wait().ok(),
            Process::Fork(fork) => fork.wait(),
        }
    }

    /// Kill the process and everything in its group. A confined process may not have its group yet,
    /// but then it has started nothing.
    fn kill(&self) {
        match self {
            Process::Own(process) => {
                if let Some(process) = i32::try_from(process.id()).ok().and_then(Pid::from_raw) {
                    let _ = kill_process(process, Signal::KILL);
                    let _ = kill_process_group(process, Signal::KILL);
                }
            }
            Process::Fork(fork) => fork.kill(),
        }
    }
}

/// Set the environment that makes interpreters behave the same everywhere.
pub(super) fn set_environment(command: &mut Command) -> &mut Command {
    command
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1")
}

/// Start a process that is loaded at the same addresses each time.
pub(super) fn spawn(command: &mut Command) -> io::Result<std::process::Child> {
    fix_addresses();
    command.spawn()
}

/// Make the processes that this thread starts from now on load at the same addresses each time,
/// because Python orders sets of plain objects by address. Returns whether that worked: if the
/// kernel refuses, as in some containers, programs that print addresses or such an order are not
/// reproducible.
pub fn fix_addresses() -> bool {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::personality::{Persona, get, set};
        get().is_ok_and(|persona| {
            persona.contains(Persona::ADDR_NO_RANDOMIZE)
                || set(persona | Persona::ADDR_NO_RANDOMIZE).is_ok()
        })
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// The command of a program that may do what the user may.
fn trusted(spec: &ProgramSpec, program: &str) -> Command {
    // A path is relative to the program's folder; a bare name is searched in PATH.
    let in_folder = spec.folder.join(program);
    let executable = if program.contains('/') { in_folder.as_os_str() } else { program.as_ref() };
    let mut command = Command::new(executable);
    command
        .args(&spec.command[1..])
        .current_dir(&spec.folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &spec.folder)
        .stdin(Stdio::null())
        .process_group(0);
    command
}
