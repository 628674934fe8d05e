//! A trace under judgement, with what several checks need of it.

use std::cell::OnceCell;

use super::audio::AudioTrace;
use super::p2p::P2pTrace;
use super::raft::RaftTrace;
use super::replication::Replication;
use super::zookeeper::ZkTrace;
use crate::history::History;
use crate::trace::Trace;

/// A trace with its shared views, each made when the first check asks for it. All of them follow
/// from the trace alone.
pub struct Case<'a> {
    /// The trace itself.
    pub trace: &'a Trace,
    history: OnceCell<History<'a>>,
    raft: OnceCell<RaftTrace>,
    audio: OnceCell<AudioTrace>,
    p2p: OnceCell<P2pTrace<'a>>,
    zookeeper: OnceCell<ZkTrace<'a>>,
    replication: OnceCell<Replication>,
}

impl<'a> Case<'a> {
    /// A trace of which nothing is prepared yet.
    pub fn new(trace: &'a Trace) -> Self {
        Case {
            trace,
            history: OnceCell::new(),
            raft: OnceCell::new(),
            audio: OnceCell::new(),
            p2p: OnceCell::new(),
            zookeeper: OnceCell::new(),
            replication: OnceCell::new(),
        }
    }

    /// The operations of the clients, invocations paired with completions.
    pub fn history(&self) -> &History<'a> {
        self.history.get_or_init(|| History::new(&self.trace.history))
    }

    /// The events of audio, decoded.
    pub(super) fn audio(&self) -> &AudioTrace {
        self.audio.get_or_init(|| AudioTrace::new(self.trace))
    }

    /// The operations of file sharing, and who was away when.
    pub(super) fn p2p(&self) -> &P2pTrace<'a> {
        self.p2p.get_or_init(|| P2pTrace::new(self))
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
