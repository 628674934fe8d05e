//! Damaged traces of file sharing: a checker gives some verdict and never panics.

use proptest::prelude::*;
use seedbed::checkers::{self, Params};
use seedbed::trace::{Event, Fields, NodeId, NodeInfo, Op, OpType, Trace, Value};

const NAMES: &[&str] = &[
    "tables",
    "executed",
    "online",
    "offline",
    "offered",
    "dated",
    "session_open",
    "session_end",
    "file",
    "serve",
    "fetch",
    "fetched",
    "kept",
    "logged",
    "log_found",
    "log_line",
    "start",
    "crash",
    "pause",
    "resume",
];

const FIELDS: &[&str] = &[
    "user",
    "host",
    "port",
    "reason",
    "file",
    "path",
    "how",
    "bytes",
    "digest",
    "present",
    "status",
    "sequence",
    "lines",
    "operation",
    "date",
    "argument",
    "origin",
    "to",
    "from",
    "lease_us",
];

const WORDS: &[&str] = &[
    "alice",
    "bob",
    "expired",
    "f",
    "share/f",
    "private/f",
    "found",
    "fetched",
    "register",
    "01/01/2026_00:00:00",
    "",
];

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => prop_oneof![0i64..6, Just(i64::MAX), Just(-1)].prop_map(Value::Int),
        2 => (0u32..12).prop_map(|node| Value::Node(NodeId(node))),
        1 => (0u64..3).prop_map(Value::Hash),
        4 => prop::sample::select(WORDS).prop_map(|word| Value::Text(word.into())),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let fields: Vec<_> = FIELDS.iter().map(|_| prop::option::weighted(0.9, value())).collect();
    ((0u64..300, 0u64..40_000_000, 0u32..12, prop::sample::select(NAMES)), fields).prop_map(
        |((index, time_us, node, name), fields)| {
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
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let values = &[
        "alice",
        "alice -> 0",
        "alice -> 9",
        "alice f d -> 3",
        "alice bob f copy -> 0 5",
        "alice -> 0 bob@p2:4 bob@p2:4 @ :",
        "",
        " -> ",
        "-> 0",
        "alice bob -> 0 f f",
        "alice f",
    ];
    let process = prop::sample::select(&["c1", "c2", "nemesis", "x"][..]);
    let op_type = prop::sample::select(&OpType::ALL[..]);
    let services = [
        "register",
        "unregister",
        "connect",
        "disconnect",
        "publish",
        "delete",
        "list_users",
        "list_content",
        "get_file",
        "kill",
    ];
    (
        0u64..300,
        0u64..40_000_000,
        process,
        op_type,
        prop::sample::select(services.to_vec()),
        prop::sample::select(&values[..]),
    )
        .prop_map(|(index, time_us, process, op_type, f, value)| Op {
            index,
            time_us,
            process: process.into(),
            op_type,
            f: f.into(),
            value: value.into(),
            error: "expected status 0".into(),
        })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever stands in a trace, each check comes to a verdict, and to the same one twice.
    #[test]
    fn no_checker_of_file_sharing_panics(
        events in prop::collection::vec(event(), 0..80),
        history in prop::collection::vec(op(), 0..60),
        nodes in 0usize..9,
        end_us in 0u64..40_000_000,
    ) {
        let roles = ["peer", "peer", "directory", "logger", "date_service", "client", "client"];
        let role = |i| roles.get(i).copied().unwrap_or("client");
        let name = |i: usize| if i < 5 { format!("p{}", i + 1) } else { format!("c{}", i - 4) };
        let nodes = (0..nodes).map(|i| NodeInfo { name: name(i), role: role(i).into() }).collect();
        let trace =
            Trace { duration_us: 20_000_000, end_us, nodes, events, history, ..Trace::default() };
        let params = Params::from([("steps".to_owned(), 20_000.0)]);
        let checks = seedbed::systems::p2p::SYSTEM.checks;
        let specs: Vec<_> = checks.iter().map(|checker| (*checker, params.clone())).collect();
        let verdicts = checkers::judge(&trace, &specs);
        prop_assert_eq!(verdicts, checkers::judge(&trace, &specs));
    }
}
