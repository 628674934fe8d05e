//! `raft`: a replicated key-value store.
//!
//! **The problem.** Several servers are to hold the same data, so that it survives the loss of a
//! minority of them, and clients are to see one copy: what was acknowledged stays, and every read
//! shows the last write. Servers crash and lose what they had not yet written; messages are lost,
//! doubled, late and out of order; a server may be cut off and not know it.
//!
//! **The idea** (Ongaro and Ousterhout 2014). All changes go through one log, and one leader at a
//! time appends to it. A leader is elected by a majority for a term, and only if its log is as
//! recent as those of its voters. It copies its entries to the others; what a majority has stored
//! is committed, is in the log of every later leader, and may be applied. Any two majorities share
//! a server: that is the whole proof.
//!
//! | file | idea |
//! |---|---|
//! | `server` | the state of a server, and where its inputs go |
//! | `election` | terms, votes, pre-votes, loyalty to a living leader |
//! | `leader` | what a leader keeps; rounds; commitment |
//! | `replication` | sending, merging and confirming entries; applying them |
//! | `log`, `storage` | the log in memory and on the disk |
//! | `snapshot` | compaction and the transfer of snapshots |
//! | `configuration`, `membership` | majorities, and how the set of servers changes |
//! | `read_index` | linearizable reads without the log, by a round or a lease |
//! | `transfer` | handing the leadership over |
//! | `sessions`, `state_machine` | commands that take effect once; the store |
//! | `peer`, `client` | a node of the store; the processes that use it |
//! | `defects` | the defects that can be planted, each one guard beside the rule that it breaks |
//!
//! **Simplifications.** A server applies entries in the step that commits them. A snapshot is taken
//! immediately and as a whole, not beside the work. The initial configuration is the same constant
//! everywhere instead of an entry of the log. A client learns the servers from the scenario.
//!
//! **References.** D. Ongaro, J. Ousterhout: In Search of an Understandable Consensus Algorithm
//! (2014), cited as §5.2 or figure 2. D. Ongaro: Consensus: Bridging Theory and Practice
//! (dissertation, 2014). D. Ongaro: bug in single-server membership changes (raft-dev, 2015).

pub(crate) mod checks;
mod client;
mod configuration;
mod defects;
mod election;
mod host;
mod json;
mod leader;
mod log;
mod membership;
mod message;
mod peer;
pub(crate) mod plots;
mod read_index;
mod replication;
mod server;
mod sessions;
mod settings;
mod snapshot;
mod state_machine;
mod storage;
mod transfer;
mod types;
pub mod vocabulary;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use configuration::Configuration;
pub use defects::{DEFECTS, Planted};
pub use host::{Host, RaftTimer};
pub use log::{Bytes, Command, Payload};
pub use message::RaftMessage;
pub use peer::{ClientReply, ClientRequest, Peer, PeerMessage, ReplyBody, RequestBody};
pub use server::{Outcome, Raft, Role};
pub use settings::{RaftSettings, Reads, judge_timeouts};
pub use state_machine::{KvOp, KvStore, StateMachine};
pub use types::{LogIndex, Term};

use super::{Complaint, System};
use crate::node::{Identity, NodeId};
use crate::scenario::{Scenario, WorkloadSpec};
use crate::sim::{self, Cluster, Io};
use crate::trace::Word;
use crate::vocabulary::{Metrics, Shown, Vocabulary};

/// A client that gives an operation up sooner than this may do so in the time of an ordinary
/// election.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// What an operator can ask a server for.
pub const COMMANDS: &[Shown] = &[
    Shown {
        name: "transfer_leadership [NODE]",
        summary: "The leader hands over to this voter, or to the one with the longest log.",
    },
    Shown { name: "add_node NODE", summary: "The leader makes this node a voter." },
    Shown {
        name: "remove_node NODE",
        summary: "The leader takes this node out of the configuration.",
    },
    Shown {
        name: "add_learner NODE",
        summary: "The leader replicates to this node, which has no vote.",
    },
    Shown {
        name: "promote NODE",
        summary: "The leader makes this learner a voter once it has caught up.",
    },
    Shown {
        name: "change NODE,NODE,…",
        summary: "The leader makes these the voters, by joint consensus.",
    },
];

/// What a server of Raft, whatever it replicates, shows of itself.
pub static SERVER_VOCABULARY: Vocabulary = Vocabulary {
    events: vocabulary::EVENTS,
    metrics: &[<vocabulary::ServerMetrics as Metrics>::INFO],
    messages: &[RaftMessage::SHOWN],
};

/// What the key-value store shows of itself; its first message is the servers' own.
pub static VOCABULARY: Vocabulary =
    Vocabulary { events: &[], metrics: &[], messages: &[PeerMessage::SHOWN.split_at(1).1] };

/// The system.
pub static SYSTEM: System = System {
    name: "raft",
    summary: "A replicated key-value store on Raft: elections, replication, snapshots, membership \
            changes, linearizable reads, exactly-once commands.",
    roles: &["peer"],
    operations: &["read", "write", "cas", "append"],
    vocabulary: &[&SERVER_VOCABULARY, &VOCABULARY],
    commands: COMMANDS,
    checks: checks::CHECKS,
    plots: plots::PLOTS,
    defects: DEFECTS,
    voided_checks,
    complaints,
    read_settings: settings::read,
    starting_settings: "",
    starting_recovery: "10s",
    artifacts: |_, _| vec![],
    run: |scenario, options| sim::run(scenario, options, || RaftCluster::new(scenario)),
};

/// What the settings take away is nobody's mistake: without sessions a retried command may take
/// effect twice; local reads may be old; a client that is pinned to a server, gives up early or
/// finds its session expired may go without an answer; without a no-op an entry of an earlier
/// term waits for one of the new; and servers that are loyal to nobody let one that was removed
/// start elections for ever.
fn voided_checks(scenario: &Scenario) -> Vec<&'static str> {
    let settings: &RaftSettings = scenario.settings();
    let impatient = scenario.workload.timeout < PATIENCE;
    let unanswered = !scenario.workload.pin.is_empty()
        || impatient
        || settings.session_expiry > 0
        || !settings.no_op;
    let voids: [(bool, &[&'static str]); 5] = [
        (!settings.sessions, &["linearizable", "exactly_once"]),
        (settings.reads == Reads::Local, &["linearizable"]),
        (unanswered, &["all_operations_answered"]),
        (!settings.no_op, &["convergence"]),
        (!settings.pre_vote && !settings.leader_stickiness, &["terms_stable"]),
    ];
    voids.iter().filter(|(void, _)| *void).flat_map(|(_, checks)| checks.iter().copied()).collect()
}

/// A lease is safe only if the clocks keep what it reckons with; a scenario that lets them
/// drift further would call a correct cluster wrong.
fn complaints(scenario: &Scenario) -> Vec<Complaint> {
    let settings: &RaftSettings = scenario.settings();
    let mut complaints = vec![];
    if settings.reads != Reads::Lease || scenario.model.beyond_model {
        return complaints;
    }
    let (drift, bound) = (scenario.drift_ppm_max(), settings.lease_drift_bound_ppm as f64);
    if drift > bound {
        complaints.push(Complaint {
            key: "raft.lease_drift_bound_ppm",
            message: format!("clocks may drift by {drift} ppm, but leases reckon with {bound}"),
            found: "a lease could outlast its time".into(),
            hint: format!(
                "write lease_drift_bound_ppm = {}, let the clocks drift less, or say that it \
                    is meant: `beyond_model = true` in [model]",
                drift.ceil()
            ),
        });
    }
    if !settings.leader_stickiness {
        complaints.push(Complaint {
            key: "raft.leader_stickiness",
            message: "leases need voters that are loyal to their leader".into(),
            found: "nobody is loyal".into(),
            hint: "leave `leader_stickiness` on, or choose other reads: \"read_index\" or \
                \"local\""
                .into(),
        });
    }
    complaints
}

/// The store as the driver makes it.
pub struct RaftCluster {
    settings: Arc<RaftSettings>,
    workload: WorkloadSpec,
}

impl RaftCluster {
    /// The cluster of a scenario.
    pub fn new(scenario: &Scenario) -> RaftCluster {
        RaftCluster {
            settings: Arc::new(scenario.settings::<RaftSettings>().clone()),
            workload: scenario.workload.clone(),
        }
    }

    fn initial(&self, identity: &Identity) -> Configuration {
        let all = identity.peers.iter().copied().chain([identity.id]);
        let named =
            |node: &NodeId| self.settings.initial_voters.contains(&identity.names[node.index()]);
        Configuration::simple(if self.settings.initial_voters.is_empty() {
            all.collect()
        } else {
            all.filter(named).collect()
        })
    }
}

impl Cluster for RaftCluster {
    type Node = Peer;

    fn node(&self, identity: &Identity, _role: &str) -> Peer {
        Peer::new(Raft::new(
            self.settings.clone(),
            identity.id,
            self.initial(identity),
            KvStore::default(),
        ))
    }

    fn clients(&self) -> Vec<(String, Word)> {
        (1..=self.workload.clients).map(|number| (format!("c{number}"), "client".into())).collect()
    }

    fn client(&self, index: usize, io: Io<PeerMessage>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(client::Client::new(io, self.workload.clone(), self.settings.clone(), index).run())
    }
}
