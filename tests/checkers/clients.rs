//! What clients saw: linearizability.

use seedbed::checkers::Verdict;
use seedbed::trace::OpType;

use crate::run::Run;
use crate::twins::{accepts, refuses, verdict};

/// While a write is under way a read may see the old text or the new one; once a read has seen the
/// new one, later reads must.
#[test]
fn concurrent_reads_may_see_either_text_but_time_does_not_go_back() {
    let mut run = Run::new();
    run.at_ms(1_000)
        .invoke("c1", "write", "k0=1")
        .done("c2", "read", "k0", "k0=nil")
        .done("c2", "read", "k0", "k0=1");
    let mut good = run.clone();
    good.done("c2", "read", "k0", "k0=1").ok("c1", "write", "k0=1");
    accepts(&good, "linearizable");
    let mut bad = run;
    bad.done("c2", "read", "k0", "k0=nil").ok("c1", "write", "k0=1");
    let sentence = "k0 is not linearizable: c2 read k0=nil from 1.005 s to 1.006 s: no order of \
        the operations up to this one explains it";
    refuses(&bad, "linearizable", sentence);
}

/// The classic stale read: a write was acknowledged, and a later read does not see it.
#[test]
fn a_read_sees_what_was_acknowledged_before() {
    let mut good = Run::new();
    good.at_ms(1_000)
        .done("c1", "write", "k0=1", "k0=1")
        .done("c1", "write", "k0=2", "k0=2")
        .done("c2", "read", "k0", "k0=2");
    accepts(&good, "linearizable");
    let mut bad = Run::new();
    bad.at_ms(1_000)
        .done("c1", "write", "k0=1", "k0=1")
        .done("c1", "write", "k0=2", "k0=2")
        .done("c2", "read", "k0", "k0=1");
    let sentence = "k0 is not linearizable: c2 read k0=1 from 1.004 s to 1.005 s: no order of the \
        operations up to this one explains it";
    refuses(&bad, "linearizable", sentence);
}

/// A write without an answer may take effect at any later time, once, or never (trap FP-7).
#[test]
fn an_operation_without_an_answer_may_happen_late_or_never() {
    let mut run = Run::new();
    run.at_ms(1_000)
        .invoke("c1", "write", "k0=1")
        .info("c1", "write", "k0=1")
        .done("c2", "write", "k0=2", "k0=2");
    accepts(&run, "linearizable");
    let mut late = run.clone();
    late.done("c2", "read", "k0", "k0=2").done("c2", "read", "k0", "k0=1");
    accepts(&late, "linearizable");
    let mut bad = late;
    bad.done("c2", "read", "k0", "k0=2");
    let sentence = "k0 is not linearizable: c2 read k0=2 from 1.008 s to 1.009 s: no order of the \
        operations up to this one explains it";
    refuses(&bad, "linearizable", sentence);
}

/// A `cas` of unknown result counts where its text was seen, and shows that what it expected had
/// been there: the write of 1, though never answered and never read, took effect.
#[test]
fn an_open_cas_vouches_for_the_text_that_it_replaced() {
    let mut run = Run::new();
    run.at_ms(1_000).invoke("c1", "write", "k0=1").info("c1", "write", "k0=1");
    run.invoke("c1", "cas", "k0:1->2").info("c1", "cas", "k0:1->2");
    let mut good = run.clone();
    good.done("c2", "read", "k0", "k0=2");
    accepts(&good, "linearizable");
    let mut bad = good;
    bad.done("c2", "read", "k0", "k0=1");
    let sentence = "k0 is not linearizable: c2 read k0=1 from 1.006 s to 1.007 s: no order of the \
        operations up to this one explains it";
    refuses(&bad, "linearizable", sentence);
}

/// An operation that failed did not happen; nobody may see its text. Neither may anybody see what
/// nobody wrote, or not yet.
#[test]
fn a_text_must_have_been_written() {
    let mut failed = Run::new();
    failed
        .at_ms(1_000)
        .invoke("c1", "write", "k0=1")
        .op("c1", OpType::Fail, "write", "k0=1", "refused")
        .done("c2", "read", "k0", "k0=nil");
    accepts(&failed, "linearizable");
    failed.done("c2", "read", "k0", "k0=1");
    let sentence = "k0 is not linearizable: c2 read k0=1 from 1.004 s to 1.005 s: the operation \
        that wrote 1 had failed";
    refuses(&failed, "linearizable", sentence);
    let mut never = Run::new();
    never.at_ms(1_000).done("c2", "read", "k0", "k0=1");
    refuses(
        &never,
        "linearizable",
        "k0 is not linearizable: c2 read k0=1 from 1.000 s to 1.001 s: nobody ever wrote 1",
    );
    let mut later = never;
    later.done("c1", "write", "k0=1", "k0=1");
    refuses(
        &later,
        "linearizable",
        "k0 is not linearizable: c2 read k0=1 from 1.000 s to 1.001 s: 1 was written later",
    );
}

/// Appends build a list; one that took effect twice is seen twice.
#[test]
fn an_append_takes_effect_once() {
    let mut run = Run::new();
    run.at_ms(1_000).done("c1", "append", "k0+=1", "k0+=1").done("c1", "append", "k0+=2", "k0+=2");
    let mut good = run.clone();
    good.done("c2", "read", "k0", "k0=1,2")
        .done("c2", "cas", "k0:1,2->3", "k0:1,2->3")
        .done("c2", "append", "k0+=4", "k0+=4");
    good.done("c1", "read", "k0", "k0=3,4");
    accepts(&good, "linearizable");
    let mut bad = run;
    bad.done("c2", "read", "k0", "k0=1,2,2");
    let sentence = "k0 is not linearizable: c2 read k0=1,2,2 from 1.004 s to 1.005 s: no order of \
        the operations up to this one explains it";
    refuses(&bad, "linearizable", sentence);
}

/// Two swaps from the same text cannot both succeed.
#[test]
fn of_two_swaps_from_one_text_one_fails() {
    let mut run = Run::new();
    run.at_ms(1_000).invoke("c1", "cas", "k0:nil->1").invoke("c2", "cas", "k0:nil->2").ok(
        "c1",
        "cas",
        "k0:nil->1",
    );
    let mut good = run.clone();
    good.op("c2", OpType::Fail, "cas", "k0:nil->2", "mismatch");
    accepts(&good, "linearizable");
    let mut bad = run;
    bad.ok("c2", "cas", "k0:nil->2");
    let sentence = "k0 is not linearizable: c2 cas k0:nil->2 from 1.001 s to 1.003 s: no order of \
        the operations up to this one explains it";
    refuses(&bad, "linearizable", sentence);
}

/// Keys are independent registers, judged one by one.
#[test]
fn each_key_is_judged_alone() {
    let mut run = Run::new();
    run.at_ms(1_000)
        .done("c1", "write", "k0=1", "k0=1")
        .done("c2", "read", "k1", "k1=nil")
        .done("c2", "write", "k1=2", "k1=2");
    accepts(&run, "linearizable");
}

/// The limit is counted in steps, so that the verdict is the same on every machine; meeting it is
/// not a pass, but what was found until then holds.
#[test]
fn a_search_that_meets_its_limit_is_unknown() {
    let mut run = Run::new();
    // Writes that nobody reads need no step, so each is read.
    run.at_ms(100)
        .done("c1", "write", "k0=1", "k0=1")
        .done("c1", "read", "k0", "k0=1")
        .done("c1", "write", "k0=2", "k0=2")
        .done("c1", "read", "k0", "k0=2")
        .done("c1", "write", "k0=3", "k0=3")
        .done("c1", "read", "k0", "k0=3");
    match verdict(&run, "linearizable", &[("steps", 1.0)]) {
        Verdict::Unknown(why) => {
            assert!(why.starts_with("the search over key k0 met its limit of 1 steps"), "{why}")
        }
        other => panic!("a search of one step gave {other:?}"),
    }
}

/// Operations of the same microsecond are told apart by their place in the history.
#[test]
fn ties_are_broken_by_the_order_of_the_history() {
    let mut run = Run::new();
    run.at_ms(1_000).invoke("c1", "write", "k0=1").at_ms(1_000).ok("c1", "write", "k0=1");
    let mut good = run.clone();
    good.at_ms(1_000).invoke("c2", "read", "k0").at_ms(1_000).ok("c2", "read", "k0=1");
    accepts(&good, "linearizable");
    let mut bad = run;
    bad.at_ms(1_000).invoke("c2", "read", "k0").at_ms(1_000).ok("c2", "read", "k0=nil");
    let sentence = "k0 is not linearizable: c2 read k0=nil from 1.000 s to 1.000 s: no order of \
        the operations up to this one explains it";
    refuses(&bad, "linearizable", sentence);
}
