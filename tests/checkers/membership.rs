//! Configurations.

use crate::run::{N1, N2, N3, N4, N5, Run, all_accept};
use crate::twins::{accepts, refuses};

const ALL: &str = "n1+n2+n3+n4+n5";

/// A leader that has committed its no-op on three servers.
fn settled() -> Run {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3]).append(&[N1, N2, N3], (1, "")).commit(&[N1], 1);
    run
}

/// With n5 out, four servers remain and three are a majority: the configuration in force is the
/// latest in the log.
#[test]
fn commit_on_majority_goes_by_the_configuration_in_force() {
    let mut good = settled();
    good.config(&[N1, N2, N3], (1, "without n5"), "simple", "n1+n2+n3+n4", "-")
        .commit(&[N1], 2)
        .config_commit(N1, 2, 1);
    good.config(&[N1, N2, N3], (1, "without n4"), "simple", "n1+n2+n3", "-")
        .commit(&[N1], 3)
        .config_commit(N1, 3, 1);
    good.append(&[N1, N2], (1, "a")).commit(&[N1], 4);
    all_accept(&good);
    let mut bad = good;
    bad.append(&[N1, N4, N5], (1, "b")).commit(&[N1], 5);
    refuses(
        &bad,
        "commit_on_majority",
        "n1 committed entry 5 of term 1, which is stored by n1 of (n1, n2, n3)",
    );
}

/// A joint configuration needs both majorities; n4 and n5 are none of the old one.
#[test]
fn commit_on_majority_wants_both_majorities_of_a_joint_configuration() {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2]).append(&[N1, N2, N4, N5], (1, ""));
    let mut good = run.clone();
    good.config(&[N1, N2, N4], (1, "joint"), "joint", "n1+n4+n5", "n1+n2+n3").commit(&[N1], 2);
    accepts(&good, "commit_on_majority");
    let mut bad = run;
    bad.config(&[N1, N4, N5], (1, "joint"), "joint", "n1+n4+n5", "n1+n2+n3").commit(&[N1], 2);
    let sentence = "n1 committed entry 2 of term 1, which is stored by n1, n4, n5 of (n1, n4, n5) \
        and (n1, n2, n3)";
    refuses(&bad, "commit_on_majority", sentence);
}

/// The second change waits for the first one.
#[test]
fn one_config_in_flight_waits_for_the_commit() {
    let mut good = settled();
    good.config(&[N1, N2, N3], (1, "without n5"), "simple", "n1+n2+n3+n4", "-").commit(&[N1], 2);
    good.config(&[N1, N2, N3], (1, "with n5"), "simple", ALL, "-");
    all_accept(&good);
    let mut bad = settled();
    bad.config(&[N1], (1, "without n5"), "simple", "n1+n2+n3+n4", "-").config(
        &[N1],
        (1, "with n5"),
        "simple",
        ALL,
        "-",
    );
    let sentence =
        "n1, leader of term 1, appended a configuration at 3 with that at 2 not yet committed";
    refuses(&bad, "one_config_in_flight", sentence);
}

/// A follower takes what its leader sends, and may know less of commits than the leader.
#[test]
fn one_config_in_flight_judges_leaders_only() {
    let mut good = settled();
    good.config(&[N1, N2, N3], (1, "without n5"), "simple", "n1+n2+n3+n4", "-").commit(&[N1], 2);
    good.config(&[N1], (1, "with n5"), "simple", ALL, "-").config(
        &[N2],
        (1, "with n5"),
        "simple",
        ALL,
        "-",
    );
    accepts(&good, "one_config_in_flight");
}

/// From five to three at once: n1, n2 are a majority of the new voters, and n3, n4, n5 of the old
/// ones. By way of a joint configuration the same change is safe.
#[test]
fn config_quorum_overlap_refuses_a_jump() {
    let mut good = settled();
    good.config(&[N1, N2, N3], (1, "joint"), "joint", "n1+n2+n3", ALL)
        .commit(&[N1], 2)
        .config_commit(N1, 2, 1);
    good.config(&[N1, N2, N3], (1, "new"), "leave_joint", "n1+n2+n3", "-")
        .commit(&[N1], 3)
        .config_commit(N1, 3, 1);
    all_accept(&good);
    let mut bad = settled();
    bad.config(&[N1, N2, N3], (1, "new"), "simple", "n1+n2+n3", "-");
    let sentence = "n1 went from the voters n1, n2, n3, n4, n5 to n1, n2, n3 at index 2: a \
        majority of each can be without the other's";
    refuses(&bad, "config_quorum_overlap", sentence);
}

/// The bug of 2015, as far as it can come: n1 appends a configuration that stays alone, n2 one that
/// is committed, and then n1 is elected again and commits the first.
#[test]
fn config_quorum_overlap_refuses_two_committed_rivals() {
    let mut run = settled();
    run.config(&[N1], (1, "without n5"), "simple", "n1+n2+n3+n4", "-");
    run.elect(N2, 2, &[N3, N4])
        .config(&[N2, N3, N4], (2, "without n1"), "simple", "n2+n3+n4+n5", "-")
        .config_commit(N2, 2, 2);
    accepts(&run, "config_quorum_overlap");
    let mut bad = run;
    bad.elect(N1, 3, &[N5]).config_commit(N1, 2, 1);
    let sentence = "n2 committed the configuration at 2 of term 2, and n1 its rival at 2 of term 1";
    refuses(&bad, "config_quorum_overlap", sentence);
}

/// A new leader knows what is committed only when an entry of its own term is. Joint consensus is
/// safe without.
#[test]
fn config_barrier_waits_for_an_entry_of_the_own_term() {
    let mut run = settled();
    run.elect(N2, 2, &[N3, N4]).append(&[N2, N3], (2, "")).commit(&[N2], 1);
    let mut good = run.clone();
    good.append(&[N4], (1, "")).append(&[N4], (2, "")).commit(&[N2], 2);
    good.config(&[N2, N3, N4], (2, "without n5"), "simple", "n1+n2+n3+n4", "-");
    all_accept(&good);
    let mut joint = run.clone();
    joint.config(&[N2], (2, "joint"), "joint", "n1+n2+n3", ALL);
    all_accept(&joint);
    let mut bad = run;
    bad.config(&[N2], (2, "without n5"), "simple", "n1+n2+n3+n4", "-");
    let sentence =
        "n2 appended a configuration at 3 before it had committed any entry of its term 2";
    refuses(&bad, "config_barrier", sentence);
}

/// Spare servers say by their role that they have no vote: two of three voters are a majority,
/// whatever stands by.
#[test]
fn the_initial_voters_are_those_whose_first_role_is_no_learner() {
    let mut good = Run::new();
    good.first_role(N4, "learner").first_role(N5, "learner");
    good.elect(N1, 1, &[N2]).append(&[N1, N2], (1, "a")).commit(&[N1], 1);
    all_accept(&good);
    let mut bad = Run::new();
    bad.elect(N1, 1, &[N2]).append(&[N1, N2], (1, "a")).commit(&[N1], 1);
    refuses(
        &bad,
        "commit_on_majority",
        "n1 committed entry 1 of term 1, which is stored by n1, n2 of (n1, n2, n3, n4, n5)",
    );
}
