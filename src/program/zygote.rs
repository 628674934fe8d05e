//! Zygotes: a preloaded interpreter that forks a process for each start of a program.
//!
//! A Python program spends by far most of its run starting: the interpreter, the SDK, the program's
//! compilation, and all that again for each node and each restart. A zygote has done all of it
//! once, and never runs a line of the program, so that each fork starts as any other process would.
//! Each fork confines itself, as `zygote.py` describes: none is less confined than a separate
//! process, and a fork that cannot confine itself is not used. Programs that cannot be started this
//! way start without a zygote, with no other difference; grading compares the two (`grade::run`).
//!
//! A fork is a child of the zygote, not of the testbed: the zygote reports its exit status, and
//! until it is asked, the process id stays taken. A fork dies with its zygote, and the zygote with
//! the thread that started it.

use std::fmt;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use command_fds::{CommandFdExt, FdMapping};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType, recv, sendmsg, socketpair,
};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::child::{set_environment, spawn};
use super::protocol::TURNS_FD;
use super::sandbox::{self, Confined, Scratch};
use super::{ProgramSpec, WATCHDOG};
use crate::scenario::{Confinement, ZygoteHandle};

const CODE: &str = include_str!("zygote.py");

/// A zygote for one program, in one folder, with one confinement.
#[derive(Clone)]
pub struct Zygote(Arc<Mutex<Inner>>);

struct Inner {
    process: Child,
    control: OwnedFd,
    /// The folder in which each fork has its scratch folder.
    scratch: Option<Scratch>,
    starts: u64,
    /// It failed to start a process and is not asked again.
    is_useless: bool,
    /// It did not answer and was killed, with all its forks.
    is_gone: bool,
}

/// A process forked by a zygote.
pub(super) struct Fork {
    zygote: Zygote,
    pub(super) process: u32,
    /// The process itself, even if its process id has been reused.
    handle: OwnedFd,
    pub(super) scratch: Option<Scratch>,
    /// Its exit status, once the zygote was asked.
    ended: Option<ExitStatus>,
}

impl Zygote {
    /// A zygote for this program, if it qualifies: confined by all measures, in Python, and without
    /// installed packages. Other threads may start forks too, but no fork outlives this thread.
    pub fn start(spec: &ProgramSpec) -> Option<Zygote> {
        let Confinement::Confined(confined) = &spec.confinement else { return None };
        let [interpreter, dash_s, program @ ..] = spec.command.as_slice() else { return None };
        let is_python =
            interpreter.starts_with("python") && !interpreter.contains('/') && dash_s == "-S";
        let is_simple = confined.without.is_empty() && confined.limits.processes <= 1;
        let has_program =
            program.first().is_some_and(|word| word.ends_with(".py") && !word.starts_with('-'));
        let inner = || Inner::start(confined, interpreter, program, &spec.folder);
        (is_python && is_simple && has_program)
            .then(inner)
            .flatten()
            .map(|inner| Zygote(Arc::new(Mutex::new(inner))))
    }

    /// Fork a process with these descriptors for turns, answers and output. `None` means that it
    /// must be started without the zygote.
    pub(super) fn fork(&self, files: [BorrowedFd<'_>; 3]) -> Option<Fork> {
        let mut inner = self.inner();
        if inner.is_useless {
            return None;
        }
        inner.starts += 1;
        let name = format!("{:010}", inner.starts);
        let process = inner.ask(&format!("start {name}"), &files).and_then(Pid::from_raw);
        let handle = process.and_then(|process| pidfd_open(process, PidfdFlags::empty()).ok());
        let Some((process, handle)) = process.zip(handle) else {
            inner.is_useless = true;
            return None;
        };
        let scratch = inner.scratch.as_ref().map(|scratch| scratch.made_within(&name));
        Some(Fork {
            zygote: self.clone(),
            process: process.as_raw_nonzero().get().unsigned_abs(),
            handle,
            scratch,
            ended: None,
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Zygote> for ZygoteHandle {
    fn from(zygote: Zygote) -> ZygoteHandle {
        ZygoteHandle::new(zygote)
    }
}

impl fmt::Debug for Zygote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zygote")
    }
}

impl PartialEq for Zygote {
    fn eq(&self, other: &Zygote) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Zygote {}

impl Inner {
    fn start(
        confined: &Confined,
        interpreter: &str,
        program: &[String],
        folder: &Path,
    ) -> Option<Inner> {
        let (control, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .ok()?;
        let sandbox::Prepared { mut command, scratch, .. } =
            sandbox::zygote(confined, (interpreter, CODE), program, folder).ok()?;
        set_environment(&mut command).stdout(Stdio::null()).stderr(Stdio::null());
        command.fd_mappings(vec![FdMapping { parent_fd: theirs, child_fd: TURNS_FD }]).ok()?;
        let process = spawn(&mut command).ok()?;
        Some(Inner { process, control, scratch, starts: 0, is_useless: false, is_gone: false })
    }

    /// The number that it answers; `None` if it answers with a reason, or not at all.
    fn ask(&mut self, what: &str, files: &[BorrowedFd<'_>]) -> Option<i32> {
        let answer = self.converse(what, files).unwrap_or_default();
        if answer.is_empty() {
            // A late answer would be taken for the answer to the next question.
            (self.is_useless, self.is_gone) = (true, true);
            let _ = self.process.kill();
        }
        answer.parse().ok()
    }

    fn converse(&self, what: &str, files: &[BorrowedFd<'_>]) -> Option<String> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !files.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(files));
        }
        sendmsg(
            &self.control,
            &[IoSlice::new(what.as_bytes())],
            &mut ancillary,
            SendFlags::NOSIGNAL,
        )
        .ok()?;
        // A timeout here only decides how the program is started.
        let patience = Timespec { tv_sec: WATCHDOG.as_secs() as i64, tv_nsec: 0 };
        let mut ready = [PollFd::new(&self.control, PollFlags::IN)];
        poll(&mut ready, Some(&patience)).ok().filter(|count| *count > 0)?;
        let mut answer = [0; 256];
        let (length, _) = recv(&self.control, &mut answer, RecvFlags::empty()).ok()?;
        Some(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // It may have exited by itself; either way it must be waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Fork {
    /// Kill it. It can have started only threads.
    pub(super) fn kill(&self) {
        // It may have exited by itself.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }

    /// Whether it has exited, possibly with its zygote.
    pub(super) fn is_gone(&mut self) -> bool {
        self.ask("look").is_some() || self.zygote.inner().is_gone
    }

    /// Wait until it has exited, and return its status; `None` if it died with its zygote.
    pub(super) fn wait(&mut self) -> Option<ExitStatus> {
        self.ask("wait")
    }

    fn ask(&mut self, how: &str) -> Option<ExitStatus> {
        if self.ended.is_none() {
            let status = self.zygote.inner().ask(&format!("{how} {}", self.process), &[]);
            self.ended = status.map(ExitStatus::from_raw);
        }
        self.ended
    }
}
