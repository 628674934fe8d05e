//! The checks of replication: a good twin history that each accepts, and a bad one that it refuses.
//! The twins differ in one thing.

use std::collections::BTreeSet;

use proptest::prelude::*;
use seedbed::checkers::{Params, Verdict};
use seedbed::trace::{Event, Fields, NodeId, OpType, Trace, Value};

use crate::replication_story::{ALL, K, R1, R2, R3, Story};
use crate::twins::{accepts, refuses};

/// A trace without leaders shows nothing: neither that replication works nor that it does not.
#[test]
fn an_empty_trace_is_no_evidence() {
    for checker in seedbed::systems::replication::SYSTEM.checks {
        let own = !matches!(checker.name, "no_panic" | "all_operations_answered");
        let verdict = checker.judge(&Trace::default(), &Params::new());
        assert_eq!(matches!(verdict, Verdict::Unknown(_)), own, "{}: {verdict:?}", checker.name);
    }
}

/// The follower that the view names as in sync decides: without it the answer promises more than
/// there is.
#[test]
fn an_answer_needs_the_whole_in_sync_set() {
    let mut good = Story::serving();
    good.stored(ALL, 1, "a").answered(R1, 1, 1, 1);
    accepts(&good, "acked_replicated");
    let mut bad = Story::serving();
    bad.stored(&[R1, R2], 1, "a").answered(R1, 1, 1, 1);
    refuses(
        &bad,
        "acked_replicated",
        "replica1 answered for record 1, which replica3 did not have…",
    );
    // The coordinator has agreed to do without it.
    let mut agreed = Story::serving();
    agreed.stored(&[R1, R2], 1, "a").view(4, 1, Some(R1), 1, &[R1, R2]).answered(R1, 1, 1, 1);
    accepts(&agreed, "acked_replicated");
    // A majority is enough where the mode says so, and one alone is not.
    let mut quorum = Story::serving_as("sync-quorum");
    quorum.stored(&[R1, R2], 1, "a").answered(R1, 1, 1, 1);
    accepts(&quorum, "acked_replicated");
    quorum.stored(&[R1], 1, "b").answered(R1, 1, 2, 1);
    refuses(
        &quorum,
        "acked_replicated",
        "replica1 answered for record 2 when 1 of 3 replicas had it, and 2 must…",
    );
}

/// What was not answered may be lost with its leader; what was answered may not.
#[test]
fn the_next_leader_has_what_was_answered() {
    let mut good = Story::serving();
    good.stored(ALL, 1, "a").answered(R1, 1, 1, 1).stored(&[R1], 1, "b").failover(&[R2, R3]);
    accepts(&good, "acked_not_lost");
    let mut bad = Story::serving();
    bad.stored(ALL, 1, "a")
        .answered(R1, 1, 1, 1)
        .stored(&[R1], 1, "b")
        .answered(R1, 1, 2, 1)
        .failover(&[R2, R3]);
    refuses(
        &bad,
        "acked_not_lost",
        "replica1 acknowledged record 2 in epoch 1, and replica2, the leader of epoch 2, does not \
            have it…",
    );
}

/// Two leaders at one time are legal, two of one epoch are not.
#[test]
fn an_epoch_has_one_leader() {
    let mut good = Story::serving();
    good.failover(&[R2, R3]);
    accepts(&good, "one_leader_per_epoch");
    let mut bad = Story::serving();
    bad.leads(R2, 1);
    refuses(&bad, "one_leader_per_epoch", "replica1 and replica2 both lead in epoch 1…");
}

/// A coordinator that finds its view after a restart goes on from there; one that has forgotten it
/// begins anew.
#[test]
fn epochs_go_on_after_a_restart() {
    let mut good = Story::serving();
    good.crash(K).view(3, 1, Some(R1), 1, ALL).failover(&[R2, R3]);
    accepts(&good, "epochs_increase");
    let mut bad = Story::serving();
    bad.crash(K).view(0, 0, None, 0, ALL);
    refuses(
        &bad,
        "epochs_increase",
        "coordinator1 goes from view 3 of epoch 1 back to view 0 of epoch 0…",
    );
    let mut two = Story::serving();
    two.view(3, 1, Some(R1), 1, &[R1, R2]);
    refuses(
        &two,
        "epochs_increase",
        "view 3 is one of epoch 1 for coordinator1 and another one of epoch 1…",
    );
}

/// Replica 3 has left the in-sync set: whether it is promoted all the same is the difference.
#[test]
fn only_those_in_sync_are_promoted() {
    let left = |leader| {
        let mut story = Story::serving();
        story.view(4, 1, Some(R1), 1, &[R1, R2]).view(5, 2, None, 1, &[R1, R2]).view(
            6,
            2,
            Some(leader),
            1,
            &[R1, R2],
        );
        story
    };
    accepts(&left(R2), "view_acknowledged");
    refuses(
        &left(R3),
        "view_acknowledged",
        "replica3 was promoted to lead epoch 2 and is not in sync: replica1, replica2…",
    );
    // A new leader that has not acknowledged its view has no say in who is in sync.
    let mut early = Story::serving();
    early.view(4, 2, None, 1, ALL).view(5, 2, Some(R2), 1, &[R2]);
    refuses(
        &early,
        "view_acknowledged",
        "view 5 changes the replicas in sync from replica1, replica2, replica3 to replica2…",
    );
}

/// A replica that comes back counts when it has what is final, and not one record earlier.
#[test]
fn who_enters_the_in_sync_set_is_complete() {
    let back = |records: &[&str]| {
        let mut story = Story::serving();
        story
            .view(4, 1, Some(R1), 1, &[R1, R2])
            .stored(&[R1, R2], 1, "a")
            .stored(&[R1, R2], 1, "b")
            .is_final(R1, 1);
        for record in records {
            story.stored(&[R3], 1, record);
        }
        story.view(5, 1, Some(R1), 1, ALL);
        story
    };
    accepts(&back(&["a", "b"]), "in_sync_complete");
    refuses(
        &back(&["a"]),
        "in_sync_complete",
        "replica3 counts as in sync in view 5 with records up to 1, and 2 is final…",
    );
}

/// A promise binds from the moment it is durable, whatever was on its way by then.
#[test]
fn a_promise_is_kept() {
    let mut good = Story::serving();
    good.stored(&[R2], 1, "a").epoch(&[R2], 2).stored(&[R2], 2, "b");
    accepts(&good, "epoch_fencing");
    let mut bad = Story::serving();
    bad.epoch(&[R2], 2).stored(&[R2], 1, "a");
    refuses(
        &bad,
        "epoch_fencing",
        "replica2 stored record 1 for the leader of epoch 1 when it had promised to follow epoch \
            2…",
    );
    let mut forgotten = Story::serving();
    forgotten.restart(R2, 0, 0);
    refuses(
        &forgotten,
        "epoch_fencing",
        "replica2 promised to follow epoch 1 and knows only 0 after its restart…",
    );
}

/// The acknowledged leader answers; a follower does not, and a leader not before its view is
/// acknowledged.
#[test]
fn the_acknowledged_leader_serves() {
    let mut good = Story::serving();
    good.stored(ALL, 1, "a").answered(R1, 1, 1, 1).read(R1, 1, 2);
    accepts(&good, "leader_serves");
    let mut follower = Story::serving();
    follower.read(R2, 1, 1);
    refuses(
        &follower,
        "leader_serves",
        "replica2 answered request 1 of c1 in epoch 1, in which it does not lead…",
    );
    let mut early = Story::serving();
    early.view(4, 2, None, 1, ALL).view(5, 2, Some(R2), 1, ALL).leads(R2, 2).read(R2, 2, 1);
    refuses(
        &early,
        "leader_serves",
        "replica2 answered request 1 of c1 in epoch 2, in which it has no acknowledged view…",
    );
}

/// A read that was asked for before the failover may still be answered by the old leader; one that
/// was asked for later may not.
#[test]
fn reads_are_not_of_the_past() {
    let mut good = Story::serving();
    good.op("c1", OpType::Invoke, "get", "k1", "").failover(&[R2, R3]).read(R1, 1, 1);
    accepts(&good, "read_through_followers");
    let mut bad = Story::serving();
    bad.failover(&[R2, R3]).op("c1", OpType::Invoke, "get", "k1", "").read(R1, 1, 1);
    refuses(
        &bad,
        "read_through_followers",
        "replica1 answered read 1 of c1 in epoch 1; when it was asked for, epoch 2 had begun to \
            serve…",
    );
}

/// Under one epoch there is one record with each number. Another epoch's leader may have another.
#[test]
fn what_is_taken_from_a_leader_is_equal() {
    let mut good = Story::serving();
    good.stored(&[R1, R2], 1, "a").failover(&[R2, R3]).stored(&[R3], 2, "b");
    accepts(&good, "prefix_equal");
    let mut bad = Story::serving();
    bad.stored(&[R1], 1, "a").stored(&[R2], 1, "b");
    refuses(&bad, "prefix_equal", "under epoch 1, record 1 of replica1 has hash #…");
}

/// A torn tail is not damage; a sound record that is called damaged is a mistake, unless somebody
/// did damage the disk.
#[test]
fn a_recovery_accepts_exactly_what_is_sound() {
    let restarted = |damaged: bool, flipped: bool| {
        let mut story = Story::serving();
        story.stored(ALL, 1, "a").crash(R2);
        if flipped {
            story.op("nemesis", OpType::Invoke, "bitflip", "flip: replica2", "").op(
                "nemesis",
                OpType::Info,
                "bitflip",
                "flip: replica2",
                "",
            );
        }
        story.start(R2, 1, damaged);
        story
    };
    accepts(&restarted(false, false), "hash_chain");
    accepts(&restarted(true, true), "hash_chain");
    refuses(
        &restarted(true, false),
        "hash_chain",
        "replica2 rejects record 2 of its log, which nobody has damaged…",
    );
    let mut believed = restarted(false, false);
    believed.crash(R2).logs[R2.index()][0] ^= 1;
    believed.start(R2, 1, false);
    refuses(&believed, "hash_chain", "replica2 accepts record 1 of its log as #…");
    let mut gap = Story::serving();
    gap.stored(&[R1], 1, "a").logs[R2.index()] = vec![7];
    gap.stored(&[R2], 1, "b");
    refuses(&gap, "hash_chain", "replica2 stored record 2 after #…");
}

/// A crash may take what was never told, and nothing else.
#[test]
fn what_was_stored_is_there_after_a_restart() {
    let restarted = |lost: usize| {
        let mut story = Story::serving();
        story.stored(ALL, 1, "a").stored(ALL, 1, "b").restart(R2, 1, lost);
        story
    };
    accepts(&restarted(0), "recovery_keeps_records");
    refuses(
        &restarted(1),
        "recovery_keeps_records",
        "replica2 had stored records up to 2 and has 1 after its restart…",
    );
}

/// A crash may come between the removal of a record that a later leader does not have, durable
/// already, and the word of it. Whoever had not heard of that leader has lost the record by itself.
#[test]
fn a_later_leader_may_have_had_a_record_removed() {
    let deposed = |known: u64| {
        let mut story = Story::serving();
        story.stored(ALL, 1, "a").stored(&[R1], 1, "b").failover(&[R2, R3]).restart(R1, known, 1);
        story
    };
    accepts(&deposed(2), "recovery_keeps_records");
    refuses(
        &deposed(1),
        "recovery_keeps_records",
        "replica1 had stored records up to 2 and has 1 after its restart…",
    );
    // What it has stored in the later epoch itself, that leader had sent.
    let mut of_later = Story::serving();
    of_later.stored(ALL, 1, "a").failover(ALL).stored(&[R2, R3], 2, "b").restart(R3, 2, 1);
    refuses(
        &of_later,
        "recovery_keeps_records",
        "replica3 had stored records up to 2 and has 1 after its restart…",
    );
}

/// As above, with the later leader's record on the disk instead of the removed one; of nobody
/// else's.
#[test]
fn a_later_leader_may_have_had_a_record_replaced() {
    let deposed = |known: u64, place: NodeId| {
        let mut story = Story::serving();
        story
            .stored(ALL, 1, "a")
            .stored(&[R1], 1, "b")
            .failover(&[R2, R3])
            .stored(&[R2], 2, "c")
            .crash(R1);
        story.logs[R1.index()] = story.logs[place.index()].clone();
        story.logs[R1.index()].resize(2, 5);
        story.start(R1, known, false);
        story
    };
    accepts(&deposed(2, R2), "hash_chain");
    refuses(&deposed(1, R2), "hash_chain", "replica1 accepts record 2 of its log as #…");
    refuses(
        &deposed(2, R3),
        "hash_chain",
        "replica1 accepts record 2 of its log as #0000000000000005, and had stored #…",
    );
}

/// The order of the log is the order of the forms: no gap, no other record, no other forms.
#[test]
fn records_are_applied_alike() {
    let mut good = Story::serving();
    good.stored(ALL, 1, "a").stored(ALL, 1, "b").applied(ALL, 1, 1, 1).applied(ALL, 2, 2, 1);
    accepts(&good, "applied_in_order");
    let mut gap = Story::serving();
    gap.stored(ALL, 1, "a").stored(ALL, 1, "b").applied(ALL, 2, 2, 1);
    refuses(&gap, "applied_in_order", "replica1 applied record 2 after record 0…");
    let mut other = Story::serving();
    other.stored(&[R1], 1, "a").stored(&[R2], 1, "b").applied(&[R1, R2], 1, 1, 1);
    refuses(&other, "applied_in_order", "replica2 has another record 1 than replica1…");
    let mut forms = Story::serving();
    forms.stored(ALL, 1, "a").applied(&[R1], 1, 1, 1).applied_with(&[R2], 1, 1, 1, 99);
    refuses(&forms, "applied_in_order", "replica2 has other forms after record 1 than replica1…");
}

/// All replicas apply one record; a second record for the same request is a second effect.
#[test]
fn a_request_takes_effect_once() {
    let mut good = Story::serving();
    good.stored(ALL, 1, "a").applied(ALL, 1, 1, 1);
    accepts(&good, "at_most_once");
    let mut bad = Story::serving();
    bad.stored(ALL, 1, "a").stored(ALL, 1, "b").applied(ALL, 1, 1, 1).applied(&[R1], 2, 1, 1);
    refuses(
        &bad,
        "at_most_once",
        "request 1 of c1 took effect as record 1 on replica1 and as record 2 on replica1…",
    );
}

/// Another request may be refused because the form is there; the one that has put it there may not.
#[test]
fn a_retry_is_no_duplicate() {
    let answered = |req: u64| {
        let mut story = Story::serving();
        story
            .stored(ALL, 1, "a")
            .applied(ALL, 1, 1, 1)
            .stored(ALL, 1, "b")
            .applied(ALL, 2, req, 0)
            .answered(R1, 1, req, 0);
        story
    };
    accepts(&answered(2), "retry_not_duplicate");
    refuses(
        &answered(1),
        "retry_not_duplicate",
        "replica1 refused request 1 of c1, which had taken effect…",
    );
}

/// What all had applied when the judged time began is applied by everybody at the end; what came
/// later may be on its way.
#[test]
fn replicas_become_equal() {
    let late = |nodes: &[NodeId]| {
        let mut story = Story::serving();
        story
            .stored(ALL, 1, "a")
            .stored(ALL, 1, "b")
            .stored(ALL, 1, "c")
            .applied(ALL, 1, 1, 1)
            .applied(&[R1], 2, 2, 1);
        story.at_ms(29_000).applied(nodes, 2, 2, 1).applied(&[R1], 3, 3, 1);
        story
    };
    accepts(&late(&[R2, R3]), "replicas_converge");
    refuses(
        &late(&[R2]),
        "replicas_converge",
        "replica3 has applied up to 1 at the end, replica1 up to 2 at 27.000 s already…",
    );
    let mut differ = Story::serving();
    differ.stored(ALL, 1, "a").applied(&[R1, R2], 1, 1, 1).applied_with(&[R3], 1, 1, 1, 99);
    refuses(&differ, "replicas_converge", "replica3 and replica1 differ after record 1…");
}

/// One store that serves one request after the other could have given the good answers, and not the
/// bad ones.
#[test]
fn the_answers_are_those_of_one_store() {
    let mut good = Story::serving();
    good.done("insert", "k1=4F", "k1=4F")
        .failed("insert", "k1=5M", "duplicate")
        .done("get", "k1", "k1=4F");
    good.done("get_all", "*", "*=k1:4F").done("get_by_gender", "F", "F=k1").done(
        "get_by_gender",
        "M",
        "M=",
    );
    good.done("update", "k1=6X", "k1=6X")
        .done("exists", "k1", "k1=true")
        .done("delete", "k1", "k1");
    good.failed("update", "k1=7F", "missing").done("get", "k1", "k1=nil");
    accepts(&good, "forms_linearizable");
    let bad = |f: &'static str, argument: &str, value: &str| {
        let mut story = Story::serving();
        story
            .done("insert", "k1=4F", "k1=4F")
            .done("update", "k1=6X", "k1=6X")
            .done(f, argument, value);
        story
    };
    let why = "k1 is not linearizable: no order explains c1 ";
    refuses(&bad("get", "k1", "k1=4F"), "forms_linearizable", &format!("{why}get k1=4F…"));
    refuses(
        &bad("exists", "k1", "k1=false"),
        "forms_linearizable",
        &format!("{why}exists k1=false…"),
    );
    refuses(&bad("get_all", "*", "*="), "forms_linearizable", &format!("{why}get_all *=…"));
    refuses(
        &bad("get_by_gender", "F", "F=k1"),
        "forms_linearizable",
        &format!("{why}get_by_gender F=k1…"),
    );
}

/// A write without an answer may take effect late or never, but not after it was seen to be undone.
#[test]
fn an_open_write_may_take_effect_late() {
    let mut story = Story::serving();
    story.op("c2", OpType::Invoke, "insert", "k1=9M", "").op(
        "c2",
        OpType::Info,
        "insert",
        "k1=9M",
        "timeout",
    );
    story.done("get", "k1", "k1=nil").done("get", "k1", "k1=9M");
    accepts(&story, "forms_linearizable");
    story.done("get", "k1", "k1=nil");
    refuses(&story, "forms_linearizable", "k1 is not linearizable…");
}

const NAMES: &[&str] = &[
    "recovered",
    "kept",
    "epoch",
    "stored",
    "cut",
    "copied",
    "emptied",
    "applied",
    "leads",
    "steps_down",
    "final",
    "answered",
    "read",
    "view",
    "crash",
    "start",
];

fn event() -> impl Strategy<Value = Event> {
    let number =
        || prop_oneof![8 => 0i64..6, 1 => Just(i64::MAX), 1 => Just(-1i64)].prop_map(Value::Int);
    let hash = || (0u64..5).prop_map(Value::Hash);
    let node = || (0u32..8).prop_map(|node| Value::Node(NodeId(node)));
    let word = |words: &'static [&'static str]| {
        prop::sample::select(words).prop_map(|word| Value::Text(word.into()))
    };
    let fields: Vec<(&str, BoxedStrategy<Value>)> = vec![
        ("epoch", number().boxed()),
        ("seq", number().boxed()),
        ("from", number().boxed()),
        ("req", number().boxed()),
        ("effect", number().boxed()),
        ("damaged", number().boxed()),
        ("version", number().boxed()),
        ("active_epoch", number().boxed()),
        ("min_in_sync", number().boxed()),
        ("hash", hash().boxed()),
        ("prev", hash().boxed()),
        ("forms", hash().boxed()),
        ("client", node().boxed()),
        ("leader", node().boxed()),
        ("mode", word(&["sync-all", "sync-quorum", "async", "confirmed", "anyone"]).boxed()),
        ("in_sync", word(&["replica1+replica2", "-", "c1", ""]).boxed()),
    ];
    let (names, values): (Vec<&str>, Vec<_>) =
        fields.into_iter().map(|(name, value)| (name, prop::option::weighted(0.95, value))).unzip();
    ((0u64..300, 0u64..40_000_000, 0u32..8, prop::sample::select(NAMES)), values).prop_map(
        move |((index, time_us, node, name), values)| {
            let given = names
                .iter()
                .zip(values)
                .filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
            let (names, values) = given.unzip();
            Event {
                index,
                time_us,
                node: NodeId(node),
                incarnation: 1,
                name: name.into(),
                fields: Fields::owned(names, values),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever stands in a trace, each check comes to a verdict, and to the same one twice.
    #[test]
    fn no_checker_of_replication_panics(events in prop::collection::vec(event(), 0..80)) {
        let trace = Trace { events, ..Story::new().trace };
        let checks = seedbed::systems::replication::SYSTEM.checks.iter();
        for checker in checks.filter(|checker| checker.name != "availability") {
            let judge = || checker.judge(&trace, &Params::new());
            prop_assert_eq!(judge(), judge());
        }
    }
}

/// Each check of this system is the subject of a test above.
#[test]
fn every_check_has_its_twins() {
    let source = include_str!("replication.rs");
    let shared = BTreeSet::from(["no_panic", "all_operations_answered", "availability"]);
    for checker in seedbed::systems::replication::SYSTEM
        .checks
        .iter()
        .filter(|checker| !shared.contains(checker.name))
    {
        assert!(source.contains(&format!("\"{}\"", checker.name)), "{}", checker.name);
    }
}
