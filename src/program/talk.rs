//! A conversation with an SDK author's program, outside any simulation, so that each line can be
//! examined.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::StallKind;
use super::protocol::{ANSWERS_FD, LINE_BYTES_MAX, TURNS_FD};
use super::watch::{LOOK, Watch};

/// How long a program may sleep (real time) or work (processor time) before it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process in conversation.
pub(super) struct Talk {
    process: Child,
    /// `None` once the conversation is over.
    turns: Option<PipeWriter>,
    answers: PipeReader,
    pending: Vec<u8>,
    patience: Duration,
}

impl Talk {
    /// Start a process as the testbed would, except that its stderr is visible.
    pub(super) fn start(command: &[String]) -> Result<Talk, String> {
        let (program, arguments) = command.split_first().ok_or("the command is empty")?;
        let failed = |error: io::Error| format!("cannot start `{program}`: {error}");
        let (turns_in, turns) = io::pipe().map_err(failed)?;
        let (answers, answers_out) = io::pipe().map_err(failed)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", ".")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("PYTHONHASHSEED", "0");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let mappings = vec![
            FdMapping { parent_fd: OwnedFd::from(turns_in), child_fd: TURNS_FD },
            FdMapping { parent_fd: OwnedFd::from(answers_out), child_fd: ANSWERS_FD },
        ];
        command
            .fd_mappings(mappings)
            .map_err(|error| format!("cannot start `{program}`: {error}"))?;
        let process = command.spawn().map_err(failed)?;
        Ok(Talk { process, turns: Some(turns), answers, pending: vec![], patience: PATIENCE })
    }

    /// Send a line and wait for the answer. A line that arrived before is one too many.
    pub(super) fn converse(&mut self, line: &str) -> Result<String, String> {
        if self.is_readable(Duration::ZERO) {
            return Err(match self.answers.read(&mut [0]) {
                Ok(count) if count > 0 => "there is data on descriptor 4 before a turn was sent: \
                    it answers more than once"
                    .to_owned(),
                _ => self.ended(),
            });
        }
        let turns = self.turns.as_mut().ok_or("the conversation is over")?;
        turns
            .write_all(line.as_bytes())
            .and_then(|()| turns.write_all(b"\n"))
            .map_err(|_| self.ended())?;
        let mut watch = Watch::new(self.patience);
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let mut answer: Vec<u8> = self.pending.drain(..=end).collect();
                answer.pop();
                return String::from_utf8(answer)
                    .map_err(|error| format!("its answer is not UTF-8: {error}"));
            }
            if self.pending.len() > LINE_BYTES_MAX {
                return Err(format!("its answer is longer than {LINE_BYTES_MAX} bytes"));
            }
            if !self.is_readable(LOOK) {
                match watch.is_due().then(|| watch.look(self.process.id())).flatten() {
                    Some((kind, why)) => return Err(self.no_answer(kind, &why)),
                    None => continue,
                }
            }
            let mut piece = [0; 65_536];
            match self.answers.read(&mut piece) {
                Ok(count) if count > 0 => self.pending.extend_from_slice(&piece[..count]),
                _ => return Err(self.ended()),
            }
        }
    }

    /// Whether there is unexpected data, or some arrives within this time.
    pub(super) fn has_more(&self, within: Duration) -> bool {
        !self.pending.is_empty() || self.is_readable(within)
    }

    /// Close descriptor 3, and wait for the process to exit. The patience counts its sleep and
    /// work, not the time in which the machine does not let it run.
    pub(super) fn ends_within(&mut self, patience: Duration) -> bool {
        self.turns = None;
        let mut watch = Watch::new(patience);
        loop {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return true;
            }
            if watch.is_due() && watch.look(self.process.id()).is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Why there is no answer. A program is not to blame for a busy machine.
    fn no_answer(&self, kind: StallKind, why: &str) -> String {
        let part = if self.pending.is_empty() { "" } else { " Part of a line has arrived." };
        match kind {
            StallKind::Slow => {
                format!(
                    "no answer on descriptor 4, and the machine is too busy to tell why: {why}. \
                    Try again later.{part}"
                )
            }
            StallKind::Busy => format!("no answer on descriptor 4: {why}.{part}"),
            StallKind::Silent | StallKind::Killed => {
                format!(
                    "no answer on descriptor 4: {why}. Does the line have a newline, and is it \
                    flushed?{part}"
                )
            }
        }
    }

    fn is_readable(&self, within: Duration) -> bool {
        let limit =
            Timespec { tv_sec: within.as_secs() as i64, tv_nsec: i64::from(within.subsec_nanos()) };
        let mut fds = [PollFd::from_borrowed_fd(self.answers.as_fd(), PollFlags::IN)];
        matches!(poll(&mut fds, Some(&limit)), Ok(ready) if ready > 0)
    }

    fn ended(&mut self) -> String {
        let ended = self.ends_within(Duration::from_secs(1));
        match self.process.try_wait() {
            Ok(Some(status)) if ended => format!("it exited without an answer: {status}"),
            _ => "it closed descriptor 3 or 4 and keeps running".to_owned(),
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome of a Python program that does this when it gets a turn; `None` if there is no
    /// Python or no `/proc`.
    fn said(patience: Duration, work: &str) -> Option<Result<String, String>> {
        let program = format!("import os, time\nos.read(3, 99)\n{work}");
        let talk = Talk::start(&["python3".to_owned(), "-S".to_owned(), "-c".to_owned(), program]);
        let Some(mut talk) = talk.ok().filter(|_| std::path::Path::new("/proc/self/stat").exists())
        else {
            println!("there is no python3 or no /proc here: not tested");
            return None;
        };
        talk.patience = patience;
        Some(talk.converse("{}"))
    }

    /// Real time alone blames no program: one that gets a processor only now and then, as on a busy
    /// machine, may exceed the patience.
    #[test]
    fn a_working_program_is_waited_for() {
        let work = "for _ in range(30):\n    end = time.process_time() + 0.01\n    while \
            time.process_time() < end: pass\n    time.sleep(0.04)\n";
        let answer = said(Duration::from_secs(1), &format!("{work}os.write(4, b'here\\n')\n"));
        assert!(answer.is_none_or(|answer| answer == Ok("here".to_owned())));
    }

    /// Sleeping and endless work are told apart, with a hint for each.
    #[test]
    fn a_missing_answer_is_explained() {
        let patience = Duration::from_millis(300);
        for (work, expected) in [
            (
                "os.write(4, b'part')\ntime.sleep(60)",
                "it has been asleep for 0.3 s of real time. Does the line have a newline, and is \
                it flushed? Part of a line has arrived.",
            ),
            ("while True: pass", "it has been working for 0.3 s of processor time."),
        ] {
            let answer = said(patience, work);
            assert!(
                answer
                    .clone()
                    .is_none_or(|answer| answer.is_err_and(|why| why.ends_with(expected))),
                "{work}: {answer:?}"
            );
        }
    }
}
