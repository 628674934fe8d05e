//! The other side of a conversation: a child process, or an in-process node that speaks the same
//! protocol.

use std::fmt;
use std::sync::Arc;

use super::child::Child;
use super::{Fault, ProgramSpec};

/// A running node written with the Rust SDK: takes a turn, returns an answer, both without line
/// endings.
pub type InProcess = Box<dyn FnMut(&[u8]) -> Vec<u8>>;

/// Creates such a node for each start of its process.
#[derive(Clone)]
pub struct Make(Arc<dyn Fn() -> InProcess + Send + Sync>);

impl Make {
    /// From a function that creates a new node.
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

    /// Send a turn (a line with its newline) and wait for the answer (a line without).
    pub(super) fn converse(&mut self, turn: &[u8]) -> Result<&[u8], Fault> {
        match self {
            Conversation::Process(child) => child.converse(turn),
            Conversation::InProcess { machine, answer } => {
                *answer = machine(turn.strip_suffix(b"\n").unwrap_or(turn));
                Ok(answer)
            }
        }
    }

    /// The last output that the process printed outside the protocol.
    pub(super) fn printed(&mut self) -> String {
        match self {
            Conversation::Process(child) => child.printed(),
            Conversation::InProcess { .. } => String::new(),
        }
    }
}
