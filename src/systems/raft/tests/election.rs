//! Elections: §5.1, §5.2, §5.4.1, and the dissertation's §4.2.3 and §9.6.

use super::*;

const THREE: &[u32] = &[1, 2, 3];

fn follower() -> Server {
    Server::new(1, THREE, settings(|_| {}))
}

/// "When servers start up, they begin as followers" (§5.2).
#[test]
fn servers_start_as_followers() {
    assert_eq!(follower().raft.role, Role::Follower);
}

/// "If a follower receives no communication over a period of time called the election timeout", it
/// "increments its current term and transitions to candidate state. It then votes for itself and
/// issues RequestVote RPCs in parallel to each of the other servers" (§5.2).
#[test]
fn a_follower_that_hears_nobody_starts_an_election() {
    let mut server = follower();
    let sent = server.time_out();
    assert_eq!((server.raft.role, server.raft.current_term), (Role::Candidate, Term(1)));
    assert_eq!(server.raft.voted_for, Some(NodeId(1)));
    let asked: Vec<u32> = sent.iter().map(|(to, _)| to.0).collect();
    assert_eq!(asked, [2, 3]);
}

/// "A server remains in follower state as long as it receives valid RPCs from a leader or
/// candidate" (§5.2).
#[test]
fn a_heartbeat_puts_the_election_off() {
    let mut server = follower();
    server.wait(149);
    server.receive(2, append(1, (0, 0), &[], 0));
    server.wait(149);
    server.raft.on_timer(&mut server.host, RaftTimer::Election);
    assert_eq!(server.raft.role, Role::Follower);
}

/// "A candidate wins an election if it receives votes from a majority of the servers in the full
/// cluster for the same term" (§5.2).
#[test]
fn a_majority_of_votes_makes_a_leader() {
    let mut server = Server::new(1, &[1, 2, 3, 4, 5], settings(|_| {}));
    server.time_out();
    server.receive(2, vote(1, true));
    assert_eq!(server.raft.role, Role::Candidate, "two of five");
    server.receive(2, vote(1, true));
    assert_eq!(server.raft.role, Role::Candidate, "the same vote again is no other vote");
    server.receive(3, vote(0, true));
    assert_eq!(server.raft.role, Role::Candidate, "a vote of another term");
    server.receive(4, vote(1, true));
    assert_eq!(server.raft.role, Role::Leader);
}

/// "Each server will vote for at most one candidate in a given term, on a first-come-first-served
/// basis" (§5.2).
#[test]
fn a_server_votes_once_a_term() {
    let mut server = follower();
    assert!(granted(&server.receive(2, request_vote(1, 0, 0))));
    assert!(!granted(&server.receive(3, request_vote(1, 0, 0))));
    assert!(granted(&server.receive(2, request_vote(1, 0, 0))), "a lost answer is asked for again");
    assert!(granted(&server.receive(3, request_vote(2, 0, 0))), "another term, another vote");
}

/// The vote is "updated on stable storage before responding" (figure 2), so a restart changes
/// nothing.
#[test]
fn a_restarted_server_remembers_its_vote() {
    let mut server = follower();
    assert!(granted(&server.receive(2, request_vote(1, 0, 0))));
    server.restart(THREE);
    assert_eq!(server.raft.current_term, Term(1));
    assert!(!granted(&server.receive(3, request_vote(1, 0, 0))));
}

/// A candidate that becomes a follower in the same term has still given its vote.
#[test]
fn stepping_down_does_not_give_the_vote_back() {
    let mut server = follower();
    server.time_out();
    server.receive(2, append(1, (0, 0), &[], 0));
    assert_eq!(server.raft.role, Role::Follower);
    server.wait(400);
    assert!(!granted(&server.receive(3, request_vote(1, 9, 9))));
}

/// "If the leader's term is at least as large as the candidate's current term, then the candidate
/// recognizes the leader as legitimate and returns to follower state" (§5.2).
#[test]
fn a_candidate_recognises_the_leader_of_its_term() {
    let mut server = follower();
    server.time_out();
    server.receive(2, append(1, (0, 0), &[1], 0));
    assert_eq!((server.raft.role, server.raft.leader_id), (Role::Follower, Some(NodeId(2))));
}

/// "If the term in the RPC is smaller than the candidate's current term, then the candidate rejects
/// the RPC and continues in candidate state" (§5.2).
#[test]
fn a_candidate_rejects_a_leader_of_an_earlier_term() {
    let mut server = follower();
    server.time_out();
    server.time_out();
    let sent = server.receive(2, append(1, (0, 0), &[1], 0));
    assert!(matches!(outcome(&sent), AppendOutcome::Rejected { .. }));
    assert_eq!((server.raft.role, server.raft.log.len()), (Role::Candidate, 0));
}

/// "If a candidate or leader discovers that its term is out of date, it immediately reverts to
/// follower state" (§5.1), in answers too.
#[test]
fn a_higher_term_ends_leadership() {
    let mut server = follower();
    server.elect(&[2]);
    let rejected = AppendOutcome::Rejected {
        prev_log_index: LogIndex(0),
        conflict_term: None,
        conflict_index: LogIndex(1),
    };
    server.receive(3, answer(7, 0, rejected));
    assert_eq!((server.raft.role, server.raft.current_term), (Role::Follower, Term(7)));
}

/// "The voter denies its vote if its own log is more up-to-date than that of the candidate": by
/// term first, by length second (§5.4.1).
#[test]
fn a_voter_denies_a_candidate_whose_log_is_older() {
    let log_of = |index, term| {
        let mut server = follower();
        server.receive(2, append(3, (0, 0), &[1, 2, 2], 0));
        server.wait(400);
        granted(&server.receive(3, request_vote(4, index, term)))
    };
    assert!(log_of(3, 2), "the same log");
    assert!(log_of(1, 3), "a later term, though shorter");
    assert!(!log_of(9, 1), "an earlier term, though longer");
    assert!(!log_of(2, 2), "the same term and shorter");
}

/// "If a server receives a RequestVote request within the minimum election timeout of hearing from
/// a current leader, it does not update its term or grant its vote" (dissertation §4.2.3): a server
/// that was removed cannot disturb.
#[test]
fn a_server_that_hears_a_leader_ignores_candidates() {
    let mut server = follower();
    server.receive(2, append(1, (0, 0), &[], 0));
    server.wait(149);
    assert!(server.receive(3, request_vote(9, 9, 9)).is_empty(), "not even an answer");
    assert_eq!(server.raft.current_term, Term(1));
    server.wait(2);
    assert!(granted(&server.receive(3, request_vote(9, 9, 9))));
}

/// "A candidate only increments its term if it first learns from a majority of the cluster that
/// they would be willing to grant the candidate their votes" (dissertation §9.6).
#[test]
fn a_pre_candidate_keeps_its_term() {
    let mut server = Server::new(1, THREE, settings(|settings| settings.pre_vote = true));
    for _ in 0..5 {
        assert!(
            server.time_out().iter().all(|(_, message)| matches!(message, RaftMessage::PreVote(_)))
        );
    }
    assert_eq!((server.raft.role, server.raft.current_term), (Role::PreCandidate, Term(0)));
    let grant = VoteResponse { term: Term(1), vote_granted: true };
    server.receive(3, RaftMessage::PreVoteResponse(grant));
    assert_eq!((server.raft.role, server.raft.current_term), (Role::Candidate, Term(1)));
}

/// A pre-vote promises nothing: the voter's term and vote stay as they are.
#[test]
fn a_pre_vote_changes_nothing_at_the_voter() {
    let mut server = follower();
    let RaftMessage::RequestVote(ask) = request_vote(5, 0, 0) else { unreachable!("it is one") };
    for candidate in [2, 3] {
        let sent = server.receive(candidate, RaftMessage::PreVote(ask.clone()));
        let grant = VoteResponse { term: Term(5), vote_granted: true };
        assert_eq!(sent, [(NodeId(candidate), RaftMessage::PreVoteResponse(grant))]);
    }
    assert_eq!((server.raft.current_term, server.raft.voted_for), (Term(0), None));
}

/// A pre-candidate of an earlier term gets the voter's term with the refusal. Were it ignored, it
/// could never win, and nobody might be left who can.
#[test]
fn a_refused_pre_vote_brings_the_term() {
    let mut late = Server::new(1, THREE, settings(|settings| settings.pre_vote = true));
    late.time_out();
    let refusal = VoteResponse { term: Term(5), vote_granted: false };
    late.receive(2, RaftMessage::PreVoteResponse(refusal));
    assert_eq!((late.raft.role, late.raft.current_term), (Role::Follower, Term(5)));
}

/// A leader that no majority answers steps down within two election timeouts (dissertation §6.2),
/// and its clients look for another.
#[test]
fn a_leader_without_a_majority_steps_down() {
    let mut net = Net::new(THREE, THREE, settings(|_| {}));
    net.elect(1);
    net.run(500);
    assert_eq!(net.leaders(), [1], "answers keep it in office");
    net.cut.extend([1]);
    net.run(700);
    assert!(!net.leaders().contains(&1));
    assert_eq!(net.leaders().len(), 1, "the others have a new leader");
}

/// "The first two will vote themselves [...] split vote": with randomised timeouts a leader comes
/// out all the same (§5.2).
#[test]
fn elections_end_with_one_leader() {
    for size in [1, 2, 3, 5, 9] {
        let ids: Vec<u32> = (0..size.min(8)).collect();
        let mut net = Net::new(&ids, &ids, settings(|settings| settings.pre_vote = size % 2 == 0));
        net.run(2_000);
        assert_eq!(net.leaders().len(), 1, "{size} servers");
    }
}

/// "The prior leader sends a TimeoutNow request to the target server", which "starts a new
/// election", "increments its term and becomes a candidate" (dissertation §3.10), whatever
/// its voters have promised to the old leader.
#[test]
fn leadership_can_be_handed_over() {
    let mut net = Net::new(THREE, THREE, settings(|settings| settings.pre_vote = true));
    net.elect(1);
    net.run(60);
    net.command(1, "transfer_leadership n3");
    assert_eq!(net.leaders(), [3]);
    assert_eq!(net.at(1).host.count("transfer"), 1);
}

/// Commands are not taken while the leadership is handed over, and are again when it fails
/// (dissertation §3.10).
#[test]
fn a_transfer_that_fails_is_given_up() {
    let mut net = Net::new(THREE, THREE, settings(|_| {}));
    net.elect(1);
    net.cut.insert(3);
    net.command(1, "transfer_leadership n3");
    net.write(1, "a");
    let refused = Outcome::NotLeader { client: NodeId(8), serial: 1 };
    assert_eq!(net.at(1).raft.take_outcomes(), [refused]);
    net.run(400);
    net.write(1, "b");
    assert!(matches!(net.at(1).raft.take_outcomes().as_slice(), [Outcome::Applied { .. }]));
}
