//! The other side of a conversation: a child process, or an in-process node that speaks the same
//! protocol.

use super::child::Child;
use super::{Failure, InProcess, ProgramSpec};

pub(super) enum Conversation {
    Process(Box<Child>),
    InProcess { machine: InProcess, answer: Vec<u8> },
}

impl Conversation {
    pub(super) fn start(spec: &ProgramSpec) -> Result<Conversation, Failure> {
        match &spec.in_process {
            Some(make) => Ok(Conversation::InProcess { machine: make.node(), answer: vec![] }),
            None => Ok(Conversation::Process(Box::new(Child::start(spec)?))),
        }
    }

    /// Send a turn (a line with its newline) and wait for the answer (a line without).
    pub(super) fn converse(&mut self, turn: &[u8]) -> Result<&[u8], Failure> {
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
