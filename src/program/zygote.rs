//! Zygotes: an interpreter that is ready, and splits off a process for each start of a program.
//!
//! Of the time that a program in Python takes for a run, by far the most goes into starting: the
//! interpreter, the SDK, the program's own compilation, and that anew for each node and each
//! restart. A zygote has all that behind it, and never runs a line of the program, so that each
//! fork begins as any other process would. Forks are confined one by one, by themselves, as
//! `zygote.py` has it: none is less confined than a process of its own, and where a fork cannot be,
//! it is not used. What cannot be started in this way starts without a zygote, and nothing else is
//! different; grading compares the two (`grade::run`).
//!
//! A fork is the child of the zygote, not of the testbed: how it ended, the zygote says, and while
//! it has not been asked, the number of the process stays taken. A fork dies with its zygote, and
//! the zygote with the thread that started it.

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
use super::{Confinement, ProgramSpec, WATCHDOG};

const CODE: &str = include_str!("zygote.py");

/// A zygote for one program, in one folder, under one confinement.
#[derive(Clone)]
pub struct Zygote(Arc<Mutex<Inner>>);

struct Inner {
    process: Child,
    control: OwnedFd,
    /// In which each fork has a scratch folder.
    scratch: Option<Scratch>,
    starts: u64,
    /// It could not start one, and is not asked for another.
    is_useless: bool,
    /// It has not answered, and was ended for that; with it all forks.
    is_gone: bool,
}

/// A process that a zygote has split off.
pub(super) struct Fork {
    zygote: Zygote,
    pub(super) process: u32,
    /// The process itself, whoever has its number by now.
    handle: OwnedFd,
    pub(super) scratch: Option<Scratch>,
    /// How it ended, once the zygote was asked.
    ended: Option<ExitStatus>,
}

impl Zygote {
    /// A zygote for this program, if it is one that can have one: confined by all measures, in
    /// Python, and without what is installed beside the standard library. Forks are started in
    /// other threads too, but none outlives this one.
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

    /// Split off a process that has these descriptors for turns, answers and what it prints.
    /// `None`: start it in another way.
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

    /// The number that it answers; `None` where it answers with a reason, or not at all.
    fn ask(&mut self, what: &str, files: &[BorrowedFd<'_>]) -> Option<i32> {
        let answer = self.converse(what, files).unwrap_or_default();
        if answer.is_empty() {
            // An answer that came later would be taken for that to another question.
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
        // Whether it takes longer decides nothing but how the program is started.
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
        // It may have ended by itself; either way it is waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Fork {
    /// End it. It can have started nothing but threads.
    pub(super) fn kill(&self) {
        // It may have ended by itself.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }

    /// Whether it has ended, also with its zygote.
    pub(super) fn is_gone(&mut self) -> bool {
        self.ask("look").is_some() || self.zygote.inner().is_gone
    }

    /// Wait until it has ended: how. `None`: with its zygote.
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
