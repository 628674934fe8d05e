//! Scenarios that read well and cannot be run: one directory, one date service and one logging
//! server, peers, and users who have a peer to sit at.

use super::settings::P2pSettings;
use super::{DATE_SERVICE, DIRECTORY, LOGGER, PEER};
use crate::scenario::Scenario;
use crate::systems::Complaint;

/// All that is wrong.
pub fn complaints(scenario: &Scenario) -> Vec<Complaint> {
    let of = |role: &str| {
        scenario
            .nodes
            .nodes
            .iter()
            .filter(|node| node.role == role)
            .map(|node| node.name.as_str())
            .collect::<Vec<_>>()
    };
    let mut complaints = vec![];
    for role in [DIRECTORY, DATE_SERVICE, LOGGER] {
        let nodes = of(role);
        if nodes.len() != 1 {
            complaints.push(Complaint {
                key: "nodes",
                message: format!("`p2p` needs exactly one node of the role `{role}`"),
                found: match nodes.as_slice() {
                    [] => "there is none".to_owned(),
                    nodes => format!("there are {}: {}", nodes.len(), nodes.join(", ")),
                },
                hint: match nodes.len() {
                    0 => format!(
                        "list one: [[nodes.node]] with name = \"{}\" and role = \"{role}\"",
                        short(role)
                    ),
                    _ => format!("peers know only one: keep {} and take the others out", nodes[0]),
                },
            });
        }
    }
    let peers = of(PEER);
    if peers.is_empty() {
        complaints.push(Complaint {
            key: "nodes",
            message: "`p2p` needs a node of the role `peer`".to_owned(),
            found: "there is none".to_owned(),
            hint: "list some: [[nodes.node]] with name = \"p\" and count = 3".to_owned(),
        });
    }
    let users = scenario.workload.clients as usize;
    if users > peers.len() {
        complaints.push(Complaint {
            key: "workload.clients",
            message: "each user sits at a peer of its own".to_owned(),
            found: format!("{users} users, and {} peers", peers.len()),
            hint: format!(
                "user c1 sits at the first peer, and so on: write workload.clients = {}",
                peers.len()
            ),
        });
    }
    for (node, _) in &scenario.settings::<P2pSettings>().scripts {
        let seat = peers.iter().position(|peer| peer == node);
        let found = match seat {
            Some(seat) if seat < users => continue,
            Some(_) => format!("workload.clients is {users}, and nobody sits at {node}"),
            None if node.is_empty() => "a script without a `node`".to_owned(),
            None => format!("{node} is not a peer"),
        };
        complaints.push(Complaint {
            key: "p2p.script",
            message: "a script needs a peer with a user".to_owned(),
            found,
            hint: match peers.get(..users).unwrap_or(&peers) {
                [] => format!(
                    "write workload.clients = {}: without users nobody types",
                    peers.len().max(1)
                ),
                seats => format!(
                    "users sit at {}; a larger workload.clients fills further peers, \
                    from the first on",
                    seats.join(", ")
                ),
            },
        });
    }
    complaints
}

fn short(role: &str) -> &str {
    match role {
        DIRECTORY => "dir",
        DATE_SERVICE => "date",
        _ => "log",
    }
}
