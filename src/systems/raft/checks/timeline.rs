//! Elections and commits of a whole run, from one replay: what leader completeness and persistence
//! are judged by.

use super::log::{Entry, Log, Logs};
use super::record::{Kind, kinds};
use super::{IndexMap, RaftTrace};
use crate::trace::NodeId;

/// A node became leader.
pub struct Election {
    pub order: u64,
    pub time_us: u64,
    pub node: NodeId,
    pub term: u64,
    /// The log that it had then.
    pub log: Log,
}

/// The first commit that covered an index.
#[derive(Clone, Copy, Debug)]
pub struct Committed {
    pub entry: Entry,
    /// The current term of the node that committed it: the leader's, which is first. Not the
    /// entry's own term, which may be less: a leader of a term in between may rightly lack the
    /// entry (trap FP-1 of the project's notes; Raft fig. 8 with the two swapped).
    pub term: u64,
    pub time_us: u64,
    pub node: NodeId,
}

/// All elections, in order, and the first commit of each index.
#[derive(Default)]
pub struct Timeline {
    pub elections: Vec<Election>,
    pub committed: IndexMap<Committed>,
}

impl Timeline {
    pub fn new(raft: &RaftTrace) -> Self {
        let mut timeline = Timeline::default();
        let mut logs = Logs::new(raft.nodes());
        let mut covered = 0;
        for record in raft.select(kinds::LOG | kinds::LEADER | kinds::COMMIT) {
            logs.replay(record);
            let log = logs.of(record.node);
            match record.kind {
                Kind::Leader { term, .. } => {
                    let (order, time_us, node) = (record.order, record.time_us, record.node);
                    timeline.elections.push(Election {
                        order,
                        time_us,
                        node,
                        term,
                        log: log.clone(),
                    });
                }
                Kind::Commit { index, term, .. } if index > covered => {
                    for (at, entry) in
                        log.known_from(covered + 1).take_while(|(at, _)| *at <= index)
                    {
                        let committed = Committed {
                            entry: *entry,
                            term,
                            time_us: record.time_us,
                            node: record.node,
                        };
                        timeline.committed.insert(at, committed);
                    }
                    // A commit beyond the node's own log says nothing of what is committed there.
                    covered = covered.max(index.min(log.last()));
                }
                _ => {}
            }
        }
        timeline
    }
}
