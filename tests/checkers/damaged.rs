//! Damaged and nonsensical traces: a checker gives some verdict and never panics. Traces come from
//! files that anybody may have edited.

use proptest::prelude::*;
use seedbed::checkers::{self, Params};
use seedbed::trace::{Event, Fields, NodeId, NodeInfo, Op, OpType, Trace, Value};

const NAMES: &[&str] = &[
    "recover",
    "term",
    "vote",
    "role",
    "leader",
    "append",
    "truncate",
    "commit",
    "apply",
    "snapshot_take",
    "snapshot_install",
    "config_append",
    "config_commit",
    "read",
    "reply",
    "start",
    "crash",
    "pause",
    "resume",
    "unheard_of",
    "source",
    "source_frame",
    "upload_attempt",
    "upload_confirmed",
    "stored",
    "position",
    "take_over",
    "send",
    "listener",
    "search",
    "frame",
    "play",
    "conceal",
    "end",
];

const FIELDS: &[&str] = &[
    "index",
    "term",
    "digest",
    "chain",
    "from",
    "role",
    "entry_term",
    "candidate",
    "voted_for",
    "snapshot_index",
    "last_index",
    "last_term",
    "client",
    "serial",
    "effect",
    "state",
    "kind",
    "voters",
    "learners",
    "voters_old",
    "mode",
    "reason",
    "message",
    "upload",
    "session",
    "frame",
    "frames",
    "size",
    "attempt",
    "wait_us",
    "media_us",
    "arrival_us",
    "paced",
    "jitter_us",
    "first",
    "played",
    "lost",
    "concealed",
    "buffer_max_frames",
];

const WORDS: &[&str] = &[
    "leader",
    "candidate",
    "learner",
    "none",
    "-",
    "simple",
    "joint",
    "leave_joint",
    "n1+n2",
    "n3",
    "lease",
    "panic",
    "",
];

fn int() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 0i64..6,
        1 => Just(1 << 40),
        1 => Just(i64::MAX),
        1 => Just(i64::MIN),
        1 => -3i64..0,
        1 => 65_000i64..66_000,
    ]
}

/// A value of the kind that the field should have, most of the time.
fn value(field: &'static str) -> BoxedStrategy<Value> {
    let node = (0u32..9).prop_map(|node| Value::Node(NodeId(node)));
    let hash = (0u64..4).prop_map(Value::Hash);
    let word = prop::sample::select(WORDS).prop_map(|word| Value::Text(word.into()));
    let int = int().prop_map(Value::Int);
    match field {
        "digest" | "chain" | "state" | "upload" => prop_oneof![9 => hash, 1 => int].boxed(),
        "candidate" | "voted_for" | "client" => prop_oneof![8 => node, 2 => word].boxed(),
        "role" | "kind" | "voters" | "learners" | "voters_old" | "mode" | "reason" | "message" => {
            prop_oneof![9 => word, 1 => int].boxed()
        }
        _ => prop_oneof![9 => int, 1 => word].boxed(),
    }
}

fn event() -> impl Strategy<Value = Event> {
    let fields: Vec<_> =
        FIELDS.iter().map(|field| prop::option::weighted(0.97, value(field))).collect();
    let header = (0u64..300, 0u64..40_000_000, 0u32..7, prop::sample::select(NAMES));
    (header, fields).prop_map(|((index, time_us, node, name), fields)| {
        let given = FIELDS
            .iter()
            .zip(fields)
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
    })
}

fn op() -> impl Strategy<Value = Op> {
    let values = &[
        "k0",
        "k0=1",
        "k0=1,2",
        "k0=nil",
        "k0+=2",
        "k0+=3",
        "k0:1->2",
        "k0:nil->4",
        "k1=",
        "=",
        ":->",
        ",,",
        "wipe: n1",
    ];
    let process = prop::sample::select(&["c1", "c2", "c3", "nemesis", ""][..]);
    let op_type =
        prop::sample::select(&[OpType::Invoke, OpType::Ok, OpType::Fail, OpType::Info][..]);
    let f = prop::sample::select(
        &["read", "write", "cas", "append", "wipe", "disk_stall", "dance"][..],
    );
    (0u64..300, 0u64..40_000_000, process, op_type, f, prop::sample::select(&values[..])).prop_map(
        |(index, time_us, process, op_type, f, value)| Op {
            index,
            time_us,
            process: process.into(),
            op_type,
            f: f.into(),
            value: value.into(),
            error: "mismatch".into(),
        },
    )
}

fn trace() -> impl Strategy<Value = Trace> {
    (
        prop::collection::vec(event(), 0..120),
        prop::collection::vec(op(), 0..60),
        0u64..40_000_000,
        0usize..7,
        any::<bool>(),
    )
        .prop_map(|(mut events, mut history, end_us, nodes, ordered)| {
            if ordered {
                events.sort_by_key(|event| event.index);
                history.sort_by_key(|op| op.index);
            }
            let role = |i| if i < 5 { "peer" } else { "client" };
            let nodes = (0..nodes)
                .map(|i| NodeInfo { name: format!("n{}", i + 1), role: role(i).into() })
                .collect();
            Trace { duration_us: 20_000_000, end_us, nodes, events, history, ..Trace::default() }
        })
}

/// A number that no scenario could give.
fn parameter() -> impl Strategy<Value = f64> {
    let numbers = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300];
    (0..numbers.len()).prop_map(move |i| numbers[i])
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever stands in a trace, each check comes to a verdict, and to the same one twice.
    #[test]
    fn no_checker_panics(trace in trace()) {
        let checks = seedbed::systems::checks();
        let specs: Vec<_> = checks.iter().map(|checker| (*checker, Params::new())).collect();
        let verdicts = checkers::judge(&trace, &specs);
        prop_assert_eq!(verdicts, checkers::judge(&trace, &specs));
    }

    /// Parameters of a damaged report must not cause a panic either.
    #[test]
    fn no_checker_panics_over_its_parameters(number in parameter()) {
        let trace = crate::run::Run::new();
        for checker in seedbed::systems::checks().iter() {
            let params: Params =
                checker.params.iter().map(|param| (param.name.to_owned(), number)).collect();
            checker.judge(trace.trace(), &params);
        }
    }
}
