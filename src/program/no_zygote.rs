//! Stand-in for systems on which a forked process cannot confine itself: each start is a separate
//! process.

use std::convert::Infallible;

use super::ProgramSpec;
use crate::scenario::ZygoteHandle;

/// Never exists here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zygote(Infallible);

impl Zygote {
    /// Always `None`.
    pub fn start(_spec: &ProgramSpec) -> Option<Zygote> {
        None
    }
}

impl From<Zygote> for ZygoteHandle {
    fn from(zygote: Zygote) -> ZygoteHandle {
        ZygoteHandle::new(zygote)
    }
}

#[cfg(unix)]
mod fork {
    use std::os::fd::BorrowedFd;
    use std::process::ExitStatus;

    use super::{Infallible, Zygote};
    use crate::program::sandbox::Scratch;

    pub(in crate::program) struct Fork {
        never: Infallible,
        pub process: u32,
        pub scratch: Option<Scratch>,
    }

    impl Zygote {
        pub(in crate::program) fn fork(&self, _files: [BorrowedFd<'_>; 3]) -> Option<Fork> {
            match self.0 {}
        }
    }

    impl Fork {
        pub fn kill(&self) {
            match self.never {}
        }

        pub fn is_gone(&mut self) -> bool {
            match self.never {}
        }

        pub fn wait(&mut self) -> Option<ExitStatus> {
            match self.never {}
        }
    }
}

#[cfg(unix)]
pub(super) use fork::Fork;
