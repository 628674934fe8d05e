//! State machines, snapshots, replies.

use seedbed::trace::Value;

use crate::run::{C1, C2, Entry, N1, N2, N3, Run, all_accept};
use crate::twins::{accepts, refuses};

const A: Entry = (1, "a");
const B: Entry = (1, "b");

/// Two entries, committed by n1 on three servers.
fn two_committed() -> Run {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3])
        .append(&[N1, N2, N3], A)
        .append(&[N1, N2, N3], B)
        .commit(&[N1, N2], 2);
    run
}

/// Everyone applies the same at an index, also after a restart, when the state is built up again.
#[test]
fn state_machine_safety_compares_entries_by_index() {
    let mut good = two_committed();
    good.apply(&[N1, N2], 1, (C1, 1), 1).apply(&[N1], 2, (C2, 1), 1).restart(N1).apply(
        &[N1],
        1,
        (C1, 1),
        1,
    );
    all_accept(&good);
    let mut bad = two_committed();
    bad.apply(&[N1], 1, (C1, 1), 1).truncate(N2, 1).append(&[N2], (2, "x")).apply(
        &[N2],
        1,
        (C1, 1),
        1,
    );
    let sentence = "n1 applied an entry of term 1 at index 1, n2 a different one of term 2";
    refuses(&bad, "state_machine_safety", sentence);
}

/// The same entries lead to the same state, if the state machine reads nothing else (a clock, for
/// example).
#[test]
fn state_machine_safety_compares_states_of_snapshots() {
    let mut good = two_committed();
    good.apply(&[N1, N2], 1, (C1, 1), 1).snapshot(N1, "snapshot_take", &[A], 7).snapshot(
        N2,
        "snapshot_take",
        &[A],
        7,
    );
    all_accept(&good);
    let mut bad = two_committed();
    bad.apply(&[N1, N2], 1, (C1, 1), 1).snapshot(N1, "snapshot_take", &[A], 7).snapshot(
        N2,
        "snapshot_take",
        &[A],
        8,
    );
    refuses(&bad, "state_machine_safety", "n1 and n2 have different states after entry 1");
}

#[test]
fn applied_without_gaps_follows_the_indices() {
    let mut good = two_committed();
    good.apply(&[N1], 1, (C1, 1), 1).apply(&[N1], 2, (C2, 1), 1);
    all_accept(&good);
    let mut bad = two_committed();
    bad.apply(&[N1], 2, (C2, 1), 1).apply(&[N1], 2, (C2, 1), 0);
    refuses(&bad, "applied_without_gaps", "n1 applied index 2 after index 0");
}

/// After a restart applying begins at the snapshot, whatever was applied before.
#[test]
fn applied_without_gaps_begins_at_the_snapshot() {
    let mut good = two_committed();
    good.apply(&[N1], 1, (C1, 1), 1).snapshot(N1, "snapshot_take", &[A], 7).apply(
        &[N1],
        2,
        (C2, 1),
        1,
    );
    good.restart(N1).apply(&[N1], 2, (C2, 1), 1);
    all_accept(&good);
    let mut bad = two_committed();
    bad.apply(&[N1], 1, (C1, 1), 1).snapshot(N1, "snapshot_take", &[A], 7).restart(N1).apply(
        &[N1],
        1,
        (C1, 1),
        1,
    );
    refuses(&bad, "applied_without_gaps", "n1 applied index 1 after index 1");
}

/// A snapshot brings a node forward. An old one that arrives late would throw applied entries away.
#[test]
fn applied_without_gaps_refuses_an_old_snapshot() {
    let mut good = two_committed();
    good.restart(N2).snapshot(N2, "snapshot_install", &[A, B], 7);
    all_accept(&good);
    let mut bad = two_committed();
    bad.apply(&[N2], 1, (C1, 1), 1).apply(&[N2], 2, (C2, 1), 1).snapshot(
        N2,
        "snapshot_install",
        &[A],
        7,
    );
    refuses(
        &bad,
        "applied_without_gaps",
        "n2 installed a snapshot of index 1 when it had applied up to 2",
    );
}

/// The leader answers when it has applied the command, and answers a repeated one from its session.
#[test]
fn acknowledged_is_committed_wants_the_command_applied() {
    let mut good = two_committed();
    good.apply(&[N1], 1, (C1, 1), 1)
        .reply(N1, C1, 1, 1)
        .apply(&[N1], 2, (C1, 1), 0)
        .reply(N1, C1, 1, 2);
    all_accept(&good);
    let mut bad = two_committed();
    bad.apply(&[N1], 1, (C1, 1), 1).reply(N1, C2, 1, 2);
    let sentence = "n1 acknowledged command 1 of c2 at index 2, but no node had applied it";
    refuses(&bad, "acknowledged_is_committed", sentence);
}

/// A node applied the command, and crashed while it wrote a snapshot: nobody heard of either, but
/// the snapshot is there, and what it covers may be answered. Behind it nothing changes.
#[test]
fn acknowledged_is_committed_believes_a_snapshot_that_was_found() {
    let mut run = two_committed();
    run.crash(N1, "kill", "").event(N1, "start", &[]);
    let number = |name, value| (name, Value::Int(value));
    let found = [
        number("term", 1),
        ("voted_for", Value::Node(N1)),
        number("snapshot_index", 1),
        number("last_index", 2),
        number("last_term", 1),
    ];
    run.event(N1, "recover", &found);
    let mut good = run.clone();
    good.reply(N1, C1, 1, 1);
    accepts(&good, "acknowledged_is_committed");
    let mut bad = run;
    bad.reply(N1, C1, 1, 2);
    refuses(
        &bad,
        "acknowledged_is_committed",
        "n1 acknowledged command 1 of c1 at index 2, but no node had applied it",
    );
}

/// To apply an entry before it is committed, and answer, is no better.
#[test]
fn acknowledged_is_committed_wants_the_command_committed() {
    let mut bad = Run::new();
    bad.elect(N1, 1, &[N2, N3]).append(&[N1, N2, N3], A).append(&[N1], B).commit(&[N1], 1);
    bad.apply(&[N1], 1, (C1, 1), 1).apply(&[N1], 2, (C2, 1), 1).reply(N1, C2, 1, 2);
    let sentence = "n1 acknowledged command 1 of c2 at index 2, but it was applied at index 2 when \
        nothing above 1 was committed";
    refuses(&bad, "acknowledged_is_committed", sentence);
}

/// A repeated command stands in the log twice and takes effect once. Every server applies it, and
/// again after a restart.
#[test]
fn exactly_once_counts_effects_by_index() {
    let mut good = two_committed();
    good.apply(&[N1, N2], 1, (C1, 1), 1).apply(&[N1, N2], 2, (C1, 1), 0).restart(N1).apply(
        &[N1],
        1,
        (C1, 1),
        1,
    );
    all_accept(&good);
    let mut bad = two_committed();
    bad.apply(&[N1, N2], 1, (C1, 1), 1).apply(&[N1], 2, (C1, 1), 1);
    refuses(
        &bad,
        "exactly_once",
        "command 1 of c1 took effect at index 1 on n1 and at index 2 on n1",
    );
    let mut other = two_committed();
    other.apply(&[N1], 1, (C1, 1), 1).apply(&[N1], 2, (C1, 2), 1);
    accepts(&other, "exactly_once");
}

/// Two answers need two commands that a server has applied before, whoever it is. A repeated
/// command is one, and reads do not count.
#[test]
fn answered_is_applied_counts_commands_and_answers() {
    let mut good = two_committed();
    good.apply(&[N2], 1, (C1, 1), 1)
        .done("c1", "write", "k0=1", "k0=1")
        .done("c1", "read", "k0", "k0=1");
    accepts(&good, "answered_is_applied");
    let sentence = "c1 was told that append k0+=2 is done, its update number 2, when servers had \
        applied 1 of its commands";
    let mut bad = good.clone();
    bad.apply(&[N1], 1, (C1, 1), 1)
        .apply(&[N1], 2, (C2, 2), 1)
        .done("c1", "append", "k0+=2", "k0+=2")
        .apply(&[N1], 2, (C1, 2), 1);
    refuses(&bad, "answered_is_applied", sentence);
    good.apply(&[N1], 2, (C1, 2), 1).done("c1", "append", "k0+=2", "k0+=2");
    accepts(&good, "answered_is_applied");
    let mut silent = two_committed();
    silent.done("c1", "write", "k0=1", "k0=1");
    refuses(
        &silent,
        "answered_is_applied",
        "c1 was told that write k0=1 is done, its update number 1, when servers had applied 0 of \
            its commands",
    );
}
