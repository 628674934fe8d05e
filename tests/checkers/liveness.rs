//! Liveness, which is judged after everything has healed at 20 s; the run ends at 30 s.

use seedbed::checkers::Verdict;
use seedbed::trace::OpType;

use crate::run::{N1, N2, N3, N4, N5, Run, text};
use crate::twins::{accepts, refuses, refuses_with, verdict};

/// The leader of the highest term counts, also if it was elected before; an old one that has not
/// heard of it does not.
#[test]
fn leader_elected_wants_the_leader_of_the_highest_term() {
    let mut good = Run::new();
    good.at_ms(10_000).elect(N1, 1, &[N2, N3]);
    accepts(&good, "leader_elected");
    let mut late = Run::new();
    late.at_ms(24_000).elect(N1, 1, &[N2, N3]);
    accepts(&late, "leader_elected");
    let mut bad = Run::new();
    bad.at_ms(10_000).elect(N1, 1, &[N2, N3]).elect(N2, 2, &[N3, N4]).crash(N2, "kill", "");
    refuses(
        &bad,
        "leader_elected",
        "no node led from 20.000 s, when everything had healed, to 25.000 s",
    );
    bad.at_ms(26_000).elect(N3, 3, &[N4, N5]);
    refuses(
        &bad,
        "leader_elected",
        "no node led from 20.000 s, when everything had healed, to 25.000 s",
    );
}

/// A leader may lead until its own removal is committed. Whoever goes on after that leads a cluster
/// that it does not belong to.
#[test]
fn leader_elected_does_not_count_who_was_removed() {
    let mut run = Run::new();
    run.at_ms(10_000).elect(N1, 1, &[N2, N3]);
    run.config(&[N1, N2, N3, N4, N5], (1, "without n1"), "simple", "n2+n3+n4+n5", "-")
        .commit(&[N1, N2], 1);
    refuses(
        &run,
        "leader_elected",
        "no node led from 20.000 s, when everything had healed, to 25.000 s",
    );
    let mut good = run;
    good.at_ms(22_000).elect(N2, 2, &[N3, N4]);
    accepts(&good, "leader_elected");
}

/// Servers that show nothing show no leader.
#[test]
fn leader_elected_takes_silence_for_no_leader() {
    let silent = seedbed::trace::Trace {
        duration_us: 20_000_000,
        end_us: 30_000_000,
        ..Run::new().trace().clone()
    };
    let silent = Silent(seedbed::trace::Trace { events: vec![], ..silent });
    refuses(
        &silent,
        "leader_elected",
        "no node led from 20.000 s, when everything had healed, to 25.000 s",
    );
    refuses(
        &silent,
        "one_leader_at_last",
        "no server shows that it leads from 27.000 s to 30.000 s: the metric `role` is never \
            `leader`",
    );
}

struct Silent(seedbed::trace::Trace);

impl AsRef<seedbed::trace::Trace> for Silent {
    fn as_ref(&self) -> &seedbed::trace::Trace {
        &self.0
    }
}

/// n1 was cut off and has three seconds to hear of the new leader; a crash ends what it showed. One
/// that leads on beside the other has not stepped down.
#[test]
fn one_leader_at_last_gives_an_old_leader_time_to_step_down() {
    let mut run = Run::new();
    run.at_ms(10_000).show(N1, "role", text("leader")).at_ms(15_000).show(
        N2,
        "role",
        text("leader"),
    );
    refuses(
        &run,
        "one_leader_at_last",
        "n1 and n2 all show that they lead, from 27.000 s to 30.000 s",
    );
    let mut good = run.clone();
    good.at_ms(29_000).show(N1, "role", text("follower"));
    accepts(&good, "one_leader_at_last");
    let mut good = run.clone();
    good.at_ms(16_000).crash(N1, "kill", "");
    accepts(&good, "one_leader_at_last");
    let mut none = run;
    none.at_ms(16_000).show(N1, "role", text("follower")).show(N2, "role", text("candidate"));
    refuses(
        &none,
        "one_leader_at_last",
        "no server shows that it leads from 27.000 s to 30.000 s: the metric `role` is never \
            `leader`",
    );
}

/// Where the run ends before the time is over, nobody can say.
#[test]
fn leader_elected_does_not_judge_a_time_that_was_not_given() {
    let run = Run::new();
    assert!(matches!(verdict(&run, "leader_elected", &[("within", 11e6)]), Verdict::Unknown(_)));
}

/// Terms may rise while the faults last and for a while after.
#[test]
fn terms_stable_counts_only_after_settling() {
    let mut good = Run::new();
    good.at_ms(22_900).term(N1, 40).at_ms(24_000).term(N1, 45);
    accepts(&good, "terms_stable");
    let mut bad = good;
    bad.term(N2, 46);
    refuses(
        &bad,
        "terms_stable",
        "n2 reached term 46, 6 more than at 23.000 s, long after healing",
    );
}

/// n5 was removed and nobody listens to it: that it goes on to ask for votes, in ever higher terms,
/// disturbs nobody.
#[test]
fn terms_stable_leaves_out_who_was_removed() {
    let mut good = led_and_committed();
    good.config(&[N1, N2, N3, N4], (1, "without n5"), "simple", "n1+n2+n3+n4", "-")
        .commit(&[N1, N2, N3, N4], 2);
    good.at_ms(28_000).term(N5, 99);
    accepts(&good, "terms_stable");
    let mut bad = good;
    bad.term(N4, 99);
    refuses(
        &bad,
        "terms_stable",
        "n4 reached term 99, 98 more than at 23.000 s, long after healing",
    );
}

fn led_and_committed() -> Run {
    let mut run = Run::new();
    run.at_ms(21_000)
        .elect(N1, 1, &[N2, N3])
        .append(&[N1, N2, N3, N4, N5], (1, "a"))
        .commit(&[N1, N2, N3, N4], 1);
    run
}

/// n5 has until the end for what was committed three seconds before; for what is committed later it
/// has more time than the run.
#[test]
fn convergence_gives_time_to_catch_up() {
    let mut good = led_and_committed();
    good.at_ms(29_000).commit(&[N5], 1).append(&[N1, N2, N3], (1, "b")).commit(&[N1], 2);
    accepts(&good, "convergence");
    let mut bad = led_and_committed();
    bad.at_ms(29_000).append(&[N1, N2, N3], (1, "b")).commit(&[N1], 2);
    refuses(
        &bad,
        "convergence",
        "n5 has committed up to 0 at the end, n1 up to 1 at 27.000 s already",
    );
}

/// Nobody expects anything of a node that is down, has only just come back, or no longer belongs to
/// the cluster.
#[test]
fn convergence_judges_working_members_only() {
    let mut down = led_and_committed();
    down.crash(N5, "kill", "");
    accepts(&down, "convergence");
    let mut back = led_and_committed();
    back.at_ms(29_500).restart(N5);
    accepts(&back, "convergence");
    let mut removed = led_and_committed();
    removed
        .config(&[N1, N2, N3, N4], (1, "without n5"), "simple", "n1+n2+n3+n4", "-")
        .commit(&[N1, N2, N3, N4], 2);
    accepts(&removed, "convergence");
}

/// An operation of 24 s must be answered by 27 s; one of 28 s has no time left in the run, and one
/// of 21 s came before all had settled.
#[test]
fn all_operations_answered_judges_those_that_have_time() {
    let mut good = Run::new();
    good.at_ms(21_000).invoke("c1", "read", "k0").at_ms(22_000).info("c1", "read", "k0");
    good.at_ms(24_000).invoke("c1", "cas", "k0:1->2").at_ms(26_000).op(
        "c1",
        OpType::Fail,
        "cas",
        "k0:1->2",
        "mismatch",
    );
    good.at_ms(28_000).invoke("c2", "read", "k0");
    accepts(&good, "all_operations_answered");
    let mut bad = good;
    bad.at_ms(24_500).invoke("c1", "read", "k0").at_ms(25_500).info("c1", "read", "k0");
    // Once may be bad luck on a lossy network.
    accepts(&bad, "all_operations_answered");
    bad.at_ms(25_500).invoke("c1", "read", "k1").at_ms(26_500).info("c1", "read", "k1");
    refuses(
        &bad,
        "all_operations_answered",
        "c1 invoked read k1 at 25.500 s and had no answer after 3.000 s",
    );
}

/// A `cas` that did not fit is an answer; a time-out is none.
#[test]
fn availability_counts_answers() {
    let mut run = Run::new();
    run.done("c1", "write", "k0=1", "k0=1").invoke("c1", "cas", "k0:2->3").op(
        "c1",
        OpType::Fail,
        "cas",
        "k0:2->3",
        "mismatch",
    );
    run.invoke("c1", "read", "k0").info("c1", "read", "k0");
    assert_eq!(verdict(&run, "availability", &[("min", 0.6)]), Verdict::Valid);
    let sentence = "2 of 3 operations were answered, 66.6 %, less than 70 %";
    refuses_with(&run, "availability", &[("min", 0.7)], sentence);
}

/// From the answer at 2 s to the next one at 9 s the service is away.
#[test]
fn availability_measures_the_longest_gap() {
    let mut run = Run::new();
    run.at_ms(1_000).invoke("c1", "read", "k0").at_ms(2_000).ok("c1", "read", "k0=nil");
    run.at_ms(8_999).done("c1", "read", "k0", "k0=nil");
    assert_eq!(verdict(&run, "availability", &[("gap", 7e6)]), Verdict::Valid);
    let sentence = "no operation was answered from 2.000 s to 9.000 s, for 7.000 s";
    refuses_with(&run, "availability", &[("gap", 6.9e6)], sentence);
}

/// Won and started elections are counted apart, since a split vote is started by several and won by
/// none.
#[test]
fn elections_are_counted() {
    let mut run = Run::new();
    run.elect(N1, 1, &[N2, N3]).role(N2, "candidate").role(N3, "candidate");
    assert_eq!(verdict(&run, "elections", &[("max", 1.0), ("started", 3.0)]), Verdict::Valid);
    refuses_with(&run, "elections", &[("max", 0.0)], "1 elections were won, more than 0");
    refuses_with(&run, "elections", &[("started", 2.0)], "3 elections were started, more than 2");
}
