//! A trace under judgement, with what several checks need of it.

use std::cell::OnceCell;

use super::raft::RaftTrace;
use super::replication::Replication;
use super::zookeeper::ZkTrace;
use crate::history::History;
use crate::trace::Trace;

/// A trace with its shared views, each made when the first check asks for it. All of them follow from the trace alone.
pub struct Case<'a> {
    /// The trace itself.
    pub trace: &'a Trace,
    history: OnceCell<History<'a>>,
    raft: OnceCell<RaftTrace>,
    replication: OnceCell<Replication>,
    zookeeper: OnceCell<ZkTrace<'a>>,
}

impl<'a> Case<'a> {
    /// A trace of which nothing is prepared yet.
    pub fn new(trace: &'a Trace) -> Self {
        Case { trace, history: OnceCell::new(), raft: OnceCell::new(), replication: OnceCell::new(), zookeeper: OnceCell::new() }
    }

    /// The operations of the clients, invocations paired with completions.
    pub fn history(&self) -> &History<'a> {
        self.history.get_or_init(|| History::new(&self.trace.history))
    }

    /// The events of Raft, decoded.
    pub(super) fn raft(&self) -> &RaftTrace {
        self.raft.get_or_init(|| RaftTrace::new(self.trace))
    }

    /// The events of replication, decoded.
    pub(super) fn replication(&self) -> &Replication {
        self.replication.get_or_init(|| Replication::new(self.trace))
    }

    /// The events of the coordination service, decoded.
    pub(super) fn zookeeper(&self) -> &ZkTrace<'a> {
        self.zookeeper.get_or_init(|| ZkTrace::new(self.trace))
    }
}
