//! A child process and the conversation with it.
//!
//! Turns and answers go over two inherited descriptors, never over stdin and stdout: what a program prints must be harmless. What it prints past its SDK is
//! read while its answer is awaited, so that it never blocks, and only its end is kept, to be shown where the process dies. The child gets an empty
//! environment but for what makes interpreters deterministic, and a process group of its own, which dies with it.
//!
//! All of this is done on the simulation's own thread, which can start no other, and waits by `poll` alone: the real time that passes decides nothing.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::protocol::{ANSWERS_FD, LINE_BYTES_MAX, TURNS_FD};
use super::{Fault, ProgramSpec};

/// Without an answer for so many seconds of real time the run is given up: no program that makes progress comes near it.
const SILENCE_MAX_S: i64 = 20;

/// Of what a process printed past its SDK, the last so many bytes are kept.
const PRINTED_BYTES_MAX: usize = 8_192;

pub(super) struct Child {
    process: std::process::Child,
    turns: PipeWriter,
    answers: PipeReader,
    /// Bytes that have come and belong to no answer yet.
    pending: Vec<u8>,
    /// What it prints; `None` once it has closed that.
    output: Option<PipeReader>,
    printed: Vec<u8>,
}

impl Child {
    /// Start the process.
    pub(super) fn start(spec: &ProgramSpec) -> Result<Child, Fault> {
        let (program, arguments) = spec.command.split_first().ok_or_else(|| Fault::NotStarted("the command is empty".to_owned()))?;
        let failed = |error: io::Error| Fault::NotStarted(format!("`{program}` cannot be started: {error}"));
        let (turns_in, turns) = io::pipe().map_err(failed)?;
        let (answers, answers_out) = io::pipe().map_err(failed)?;
        let (output, output_in) = io::pipe().map_err(failed)?;
        // Nothing that the process does or leaves undone may hold the testbed up.
        for ours in [turns.as_fd(), answers.as_fd(), output.as_fd()] {
            rustix::io::ioctl_fionbio(ours, true).map_err(|error| failed(error.into()))?;
        }
        let in_folder = spec.folder.join(program);
        // A path is meant from the program's folder; a bare name is looked for where programs are.
        let executable = if program.contains('/') { in_folder.as_os_str() } else { program.as_ref() };
        let mut command = Command::new(executable);
        command
            .args(arguments)
            .current_dir(&spec.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &spec.folder)
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(output_in.try_clone().map_err(failed)?)
            .stderr(output_in)
            .process_group(0);
        let mappings = vec![
            FdMapping { parent_fd: OwnedFd::from(turns_in), child_fd: TURNS_FD },
            FdMapping { parent_fd: OwnedFd::from(answers_out), child_fd: ANSWERS_FD },
        ];
        command.fd_mappings(mappings).expect("the two descriptors differ");
        let process = command.spawn().map_err(failed)?;
        // With the command, the parent's copies of the child's ends close, so that the child's end is noticed.
        Ok(Child { process, turns, answers, pending: vec![], output: Some(output), printed: vec![] })
    }

    /// Tell the process a turn and wait for its answer, a line without its end.
    pub(super) fn converse(&mut self, mut turn: Vec<u8>) -> Result<Vec<u8>, Fault> {
        turn.push(b'\n');
        self.tell(&turn)?;
        let mut searched = 0;
        loop {
            if let Some(end) = self.pending[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.pending.split_off(searched + end + 1);
                let mut line = std::mem::replace(&mut self.pending, rest);
                line.pop();
                if self.pending.is_empty() {
                    return Ok(line);
                }
                return Err(Fault::Protocol("it answered more than once to one turn".to_owned()));
            }
            searched = self.pending.len();
            if searched > LINE_BYTES_MAX {
                return Err(Fault::Protocol(format!("its answer is longer than {LINE_BYTES_MAX} bytes")));
            }
            let mut piece = [0; 16_384];
            match self.answers.read(&mut piece) {
                Ok(count) if count > 0 => self.pending.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(PollFlags::IN)?,
                _ => return Err(self.ended()),
            }
        }
    }

    /// Write a turn; a process that does not read it is silent, and not for ever in our way.
    fn tell(&mut self, mut turn: &[u8]) -> Result<(), Fault> {
        while !turn.is_empty() {
            match self.turns.write(turn) {
                Ok(count) => turn = &turn[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(PollFlags::OUT)?,
                Err(_) => return Err(self.ended()),
            }
        }
        Ok(())
    }

    /// Wait until the process answers (`IN`) or reads (`OUT`), and take in what it prints meanwhile.
    fn wait(&mut self, flags: PollFlags) -> Result<(), Fault> {
        let limit = Timespec { tv_sec: SILENCE_MAX_S, tv_nsec: 0 };
        loop {
            let conversation = if flags == PollFlags::IN { self.answers.as_fd() } else { self.turns.as_fd() };
            let mut fds = vec![PollFd::from_borrowed_fd(conversation, flags)];
            fds.extend(self.output.as_ref().map(|output| PollFd::new(output, PollFlags::IN)));
            match poll(&mut fds, Some(&limit)) {
                Ok(0) => return Err(Fault::Silent(SILENCE_MAX_S as u64)),
                Err(rustix::io::Errno::INTR) => continue,
                _ => {}
            }
            let is_ready = !fds[0].revents().is_empty();
            self.drain();
            if is_ready {
                return Ok(());
            }
        }
    }

    /// Take in what is printed, and keep the last of it.
    fn drain(&mut self) {
        let mut piece = [0; 4_096];
        while let Some(output) = &mut self.output {
            match output.read(&mut piece) {
                Ok(count) if count > 0 => {
                    self.printed.extend_from_slice(&piece[..count]);
                    let excess = self.printed.len().saturating_sub(PRINTED_BYTES_MAX);
                    self.printed.drain(..excess);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                _ => self.output = None,
            }
        }
    }

    /// The process has ended or closed its descriptors: how.
    fn ended(&mut self) -> Fault {
        // It has two seconds to be gone after it has closed its descriptors.
        let mut gone = false;
        for _ in 0..400 {
            gone = matches!(self.process.try_wait(), Ok(Some(_)) | Err(_));
            if gone {
                break;
            }
            let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 5_000_000 }));
        }
        kill(&self.process);
        Fault::Ended(match self.process.wait() {
            _ if !gone => "it closed its descriptors and went on".to_owned(),
            Ok(status) => match (status.code(), status.signal()) {
                (Some(0), _) => "it ended without an answer".to_owned(),
                (Some(code), _) => format!("it ended with status {code}"),
                (None, signal) => format!("it was ended by signal {}", signal.unwrap_or(0)),
            },
            Err(error) => format!("it is lost: {error}"),
        })
    }

    /// The last that it printed past its SDK.
    pub(super) fn printed(&mut self) -> String {
        self.drain();
        String::from_utf8_lossy(&self.printed).trim_end().to_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        kill(&self.process);
        // Only an error of ours could make this fail, and there is nobody to tell.
        let _ = self.process.wait();
    }
}

/// End the process and all that it has started in its group.
fn kill(process: &std::process::Child) {
    if let Some(group) = i32::try_from(process.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}
