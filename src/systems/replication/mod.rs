//! `replication`: a store of forms on a leader and its followers.
//!
//! **The problem.** An office keeps forms behind a REST interface: does one with this id exist,
//! insert one, get one, get all, get those of a gender. They are to survive the loss of a machine,
//! so a leader takes each write into its own store and sends it to its followers, and only when
//! they have confirmed it does the client get its answer. When the leader dies a coordinator
//! promotes a follower. It sounds simple, and each sentence of it hides a way to lose what was
//! acknowledged: a follower that was left out for a while and then promoted, a leader that does not
//! know that it was deposed, a copy that was deleted before the new one was there.
//!
//! **The idea.** Three things make it right. The *log*: records of JSON, each chained to the one
//! before it by a hash, so that equal hashes mean equal files and a follower that confirms a hash
//! confirms everything up to there. The *epoch*: a number that grows with each leader, on every
//! message and on every disk, so that whoever has heard of the new leader refuses the old one. And
//! the *view*: who leads in which epoch and which replicas are in sync, kept by the coordinator and
//! changed only by compare-and-set. A leader that wants to go on without a silent follower asks
//! first; and who is not in the in-sync set is not promoted. It is the design of primary-backup
//! replication with a view service, and of Kafka's in-sync replicas.
//!
//! Modes: `sync-all` waits for all replicas in sync and survives the loss of all but `min_in_sync -
//! 1` of them; `sync-quorum` waits for a majority of all and chooses the best of a majority;
//! `async` waits for nobody, and loses what was on its way. Transfers: `incremental` sends the
//! records that are missing; `full-copy` sends everything every five seconds, as the assignment's
//! code does.
//!
//! | file | idea |
//! |---|---|
//! | `record`, `log` | canonical JSON, the chain of hashes, the file and its recovery |
//! | `table` | the forms and their files |
//! | `rest` | requests and answers |
//! | `replica` | the state of a replica, what is on its disk, where its inputs go |
//! | `leader` | confirmations, what is final, the in-sync set |
//! | `follower` | storing in order, confirming with a digest |
//! | `serving` | requests that take effect once; reads |
//! | `transfer` | full copies over streams |
//! | `view`, `coordination` | what everybody agrees on, and a replica's side of it |
//! | `coordinator`, `election` | who lives, and who is promoted |
//! | `ensemble` | the same on the zookeeper system of this crate: ephemeral znodes, a znode for the view |
//! | `client` | the processes that use it |
//! | `defects` | the mistakes that can be planted |
//!
//! **Simplifications.** The log is never compacted, and a replica remembers the last request of
//! each client for ever. Requests travel as datagrams that carry the JSON bodies of the REST
//! interface, not over HTTP. A refused write is a record too, so that a late copy of it cannot be
//! accepted. The set of replicas is fixed. A replica whose disk was damaged is brought up to date
//! by the leader and proves nothing until then.
//!
//! **References.** R. van Renesse, F. Schneider: Chain Replication (2004), for the vocabulary. B.
//! Liskov, J. Cowling: Viewstamped Replication Revisited (2012), for the choice by the last epoch
//! in which a log was in order. The view service of the dslabs of the University of Washington (lab
//! 2). Apache Kafka: KIP-101 and KIP-279, for what goes wrong when logs are cut by the high
//! watermark. M. Kleppmann: How to do distributed locking (2016), for fencing at the resource.

pub(crate) mod checks;
mod client;
mod coordination;
mod coordinator;
mod defects;
mod election;
mod ensemble;
mod events;
mod follower;
mod leader;
mod log;
mod message;
mod node;
pub(crate) mod plots;
mod record;
mod replica;
mod rest;
mod serving;
mod settings;
mod table;
mod transfer;
mod view;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

pub use defects::{DEFECTS, Planted};
pub use message::ReplicationMessage;
pub use node::{Member, ReplicationTimer};
pub use settings::{Mode, Reads, ReplicationSettings, Transfer};
pub use view::View;

use self::coordination::{Coordination, Keeper};
use self::coordinator::{Coordinator, first_view};
use self::ensemble::Ensemble;
use self::replica::Replica;
use super::zookeeper::{self, Server, SessionSettings};
use super::{Complaint, System};
use crate::node::{Identity, NodeId};
use crate::scenario::{Scenario, WorkloadSpec};
use crate::sim::{self, Cluster, Io};
use crate::trace::Word;
use crate::vocabulary::{Shown, Vocabulary};

const OWN_MESSAGES: &[Shown] = &[
    Shown { name: "Request", summary: "A client asks." },
    Shown { name: "Answer", summary: "A replica answers, or sends the client to another." },
    Shown { name: "Append", summary: "The leader sends records, or none to show itself." },
    Shown {
        name: "Confirm",
        summary: "A follower has stored what was sent, with a digest of its file.",
    },
    Shown {
        name: "Mismatch",
        summary: "A follower's log differs where the leader wants to go on.",
    },
    Shown { name: "Refused", summary: "A message of an epoch that has ended is refused." },
    Shown { name: "Register", summary: "A replica shows the coordinator that it lives." },
    Shown { name: "ViewUpdate", summary: "The coordinator tells the view." },
    Shown { name: "ProposeView", summary: "A leader asks for a change of the view." },
    Shown { name: "Fence", summary: "The coordinator closes all epochs before a new one." },
    Shown {
        name: "Position",
        summary: "How far a replica's log goes, and its promise to follow no earlier epoch.",
    },
];

/// A client that gives an operation up sooner than this may do so in the time of an ordinary
/// promotion.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// What only holds where a write waits for others.
const OF_SYNCHRONOUS: &[&str] = &[
    "acked_replicated",
    "acked_not_lost",
    "applied_in_order",
    "at_most_once",
    "forms_linearizable",
    "read_through_followers",
    "retry_not_duplicate",
];

/// What the system shows of itself.
pub static VOCABULARY: Vocabulary = Vocabulary {
    events: events::EVENTS,
    metrics: &[events::METRICS],
    messages: &[
        OWN_MESSAGES,
        zookeeper::MESSAGES[0],
        zookeeper::MESSAGES[1],
        zookeeper::MESSAGES[2],
    ],
};

/// The system.
pub static SYSTEM: System = System {
    name: "replication",
    summary: "A store of forms on a leader and its followers: a log chained by hashes, three modes, two \
            transfers, promotion by a coordinator.",
    roles: &["replica", "coordinator", "zookeeper"],
    operations: &["exists", "insert", "get", "get_all", "get_by_gender", "update", "delete"],
    vocabulary: &[&VOCABULARY],
    checks: checks::CHECKS,
    plots: plots::PLOTS,
    defects: DEFECTS,
    voided_checks,
    complaints,
    read_settings: settings::read,
    commands: &[],
    starting_settings: "",
    starting_recovery: "10s",
    artifacts: |_, _| vec![],
    run: |scenario, options| sim::run(scenario, options, || ReplicationCluster::new(scenario)),
};

/// In `async` an acknowledged write may be lost, and a client's retry may then take effect a
/// second time; reads that are not confirmed may be old; a client that is pinned to a replica
/// may be without an answer.
fn voided_checks(scenario: &Scenario) -> Vec<&'static str> {
    let settings: &ReplicationSettings = scenario.settings();
    let impatient = !scenario.workload.pin.is_empty() || scenario.workload.timeout < PATIENCE;
    let voids: [(bool, &[&'static str]); 3] = [
        (settings.mode == Mode::Async, OF_SYNCHRONOUS),
        (settings.reads != Reads::Confirmed, &["forms_linearizable", "read_through_followers"]),
        (impatient, &["all_operations_answered"]),
    ];
    voids.iter().filter(|(void, _)| *void).flat_map(|(_, checks)| checks.iter().copied()).collect()
}

/// The nodes of a role.
fn with_role(scenario: &Scenario, role: &str) -> Vec<NodeId> {
    let nodes = (0u32..).map(NodeId).zip(&scenario.nodes.nodes);
    nodes.filter(|(_, node)| node.role == role).map(|(id, _)| id).collect()
}

fn complaints(scenario: &Scenario) -> Vec<Complaint> {
    let settings: &ReplicationSettings = scenario.settings();
    let replicas = with_role(scenario, "replica").len();
    let coordinators = with_role(scenario, "coordinator").len();
    let servers = with_role(scenario, "zookeeper").len();
    let mut complaints = vec![];
    if replicas == 0 {
        complaints.push(Complaint {
            key: "nodes.node",
            message: "a store needs replicas".to_owned(),
            found: "no node has the role `replica`".to_owned(),
            hint: "the assignment has three: write role = \"replica\", or leave the role out"
                .to_owned(),
        });
    }
    if coordinators == 0 || (coordinators > 1 && servers == 0) {
        complaints.push(Complaint {
            key: "nodes.node",
            message: "the replicas need one coordinator".to_owned(),
            found: format!("{coordinators} nodes have the role `coordinator`"),
            hint: match coordinators {
                0 => "add one: [[nodes.node]] with name = \"k\" and role = \"coordinator\""
                    .to_owned(),
                _ => "keep one, or add an ensemble that keeps the view: nodes with role = \
                    \"zookeeper\""
                    .to_owned(),
            },
        });
    }
    if servers > 0 && servers.is_multiple_of(2) {
        complaints.push(Complaint {
            key: "nodes.node",
            message: "an ensemble has an odd number of servers".to_owned(),
            found: format!("{servers} nodes have the role `zookeeper`"),
            hint:
                "write 1, 3 or 5: an even number survives no more losses than the odd one below it"
                    .to_owned(),
        });
    }
    if settings.mode == Mode::SyncAll && replicas > 0 && settings.min_in_sync > replicas {
        complaints.push(Complaint {
            key: "replication.min_in_sync",
            message: "no write could ever be acknowledged".to_owned(),
            found: format!("{} of {replicas} replicas", settings.min_in_sync),
            hint: format!(
                "from 1 to {replicas}, as many as there are replicas; 2 of 3 survives \
                the loss of one"
            ),
        });
    }
    complaints
}

/// The system as the driver makes it.
pub struct ReplicationCluster {
    settings: Arc<ReplicationSettings>,
    workload: WorkloadSpec,
    replicas: Rc<[NodeId]>,
    coordinator: NodeId,
    servers: Vec<NodeId>,
}

impl ReplicationCluster {
    /// The cluster of a scenario.
    pub fn new(scenario: &Scenario) -> ReplicationCluster {
        let settings = Arc::new(scenario.settings::<ReplicationSettings>().clone());
        let replicas = with_role(scenario, "replica").into();
        let coordinator = with_role(scenario, "coordinator")
            .first()
            .copied()
            .expect("the reader has complained otherwise");
        let servers = with_role(scenario, "zookeeper");
        ReplicationCluster {
            settings,
            workload: scenario.workload.clone(),
            replicas,
            coordinator,
            servers,
        }
    }

    fn session(&self) -> SessionSettings {
        SessionSettings { timeout: self.settings.session_timeout, ..SessionSettings::default() }
    }

    fn keeper(&self, name: &str) -> Keeper {
        if self.servers.is_empty() {
            return Keeper::Coordinator(self.coordinator);
        }
        Keeper::Ensemble(Box::new(Ensemble::of_replica(self.session(), &self.servers, name)))
    }
}

impl Cluster for ReplicationCluster {
    type Node = Member;

    fn node(&self, identity: &Identity, role: &str) -> Member {
        let (settings, replicas) = (self.settings.clone(), self.replicas.clone());
        let name = &identity.names[identity.id.index()];
        match role {
            "zookeeper" => Member::Server(Box::new(Server::new(
                settings.server.clone(),
                identity.id,
                self.servers.clone(),
            ))),
            "coordinator" => {
                let first = first_view(&replicas);
                let ensemble =
                    || Box::new(Ensemble::of_coordinator(self.session(), &self.servers, first));
                let ensemble = (!self.servers.is_empty()).then(ensemble);
                Member::Coordinator(Box::new(Coordinator::new(settings, replicas, ensemble)))
            }
            _ => Member::Replica(Box::new(Replica::new(
                settings,
                identity.id,
                replicas,
                Coordination::with(self.keeper(name)),
            ))),
        }
    }

    fn clients(&self) -> Vec<(String, Word)> {
        (1..=self.workload.clients).map(|number| (format!("c{number}"), "client".into())).collect()
    }

    fn client(
        &self,
        index: usize,
        io: Io<ReplicationMessage>,
    ) -> Pin<Box<dyn Future<Output = ()>>> {
        let replicas = self.replicas.to_vec();
        Box::pin(
            client::Client::new(io, self.workload.clone(), self.settings.clone(), replicas, index)
                .run(),
        )
    }
}
