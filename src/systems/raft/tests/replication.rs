//! Log replication: §5.3, §5.4.2, figures 6, 7 and 8.

use super::*;

const THREE: &[u32] = &[1, 2, 3];

fn leader(no_op: bool) -> Server {
    let mut server = Server::new(1, THREE, settings(|settings| settings.no_op = no_op));
    server.elect(&[2]);
    server
}

/// "The leader appends the command to its log as a new entry, then issues AppendEntries RPCs in
/// parallel to each of the other servers" (§5.3).
#[test]
fn a_command_is_appended_and_sent_to_all() {
    let mut server = leader(false);
    let sent = server.write("a");
    assert_eq!(server.terms(), [1]);
    for node in [2, 3] {
        assert_eq!(entries_to(&sent, node).len(), 1);
    }
}

/// "A log entry is committed once the leader that created the entry has replicated it on a majority
/// of the servers"; then it "applies the entry to its state machine and returns the result" (§5.3).
#[test]
fn an_entry_on_a_majority_is_committed() {
    let mut server = leader(false);
    server.write("a");
    assert_eq!(server.raft.commit_index, LogIndex(0));
    server.receive(2, accepted(1, 1));
    assert_eq!((server.raft.commit_index, server.raft.last_applied), (LogIndex(1), LogIndex(1)));
    assert!(matches!(
        server.raft.take_outcomes().as_slice(),
        [Outcome::Applied { index: LogIndex(1), .. }]
    ));
}

/// The commit "also commits all preceding entries in the leader's log, including entries created by
/// previous leaders" (§5.3), but only entries "from the leader's current term are committed by
/// counting replicas" (§5.4.2): figure 8.
#[test]
fn entries_of_earlier_terms_are_committed_only_with_one_of_the_own() {
    let mut server = Server::new(1, THREE, settings(|settings| settings.no_op = false));
    server.receive(2, append(1, (0, 0), &[1, 1], 0));
    server.elect(&[3]);
    server.receive(3, accepted(2, 2));
    assert_eq!(server.raft.commit_index, LogIndex(0), "on a majority, but of term 1");
    server.write("a");
    server.receive(3, accepted(2, 3));
    assert_eq!(server.raft.commit_index, LogIndex(3));
}

/// A new leader appends an empty entry of its term, and so commits what it has inherited without
/// waiting for a client (§8).
#[test]
fn a_new_leader_appends_a_no_op() {
    let mut server = Server::new(1, THREE, settings(|_| {}));
    server.receive(2, append(1, (0, 0), &[1, 1], 0));
    server.elect(&[3]);
    assert_eq!(server.terms(), [1, 1, 2]);
    server.receive(3, accepted(2, 3));
    assert_eq!(server.raft.last_applied, LogIndex(3));
}

/// "If the follower does not find an entry in its log with the same index and term, then it refuses
/// the new entries" (§5.3).
#[test]
fn a_follower_refuses_entries_that_do_not_fit() {
    let mut server = Server::new(1, THREE, settings(|_| {}));
    server.receive(2, append(2, (0, 0), &[1, 1, 2], 0));
    let sent = server.receive(2, append(3, (3, 3), &[3], 0));
    let expected = AppendOutcome::Rejected {
        prev_log_index: LogIndex(3),
        conflict_term: Some(Term(2)),
        conflict_index: LogIndex(3),
    };
    assert_eq!(outcome(&sent), expected);
    let sent = server.receive(2, append(3, (7, 3), &[], 0));
    let expected = AppendOutcome::Rejected {
        prev_log_index: LogIndex(7),
        conflict_term: None,
        conflict_index: LogIndex(4),
    };
    assert_eq!(outcome(&sent), expected, "too short");
    let sent = server.receive(2, append(3, (2, 1), &[], 0));
    assert_eq!(
        outcome(&sent),
        AppendOutcome::Accepted { match_index: LogIndex(2) },
        "the third entry is not vouched for"
    );
}

/// "Conflicting entries in follower logs will be overwritten with entries from the leader's log"
/// (§5.3): the six followers of figure 7.
#[test]
fn figure_7_every_follower_comes_to_the_leaders_log() {
    let leaders: &[u64] = &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let followers: [&[u64]; 6] = [
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    for (case, terms) in followers.into_iter().enumerate() {
        let mut net = Net::new(THREE, THREE, settings(|settings| settings.max_entries = 2));
        net.at(1).receive(3, append(6, (0, 0), leaders, 0));
        net.at(2).receive(3, append(7, (0, 0), terms, 0));
        net.at(1).raft.current_term = Term(7);
        net.elect(1);
        net.run(120);
        let expected = [leaders, &[8]].concat();
        assert_eq!(net.at(1).terms(), expected, "a leader never overwrites its log");
        assert_eq!(
            net.at(2).terms(),
            expected,
            "follower {}",
            ['a', 'b', 'c', 'd', 'e', 'f'][case]
        );
    }
}

/// "If an existing entry conflicts with a new one, delete the existing entry and all that follow
/// it" (figure 2): only then. A late message that holds less than what is there takes nothing away.
#[test]
fn a_late_message_removes_nothing() {
    let mut server = Server::new(1, THREE, settings(|_| {}));
    server.receive(2, append(1, (0, 0), &[1, 1, 1], 0));
    server.receive(2, append(1, (0, 0), &[1], 0));
    server.receive(2, append(1, (1, 1), &[], 0));
    assert_eq!(server.terms(), [1, 1, 1]);
    assert_eq!(server.host.count("truncate"), 0);
}

/// "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)"
/// (figure 2): what follows may not be the leader's.
#[test]
fn a_follower_commits_no_further_than_the_message_vouches_for() {
    let mut server = Server::new(1, THREE, settings(|_| {}));
    server.receive(2, append(1, (0, 0), &[1, 1, 1], 0));
    server.receive(3, append(2, (1, 1), &[], 3));
    assert_eq!(server.raft.commit_index, LogIndex(1));
}

/// A follower commits what it is told to, once, whatever is repeated.
#[test]
fn repeated_messages_are_applied_once() {
    let mut server = Server::new(1, THREE, settings(|_| {}));
    for _ in 0..3 {
        server.receive(2, append(1, (0, 0), &[1, 1], 2));
    }
    assert_eq!((server.host.count("append"), server.host.count("apply")), (2, 2));
}

/// An answer proves what its message held, not what the leader has appended since.
#[test]
fn an_answer_counts_for_its_own_message_only() {
    let mut server = leader(false);
    server.write("a");
    server.write("b");
    server.receive(2, accepted(1, 1));
    assert_eq!(server.raft.commit_index, LogIndex(1));
}

/// An answer from an earlier term of the same leader proves nothing of this one: the follower may
/// have lost the entry to another leader.
#[test]
fn an_answer_from_an_earlier_term_does_not_count() {
    let mut server = leader(false);
    server.write("a");
    server.receive(3, append(2, (0, 0), &[], 0));
    server.elect(&[2]);
    server.write("b");
    server.receive(2, accepted(1, 2));
    assert_eq!(server.raft.commit_index, LogIndex(0));
}

/// "The leader retries AppendEntries RPCs indefinitely [...] until all followers eventually store
/// all log entries" (§5.3).
#[test]
fn lost_entries_are_sent_again() {
    let mut net = Net::new(THREE, THREE, settings(|_| {}));
    net.elect(1);
    net.cut.insert(3);
    for value in ["a", "b", "c"] {
        net.write(1, value);
    }
    assert_eq!(net.at(3).terms().len(), 1);
    net.cut.clear();
    net.run(120);
    assert_eq!(net.at(3).terms(), net.at(1).terms());
    assert_eq!(net.at(3).raft.last_applied, LogIndex(4));
}

/// No more messages with entries are on their way to a follower than `max_inflight`, and none has
/// more entries than `max_entries`.
#[test]
fn streams_are_bounded() {
    let mut server = Server::new(
        1,
        THREE,
        settings(|settings| (settings.max_inflight, settings.max_entries) = (3, 2)),
    );
    server.elect(&[2]);
    server.receive(2, accepted(1, 1));
    let sent: Vec<_> = (0..9)
        .flat_map(|i| server.write(&i.to_string()))
        .filter(|(to, _)| *to == NodeId(2))
        .collect();
    assert_eq!(sent.len(), 3);
    let sent = server.receive(2, accepted(1, 4));
    let to_n2: Vec<usize> = sent.iter().map(|_| 1).collect();
    assert_eq!(to_n2.len(), 3, "three more");
    assert_eq!(entries_to(&sent, 2).len(), 6, "two entries in each");
}

/// A client that sends a command again gets the first answer, and the command takes effect once
/// (§8; dissertation §6.3).
#[test]
fn a_retried_command_takes_effect_once() {
    let mut server = Server::new(1, &[1], settings(|_| {}));
    server.time_out();
    server.raft.propose(&mut server.host, NodeId(8), 1, Payload::OpenSession { client: NodeId(8) });
    let session = LogIndex(2);
    assert_eq!(
        server.raft.take_outcomes(),
        [Outcome::SessionOpened { client: NodeId(8), serial: 1, session }]
    );
    let bytes = KvOp::Append("5".into()).encode(1);
    let command = Payload::Command(Command { client: NodeId(8), session, serial: 2, bytes });
    for _ in 0..3 {
        server.raft.propose(&mut server.host, NodeId(8), 2, command.clone());
        assert!(matches!(
            server.raft.take_outcomes().as_slice(),
            [Outcome::Applied { index: LogIndex(3), .. }]
        ));
    }
    assert_eq!(&*server.raft.machine.query(&KvOp::Read.encode(1)), b"5");
}

/// A leader that steps down says of its pending commands only that it cannot tell.
#[test]
fn a_deposed_leader_claims_nothing() {
    let mut server = leader(false);
    server.write("a");
    server.receive(3, append(5, (0, 0), &[], 0));
    assert_eq!(server.raft.take_outcomes(), [Outcome::NotLeader { client: NodeId(8), serial: 1 }]);
}
