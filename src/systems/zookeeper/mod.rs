//! `zookeeper`: a coordination service, an aggregator that elects its leader by it, and a time
//! series.
//!
//! **The problem.** Several instances of a program measure something, and exactly one of them is to
//! send the mean of all measurements to a web tier. When that one dies, another must take over;
//! when it only seems dead, the two must not both be believed. Each program could solve this for
//! itself, wrongly. A coordination service solves it once: a small tree of data that survives the
//! loss of a minority of its servers, that all clients see change in the same order, and in which a
//! client's traces vanish when the client does.
//!
//! **The idea** (Hunt and others 2010). All changes go through a leader, which turns each request
//! into a transaction that no longer depends on anything, gives it a number (*zxid*: the leader's
//! epoch, and a counter), and broadcasts it; what a majority has logged is committed. The broadcast
//! (Zab) keeps the leader's own order, also across a change of leader. Reads are served by
//! whichever server a client is connected to, from its own copy, and so are fast and perhaps old;
//! but a client never sees the state go back, sees its own requests in order, and hears of a change
//! that it watches before it sees anything newer. From these few promises clients build the rest by
//! recipes: here an election.
//!
//! | file | idea |
//! |---|---|
//! | `server` | the state of a server, and where its inputs go |
//! | `election` | fast leader election |
//! | `leader`, `follower` | Zab: discovery, synchronisation, broadcast |
//! | `prepare`, `txn`, `tree` | requests, transactions, the data tree they change |
//! | `storage` | epochs, log and snapshots on the disk |
//! | `tracker` | which sessions live |
//! | `clients`, `watches` | the clients of a server, in order; what they wait for |
//! | `channel`, `message` | ordered connections over datagrams; everything that is said |
//! | `session` | a client's side: reconnection, requests, watches |
//! | `recipe` | the election recipe |
//! | `instance`, `balancer`, `web`, `store` | the application: measure, elect, send the mean; the web tier; the time series |
//! | `worker`, `client` | workers and clients, which put the service to the test |
//! | `host` | what a node of another system needs to hold a server or a session |
//! | `vocabulary` | what all of them tell the trace |
//! | `defects` | the defects that can be planted, and what only they need |
//!
//! **Simplifications.** Connections are built here over datagrams, where ZooKeeper has TCP; its
//! wire protocol is not spoken, but `request`, `txn`, `tree` and `session` know nothing of how they
//! travel, and records are written as jute does. `sync` is a transaction of its own, so that it
//! holds against a leader that was deposed and does not know it; ZooKeeper's leader answers alone.
//! A refused `multi` gives one code instead of one for each part. A server takes a snapshot in
//! one step, not beside its work. There are no observers, no access control lists, no quotas, no
//! reconfiguration, no containers and no time-to-live. The id of a session is the zxid that opened
//! it. The whole history of an established leader is committed, as in Zab 1.0, but the log is not
//! replayed into the tree before a leader says so.
//!
//! **References.** P. Hunt, M. Konar, F. Junqueira, B. Reed: ZooKeeper: Wait-free Coordination for
//! Internet-scale Systems (2010). F. Junqueira, B. Reed, M. Serafini: Zab: High-performance
//! Broadcast for Primary-backup Systems (2011). A. Medeiros: ZooKeeper's Atomic Broadcast Protocol:
//! Theory and Practice (2012). The programmer's guide, the internals and the recipes of Apache
//! ZooKeeper 3.9.

mod balancer;
mod channel;
pub(crate) mod checks;
mod client;
mod clients;
mod defects;
mod election;
mod ensemble;
mod follower;
mod host;
mod http;
mod instance;
mod jute;
mod leader;
mod message;
mod node;
pub(crate) mod plots;
mod prepare;
mod recipe;
mod request;
mod series;
mod server;
mod session;
mod settings;
mod storage;
mod store;
#[cfg(test)]
mod tests;
mod tracker;
mod tree;
mod txn;
mod types;
pub(crate) mod vocabulary;
mod watches;
mod web;
mod worker;

use std::future::Future;
use std::pin::Pin;

pub use defects::{DEFECTS, Planted};
pub use ensemble::{ServerSettings, SessionSettings};
pub use host::{Host, Link, ZkTimer};
pub use message::{MESSAGES, ZkMessage};
pub use node::{ZkNode, ZkNodeMessage, ZkNodeTimer};
pub use request::{
    ANY_VERSION, Answer, CreateMode, Data, Op, Outcome, Path, Stat, WatchEventKind, base_name,
    join, parent,
};
pub use server::Server;
pub use session::{Session, SessionEvent};
pub use settings::ZkSettings;
pub use tree::DataTree;
pub use types::{Epoch, ErrorCode, SessionId, Zxid};

use super::{Artifact, Complaint, System};
use crate::node::{Identity, NodeId};
use crate::scenario::{Scenario, WorkloadSpec};
use crate::sim::{self, Cluster, Io};
use crate::trace::{Trace, Word};
use crate::vocabulary::{Shown, Vocabulary};

const COMMANDS: &[Shown] = &[Shown {
    name: "leave",
    summary: "An instance closes its session, and comes back with another.",
}];

/// Checks that need instances, workers or clients to judge by.
const OF_INSTANCES: &[&str] = &[
    "recipe_one_leader",
    "no_herd",
    "election_znodes_kept",
    "fencing",
    "mean_from_elected",
    "leader_still_heard",
    "refused_leader_stops",
    "mean_of_one_instant",
    "mean_stored_once",
    "mean_cadence",
    "measurement_cadence",
];
const OF_WORKERS: &[&str] = &[
    "multi_atomic",
    "conditional_updates",
    "watch_once",
    "watch_before_data",
    "watch_complete",
    "fifo_client_order",
];
const OF_CLIENTS: &[&str] = &["linearizable", "all_operations_answered", "availability"];

/// What the system shows of itself.
pub static VOCABULARY: Vocabulary = Vocabulary {
    events: vocabulary::EVENTS,
    metrics: vocabulary::METRICS,
    messages: &[MESSAGES[0], MESSAGES[1], MESSAGES[2], http::WebMessage::SHOWN],
};

/// The system.
pub static SYSTEM: System = System {
    name: "zookeeper",
    summary: "A coordination service (Zab, sessions, watches, ephemeral and sequential znodes), an \
            aggregator that elects its leader by it, and a time series behind a web tier.",
    roles: &["server", "instance", "web", "balancer", "store", "worker"],
    operations: &["read", "write", "cas", "list", "anomalies"],
    vocabulary: &[&VOCABULARY],
    commands: COMMANDS,
    checks: checks::CHECKS,
    plots: plots::PLOTS,
    defects: DEFECTS,
    voided_checks,
    complaints,
    artifacts,
    read_settings: settings::read,
    starting_settings: "",
    starting_recovery: "10s",
    run: |scenario, options| sim::run(scenario, options, || ZkCluster::new(scenario)),
};

/// Where nobody does what a check judges, it is left out.
fn voided_checks(scenario: &Scenario) -> Vec<&'static str> {
    let mut voided = Vec::new();
    if !has(scenario, "instance") {
        voided.extend(OF_INSTANCES);
    }
    if !has(scenario, "worker") {
        voided.extend(OF_WORKERS);
    }
    if scenario.workload.clients == 0 {
        voided.extend(OF_CLIENTS);
    } else if !["read", "write", "cas"]
        .iter()
        .any(|op| scenario.workload.mix.get(*op).is_some_and(|weight| *weight > 0.0))
    {
        voided.push("linearizable");
    }
    voided
}

fn complaints(scenario: &Scenario) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut complain = |message: &str, found: String, hint: &str| {
        complaints.push(Complaint {
            key: "nodes",
            message: message.to_owned(),
            found,
            hint: hint.to_owned(),
        });
    };
    let servers = of_role(scenario, "server").len();
    if !matches!(servers, 1 | 3 | 5 | 7) {
        complain(
            "an ensemble has 1, 3, 5 or 7 servers",
            if servers == 1 { "1 server".to_owned() } else { format!("{servers} servers") },
            match servers {
                0 => {
                    "add them: [[nodes.node]] with name = \"zk\", count = 3 and role = \
                        \"server\""
                }
                8.. => {
                    "take some out: 7 survive three failures, and each further one makes every \
                        write slower"
                }
                _ => {
                    "add one: an even number needs a larger majority than the odd one below \
                        it, and survives no more failures"
                }
            },
        );
    }
    let web = has(scenario, "web") && has(scenario, "balancer");
    if has(scenario, "instance") && !web {
        complain(
            "the instances have nowhere to send their means",
            "no web tier".to_owned(),
            "add nodes of the roles `balancer`, `web` and `store`",
        );
    }
    if (has(scenario, "web") || has(scenario, "balancer")) && !has(scenario, "store") {
        complain(
            "the web tier has nowhere to store the means",
            "no store".to_owned(),
            "add one: [[nodes.node]] with name = \"store\" and role = \"store\"",
        );
    }
    for role in ["balancer", "store"] {
        let count = of_role(scenario, role).len();
        if count > 1 {
            complain(
                &format!("there is one {role}"),
                format!("{count} of them"),
                "keep one of them: several would need an election of their own",
            );
        }
    }
    if has(scenario, "balancer") && !has(scenario, "web") {
        complain(
            "the balancer has nothing to balance",
            "no web replica".to_owned(),
            "add some: [[nodes.node]] with name = \"web\", count = 2 and role = \"web\"",
        );
    }
    complaints
}

fn artifacts(_scenario: &Scenario, trace: &Trace) -> Vec<Artifact> {
    series::time_series(trace).into_iter().collect()
}

fn of_role(scenario: &Scenario, role: &str) -> Vec<NodeId> {
    let ids = (0_u32..).map(NodeId);
    scenario
        .nodes
        .nodes
        .iter()
        .zip(ids)
        .filter(|(node, _)| node.role == role)
        .map(|(_, id)| id)
        .collect()
}

fn has(scenario: &Scenario, role: &str) -> bool {
    scenario.nodes.nodes.iter().any(|node| node.role == role)
}

/// The nodes and clients of a scenario as the driver makes them.
pub struct ZkCluster {
    settings: ZkSettings,
    workload: WorkloadSpec,
    servers: Vec<NodeId>,
    replicas: Vec<NodeId>,
    balancer: Option<NodeId>,
    store: Option<NodeId>,
}

impl ZkCluster {
    /// The cluster of a scenario.
    pub fn new(scenario: &Scenario) -> ZkCluster {
        let first = |role| of_role(scenario, role).first().copied();
        ZkCluster {
            settings: scenario.settings::<ZkSettings>().clone(),
            workload: scenario.workload.clone(),
            servers: of_role(scenario, "server"),
            replicas: of_role(scenario, "web"),
            balancer: first("balancer"),
            store: first("store"),
        }
    }
}

impl Cluster for ZkCluster {
    type Node = ZkNode;

    fn node(&self, identity: &Identity, role: &str) -> ZkNode {
        let name = &identity.names[identity.id.index()];
        let (settings, servers) = (&self.settings, self.servers.clone());
        let wanted =
            |node: Option<NodeId>| node.expect("the reader has complained of a missing part");
        match role {
            "instance" => ZkNode::Instance(instance::Instance::new(
                settings.clone(),
                name,
                servers,
                wanted(self.balancer),
            )),
            "worker" => ZkNode::Worker(worker::Worker::new(settings, name, servers)),
            "web" => ZkNode::Web(web::Web::new(wanted(self.store), settings.http_timeout)),
            // A replica asks the store several times before it gives up; the balancer has to wait
            // for that.
            "balancer" => ZkNode::Balancer(balancer::Balancer::new(
                self.replicas.clone(),
                settings.http_timeout * 2,
            )),
            "store" => ZkNode::Store(store::Store::new(settings.server.planted, settings.band)),
            _ => ZkNode::Server(Server::new(settings.server.clone(), identity.id, servers)),
        }
    }

    fn clients(&self) -> Vec<(String, Word)> {
        (1..=self.workload.clients).map(|number| (format!("c{number}"), "client".into())).collect()
    }

    fn client(&self, index: usize, io: Io<ZkNodeMessage>) -> Pin<Box<dyn Future<Output = ()>>> {
        let (workload, servers) = (self.workload.clone(), self.servers.clone());
        Box::pin(
            client::Client::new(io, workload, &self.settings, index, servers, self.balancer).run(),
        )
    }
}
