//! With whom a seat converses: a process, or a machine of this process that speaks the same lines.

use std::fmt;
use std::sync::Arc;

use super::child::Child;
use super::{Fault, ProgramSpec};

/// A node written with the Rust SDK, at work: a turn in, an answer out, without lines' ends.
pub type InProcess = Box<dyn FnMut(&[u8]) -> Vec<u8>>;

/// Makes such a node for each start of its process.
#[derive(Clone)]
pub struct Make(Arc<dyn Fn() -> InProcess + Send + Sync>);

impl Make {
    /// From a function that makes a node anew.
    pub fn new(make: impl Fn() -> InProcess + Send + Sync + 'static) -> Make {
        Make(Arc::new(make))
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

pub(super) enum Conversation {
    Process(Box<Child>),
    InProcess { machine: InProcess, answer: Vec<u8> },
}

impl Conversation {
    pub(super) fn start(spec: &ProgramSpec) -> Result<Conversation, Fault> {
        match &spec.in_process {
            Some(make) => Ok(Conversation::InProcess { machine: make.0(), answer: vec![] }),
            None => Ok(Conversation::Process(Box::new(Child::start(spec)?))),
        }
    }

    /// Tell a turn, a line with its end, and wait for its answer, a line without.
    pub(super) fn converse(&mut self, turn: &[u8]) -> Result<&[u8], Fault> {
        match self {
            Conversation::Process(child) => child.converse(turn),
            Conversation::InProcess { machine, answer } => {
                *answer = machine(turn.strip_suffix(b"\n").unwrap_or(turn));
                Ok(answer)
            }
        }
    }

    /// The last that a process printed past its SDK.
    pub(super) fn printed(&mut self) -> String {
        match self {
            Conversation::Process(child) => child.printed(),
            Conversation::InProcess { .. } => String::new(),
        }
    }
}
