//! Terms, votes, leaders.

use seedbed::trace::Value;

use crate::run::{N1, N2, N3, N4, N5, Run, all_accept, text};
use crate::twins::{accepts, refuses};

/// Leaders of different terms may even lead at the same time: n1 has not heard of term 2 (trap
/// FP-2).
fn two_leaders_in_two_terms() -> Run {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3]).elect(N2, 2, &[N3, N4]);
    run
}

#[test]
fn election_safety_counts_leaders_by_term_and_not_by_time() {
    all_accept(&two_leaders_in_two_terms());
    let mut bad = two_leaders_in_two_terms();
    bad.leader(N5, 2);
    refuses(&bad, "election_safety", "n2 and n5 both became leader of term 2");
}

/// A restart in between does not give a second leader to a term.
#[test]
fn election_safety_holds_across_restarts() {
    let mut bad = Run::new();
    bad.elect(N1, 1, &[N2, N3]).restart(N1).elect(N4, 1, &[N5]);
    refuses(&bad, "election_safety", "n1 and n4 both became leader of term 1");
}

/// Requests for votes are repeated, and so are the votes.
#[test]
fn vote_once_allows_the_same_candidate_again() {
    let mut good = Run::new();
    good.term(N3, 1)
        .vote(N3, 1, N1)
        .vote(N3, 1, N1)
        .restart(N3)
        .vote(N3, 1, N1)
        .term(N3, 2)
        .vote(N3, 2, N2);
    all_accept(&good);
    let mut bad = good.clone();
    bad.vote(N3, 2, N1);
    refuses(&bad, "vote_once", "n3 voted for n2 and for n1 in term 2");
}

/// A vote counts across a restart; only the nemesis can make a node forget without fault.
#[test]
fn vote_once_holds_across_restarts_but_not_across_a_wiped_disk() {
    let mut bad = Run::new();
    bad.term(N3, 1).vote(N3, 1, N1).restart_as(N3, 1, None).vote(N3, 1, N2);
    refuses(&bad, "vote_once", "n3 voted for n1 and for n2 in term 1");
    let mut good = Run::new();
    good.term(N3, 1).vote(N3, 1, N1).wipe(N3).term(N3, 1).vote(N3, 1, N2);
    all_accept(&good);
}

/// A node that was wiped begins at 0 again, which is not a step back of its own.
#[test]
fn term_monotonic_forgives_a_wiped_disk() {
    let mut good = Run::new();
    good.term(N1, 3).restart(N1).term(N1, 4).wipe(N1).term(N1, 2);
    all_accept(&good);
    let mut bad = Run::new();
    bad.term(N1, 3).restart_as(N1, 1, None);
    refuses(&bad, "term_monotonic", "n1 restarted in term 1 after term 3");
    let mut bad = Run::new();
    bad.term(N1, 3).term(N1, 2);
    refuses(&bad, "term_monotonic", "n1 went back to term 2 after term 3");
}

/// Once it follows another, the former leader removes what conflicts; that is how Raft repairs
/// logs.
#[test]
fn leader_append_only_ends_with_the_leadership() {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3])
        .append(&[N1], (1, "a"))
        .append(&[N1], (1, "b"))
        .elect(N2, 2, &[N3, N4])
        .append(&[N2], (2, ""));
    let mut good = run.clone();
    good.term(N1, 2).role(N1, "follower").truncate(N1, 1).append(&[N1], (2, ""));
    all_accept(&good);
    let mut bad = run.clone();
    bad.truncate(N1, 2);
    refuses(&bad, "leader_append_only", "n1 removed entries 2 to 2 of its log while it led term 1");
    let mut bad = run;
    bad.overwrite(N1, 1, (1, "c"));
    refuses(
        &bad,
        "leader_append_only",
        "n1 overwrote entry 1 by one of term 1 while it led term 1",
    );
}

fn lease_read(run: &mut Run) -> &mut Run {
    run.event(N1, "read", &[("index", Value::Int(1)), ("mode", text("lease"))])
}

/// n2 leads term 2 and commits there; what n1 serves of term 1 before is right, and so is a read
/// that only waited for the disk of n1 for some milliseconds. Later the lease must be over.
#[test]
fn lease_exclusive_ends_with_the_first_commit_of_a_newer_leader() {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3]).append(&[N1, N2, N3], (1, "a")).commit(&[N1], 1).at_ms(10_000);
    lease_read(&mut run).elect(N2, 2, &[N3, N4]);
    lease_read(&mut run).append(&[N4], (1, "a")).append(&[N2, N3, N4], (2, "")).commit(&[N2], 2);
    lease_read(&mut run);
    all_accept(&run);
    let mut bad = run.clone();
    lease_read(bad.at_ms(10_500));
    refuses(
        &bad,
        "lease_exclusive",
        "n1 served a read under its lease of term 1, 485000 µs after n2 had committed in term 2",
    );
    let mut stalled = run;
    stalled.op("nemesis", seedbed::trace::OpType::Invoke, "disk_stall", "stall: n1", "");
    lease_read(stalled.at_ms(10_500));
    accepts(&stalled, "lease_exclusive");
}

/// A crash from outside is the nemesis' doing, a panic the node's own.
#[test]
fn no_panic_tells_what_the_node_said() {
    let mut good = Run::new();
    good.restart(N1);
    all_accept(&good);
    let mut bad = good;
    bad.crash(N1, "panic", "assertion failed: last_applied <= commit_index");
    refuses(&bad, "no_panic", "n1 panicked: assertion failed: last_applied <= commit_index");
}

/// A vote counts for its term and its candidate only, once for each voter. n4 and n5 say nothing,
/// and belong to the cluster all the same.
#[test]
fn elected_by_majority_counts_the_votes_of_the_term() {
    let mut good = Run::new();
    good.elect(N1, 1, &[N2, N3])
        .term(N3, 2)
        .vote(N3, 2, N3)
        .term(N4, 2)
        .vote(N4, 2, N3)
        .vote(N4, 2, N3);
    let mut bad = good.clone();
    bad.leader(N3, 2);
    refuses(
        &bad,
        "elected_by_majority",
        "n3 became leader of term 2 with the votes of n3, n4, which are not a majority",
    );
    good.term(N5, 2).vote(N5, 2, N3).leader(N3, 2);
    all_accept(&good);
    let mut silent = Run::new();
    silent.leader(N1, 1);
    refuses(
        &silent,
        "elected_by_majority",
        "n1 became leader of term 1 with the votes of no node, which are not a majority",
    );
}

/// After a change it is the members who elect: two of three are enough.
#[test]
fn elected_by_majority_goes_by_the_configuration_of_the_leader() {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3]).config(&[N1, N2, N3], (1, "three"), "simple", "n1+n2+n3", "-");
    let mut good = run.clone();
    good.elect(N2, 2, &[N3]);
    accepts(&good, "elected_by_majority");
    let mut bad = run;
    bad.elect(N2, 2, &[N4]);
    refuses(
        &bad,
        "elected_by_majority",
        "n2 became leader of term 2 with the votes of n2, n4, which are not a majority",
    );
}
