//! Logs, commits, and what is on the disk.

use crate::run::{N1, N2, N3, N4, N5, Run, all_accept};
use crate::twins::{accepts, refuses};

/// A leader of term 1 with one entry on three servers, not yet committed.
fn one_entry() -> Run {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3]).append(&[N1, N2, N3], (1, "a"));
    run
}

/// The same index with different terms is what Raft repairs; the same index and term must mean the
/// same log.
#[test]
fn log_matching_compares_entries_of_equal_term() {
    let mut good = one_entry();
    good.elect(N4, 2, &[N5, N3]).append(&[N4], (2, "b"));
    accepts(&good, "log_matching");
    let mut bad = one_entry();
    bad.append(&[N4], (1, "b"));
    refuses(
        &bad,
        "log_matching",
        "n1 and n4 both hold an entry 1 of term 1, but their logs up to it differ",
    );
}

/// Equal entries after different beginnings do not match: the hash is over the whole log.
#[test]
fn log_matching_looks_at_everything_before() {
    let mut bad = one_entry();
    bad.append(&[N1], (1, "b")).append(&[N4], (0, "x")).append(&[N4], (1, "b"));
    refuses(
        &bad,
        "log_matching",
        "n1 and n4 both hold an entry 2 of term 1, but their logs up to it differ",
    );
}

/// n1 had two entries of term 1; the leader of term 2 replaces the first. With the second removed
/// all is well, with it kept the log goes on from an entry that is gone.
#[test]
fn log_matching_sees_a_tail_that_was_kept() {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3]).append(&[N1], (1, "a")).append(&[N1], (1, "b"));
    run.elect(N2, 2, &[N3, N4]).append(&[N2], (2, "")).term(N1, 2).role(N1, "follower");
    let mut good = run.clone();
    good.truncate(N1, 1).append(&[N1], (2, ""));
    all_accept(&good);
    let mut bad = run;
    bad.overwrite(N1, 1, (2, ""));
    let sentence = "n1 replaced entry 1 of term 1 by one of term 2 and kept the entries up to 2 \
        that followed the old one";
    refuses(&bad, "log_matching", sentence);
}

/// Committed in term 1 by n1: the leader of term 2 must have it.
#[test]
fn leader_completeness_asks_for_what_was_committed_before() {
    let mut run = one_entry();
    run.commit(&[N1], 1);
    let mut good = run.clone();
    good.elect(N3, 2, &[N4, N5]);
    all_accept(&good);
    let mut bad = run;
    bad.elect(N4, 2, &[N3, N5]);
    let sentence = "n4, leader of term 2, lacks entry 1 of term 1 that n1 committed in term 1: it \
        has a log that ends at 0";
    refuses(&bad, "leader_completeness", sentence);
}

/// Trap FP-1. The entry of term 1 is committed only by the leader of term 3; the leader of term 2
/// came in between and rightly knows nothing of it. The naive form of the property, by the term of
/// the entry, would call this Raft wrong.
#[test]
fn leader_completeness_goes_by_the_term_of_the_commit() {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3]).append(&[N1, N2], (1, "a"));
    run.elect(N5, 2, &[N3, N4]);
    run.elect(N1, 3, &[N2, N3])
        .append(&[N3], (1, "a"))
        .append(&[N1, N2, N3], (3, ""))
        .commit(&[N1], 2);
    all_accept(&run);
    // A leader of term 4 comes after the commit and must have the entry.
    let mut bad = run;
    bad.elect(N5, 4, &[N4]);
    let sentence = "n5, leader of term 4, lacks entry 1 of term 1 that n1 committed in term 3: it \
        has a log that ends at 0";
    refuses(&bad, "leader_completeness", sentence);
}

/// Figure 8 of the paper: S1 must not commit the entry of term 2 by counting its copies, because S5
/// can still win. Here it does, and S5 wins.
#[test]
fn leader_completeness_catches_figure_8() {
    let mut bad = Run::new();
    bad.elect(N1, 2, &[N2, N3]).append(&[N1, N2], (2, "a"));
    bad.elect(N5, 3, &[N3, N4]).append(&[N5], (3, "b"));
    bad.elect(N1, 4, &[N2, N3]).append(&[N3], (2, "a")).commit(&[N1], 1);
    bad.elect(N5, 5, &[N2, N3, N4]);
    let sentence = "n5, leader of term 5, lacks entry 1 of term 2 that n1 committed in term 4: it \
        has one of term 3 there";
    refuses(&bad, "leader_completeness", sentence);
}

/// Three of five are a majority, two are not.
#[test]
fn commit_on_majority_counts_who_stores_the_entry() {
    let mut good = one_entry();
    good.commit(&[N1], 1);
    all_accept(&good);
    let mut bad = Run::new();
    bad.elect(N1, 1, &[N2, N3]).append(&[N1, N2], (1, "a")).commit(&[N1], 1);
    refuses(
        &bad,
        "commit_on_majority",
        "n1 committed entry 1 of term 1, which is stored by n1, n2 of (n1, n2, n3, n4, n5)",
    );
}

/// A copy that is lost in a restart does not count, unless it was the nemesis who took it.
#[test]
fn commit_on_majority_forgives_only_the_nemesis() {
    let mut bad = one_entry();
    bad.restart_without_last(N3, 1).commit(&[N1], 1);
    refuses(
        &bad,
        "commit_on_majority",
        "n1 committed entry 1 of term 1, which is stored by n1, n2 of (n1, n2, n3, n4, n5)",
    );
    let mut good = one_entry();
    good.wipe(N3).commit(&[N1], 1);
    all_accept(&good);
}

/// A follower throws away what was never committed; what it knows as committed it keeps.
#[test]
fn committed_never_truncated_by_the_node_itself() {
    let mut good = one_entry();
    good.commit(&[N1, N2], 1).append(&[N2], (1, "b")).truncate(N2, 2);
    all_accept(&good);
    let mut bad = one_entry();
    bad.commit(&[N1, N2], 1).truncate(N2, 1);
    refuses(
        &bad,
        "committed_never_truncated",
        "n2 removed its entries from 1 on, although it had committed up to 1",
    );
}

/// n2 does not know yet that its entry is committed. In the term of the commit it can only follow
/// leaders who have the entry; in an older term it may follow one who rightly lacks it.
#[test]
fn committed_never_truncated_goes_by_the_term_of_the_commit() {
    let mut bad = one_entry();
    bad.commit(&[N1], 1).truncate(N2, 1);
    let sentence =
        "n2 removed its entries from 1 on, although n1 had committed that entry in term 1";
    refuses(&bad, "committed_never_truncated", sentence);
    let mut good = Run::new();
    good.elect(N1, 1, &[N2, N4]).append(&[N1, N2], (1, "a"));
    good.elect(N5, 2, &[N3, N4]).append(&[N5], (2, "b"));
    good.elect(N1, 3, &[N3, N4])
        .append(&[N3, N4], (1, "a"))
        .append(&[N1, N3, N4], (3, ""))
        .commit(&[N1], 2);
    // n5 has not heard of term 3, and n2 not even of term 2: it follows n5.
    good.term(N2, 2).truncate(N2, 1).append(&[N2], (2, "b"));
    all_accept(&good);
}

/// What a follower has acknowledged must be on its disk when it comes back.
#[test]
fn persist_before_reply_keeps_what_was_observed() {
    let mut good = one_entry();
    good.restart(N2).wipe(N3);
    all_accept(&good);
    let mut bad = one_entry();
    bad.restart_without_last(N2, 1);
    let sentence = "n2 had stored entry 1 of term 1, which is gone after its restart: its log ends \
        at 0 with term 0";
    refuses(&bad, "persist_before_reply", sentence);
}

/// n1 was about to remove its entry for the leader of term 2 when it crashed: the removal was on
/// the disk, and nobody had heard of it. Without such a leader nobody can have asked for the
/// removal.
#[test]
fn persist_before_reply_allows_a_removal_that_nobody_saw() {
    let mut good = Run::new();
    good.elect(N1, 1, &[N2, N3])
        .append(&[N1], (1, "a"))
        .elect(N2, 2, &[N3, N4])
        .append(&[N2], (2, ""));
    good.term(N1, 2).role(N1, "follower").restart_without_last(N1, 1);
    all_accept(&good);
    let mut bad = Run::new();
    bad.elect(N1, 1, &[N2, N3])
        .append(&[N1], (1, "a"))
        .term(N1, 2)
        .role(N1, "follower")
        .restart_without_last(N1, 1);
    let sentence = "n1 had stored entry 1 of term 1, which is gone after its restart: its log ends \
        at 0 with term 0";
    refuses(&bad, "persist_before_reply", sentence);
}

/// A vote that is forgotten within its term can be given twice; in a later term nobody asks for it.
#[test]
fn persist_before_reply_keeps_term_and_vote() {
    let mut good = Run::new();
    good.term(N3, 1).vote(N3, 1, N1).restart_as(N3, 2, None);
    all_accept(&good);
    let mut bad = Run::new();
    bad.term(N3, 1).vote(N3, 1, N1).restart_as(N3, 1, None);
    refuses(
        &bad,
        "persist_before_reply",
        "n3 voted for n1 in term 1, and for nobody by what it found when it restarted",
    );
    let mut bad = Run::new();
    bad.term(N3, 4).restart_as(N3, 2, None);
    refuses(&bad, "persist_before_reply", "n3 was in term 4 and restarted in term 2");
}

/// Entries that a crash left on the disk before anybody heard of them do not contradict anything,
/// and nothing is known of them.
#[test]
fn more_on_the_disk_than_was_observed_is_fine() {
    let mut good = one_entry();
    good.commit(&[N1], 1).crash(N2, "kill", "");
    let mut more = good.clone();
    more.append(&[N1], (1, "b")).boot(N2).append(&[N2], (1, "b")).restart(N2).commit(&[N2], 1);
    all_accept(&more);
}
