//! `p2p`: file sharing with a central directory.
//!
//! **The problem.** Many peers have files that others want. Some node has to know who is there,
//! where, and with what; but if all files went through that node, it would be the bottleneck, and
//! if it failed, everything would. So a central *directory* keeps users, connections and what is
//! published, and the files go from peer to peer. Then the directory's knowledge is about others
//! and can be out of date, its answers can be lost, a transfer can be cut off at every byte, and
//! nothing that a peer says has to be true.
//!
//! **The idea** (a course assignment, in the manner of Napster). There are nine services with a
//! status digit each (the table is in `service`). A request has its own stream connection: strings
//! that end in zero bytes, and an answer that begins with a digit. Before each request a peer asks
//! the *date service*, and sends date and time along; the directory reports each operation to the
//! *logging server* by remote procedure call. A peer remembers the list of users and fetches files
//! by it, so that it needs the directory less; and it serves only what is on its own list, so that
//! the directory need not be believed.
//!
//! Four things make that reliable. The directory executes a request in one step and answers when
//! its *journal* is durable; the journal is also the outbox of the reports, so the logging server
//! is never waited for, and gets each line once by its sequence number. Requests have *numbers*, so
//! that one whose answer was lost can be repeated and gets the same answer. Connections have
//! *leases*, which heartbeats renew, so that a crashed peer does not stay connected for ever. Files
//! are written *aside* and renamed when length and digest are right.
//!
//! | file | idea |
//! |---|---|
//! | `vocabulary` | the services by name; events, metrics and their words |
//! | `service`, `tables` | the table of the assignment; users, connections and files as a sequential object |
//! | `framing` | strings on a stream, however the bytes are cut |
//! | `directory` | connections, requests, leases |
//! | `journal`, `executed`, `outbox`, `records` | what is durable; requests that came before; reports; records on a disk |
//! | `date_service`, `date`, `logger` | date and time; the operation log |
//! | `peer`, `remote_request` | the program that a user works with; a request with its tries |
//! | `share`, `transfer`, `folder` | serving files; fetching one; where files lie |
//! | `client`, `command` | a user at the terminal; the lines of a script |
//! | `node`, `message`, `settings` | the four roles as one type; datagrams; `[p2p]` |
//! | `complaints`, `artifacts` | scenarios that cannot be run; the operation log and the transfers as tables |
//! | `defects` | the defects that can be planted, and the state that only they need |
//! | `checks`, `plots` | what judges a run; what shows it |
//!
//! **Simplifications.** The directory's journal is never compacted. Users have no passwords, as in
//! the assignment: the directory believes any name, except that a connected user acts only from the
//! host at which it is connected. The number of a request, the digest of a file and the heartbeats
//! are additions to the assignment's protocol. A port cannot be closed again; connections to one
//! that is no longer used are reset. The link between a user and its peer is an ordinary network
//! link, and its datagrams are repeated until they are answered.
//!
//! **References.** A. Birrell, B. Nelson: Implementing Remote Procedure Calls (1984), for numbers
//! that make a call happen once. C. Gray, D. Cheriton: Leases (1989). M. Herlihy, J. Wing:
//! Linearizability (1990). S. Saroiu, P. Gummadi, S. Gribble: A Measurement Study of Peer-to-Peer
//! File Sharing Systems (2002).

mod artifacts;
pub(crate) mod checks;
mod client;
mod command;
mod complaints;
mod date;
mod date_service;
mod defects;
mod directory;
mod executed;
mod folder;
mod framing;
mod journal;
mod logger;
mod message;
mod node;
mod outbox;
mod peer;
pub(crate) mod plots;
mod records;
mod remote_request;
mod service;
mod settings;
mod share;
mod tables;
mod transfer;
mod vocabulary;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use command::Command;
pub use defects::DEFECTS;
pub use message::P2pMessage;
pub use node::{P2pNode, P2pTimer};
use remote_request::Services;
pub use service::NAME_BYTES_MAX;
pub use settings::P2pSettings;
pub use vocabulary::{Service, VOCABULARY};

use super::{Artifact, System};
use crate::node::Identity;
use crate::scenario::{Scenario, WorkloadSpec};
use crate::sim::{self, Cluster, Io};
use crate::trace::{Trace, Word};

/// The roles.
const PEER: &str = "peer";
const DIRECTORY: &str = "directory";
const DATE_SERVICE: &str = "date_service";
const LOGGER: &str = "logger";

/// The system.
pub static SYSTEM: System = System {
    name: "p2p",
    summary: "File sharing with a central directory: users, published files, transfers from peer \
        to peer, dates from a date service, an operation log.",
    roles: &[PEER, DIRECTORY, DATE_SERVICE, LOGGER],
    operations: Service::WORDS,
    vocabulary: &[&VOCABULARY],
    checks: checks::CHECKS,
    plots: plots::PLOTS,
    defects: DEFECTS,
    complaints: complaints::complaints,
    artifacts,
    read_settings: settings::read,
    commands: &[],
    starting_settings: "",
    starting_recovery: "10s",
    voided_checks: |_| vec![],
    run: |scenario, options| sim::run(scenario, options, || P2pCluster::new(scenario)),
};

fn artifacts(_: &Scenario, trace: &Trace) -> Vec<Artifact> {
    vec![
        ("operation_log.csv".to_owned(), artifacts::operation_log(trace)),
        ("transfers.csv".to_owned(), artifacts::transfers(trace)),
    ]
}

/// The nodes and users of a scenario.
pub struct P2pCluster {
    settings: Arc<P2pSettings>,
    workload: WorkloadSpec,
    send_buffer: usize,
    peers: Vec<String>,
    directory: String,
    date_service: String,
    logger: Option<String>,
}

impl P2pCluster {
    /// Those of this scenario.
    pub fn new(scenario: &Scenario) -> P2pCluster {
        let of = |role: &'static str| {
            scenario
                .nodes
                .nodes
                .iter()
                .filter(move |node| node.role == role)
                .map(|node| node.name.clone())
        };
        P2pCluster {
            settings: Arc::new(scenario.settings::<P2pSettings>().clone()),
            workload: scenario.workload.clone(),
            send_buffer: scenario.network.stream.window as usize,
            peers: of(PEER).collect(),
            directory: of(DIRECTORY).next().unwrap_or_default(),
            date_service: of(DATE_SERVICE).next().unwrap_or_default(),
            logger: of(LOGGER).next(),
        }
    }
}

impl Cluster for P2pCluster {
    type Node = P2pNode;

    fn node(&self, identity: &Identity, role: &str) -> P2pNode {
        let find = |name: &str| {
            let position = identity.names.iter().position(|each| each == name);
            position.map(|position| crate::node::NodeId(position as u32))
        };
        match role {
            DIRECTORY => {
                let logger = self.logger.as_deref().and_then(find);
                P2pNode::Directory(Box::new(directory::Directory::new(
                    self.settings.clone(),
                    logger,
                )))
            }
            DATE_SERVICE => {
                P2pNode::DateService(date_service::DateService::new(self.settings.clone()))
            }
            LOGGER => P2pNode::Logger(logger::Logger::default()),
            _ => {
                let services = Services {
                    directory: find(&self.directory).expect("the scenario has a directory"),
                    date_service: find(&self.date_service)
                        .expect("the scenario has a date service"),
                    timeout: self.workload.timeout,
                    retry_after: self.workload.retry_after,
                    send_buffer: self.send_buffer,
                    planted: self.settings.planted,
                };
                P2pNode::Peer(Box::new(peer::Peer::new(self.settings.clone(), services)))
            }
        }
    }

    fn clients(&self) -> Vec<(String, Word)> {
        (1..=self.workload.clients).map(|number| (format!("c{number}"), "client".into())).collect()
    }

    fn client(&self, index: usize, io: Io<P2pMessage>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(
            client::Client::new(
                io,
                self.workload.clone(),
                self.settings.clone(),
                &self.peers,
                index,
            )
            .run(),
        )
    }
}
