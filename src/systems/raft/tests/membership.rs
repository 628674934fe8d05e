//! Membership changes: the dissertation's chapter 4, and the correction of 2015.

use super::*;

const FOUR: &[u32] = &[1, 2, 3, 4];

fn net(ids: &[u32], voters: &[u32]) -> Net {
    let mut net = Net::new(ids, voters, settings(|settings| settings.pre_vote = true));
    net.elect(1);
    net
}

fn voters(net: &mut Net, id: u32) -> Vec<u32> {
    net.at(id).raft.config().voters.iter().map(|node| node.0).collect()
}

/// A server of no configuration waits in silence until a leader adds it.
#[test]
fn a_stranger_stays_silent() {
    let mut stranger = Server::new(5, FOUR, settings(|_| {}));
    assert!(stranger.time_out().is_empty());
    assert_eq!(stranger.raft.shown_role().word(), "learner");
}

/// "A new server joins the cluster as a non-voting member" and has a vote only "once the new server
/// has caught up" (dissertation §4.2.1).
#[test]
fn a_new_server_learns_before_it_votes() {
    let mut net = net(&[1, 2, 3, 5], &[1, 2, 3]);
    net.cut.insert(5);
    for i in 0..40 {
        net.write(1, &i.to_string());
    }
    net.command(1, "add_node n5");
    net.run(100);
    assert_eq!(voters(&mut net, 1), [1, 2, 3], "it has nothing of the log");
    assert_eq!(net.at(1).raft.config().learners, [NodeId(5)]);
    net.cut.clear();
    net.run(200);
    assert_eq!(voters(&mut net, 1), [1, 2, 3, 5]);
    assert_eq!(voters(&mut net, 5), [1, 2, 3, 5]);
    assert_eq!(net.at(5).terms(), net.at(1).terms());
}

/// "Once a server adds the new configuration entry to its log, it uses that configuration for all
/// future decisions", and goes back to the one before if the entry is removed (dissertation §4.1).
#[test]
fn a_configuration_is_in_force_from_append_to_truncate() {
    let mut server = Server::new(1, FOUR, settings(|_| {}));
    let config = Configuration::simple(vec![NodeId(1), NodeId(2), NodeId(3)]);
    let entry = Entry::new(Term(1), Payload::Config(config.into()));
    let RaftMessage::AppendEntries(mut message) = append(1, (0, 0), &[], 0) else {
        unreachable!("it is one")
    };
    message.entries = vec![entry];
    server.receive(2, RaftMessage::AppendEntries(message));
    assert_eq!(server.raft.config().voters.len(), 3);
    server.receive(3, append(2, (0, 0), &[2], 0));
    assert_eq!(server.raft.config().voters.len(), 4);
}

/// No second change begins before the first is committed (dissertation §4.1); it waits.
#[test]
fn changes_wait_for_each_other() {
    let mut net = net(FOUR, FOUR);
    net.cut.extend([2, 3, 4]);
    net.command(1, "remove_node n4");
    net.command(1, "remove_node n3");
    assert_eq!(voters(&mut net, 1), [1, 2, 3]);
    net.cut.clear();
    net.run(200);
    assert_eq!(voters(&mut net, 1), [1, 2]);
}

/// A leader changes nothing before it has committed an entry of its own term (Ongaro 2015).
#[test]
fn a_new_leader_commits_before_it_changes_the_configuration() {
    let mut server = Server::new(1, FOUR, settings(|_| {}));
    server.elect(&[2, 3]);
    server.raft.on_command(&mut server.host, "remove_node n4");
    assert_eq!(server.raft.config().voters.len(), 4);
    server.receive(2, accepted(1, 1));
    server.receive(3, accepted(1, 1));
    assert_eq!(server.raft.config().voters.len(), 3);
}

/// A leader that removes itself leads on until that is committed, without counting itself, and
/// "steps down" then (dissertation §4.2.2).
#[test]
fn a_removed_leader_steps_down() {
    let mut net = net(&[1, 2, 3], &[1, 2, 3]);
    net.cut.insert(3);
    net.command(1, "remove_node n1");
    assert_eq!(net.leaders(), [1], "n2 alone is not a majority of n2 and n3");
    net.cut.clear();
    net.run(500);
    assert!(!net.at(1).raft.is_leader());
    assert_eq!(net.leaders().len(), 1);
    assert_eq!(net.at(1).raft.shown_role().word(), "learner");
    net.run(1_000);
    assert_eq!(net.leaders().len(), 1, "the removed server does not disturb");
}

/// An arbitrary change goes through a joint configuration, which the leader ends as soon as it is
/// committed (§6).
#[test]
fn servers_are_exchanged_through_a_joint_configuration() {
    let mut net = net(&[1, 2, 3, 4, 5, 6], &[1, 2, 3]);
    net.command(1, "change n1,n5,n6");
    net.run(300);
    assert_eq!(voters(&mut net, 1), [1, 5, 6]);
    let shown: Vec<Value> = net
        .at(5)
        .host
        .observed
        .iter()
        .filter(|(name, _)| *name == "config_append")
        .map(|(_, v)| v[2].clone())
        .collect();
    let kinds: Vec<Value> =
        ["simple", "simple", "joint", "leave_joint"].map(|kind| Value::Text(kind.into())).into();
    assert_eq!(shown, kinds, "the initial one, the learners, and the two phases");
}

/// A new leader that finds a joint configuration ends it; the operator need not ask again.
#[test]
fn a_joint_configuration_is_ended_by_whoever_leads() {
    let mut net = net(&[1, 2, 3, 4], &[1, 2, 3]);
    net.command(1, "add_learner n4");
    net.run(100);
    let joint = Configuration {
        voters: vec![NodeId(2), NodeId(3), NodeId(4)],
        voters_old: Some(vec![NodeId(1), NodeId(2), NodeId(3)]),
        ..Configuration::default()
    };
    let server = net.at(1);
    server.raft.append_as_leader(&mut server.host, Payload::Config(joint.into()));
    server.raft.replicate(&mut server.host);
    net.cut.insert(1);
    net.flying.clear();
    net.cut.clear();
    net.run(60);
    net.cut.insert(1);
    net.run(1_500);
    net.cut.clear();
    net.run(500);
    let leader = net.leaders()[0];
    assert_eq!(voters(&mut net, leader), [2, 3, 4]);
    assert!(net.at(leader).raft.config().voters_old.is_none());
}

/// A restarted server knows the configuration of its log and of its snapshot.
#[test]
fn configurations_survive_restarts() {
    let mut net = net(&[1, 2, 3, 4], &[1, 2, 3]);
    net.command(1, "add_node n4");
    net.run(200);
    net.at(4).restart(&[1, 2, 3]);
    assert_eq!(voters(&mut net, 4), [1, 2, 3, 4]);
}
