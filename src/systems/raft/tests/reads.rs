//! Linearizable reads: the dissertation's §6.4.

use super::read_index::lease_duration;
use super::*;

const THREE: &[u32] = &[1, 2, 3];

fn read(server: &mut Server) -> Vec<Outcome> {
    server.raft.read(&mut server.host, NodeId(8), 5, KvOp::Read.encode(1));
    server.raft.take_outcomes()
}

fn value(outcomes: &[Outcome]) -> &[u8] {
    match outcomes {
        [Outcome::Read { output, .. }] => output,
        other => panic!("one read was expected: {other:?}"),
    }
}

fn leader(reads: Reads) -> Server {
    let mut server = Server::new(1, THREE, settings(|settings| settings.reads = reads));
    server.wait(200);
    server.elect(&[2]);
    server.receive(2, accepted(1, 1));
    server
}

/// The leader "needs to make sure it has not been superseded by a newer leader of which it is
/// unaware. It issues a new round of heartbeats and waits for their acknowledgments from a majority
/// of the cluster" (dissertation §6.4).
#[test]
fn a_read_waits_for_a_round() {
    let mut server = leader(Reads::ReadIndex);
    assert!(read(&mut server).is_empty());
    let round = server.raft.leader.round;
    let matched = AppendOutcome::Accepted { match_index: LogIndex(1) };
    server.receive(2, answer(1, round - 1, matched.clone()));
    assert!(
        server.raft.take_outcomes().is_empty(),
        "an answer to a round from before the read proves nothing"
    );
    server.receive(2, answer(1, round, matched));
    assert_eq!(value(&server.raft.take_outcomes()), b"nil");
}

/// "If the leader has not yet marked an entry from its current term committed, it waits until it
/// has done so" (dissertation §6.4).
#[test]
fn a_new_leader_reads_only_after_it_has_committed() {
    let mut server = Server::new(1, THREE, settings(|_| {}));
    server.elect(&[2]);
    read(&mut server);
    let (round, none) =
        (server.raft.leader.round, AppendOutcome::Accepted { match_index: LogIndex(0) });
    server.receive(2, answer(1, round, none));
    assert!(
        server.raft.take_outcomes().is_empty(),
        "the round is confirmed, but the commit index may be behind"
    );
    server.receive(2, accepted(1, 1));
    let (round, matched) =
        (server.raft.leader.round, AppendOutcome::Accepted { match_index: LogIndex(1) });
    server.receive(2, answer(1, round, matched));
    assert_eq!(value(&server.raft.take_outcomes()), b"nil");
}

/// A leader that is deposed before the round is confirmed does not answer.
#[test]
fn a_deposed_leader_does_not_serve_reads() {
    let mut server = leader(Reads::ReadIndex);
    read(&mut server);
    server.receive(3, append(9, (0, 0), &[], 0));
    assert_eq!(server.raft.take_outcomes(), [Outcome::NotLeader { client: NodeId(8), serial: 5 }]);
}

/// The lease begins when the round did, not when it was answered, and is shorter than the shortest
/// election timeout by what the clocks may drift.
#[test]
fn a_lease_is_counted_from_the_beginning_of_the_round() {
    let mut server = leader(Reads::Lease);
    server.raft.begin_round(&mut server.host);
    let round = server.raft.leader.round;
    server.wait(100);
    server.receive(2, answer(1, round, AppendOutcome::Accepted { match_index: LogIndex(1) }));
    server.wait(49);
    assert_eq!(value(&read(&mut server)), b"nil");
    server.wait(1);
    assert!(
        read(&mut server).is_empty(),
        "150 ms after the beginning of the round the lease is over"
    );
}

/// With oscillators that are off by a tenth, the leader's slow clock must not show the lease's end
/// later than the voters' fast clocks show the shortest election timeout's.
#[test]
fn a_lease_allows_for_drift() {
    let settings = settings(|settings| settings.lease_drift_bound_ppm = 100_000);
    let (slow, fast) = (0.9, 1.1);
    let true_lease = lease_duration(&settings).as_secs_f64() / slow;
    let true_promise = settings.election_timeout.0.as_secs_f64() / fast;
    assert!(true_lease <= true_promise + 1e-9, "{true_lease} {true_promise}");
}

/// Whoever gets `TimeoutNow` ignores all promises, however late it comes. So there is no lease
/// after it was sent.
#[test]
fn a_leader_that_hands_over_has_no_lease() {
    let mut server = leader(Reads::Lease);
    server.raft.on_command(&mut server.host, "transfer_leadership n2");
    let round = server.raft.leader.round;
    server.receive(2, answer(1, round, AppendOutcome::Accepted { match_index: LogIndex(1) }));
    assert!(read(&mut server).is_empty());
}

/// A voter that does not know when it heard a leader last, because it has restarted, keeps the
/// promise that it may have given.
#[test]
fn a_restarted_voter_keeps_its_promise() {
    let mut voter = Server::new(2, THREE, settings(|settings| settings.reads = Reads::Lease));
    voter.receive(1, append(1, (0, 0), &[], 0));
    voter.restart(THREE);
    assert!(voter.receive(3, request_vote(2, 0, 0)).is_empty());
    voter.wait(151);
    assert!(granted(&voter.receive(3, request_vote(2, 0, 0))));
}

/// A follower asks the leader for an index and reads once it has applied that (dissertation §6.4).
#[test]
fn a_follower_reads_what_it_has_applied_up_to_the_leaders_index() {
    let mut net = Net::new(THREE, THREE, settings(|settings| settings.follower_reads = true));
    net.elect(1);
    net.run(60);
    net.write(1, "a");
    assert_eq!(
        net.at(3).raft.last_applied,
        LogIndex(1),
        "the follower does not know yet that the write is committed"
    );
    assert!(read(net.at(3)).is_empty());
    net.settle();
    assert_eq!(value(&net.at(3).raft.take_outcomes()), b"a");
}

/// A lease that reckons with less drift than the scenario allows would make a correct cluster
/// answer old reads: no verdict could be right.
#[test]
fn a_scenario_whose_clocks_outrun_its_leases_is_refused() {
    let text = |more: &str| {
        format!("system = \"raft\"\n[raft]\nreads = \"lease\"\nlease_drift_bound_ppm = 500\n{more}")
    };
    let read = |more: &str| crate::systems::read_text("leases", &text(more), &[], &[]);
    assert!(read("[nodes]\ndrift_ppm = [-500, 500]").is_ok());
    let refused =
        read("[nodes]\ndrift_ppm = [-600, 0]").expect_err("more drift than the bound").to_string();
    assert!(
        refused.contains("clocks may drift by 600 ppm, but leases reckon with 500"),
        "{refused}"
    );
    assert!(
        read(
            "[[nemesis]]\nfault = \"clock_drift\"\nppm = 900\ntargets = \"one\"\nat = \
        \"1s\"\nduration = \"1s\""
        )
        .is_err()
    );
    assert!(
        read("[nodes]\ndrift_ppm = 900\n[model]\nbeyond_model = true").is_ok(),
        "said to be meant"
    );
    assert!(read("leader_stickiness = false").is_err());
}
